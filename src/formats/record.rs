//! Records of a file, as they were read.

use super::Count;
use crate::domain::account::AccountNames;
use crate::domain::assessment::{Basis, Involvement, Severity, Technique, Verdict};
use crate::domain::sharing::Tlp;
use crate::domain::{Indicator, Invalid, Kind, Timestamp};

/// One item of a record. A record that names several indicators yields several.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Number of the record. In a table: from 1 after the header, blank records counted. In a list
    /// and in JSON lines: the line.
    pub row: usize,
    /// The cell or line as written in the file, cut after 2,000 characters.
    pub raw: String,
    /// The classification.
    pub class: Class,
    /// The other fields of the record.
    pub details: Details,
}

/// Characters of a cell or line that a record keeps. One of a megabyte may hold thousands of values.
const MAX_RAW_CHARS: usize = 2_000;

/// The text of a record, cut where it is long.
pub(super) fn raw_text(text: &str) -> String {
    match text.char_indices().nth(MAX_RAW_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Record {
    /// Builds a record. An indicator whose details cannot be read becomes unreadable, and one that is let through is not
    /// shared.
    pub(super) fn with(
        row: usize,
        raw: String,
        class: Class,
        details: Result<Details, Invalid>,
    ) -> Self {
        let details = match &class {
            Class::Indicator(indicator) => details.and_then(|read| read.check_names(indicator)),
            _ => details,
        };
        match (class, details) {
            (Class::Indicator(_), Ok(details)) if details.is_allowed => {
                let class = Class::Neither(SkipReason::Allowed);
                Self { row, raw, class, details: Details::default() }
            }
            (class, Ok(details)) => Self { row, raw, class, details },
            (Class::Indicator(_), Err(invalid)) => {
                Self { row, raw, class: Class::Unreadable(invalid), details: Details::default() }
            }
            (class, Err(_)) => Self { row, raw, class, details: Details::default() },
        }
    }

    /// Its indicator, if it is of this kind.
    pub(super) fn indicator_of(&self, kind: Kind) -> Option<&Indicator> {
        match &self.class {
            Class::Indicator(indicator) if indicator.kind() == kind => Some(indicator),
            _ => None,
        }
    }
}

/// The classification of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Class {
    /// An indicator.
    Indicator(Indicator),
    /// A count of removed assets.
    Aggregate(Count),
    /// Neither: prose, a title, a name, or a reach or spend figure.
    Neither(SkipReason),
    /// Looks like an indicator, but cannot be read.
    Unreadable(Invalid),
}

impl Class {
    /// Whether it is an indicator.
    pub const fn is_indicator(&self) -> bool {
        matches!(self, Class::Indicator(_))
    }
}

/// Why a record is neither an indicator nor a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The cell is empty.
    Empty,
    /// Prose, a title or a name.
    Text,
    /// How many people saw, followed or joined something.
    Reach,
    /// How much money was spent.
    Spend,
    /// The sum of counts in other rows.
    Total,
    /// Looks like an address, but is not valid.
    Malformed,
    /// Prose that holds something like a value, of which nothing was taken.
    TextWithValue,
    /// A reference to a report: it accuses nobody.
    Reference,
    /// A value of a kind that is not exchanged, such as a file name or a registry key.
    OtherKind,
    /// The value of a rule that lets it through. The rule is the reader's own, and says nothing about others.
    Allowed,
    /// An address of no host or of the reader's own, such as `0.0.0.0` and `127.0.0.1`. Block lists answer with it.
    ThisHost,
    /// A feed event other than an item, as subscribe and pull print it: removal, group change,
    /// sighting, feedback, campaign, enforcement or tip.
    FeedEvent,
}

impl SkipReason {
    /// The reason as a keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            SkipReason::Empty => "empty",
            SkipReason::Text => "text",
            SkipReason::Reach => "metric_reach",
            SkipReason::Spend => "metric_spend",
            SkipReason::Total => "total",
            SkipReason::Malformed => "malformed",
            SkipReason::TextWithValue => "text_with_value",
            SkipReason::Reference => "reference",
            SkipReason::OtherKind => "other_kind",
            SkipReason::Allowed => "allowed",
            SkipReason::ThisHost => "this_host",
            SkipReason::FeedEvent => "feed_event",
        }
    }
}

/// Fields of a record other than its value. Absent fields are set for the whole submission, or by
/// the defaults of the exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// The confidence, 0 to 100.
    pub confidence: Option<u32>,
    /// The severity.
    pub severity: Option<Severity>,
    /// The role of the value in the abuse, from the record or its technique. A defaced site is a
    /// victim.
    pub involvement: Option<Involvement>,
    /// The source of the information.
    pub basis: Option<Basis>,
    /// Harm labels, as written.
    pub labels: Vec<String>,
    /// The techniques that it was used for.
    pub techniques: Vec<Technique>,
    /// Time of the first observation.
    pub first_seen: Option<Timestamp>,
    /// Time of the last observation.
    pub last_seen: Option<Timestamp>,
    /// End of validity.
    pub valid_until: Option<Timestamp>,
    /// A note.
    pub note: Option<String>,
    /// URLs of reports.
    pub references: Vec<String>,
    /// The campaign that it belongs to.
    pub campaign: Option<String>,
    /// The stable id of the account.
    pub account_id: Option<String>,
    /// Handles that the account had before.
    pub former_handles: Vec<String>,
    /// The marking of the object. Sharing is a batch's, so objects with other markings are sent in other batches.
    pub tlp: Option<Tlp>,
    /// Whether the record is a rule that lets its value through. It is not shared.
    pub is_allowed: bool,
    /// Whether the file says with whom the value was shared on an exchange. That audience may be smaller than the
    /// default of who submits it.
    pub names_audience: bool,
}

impl Details {
    /// Checks the other names of an account.
    fn check_names(self, indicator: &Indicator) -> Result<Self, Invalid> {
        let account_id = self.account_id.as_deref().unwrap_or_default();
        AccountNames::parse(indicator, account_id, &self.former_handles)?;
        Ok(self)
    }
}
