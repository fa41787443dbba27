//! Counts of what was written, of what was left out, and of what a format had no place for.

use std::collections::BTreeMap;

/// Why an object, or in a list a value, was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// TLP:RED is for its named recipients only.
    Red,
    /// TLP:AMBER+STRICT stays within the reader's organisation.
    Strict,
    /// In a list: a partner reviewed the value, and it is no threat.
    NonMalicious,
    /// In a list: the value is a victim's.
    Victim,
    /// In a list: the value is a legitimate service that is abused.
    AbusedService,
    /// In a list: the value is a third party's.
    ThirdParty,
    /// In a list: no assessment calls the value suspicious or malicious.
    Unsuspected,
    /// In a list: an assessment that may not be exported says that nobody should block the value. Which one, and
    /// why, is not said.
    Withheld,
    /// The format has no type for the kind.
    NoType,
    /// The value has control characters.
    ControlCharacters,
}

impl LeftOut {
    /// The reason as a keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            LeftOut::Red => "tlp_red",
            LeftOut::Strict => "tlp_amber_strict",
            LeftOut::NonMalicious => "non_malicious",
            LeftOut::Victim => "victim",
            LeftOut::AbusedService => "abused_service",
            LeftOut::ThirdParty => "third_party",
            LeftOut::Unsuspected => "unsuspected",
            LeftOut::Withheld => "withheld",
            LeftOut::NoType => "no_type",
            LeftOut::ControlCharacters => "control_characters",
        }
    }
}

/// What a written object lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// The line of a list does not say the kind, and its value alone reads as another kind.
    Kind,
    /// All references but the first.
    References,
}

impl Lost {
    /// The loss as a keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            Lost::Kind => "kind",
            Lost::References => "references",
        }
    }
}

/// The counts of one export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of objects written; in a list, of values.
    pub written: u64,
    /// The number of objects left out, by reason.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// The number of written objects that lost something, by what they lost.
    pub lost: BTreeMap<Lost, u64>,
}

impl Tally {
    /// Counts an object that is not written.
    pub fn leave_out(&mut self, reason: LeftOut) {
        *self.left_out.entry(reason).or_default() += 1;
    }

    /// Counts a loss of a written object.
    pub fn lose(&mut self, loss: Lost) {
        *self.lost.entry(loss).or_default() += 1;
    }
}
