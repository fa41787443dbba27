//! The files of a submission.

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::failure::Failure;
use super::super::output;
use crate::formats::{self, Assumed, Class, Format, Reading, Record};

/// Bytes of input from which on a progress bar is shown.
const SHOWN_BYTES: u64 = 4 * 1024 * 1024;

/// The files, each opened, and how they are read.
#[derive(Clone, Debug)]
pub struct Inputs(Arc<Vec<Input>>);

/// One file.
#[derive(Debug)]
pub struct Input {
    /// Its name, as the user gave it.
    pub name: String,
    content: formats::Input,
    format: Option<Format>,
    assumed: Assumed,
    /// Whether it may be empty, as a list that has lost its last value.
    may_be_empty: bool,
}

/// How many records of each class there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Indicators, repetitions counted.
    pub indicators: u64,
    /// Counts of removed assets.
    pub aggregates: u64,
    /// Records that are neither.
    pub neither: u64,
    /// Records that look like indicators, and cannot be read.
    pub unreadable: u64,
}

impl Inputs {
    /// Opens the files; `-` is stdin.
    pub fn open(
        files: &[PathBuf],
        format: Option<Format>,
        assumed: &Assumed,
        may_be_empty: bool,
    ) -> Result<Self, Failure> {
        let inputs = files.iter().map(|file| {
            let name = file.display().to_string();
            let content = if name == "-" {
                formats::Input::spool(std::io::stdin().lock())
            } else {
                formats::Input::open(file)
            };
            let content = content.map_err(|error| unreadable(&name, &error))?;
            Ok(Input { name, content, format, assumed: assumed.clone(), may_be_empty })
        });
        Ok(Self(Arc::new(inputs.collect::<Result<_, Failure>>()?)))
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Every file.
    pub fn iter(&self) -> impl Iterator<Item = &Input> {
        self.0.iter()
    }

    /// Reads all files, and gives each record to `consumer` until that breaks.
    pub fn read(
        &self,
        consumer: &mut dyn FnMut(&Input, Record) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        for input in self.iter() {
            input.read(&mut |record| consumer(input, record))?;
        }
        Ok(())
    }
}

impl Input {
    /// Reads the file, and gives each record to `consumer` until that breaks.
    pub fn read(
        &self,
        consumer: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<Reading, Failure> {
        let bar = output::progress_bytes("reading", self.content.bytes(), SHOWN_BYTES);
        let bytes_read = self.content.bytes_read();
        let mut records: u32 = 0;
        let reading =
            formats::read_input(&self.content, self.format, &self.assumed, &mut |record| {
                records = records.wrapping_add(1);
                if records.is_multiple_of(1024) {
                    bar.set_position(bytes_read.load(Ordering::Relaxed));
                }
                consumer(record)
            });
        bar.finish_and_clear();
        if self.may_be_empty && reading.as_ref().is_err_and(formats::Error::is_empty) {
            return Ok(Reading::of(Format::List));
        }
        reading.map_err(|error| unreadable(&self.name, &error))
    }

    /// Whether nothing is in it.
    pub fn is_blank(&self) -> bool {
        self.content.head().trim().is_empty()
    }

    /// Whether it has one value in each line.
    pub fn is_list(&self) -> bool {
        let format = || Format::detect(self.content.head(), &self.assumed);
        self.format.unwrap_or_else(format) == Format::List
    }

    /// The SHA-256 of the file.
    pub const fn digest(&self) -> [u8; 32] {
        self.content.digest()
    }
}

fn unreadable(name: &str, error: &formats::Error) -> Failure {
    Failure::usage(format!("cannot read {name}: {error}"))
}

impl Totals {
    /// Counts a record.
    pub const fn add(&mut self, record: &Record) {
        *match record.class {
            Class::Indicator(_) => &mut self.indicators,
            Class::Aggregate(_) => &mut self.aggregates,
            Class::Neither(_) => &mut self.neither,
            Class::Unreadable(_) => &mut self.unreadable,
        } += 1;
    }

    /// Indicators and counts.
    pub const fn readable(&self) -> u64 {
        self.indicators + self.aggregates
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "indicators {}, counts of removed assets {}, neither {}, unreadable {}",
            self.indicators, self.aggregates, self.neither, self.unreadable
        )
    }
}
