//! The purpose for which a liaison reads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::time::Timestamp;

/// The legal ground of a purpose. The registry lists the kinds that each liaison may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PurposeKind {
    /// A court's warrant.
    Warrant,
    /// A subpoena.
    Subpoena,
    /// An emergency that leaves no time for a warrant or subpoena.
    Emergency,
    /// Voluntary disclosure by contributors.
    Voluntary,
    /// Public objects only.
    Public,
}

impl PurposeKind {
    /// Every kind, in the order of its number on disk.
    pub const ALL: &'static [PurposeKind] = &[
        PurposeKind::Warrant,
        PurposeKind::Subpoena,
        PurposeKind::Emergency,
        PurposeKind::Voluntary,
        PurposeKind::Public,
    ];

    /// The kind's name in configuration and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            PurposeKind::Warrant => "warrant",
            PurposeKind::Subpoena => "subpoena",
            PurposeKind::Emergency => "emergency",
            PurposeKind::Voluntary => "voluntary",
            PurposeKind::Public => "public",
        }
    }

    /// Whether a purpose of this kind must have a reference.
    pub const fn needs_reference(self) -> bool {
        match self {
            PurposeKind::Warrant | PurposeKind::Subpoena | PurposeKind::Emergency => true,
            PurposeKind::Voluntary | PurposeKind::Public => false,
        }
    }
}

impl fmt::Display for PurposeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PurposeKind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        PurposeKind::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let reason =
                format!("`{text}` is not warrant, subpoena, emergency, voluntary or public");
            Invalid::new("purpose.kind", reason)
        })
    }
}

/// The purpose that a liaison gives in each request for content.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Purpose {
    /// The legal ground.
    pub kind: PurposeKind,
    /// The document that it is based on, such as the number of a warrant. May be empty if the kind
    /// needs none.
    pub reference: Box<str>,
    /// The jurisdiction of that law, as an ISO 3166 code.
    pub jurisdiction: Box<str>,
    /// When the purpose expires.
    pub until: Timestamp,
}

impl Purpose {
    /// Whether it gives access to public objects only.
    pub fn is_public(&self) -> bool {
        self.kind == PurposeKind::Public
    }

    /// Whether it has expired at a time.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    /// Whether a text, such as the basis of a release, contains this purpose's reference: as it is,
    /// and with no letter or digit right before or after it.
    pub fn is_named_in(&self, text: &str) -> bool {
        let reference = &*self.reference;
        if reference.is_empty() {
            return false;
        }
        text.match_indices(reference).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + reference.len()..].chars().next();
            ![before, after].into_iter().flatten().any(char::is_alphanumeric)
        })
    }
}

/// The call through which a liaison received objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AccessWay {
    /// `Subscribe`.
    Subscribe,
    /// `Pull`.
    Pull,
    /// `Snapshot`.
    Snapshot,
    /// `ListTips` or `GetTip`.
    Tip,
}

impl AccessWay {
    /// Every call, in the order of its number on disk.
    pub const ALL: &'static [AccessWay] =
        &[AccessWay::Subscribe, AccessWay::Pull, AccessWay::Snapshot, AccessWay::Tip];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(reference: &str) -> Purpose {
        Purpose {
            kind: PurposeKind::Warrant,
            reference: reference.into(),
            jurisdiction: "GB".into(),
            until: Timestamp::from_millis(10),
        }
    }

    #[test]
    fn a_basis_names_a_reference_that_stands_in_it_by_itself() {
        for basis in ["W-17", "warrant W-17", "(W-17), of May", "W-178 and W-17"] {
            assert!(purpose("W-17").is_named_in(basis), "{basis}");
        }
        for basis in ["", "W-178", "XW-17", "w-17", "W 17", "W-17é"] {
            assert!(!purpose("W-17").is_named_in(basis), "{basis}");
        }
        assert!(!purpose("").is_named_in("anything"), "what is not there is not named");
    }

    #[test]
    fn a_purpose_runs_out_at_its_time() {
        assert!(!purpose("r").has_expired(Timestamp::from_millis(9)));
        assert!(purpose("r").has_expired(Timestamp::from_millis(10)));
    }
}
