//! Campaigns (coordinated operations) and partners' contributions to them.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::assessment::{Confidence, Technique};
use super::invalid::Invalid;
use super::text;

/// Maximum length of a campaign's name, in characters.
pub const MAX_NAME_CHARS: usize = 120;
/// Maximum length of a description, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 2_000;
/// Maximum number of techniques, and of targets, in one contribution.
pub const MAX_LISTED: usize = 50;
/// Maximum length of a target, an actor and the basis of an attribution, in characters.
pub const MAX_TEXT_CHARS: usize = 500;

/// A campaign's id: a random UUID drawn by the exchange, so that it reveals nothing about the
/// campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CampaignId(Uuid);

impl CampaignId {
    /// Wraps a random UUID.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// Builds a version 4 UUID from 16 random bytes.
    pub const fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Parses a UUID with hyphens, in any case.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        // The uuid crate accepts other forms too. One form is enough, and is easy to distinguish
        // from a name.
        let read = if text.len() == 36 { Uuid::try_parse(text).ok() } else { None };
        read.map(Self).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let reason = format!("`{}` is not a campaign's id", shown.escape_debug());
            Invalid::new("campaign", reason)
        })
    }

    /// An id from its 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The 16 bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

/// What one partner asserts about a campaign to one audience. A newer contribution replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The author's name for the campaign.
    pub name: Box<str>,
    /// Free text.
    pub description: Option<Box<str>>,
    /// Who is responsible, according to the author.
    pub attribution: Option<Attribution>,
    /// Techniques, sorted and without duplicates.
    pub techniques: Vec<Technique>,
    /// Who and what the campaign targets, as free text.
    pub targets: Vec<Box<str>>,
    /// URLs of reports.
    pub references: Vec<Box<str>>,
}

/// Who is responsible for a campaign, according to one partner. Attributions of several partners
/// may contradict each other; readers see all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// The actor.
    pub actor: Option<Box<str>>,
    /// The actor's country, as an ISO 3166 code such as `GB`.
    pub country: Option<Box<str>>,
    /// How confident the author is.
    pub confidence: Option<Confidence>,
    /// The evidence, as free text.
    pub basis: Option<Box<str>>,
}

impl Contribution {
    /// A contribution with only its name set.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            description: None,
            attribution: None,
            techniques: Vec::new(),
            targets: Vec::new(),
            references: Vec::new(),
        }
    }

    /// Checks lengths and formats.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.name.trim().is_empty() {
            return Err(Invalid::new("contribution.name", "is missing"));
        }
        text::check_line("contribution.name", &self.name, MAX_NAME_CHARS)?;
        if let Some(text) = &self.description {
            text::check("contribution.description", text, MAX_DESCRIPTION_CHARS)?;
        }
        let listed = [
            ("contribution.techniques", self.techniques.len()),
            ("contribution.targets", self.targets.len()),
        ];
        for (field, count) in listed {
            if count > MAX_LISTED {
                let reason = format!("has {count} entries: the limit is {MAX_LISTED}");
                return Err(Invalid::new(field, reason));
            }
        }
        for target in &self.targets {
            text::check_line("contribution.targets", target, MAX_TEXT_CHARS)?;
        }
        self.attribution.as_ref().map_or(Ok(()), Attribution::check)
    }
}

impl Attribution {
    fn check(&self) -> Result<(), Invalid> {
        let (actor, basis) = (self.actor.as_deref(), self.basis.as_deref());
        let field = "contribution.attribution.actor";
        text::check_line(field, actor.unwrap_or_default(), MAX_TEXT_CHARS)?;
        let field = "contribution.attribution.basis";
        text::check(field, basis.unwrap_or_default(), MAX_TEXT_CHARS)?;
        let country = self.country.as_deref().unwrap_or("GB");
        if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
            let reason = "is not an ISO 3166 code of two capital letters, such as GB";
            return Err(Invalid::new("contribution.attribution.country", reason));
        }
        if self.actor.is_none() && self.country.is_none() {
            let reason = "names neither an actor nor a country";
            return Err(Invalid::new("contribution.attribution", reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_a_name_is_none() {
        let id = CampaignId::from_bytes([0xab; 16]);
        assert_eq!(CampaignId::parse(&id.to_string()), Ok(id));
        assert_eq!(CampaignId::parse(&id.to_string().to_uppercase()), Ok(id));
        for wrong in ["", "spamouflage", &"a".repeat(32), &format!("{{{id}}}")] {
            assert_eq!(CampaignId::parse(wrong).unwrap_err().field, "campaign", "{wrong}");
        }
    }

    #[test]
    fn what_does_not_hold_is_named_by_its_field() {
        let good = Contribution::named("Spamouflage");
        assert_eq!(good.check(), Ok(()));
        let by = |attribution| Contribution { attribution: Some(attribution), ..good.clone() };
        let country =
            |code: &str| by(Attribution { country: Some(code.into()), ..Default::default() });
        assert_eq!(country("CN").check(), Ok(()));
        let long = Some("x".repeat(2_001).into());
        let table = [
            (Contribution::named(" "), "contribution.name"),
            (Contribution::named("a\u{7}b"), "contribution.name"),
            (Contribution::named(&"é".repeat(121)), "contribution.name"),
            (Contribution { description: long, ..good.clone() }, "contribution.description"),
            (
                Contribution { targets: vec!["x".into(); 51], ..good.clone() },
                "contribution.targets",
            ),
            (country("China"), "contribution.attribution.country"),
            (by(Attribution::default()), "contribution.attribution"),
        ];
        for (wrong, field) in table {
            assert_eq!(wrong.check().unwrap_err().field, field);
        }
    }
}
