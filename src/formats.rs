//! What people's files look like, and what each of their records says.
//!
//! A record is an indicator, a count of removed assets (an aggregate), or neither. What cannot be
//! read is told with its row and the reason; nothing is dropped in silence.

mod cell;
mod columns;
mod count;
mod details;
pub mod dry_run;
mod jsonl;
mod list;
pub mod stix;
mod table;
mod text;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use self::count::Count;
pub use self::details::read_time;
use crate::domain::assessment::{Basis, Involvement, Severity, Technique, Verdict};
use crate::domain::{Indicator, Invalid, Kind, Timestamp};

/// A format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Meta's threat research CSV, by tactic, technique and procedure.
    MetaTtp,
    /// A table with a header that names value, and kind and platform where it has them; Meta's
    /// typed threat research CSV is one. Separated by commas, semicolons or tabs.
    Csv,
    /// JSON objects or strings, one a line or in an array.
    Jsonl,
    /// One value a line.
    List,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Format] = &[Format::MetaTtp, Format::Csv, Format::Jsonl, Format::List];

    /// The format's name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::MetaTtp => "meta-ttp",
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
            Format::List => "list",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Format::ALL.iter().copied().find(|format| format.as_str() == text);
        known.ok_or_else(|| Error::UnknownFormat(text.to_owned()))
    }
}

/// Why a file as a whole cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// It holds nothing.
    #[error("it is empty")]
    Empty,
    /// It is not text.
    #[error("it is not text: line {line} is not UTF-8")]
    NotText {
        /// The first line that is not.
        line: usize,
    },
    /// Its header names no column that holds values.
    #[error(
        "its header names no column of values: `{0}`. Name one `value` (with `kind` and `platform` \
         beside it), or by a kind, such as `domain`"
    )]
    NoValueColumn(String),
    /// A record cannot be told from the next.
    #[error("record {row}: {reason}")]
    Broken {
        /// Which record.
        row: usize,
        /// What is wrong.
        reason: String,
    },
    /// There is no such format.
    #[error("`{0}` is not a format: meta-ttp, csv, jsonl or list")]
    UnknownFormat(String),
}

/// One thing that a record of a file says. A record that names several indicators gives several.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The record's number: in a table behind the header, from 1, blank records counted; in a list
    /// and in JSON lines the line.
    pub row: usize,
    /// The cell or line as it stands in the file.
    pub raw: String,
    /// What it is.
    pub class: Class,
    /// What else the record says of it.
    pub details: Details,
}

impl Record {
    /// A record with what it says beside its value, where that can be read.
    fn with(row: usize, raw: String, class: Class, details: Result<Details, Invalid>) -> Self {
        match (class, details) {
            (class, Ok(details)) => Self { row, raw, class, details },
            (Class::Indicator(_), Err(invalid)) => {
                Self { row, raw, class: Class::Unreadable(invalid), details: Details::default() }
            }
            (class, Err(_)) => Self { row, raw, class, details: Details::default() },
        }
    }
}

/// What a record is.
#[derive(Clone, Debug, PartialEq)]
pub enum Class {
    /// An indicator.
    Indicator(Indicator),
    /// A count of removed assets.
    Aggregate(Count),
    /// Neither: prose, a title, a name, a figure of reach or spend.
    Neither(SkipReason),
    /// Meant as an indicator, and not readable as one.
    Unreadable(Invalid),
}

/// Why a record is neither an indicator nor a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The cell is empty.
    Empty,
    /// Prose, a title or a name.
    Text,
    /// How many saw, followed or joined.
    Reach,
    /// How much was spent.
    Spend,
    /// Looks like an address, and is none.
    Malformed,
    /// What a feed tells besides items, as its reader prints it: a removal, a change of a group, a
    /// sighting, feedback, what was added to a tip.
    FeedEvent,
}

impl SkipReason {
    /// The reason in a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            SkipReason::Empty => "empty",
            SkipReason::Text => "text",
            SkipReason::Reach => "metric_reach",
            SkipReason::Spend => "metric_spend",
            SkipReason::Malformed => "malformed",
            SkipReason::FeedEvent => "feed_event",
        }
    }
}

/// What a record says beside the value. What it does not say is said for the whole submission, or
/// has the exchange's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// What it is held to be.
    pub verdict: Option<Verdict>,
    /// The confidence, 0 to 100.
    pub confidence: Option<u32>,
    /// How much harm follows.
    pub severity: Option<Severity>,
    /// The value's part in the abuse, where the record or its technique tells: a defaced site is a
    /// victim.
    pub involvement: Option<Involvement>,
    /// Where it is known from.
    pub basis: Option<Basis>,
    /// Harm labels, as written.
    pub labels: Vec<String>,
    /// The techniques that it stands under.
    pub techniques: Vec<Technique>,
    /// When it was first seen.
    pub first_seen: Option<Timestamp>,
    /// When it was last seen.
    pub last_seen: Option<Timestamp>,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// A note.
    pub note: Option<String>,
    /// Web addresses that tell more.
    pub references: Vec<String>,
    /// The campaign that it belongs to.
    pub campaign: Option<String>,
}

/// What undeclared values are taken for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumed {
    /// The kind of values that are declared to be of none.
    pub kind: Option<Kind>,
    /// The platform of values that name none.
    pub platform: Option<String>,
}

impl Assumed {
    /// What a value is that is declared so, or not at all.
    fn class(&self, kind: Option<&str>, platform: Option<&str>, raw: &str) -> Class {
        let platform = platform.or(self.platform.as_deref());
        match kind.or(self.kind.map(Kind::as_str)) {
            Some(kind) => columns::declared(kind, platform, raw),
            None => cell::read_with_platform(raw, platform),
        }
    }
}

/// Reads a file. Its format is found out where none is given.
pub fn read(bytes: &[u8], format: Option<Format>) -> Result<Vec<Record>, Error> {
    read_as(bytes, format, &Assumed::default())
}

/// Reads a file whose values are of one kind or on one platform, where they do not say themselves.
pub fn read_as(
    bytes: &[u8],
    format: Option<Format>,
    assumed: &Assumed,
) -> Result<Vec<Record>, Error> {
    let text = text::decode(bytes)?;
    if text.trim().is_empty() {
        return Err(Error::Empty);
    }
    match format.unwrap_or_else(|| detect(&text)) {
        Format::MetaTtp | Format::Csv => table::read(&text, assumed),
        Format::Jsonl => Ok(jsonl::read(&text, assumed)),
        Format::List => Ok(list::read(&text, assumed)),
    }
}

fn detect(text: &str) -> Format {
    let first = text.trim_start();
    if first.starts_with(['{', '[']) && serde_json_begins(first) {
        return Format::Jsonl;
    }
    if table::has_header(text) { Format::Csv } else { Format::List }
}

/// A defanged value such as `[.]` begins like an array too.
fn serde_json_begins(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default().trim();
    matches!(line, "[" | "{")
        || line.starts_with("[{")
        || line.starts_with("[\"")
        || serde_json::from_str::<serde_json::Value>(line.trim_end_matches(',')).is_ok()
}

#[cfg(test)]
#[path = "formats/tests.rs"]
mod tests;
