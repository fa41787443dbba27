//! Platforms that a command names.

use super::failure::Failure;
use crate::domain::{Kind, Platform};
use crate::formats::{Class, Record};

/// Refuses a name that no known platform has, unless the user says that it is new. A host is one: `forum.example`.
pub fn check<'a>(
    flag: &str,
    names: impl IntoIterator<Item = &'a str>,
    allows_new: bool,
) -> Result<(), Failure> {
    match names.into_iter().find(|name| is_unknown(name)).filter(|_| !allows_new) {
        Some(unknown) => Err(Failure::usage(format!("{flag}: {}", question(unknown)))),
        None => Ok(()),
    }
}

/// What to say of the platform of a record, if nobody knows it.
pub fn unknown(record: &Record) -> Option<String> {
    let found = match &record.class {
        // The platform of a crypto address is a chain.
        Class::Indicator(indicator) if indicator.kind() != Kind::CryptoAddress => {
            indicator.platform().map(Platform::as_str).filter(|name| is_unknown(name))
        }
        Class::Aggregate(count) => {
            count.platforms.iter().map(String::as_str).find(|name| is_unknown(name))
        }
        _ => None,
    };
    found.map(question)
}

fn is_unknown(name: &str) -> bool {
    !Platform::is_named(name) && !name.contains('.')
}

fn question(unknown: &str) -> String {
    let close = Platform::close_to(unknown);
    let close = close.map_or_else(|| ".".into(), |id| format!(": did you mean `{id}`?"));
    format!(
        "nobody knows the platform `{}`{close} Add --new-platform if it is new",
        unknown.escape_debug()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_knows_is_asked_about() {
        let check = |name: &str, allows_new| check("--platform", [name], allows_new);
        for known in ["facebook", "Twitter", "forum.example", "You Tube"] {
            assert!(check(known, false).is_ok(), "{known}");
        }
        let close = format!("{:?}", check("facebok", false).unwrap_err());
        assert!(close.contains("did you mean `facebook`?"), "{close}");
        let other = format!("{:?}", check("harbourboard", false).unwrap_err());
        assert!(other.contains("--new-platform") && !other.contains("did you mean"), "{other}");
        assert!(check("harbourboard", true).is_ok());
    }
}
