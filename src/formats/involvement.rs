//! Words that say which role a value plays: what a report lists as amplified, imitated, quoted or hosted is not the
//! attacker's.

use super::wording::{find_phrase, words};
use crate::domain::assessment::Involvement;

/// Words and phrases of headings, columns and short notes, for each involvement. The first that occurs counts.
pub const WORDS: &[(&str, Involvement)] = &[
    ("abused brand", Involvement::Victim),
    ("abused brands", Involvement::Victim),
    ("abused service", Involvement::AbusedService),
    ("abused services", Involvement::AbusedService),
    ("legitimate service", Involvement::AbusedService),
    ("legitimate services", Involvement::AbusedService),
    ("abused infrastructure", Involvement::AbusedService),
    ("hosting provider", Involvement::AbusedService),
    ("hosting providers", Involvement::AbusedService),
    ("hosting service", Involvement::AbusedService),
    ("hosting services", Involvement::AbusedService),
    ("hosted on", Involvement::AbusedService),
    ("hosted by", Involvement::AbusedService),
    ("hosted with", Involvement::AbusedService),
    ("link shortener", Involvement::AbusedService),
    ("link shorteners", Involvement::AbusedService),
    ("url shortener", Involvement::AbusedService),
    ("url shorteners", Involvement::AbusedService),
    ("file sharing service", Involvement::AbusedService),
    ("file sharing services", Involvement::AbusedService),
    ("file host", Involvement::AbusedService),
    ("file hosts", Involvement::AbusedService),
    ("abused", Involvement::AbusedService),
    ("our customer", Involvement::Victim),
    ("our customers", Involvement::Victim),
    ("victim", Involvement::Victim),
    ("victims", Involvement::Victim),
    ("compromised", Involvement::Victim),
    ("hacked", Involvement::Victim),
    ("defaced", Involvement::Victim),
    ("hijacked", Involvement::Victim),
    ("targeted", Involvement::Victim),
    ("targets", Involvement::Victim),
    ("impersonated", Involvement::Victim),
    ("imitated", Involvement::Victim),
    ("mimicked", Involvement::Victim),
    ("cloned from", Involvement::Victim),
    ("spoofed brand", Involvement::Victim),
    ("spoofed brands", Involvement::Victim),
    ("amplified", Involvement::ThirdParty),
    ("promoted by", Involvement::ThirdParty),
    ("quoted", Involvement::ThirdParty),
    ("cited", Involvement::ThirdParty),
    ("reshared", Involvement::ThirdParty),
    ("shared content from", Involvement::ThirdParty),
    ("legitimate", Involvement::ThirdParty),
    ("authentic", Involvement::ThirdParty),
    ("unwitting", Involvement::ThirdParty),
    ("sinkhole", Involvement::ThirdParty),
    ("sinkholes", Involvement::ThirdParty),
    ("sinkholed", Involvement::ThirdParty),
    ("third party", Involvement::ThirdParty),
    ("third parties", Involvement::ThirdParty),
    ("not controlled by", Involvement::ThirdParty),
];

/// Words before one of these that turn its meaning round: `used to target victims`, `not compromised`.
const REVERSALS: &[&str] = &[
    "not",
    "no",
    "non",
    "against",
    "targeting",
    "contact",
    "contacted",
    "fake",
    "to",
    "for",
    "by",
];

/// Longer texts are sentences: a word in them says little about the values below or beside it.
const MAX_WORDS: usize = 8;
const MAX_BYTES: usize = 200;

/// The involvement that a heading, a cell or a short note states. `None` if it states none, or is a sentence.
pub fn involvement_of(text: &str) -> Option<Involvement> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let lower = text.to_lowercase();
    let words = words(&lower);
    if words.is_empty() || words.len() > MAX_WORDS {
        return None;
    }
    WORDS.iter().find_map(|(phrase, involvement)| {
        let at = find_phrase(&words, phrase)?;
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        let is_reversed = before.is_some_and(|word| REVERSALS.contains(word));
        (!is_reversed).then_some(*involvement)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_short_notes_state_an_involvement() {
        let table = [
            ("## Compromised websites", Some(Involvement::Victim)),
            ("Impersonated news outlets:", Some(Involvement::Victim)),
            ("Domains amplified by the network", Some(Involvement::ThirdParty)),
            ("victim", Some(Involvement::Victim)),
            ("Hosted on:", Some(Involvement::AbusedService)),
            ("Legitimate services abused", Some(Involvement::AbusedService)),
            ("Link shorteners", Some(Involvement::AbusedService)),
            ("legitimate file host abused", Some(Involvement::AbusedService)),
            ("Abused brands", Some(Involvement::Victim)),
            ("Domains", None),
            ("Used to contact victims", None),
            ("Phishing pages for victims", None),
            ("Not compromised", None),
            ("Impersonating domains", None),
            ("The site was used in a campaign in which several victims lost money", None),
            ("", None),
        ];
        for (text, involvement) in table {
            assert_eq!(involvement_of(text), involvement, "{text}");
        }
    }
}
