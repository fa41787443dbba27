//! Passes records to their consumer as they are read.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::{Class, Format, Record, SkipReason};
use crate::domain::text;

/// Columns that are named as unread. Bounds the time of a header that is made to be long.
const MAX_UNREAD_COLUMNS: usize = 1_000;

/// Passes records to their consumer as they are read.
pub struct Output<'a> {
    consumer: &'a mut dyn FnMut(Record) -> ControlFlow<()>,
    is_stopped: bool,
    has_records: bool,
    reading: Reading,
}

/// A summary of a file: its format, unread columns, skipped objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its format.
    pub format: Format,
    /// The encoding that was guessed, because the text is not UTF-8 and does not name its encoding.
    pub guessed_encoding: Option<&'static str>,
    /// Names of columns that were not read, in their order.
    pub unread_columns: Vec<String>,
    /// How many objects were not read, by type.
    pub skipped: BTreeMap<String, u64>,
}

impl Reading {
    /// A file of which everything was read.
    pub const fn of(format: Format) -> Self {
        Self {
            format,
            guessed_encoding: None,
            unread_columns: Vec::new(),
            skipped: BTreeMap::new(),
        }
    }
}

impl<'a> Output<'a> {
    /// Passes records to `consumer`, until it breaks.
    pub fn new(format: Format, consumer: &'a mut dyn FnMut(Record) -> ControlFlow<()>) -> Self {
        let reading = Reading::of(format);
        Self { consumer, is_stopped: false, has_records: false, reading }
    }

    /// One value, one count, or a record that is neither.
    pub fn record(&mut self, mut record: Record) {
        self.has_records = true;
        if let Some(note) = &mut record.details.note {
            *note = text::cleaned(note).into_owned();
        }
        if matches!(&record.class, Class::Indicator(read) if read.is_on_this_host()) {
            record.class = Class::Neither(SkipReason::ThisHost);
        }
        if !self.is_stopped {
            self.is_stopped = (self.consumer)(record).is_break();
        }
    }

    /// Sets the encoding that was guessed.
    pub const fn guessed_encoding(&mut self, name: Option<&'static str>) {
        self.reading.guessed_encoding = name;
    }

    /// Counts an object that is not read, by its type: `attack-pattern`.
    pub fn skipped(&mut self, what: impl Into<String>) {
        *self.reading.skipped.entry(what.into()).or_default() += 1;
    }

    /// Names the columns that are not read.
    pub fn unread_columns(&mut self, names: impl IntoIterator<Item = String>) {
        let unread = &mut self.reading.unread_columns;
        for name in names {
            if unread.len() > MAX_UNREAD_COLUMNS {
                return;
            }
            if !unread.contains(&name) {
                let is_last = unread.len() == MAX_UNREAD_COLUMNS;
                unread.push(if is_last { "more columns".to_owned() } else { name });
            }
        }
    }

    /// Whether the consumer has stopped. Return soon.
    pub const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Whether there was neither a record nor an object that is not read.
    pub fn is_empty(&self) -> bool {
        !self.has_records && self.reading.skipped.is_empty()
    }

    /// The summary of the file.
    pub fn finish(self) -> Reading {
        self.reading
    }
}
