//! Why a file cannot be read.

use std::io;

use thiserror::Error;

use super::Format;
use super::refused::UnreadableFormat;

/// Why a whole file cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It has the shape of a format, and nothing in it.
    #[error("it holds no values: it has {0}")]
    NoValues(&'static str),
    /// It is a folder.
    #[error("it is a folder: name the files in it")]
    Folder,
    /// It cannot be read.
    #[error("{0}")]
    Io(String),
    /// It is a named pipe that no process writes to.
    #[error("no process has opened the pipe for writing within {seconds} seconds")]
    NoWriter {
        /// How long it was waited for.
        seconds: u64,
    },
    /// A pipe gave more than is kept.
    #[error("it is larger than {gigabytes} GB: save it to a file and submit that")]
    Endless {
        /// How much is kept.
        gigabytes: u64,
    },
    /// It is in a format that is known and not read.
    #[error("it is {}: {}", .0.name, .0.advice)]
    Unreadable(UnreadableFormat),
    /// It is in a format that has to be read as a whole, and too large for that.
    #[error("it is {format} of more than {megabytes} MB: split it")]
    TooLarge {
        /// The format, with its article.
        format: &'static str,
        /// How much can be read.
        megabytes: u64,
    },
    /// It is the list of events of a MISP feed.
    #[error(
        "it is the manifest of a MISP feed, which holds no values: submit the event files beside it"
    )]
    MispManifest,
    /// It is not text.
    #[error("it is not text: line {line} contains bytes that are not UTF-8 text")]
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
    #[error("`{0}` is not a format: use {names}", names = names())]
    UnknownFormat(String),
}

impl Error {
    /// Whether there is nothing in the file. A list of values may be empty on purpose.
    pub const fn is_empty(&self) -> bool {
        matches!(self, Error::Empty | Error::NoValues(_))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// The names of all formats: `csv, jsonl or list`.
fn names() -> String {
    let names: Vec<_> = Format::ALL.iter().map(|format| format.as_str()).collect();
    match names.as_slice() {
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
        [] => String::new(),
    }
}
