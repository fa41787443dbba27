//! Introductions: sentences in front of a list, such as `The network used these domains:`.

use super::super::prose::{Stated, role_of_introduced};
use super::super::wording::{has_word, words};

/// Words of an introduction for what follows in a list.
const INTRODUCED: &[&str] = &[
    "domains",
    "urls",
    "ips",
    "hashes",
    "indicators",
    "iocs",
    "sites",
    "websites",
    "addresses",
    "accounts",
    "channels",
    "hosts",
    "servers",
];

/// Words of an introduction that leads to what others wrote, or to the reader's help.
const NOT_INTRODUCED: &[&str] = &[
    "see",
    "read",
    "reported",
    "reports",
    "sources",
    "references",
    "contact",
    "visit",
    "help",
    "articles",
    "report",
    "information",
    "legitimate",
    "official",
    "our",
    "only",
];

/// Words that point at what follows.
const POINTERS: &[&str] = &["these", "following", "those"];
/// Bytes that an introduction has at most.
const MAX_BYTES: usize = 200;

/// What an introduction says of the values after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// Whose they are, and whether they are malicious: `The network imitated these sites:`.
    pub stated: Stated,
}

impl Introduction {
    /// Reads the last sentence of a paragraph. `None` if it introduces no values.
    pub fn of(text: &str) -> Option<Self> {
        let line = text.lines().last().unwrap_or_default().trim_end_matches(['`', '*', ' ']);
        let sentence = line.rsplit(". ").next().unwrap_or(line);
        if !sentence.ends_with([':', '：']) || sentence.len() > MAX_BYTES {
            return None;
        }
        let lower = sentence.to_lowercase();
        let words = words(&lower);
        if has_word(&words, NOT_INTRODUCED) {
            return None;
        }
        let is_noun = |at: &usize| INTRODUCED.contains(&words[*at]);
        let nouns: Vec<usize> = (0..words.len()).filter(is_noun).collect();
        let is_pointed_at = |at: &&usize| has_word(&words[at.saturating_sub(3)..**at], POINTERS);
        let noun = *nouns.iter().find(is_pointed_at).or(nouns.first())?;
        let role = role_of_introduced(&words[..noun], &words[noun + 1..]);
        role.stated().map(|stated| Self { stated })
    }
}

#[cfg(test)]
mod tests {
    use Involvement::{ThirdParty, Victim};

    use super::*;
    use crate::domain::assessment::Involvement;

    #[test]
    fn introductions_state_whose_the_values_are() {
        let table = [
            ("The network used these domains:", Some(None)),
            ("It used these domains to imitate websites:", Some(None)),
            ("It registered domains that imitated news sites:", Some(None)),
            ("Victims were sent to these sites:", Some(None)),
            ("Please block these domains:", Some(None)),
            ("The people behind it ran these sites:", Some(None)),
            ("The network sent victims to the following sites:", Some(None)),
            ("The network imitated these websites:", Some(Some(Victim))),
            ("The following news sites were imitated:", Some(Some(Victim))),
            ("The sites of the victims were:", Some(Some(Victim))),
            ("The victims visited these sites every day, as many do:", Some(Some(Victim))),
            ("It was amplified on these sites:", Some(Some(ThirdParty))),
            ("For more, see these sites:", None),
            ("We informed these hosts:", None),
            ("The network used a.example", None),
        ];
        for (text, expected) in table {
            assert_eq!(Introduction::of(text).map(|it| it.stated.involvement), expected, "{text}");
        }
    }
}
