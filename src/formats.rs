//! Reads report files: detects the format and classifies each record.
//!
//! A record is an indicator, a count of removed assets (an aggregate), or neither. Every record
//! that cannot be read is returned with its row and the reason.

mod cell;
mod columns;
mod count;
mod details;
pub mod dry_run;
mod jsonl;
mod kinds;
mod list;
mod markdown;
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

/// An input format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Meta's threat research CSV by tactic, technique and procedure.
    MetaTtp,
    /// A table with a header that names a value column, optionally kind and platform, such as
    /// Meta's typed threat research CSV. Separated by commas, semicolons or tabs.
    Csv,
    /// JSON objects or strings, one per line or in an array.
    Jsonl,
    /// A report in Markdown.
    Markdown,
    /// One value per line.
    List,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Format] =
        &[Format::MetaTtp, Format::Csv, Format::Jsonl, Format::Markdown, Format::List];

    /// The format's name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::MetaTtp => "meta-ttp",
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
            Format::Markdown => "markdown",
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

/// Why a whole file cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is not text.
    #[error("it is not text: line {line} is not UTF-8")]
    NotText {
        /// The first line that is not UTF-8.
        line: usize,
    },
    /// No column of the header contains values.
    #[error(
        "no column of the header contains values: `{0}`. Name one `value` (with optional columns \
         `kind` and `platform`), or name it after a kind, such as `domain`"
    )]
    NoValueColumn(String),
    /// No column has the name that the user gave.
    #[error("no column is named `{name}`. The first line is: `{header}`")]
    NoSuchColumn {
        /// The name.
        name: String,
        /// The first line of the file.
        header: String,
    },
    /// The boundaries of a record are unclear.
    #[error("record {row}: {reason}")]
    Broken {
        /// Number of the record.
        row: usize,
        /// The reason.
        reason: String,
    },
    /// The format name is unknown.
    #[error("`{0}` is not a format: use meta-ttp, csv, jsonl, markdown or list")]
    UnknownFormat(String),
}

/// One item of a record. A record that names several indicators yields several.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Number of the record. In a table: from 1 after the header, blank records counted. In a list
    /// and in JSON lines: the line.
    pub row: usize,
    /// The cell or line as written in the file.
    pub raw: String,
    /// The classification.
    pub class: Class,
    /// The other fields of the record.
    pub details: Details,
}

impl Record {
    /// Builds a record. An indicator whose details cannot be read becomes unreadable.
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
    /// Looks like an address, but is not valid.
    Malformed,
    /// Prose that holds something like a value, of which nothing was taken.
    TextWithValue,
    /// A reference to a report: it accuses nobody.
    Reference,
    /// A value of a kind that is not exchanged, such as a file name or a registry key.
    OtherKind,
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
            SkipReason::Malformed => "malformed",
            SkipReason::TextWithValue => "text_with_value",
            SkipReason::Reference => "reference",
            SkipReason::OtherKind => "other_kind",
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
}

/// What the user says of a file: kind and platform of values that declare none, and the column of values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumed {
    /// Kind of values without one.
    pub kind: Option<Kind>,
    /// Platform of values without one.
    pub platform: Option<String>,
    /// The column or key of values, where its name does not say it.
    pub column: Option<String>,
}

impl Assumed {
    /// Classifies the values of a cell with the kind and platform that its record declares, if any.
    fn classes(&self, kind: Option<&str>, platform: Option<&str>, raw: &str) -> Vec<Class> {
        let platform = platform.or(self.platform.as_deref());
        match kind.or(self.kind.map(Kind::as_str)) {
            Some(kind) => cell::read_declared(kind, platform, raw),
            None => cell::read_value(raw, platform),
        }
    }
}

/// Reads a file. Detects the format if `format` is `None`.
pub fn read(bytes: &[u8], format: Option<Format>) -> Result<Vec<Record>, Error> {
    read_as(bytes, format, &Assumed::default())
}

/// Like [`read`], with a kind and platform for values that declare none.
pub fn read_as(
    bytes: &[u8],
    format: Option<Format>,
    assumed: &Assumed,
) -> Result<Vec<Record>, Error> {
    let text = text::decode(bytes)?;
    if text.trim().is_empty() {
        return Err(Error::Empty);
    }
    match format.unwrap_or_else(|| detect(&text, assumed)) {
        Format::MetaTtp | Format::Csv => table::read(&text, assumed),
        Format::Jsonl => Ok(jsonl::read(&text, assumed)),
        Format::Markdown => Ok(markdown::read(&text, assumed)),
        Format::List => Ok(list::read(&text, assumed)),
    }
}

fn detect(text: &str, assumed: &Assumed) -> Format {
    let first = text.trim_start();
    if first.starts_with(['{', '[']) && starts_as_json(first) {
        return Format::Jsonl;
    }
    if markdown::is_markdown(text) {
        return Format::Markdown;
    }
    // Who names a column has a table.
    let is_table =
        assumed.column.is_some() || (!list::has_sections(text) && table::has_header(text, assumed));
    if is_table { Format::Csv } else { Format::List }
}

/// Whether the first line is JSON. A defanged value such as `[.]` also starts with a bracket.
fn starts_as_json(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default().trim();
    matches!(line, "[" | "{")
        || line.starts_with("[{")
        || line.starts_with("[\"")
        || serde_json::from_str::<serde_json::Value>(line.trim_end_matches(',')).is_ok()
}

#[cfg(test)]
#[path = "formats/tests.rs"]
mod tests;
