//! Harm labels: a closed list taken from published taxonomies, which the operator can extend.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::invalid::Invalid;

/// A harm label on the exchange's list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label(#[serde(deserialize_with = "deserialize_label")] Cow<'static, str>);

impl Label {
    /// Takes a label from the journal or the index, without validation.
    pub fn from_stored(text: &str) -> Self {
        Self(known(text).map_or_else(|| Cow::Owned(text.to_owned()), Cow::Borrowed))
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether objects with this label may be shared only within the restricted group.
    pub fn is_restricted(&self) -> bool {
        HARMS.iter().any(|harm| harm.restricted && harm.label == self.as_str())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The label as a static string, if it is a known harm. Avoids an allocation.
fn known(text: &str) -> Option<&'static str> {
    HARMS.iter().map(|harm| harm.label).find(|label| *label == text)
}

fn deserialize_label<'de, D: Deserializer<'de>>(text: D) -> Result<Cow<'static, str>, D::Error> {
    <&str>::deserialize(text).map(|text| Label::from_stored(text).0)
}

/// A harm that every exchange knows, and the taxonomy that defines it.
#[derive(Clone, Copy, Debug)]
pub struct Harm {
    /// The label.
    pub label: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
    /// The taxonomy.
    pub source: &'static str,
    /// Whether objects with this label are refused unless the operator has configured a restricted
    /// group that may hold them.
    pub restricted: bool,
}

const fn harm(label: &'static str, meaning: &'static str, source: &'static str) -> Harm {
    Harm { label, meaning, source, restricted: false }
}

const fn restricted(label: &'static str, meaning: &'static str, source: &'static str) -> Harm {
    Harm { label, meaning, source, restricted: true }
}

const META: &str = "Meta Adversarial Threat Report";
const DISARM: &str = "DISARM Red Framework";
const DTSP: &str = "Digital Trust & Safety Partnership glossary";
const EU_DSA: &str = "EU DSA Transparency Database, statement categories";
const ENISA: &str = "Reference Incident Classification Taxonomy (ENISA)";
const TECH_COALITION: &str = "Tech Coalition, Lantern signal categories";

/// The harms that every exchange knows.
pub const HARMS: &[Harm] = &[
    harm(
        "coordinated-inauthentic-behavior",
        "networks that mislead about who is behind them",
        META,
    ),
    harm("foreign-interference", "such a network run for a foreign or state actor", META),
    harm("cyber-espionage", "accounts and sites used to spy on people", META),
    harm("surveillance-for-hire", "spying sold as a service", META),
    harm("mass-reporting", "coordinated abuse of report tools to silence people", META),
    harm("brigading", "coordinated mass commenting or posting to silence people", META),
    harm("inauthentic-engagement", "bought or automated likes, follows and views", META),
    harm("impersonation", "posing as another person or organisation", DISARM),
    harm("disinformation", "false content spread on purpose", DISARM),
    harm("hack-and-leak", "stolen material published to influence", DISARM),
    harm("election-interference", "deceiving people about voting, or about who may", EU_DSA),
    harm("manipulated-media", "images, sound or video made or altered to deceive", DISARM),
    harm("spam", "unwanted bulk content", DTSP),
    harm("phishing", "sites and messages that take credentials", ENISA),
    harm("malware", "software that harms whoever runs it", ENISA),
    harm("malware-distribution", "places from which malware is fetched", ENISA),
    harm("command-and-control", "hosts that direct malware", ENISA),
    harm("account-takeover", "accounts taken from their owners", ENISA),
    harm("credential-stuffing", "trying leaked passwords at scale", ENISA),
    harm("denial-of-service", "making a service unreachable", ENISA),
    harm("fraud", "deceit for gain", EU_DSA),
    harm("investment-scam", "false promises of return, pig butchering among them", EU_DSA),
    harm("romance-scam", "false affection for gain", DTSP),
    harm("counterfeit", "goods sold under another's mark", EU_DSA),
    harm("violent-extremism", "support for violence on ideological grounds", DTSP),
    harm("terrorism", "content of or for terrorist organisations", EU_DSA),
    harm("incitement-to-violence", "calls to violence", DTSP),
    harm("graphic-violence", "depictions of cruelty", DTSP),
    harm("hate-speech", "attacks on people for a protected trait", DTSP),
    harm("harassment", "targeted abuse of a person", DTSP),
    harm("doxxing", "private facts published to harm", DTSP),
    harm("stalking", "unwanted pursuit of a person", DTSP),
    harm("human-trafficking", "recruiting or selling people", DTSP),
    harm("human-smuggling", "paid unlawful passage of people", META),
    harm("sextortion", "threats to publish intimate images of an adult", TECH_COALITION),
    harm("non-consensual-intimate-imagery", "intimate images shared without leave", DTSP),
    harm("suicide-self-harm", "promotion of suicide or self-injury", DTSP),
    harm("illicit-drugs", "sale of unlawful drugs", EU_DSA),
    harm("weapons-sale", "unlawful sale of weapons", EU_DSA),
    restricted("csam", "child sexual abuse material", TECH_COALITION),
    restricted("child-grooming", "approaches to a child for sexual ends", TECH_COALITION),
    restricted("child-sextortion", "threats to publish intimate images of a child", TECH_COALITION),
    restricted("child-sexualization", "sexualising children", TECH_COALITION),
    restricted("child-trafficking", "trafficking of children", TECH_COALITION),
];

/// Maximum number of labels of one assessment.
pub const MAX_LABELS: usize = 20;

/// The labels of one exchange: [`HARMS`] and those that its operator added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    added: BTreeSet<String>,
}

