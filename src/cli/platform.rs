//! Platforms that a command names.

use super::failure::Failure;
use crate::domain::Platform;

/// Refuses a name that no known platform has, unless the user says that it is new. A host is one: `forum.example`.
pub fn check<'a>(
    flag: &str,
    names: impl IntoIterator<Item = &'a str>,
    allows_new: bool,
) -> Result<(), Failure> {
    let is_unknown = |name: &&str| !Platform::is_named(name) && !name.contains('.');
    let Some(unknown) = names.into_iter().find(is_unknown).filter(|_| !allows_new) else {
        return Ok(());
    };
    let close = Platform::close_to(unknown);
    let close = close.map(|id| format!(": did you mean `{id}`?")).unwrap_or_default();
    Err(Failure::usage(format!(
        "{flag}: nobody knows the platform `{}`{close} Add --new-platform if it is new",
        unknown.escape_debug()
    )))
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
