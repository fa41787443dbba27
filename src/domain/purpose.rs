//! For what a liaison reads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::time::Timestamp;

/// The kind of ground on which a liaison reads. The registry says which of them each may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PurposeKind {
    /// A court's warrant.
    Warrant,
    /// A subpoena.
    Subpoena,
    /// An emergency that leaves no time for either.
    Emergency,
    /// What contributors disclose of their own accord.
    Voluntary,
    /// What is public, and nothing else.
    Public,
}

impl PurposeKind {
    /// Every kind, by its number on disk.
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

    /// Whether a purpose of this kind has to name the paper that it rests on.
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

/// For what a liaison reads, as it says with each request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Purpose {
    /// The ground.
    pub kind: PurposeKind,
    /// The paper that it rests on, such as the number of a warrant; empty where the kind needs none.
    pub reference: Box<str>,
    /// Where the law that it rests on applies, as an ISO 3166 code.
    pub jurisdiction: Box<str>,
    /// Until when it may be used.
    pub until: Timestamp,
}

impl Purpose {
    /// Whether what is public is given under it, and nothing else.
    pub fn is_public(&self) -> bool {
        self.kind == PurposeKind::Public
    }

    /// Whether it has run out by a time.
    pub fn has_run_out(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    /// Whether a text, such as the basis of a release, names this purpose's paper: the reference
    /// stands in it as it is, with no letter or digit right before or behind it.
    pub fn is_named_in(&self, text: &str) -> bool {
        let reference = &*self.reference;
        if reference.is_empty() {
            return false;
        }
        text.match_indices(reference).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let behind = text[at + reference.len()..].chars().next();
            ![before, behind].into_iter().flatten().any(char::is_alphanumeric)
        })
    }
}

/// How something left for a liaison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AccessWay {
    /// On a feed that it follows.
    Subscribe,
    /// On a page of the feed.
    Pull,
    /// In a snapshot.
    Snapshot,
    /// In a list of tips, or as a tip that it asked for.
    Tip,
}

impl AccessWay {
    /// Every way, by its number on disk.
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
        assert!(!purpose("r").has_run_out(Timestamp::from_millis(9)));
        assert!(purpose("r").has_run_out(Timestamp::from_millis(10)));
    }
}
