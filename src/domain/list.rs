//! Lists that their authors send again and again.
//!
//! A list is identified by its author, its name and its audience. Each submission of it sends it whole. When the
//! author closes the submission, the values that the list had and the submission lacks are withdrawn.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::name::NameRule;
use super::time::Timestamp;

const RULE: NameRule = NameRule { field: "list", max_length: 64, punctuation: "._:-" };

/// The name of a list, chosen by its author and scoped to it: 1 to 64 of `A-Z a-z 0-9 . _ : -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListName(Box<str>);

impl ListName {
    /// Validates an author's name of a list.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        RULE.parse(text).map(Self)
    }

    /// Takes a name from the journal or the index, without validation.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The fewest withdrawals that need confirmation.
const MIN_CONFIRMED: u64 = 20;

/// Whether a close that withdraws this many values of a list of `size` values needs confirmation: at least 20, and
/// more than a tenth of the list. The list is probably incomplete then, such as a download that broke off.
pub const fn needs_confirmation(withdrawn: u64, size: u64) -> bool {
    withdrawn >= MIN_CONFIRMED && withdrawn.saturating_mul(10) > size
}

/// How the author closes a submission, as far as its lists are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShrinkPolicy {
    /// Withdraw even if items were rejected or unreadable, and without the check of [`needs_confirmation`].
    pub shrink: bool,
    /// The number of records that the client could not read.
    pub unreadable: u64,
}

/// What a close did to the lists of its submission, and what it will do, in values that the lists had and the submission
/// lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListReceipt {
    /// What it has done.
    pub done: ListChanges,
    /// The first and the last entry that withdrew some of them. Entries of others may lie in between.
    pub withdrawn_by: Option<(u64, u64)>,
    /// Not withdrawn yet. The exchange withdraws them without another request, unless another list of the author
    /// holds them or the author sends them again.
    pub pending: u64,
    /// If the author's hourly limit of withdrawals is reached: when the exchange continues. Otherwise it continues
    /// at once.
    pub resumes_at: Option<Timestamp>,
}

/// What a close has done to the lists of its submission, in values that the lists had and the submission lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListChanges {
    /// Withdrawn.
    pub withdrawn: u64,
    /// Not withdrawn, because another list of the author holds them for the same audience.
    pub held_by_other_lists: u64,
    /// Not withdrawn, because items were rejected or unreadable. They stay in the list.
    pub not_withdrawn: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_64_plain_characters() {
        for name in ["x:y", &"n".repeat(64)] {
            assert_eq!(ListName::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(ListName::parse(&"n".repeat(65)).unwrap_err().field, "list");
    }

    #[test]
    fn twenty_values_and_more_than_a_tenth_need_confirmation() {
        assert!(!needs_confirmation(19, 19), "few values are withdrawn without a question");
        assert!(needs_confirmation(20, 20));
        assert!(needs_confirmation(20, 199));
        assert!(!needs_confirmation(20, 200), "a tenth is not more than a tenth");
        assert!(needs_confirmation(21, 209));
        assert!(needs_confirmation(u64::MAX, u64::MAX - 1));
    }
}
