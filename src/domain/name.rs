//! The rule of names that partners choose: submissions, requests, lists and subscriptions.

use super::invalid::Invalid;

/// Which names a field accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameRule {
    /// The field, for the error.
    pub field: &'static str,
    /// The most characters.
    pub max_length: usize,
    /// The characters that it accepts besides ASCII letters and digits.
    pub punctuation: &'static str,
}

impl NameRule {
    /// Checks a name. Returns it as it is.
    pub fn parse(self, text: &str) -> Result<Box<str>, Invalid> {
        let Self { field, max_length, punctuation } = self;
        let fits = |c: char| c.is_ascii_alphanumeric() || punctuation.contains(c);
        if (1..=max_length).contains(&text.len()) && text.chars().all(fits) {
            Ok(text.into())
        } else {
            let reason = format!("is not 1 to {max_length} of A-Z, a-z, 0-9 and {punctuation}");
            Err(Invalid::new(field, reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_plain_characters_and_a_limited_length() {
        let rule = NameRule { field: "list", max_length: 64, punctuation: "._:-" };
        for name in ["a", "Phishing-2026_07.csv", "x:y", &"n".repeat(64)] {
            assert_eq!(&*rule.parse(name).unwrap(), name);
        }
        for name in ["", "two words", "a/b", "ä", "a\0", &"n".repeat(65)] {
            let invalid = rule.parse(name).unwrap_err();
            let reason = "is not 1 to 64 of A-Z, a-z, 0-9 and ._:-";
            assert_eq!((&*invalid.field, &*invalid.reason), ("list", reason), "{name:?}");
        }
        let narrow = NameRule { punctuation: "._-", ..rule };
        assert!(narrow.parse("x:y").is_err() && narrow.parse("x.y").is_ok());
    }
}