impl Labels {
    /// The list with the operator's own labels, each of lower-case letters, digits and hyphens.
    pub fn with(added: impl IntoIterator<Item = String>) -> Result<Self, Invalid> {
        let added: BTreeSet<String> = added.into_iter().collect();
        for label in &added {
            let fits = (2..=64).contains(&label.len())
                && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            if !fits {
                let reason = format!("`{label}` is not 2 to 64 of a-z, 0-9 and `-`");
                return Err(Invalid::new("labels", reason));
            }
            if known(label).is_some() {
                let reason = format!("`{label}` is a label already");
                return Err(Invalid::new("labels", reason));
            }
        }
        Ok(Self { added })
    }

    /// Accepts a label on the list. Whether an object with a restricted label may be held is
    /// decided together with its sharing.
    pub fn parse(&self, text: &str) -> Result<Label, Invalid> {
        match known(text) {
            Some(label) => Ok(Label(Cow::Borrowed(label))),
            None if self.added.contains(text) => Ok(Label(Cow::Owned(text.to_owned()))),
            None => {
                let shown: String = text.chars().take(80).collect();
                Err(Invalid::new(
                    "labels",
                    format!("`{}` is not a label of this exchange", shown.escape_debug()),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_harm_is_spelled_as_a_label_and_stands_once() {
        let labels: BTreeSet<_> = HARMS.iter().map(|harm| harm.label).collect();
        assert_eq!(labels.len(), HARMS.len());
        for harm in HARMS {
            assert!(
                harm.label.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{}",
                harm.label
            );
        }
    }

    #[test]
    fn restricted_labels_are_told_apart_and_unknown_ones_refused_with_the_reason() {
        let labels = Labels::default();
        assert!(labels.parse("phishing").is_ok());
        assert!(!labels.parse("phishing").unwrap().is_restricted());
        assert!(labels.parse("csam").unwrap().is_restricted());
        assert!(labels.parse("Phishing").unwrap_err().reason.contains("not a label"));
    }

    #[test]
    fn an_operator_adds_labels_but_cannot_redefine_one() {
        let labels = Labels::with(["ticket-touting".to_owned()]).unwrap();
        assert!(labels.parse("ticket-touting").is_ok());
        assert!(Labels::with(["csam".to_owned()]).is_err());
        assert!(Labels::with(["Has Space".to_owned()]).is_err());
    }
}
