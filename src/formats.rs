//! Reads files: detects the format and classifies each record.
//!
//! A record is an indicator, a count of removed assets (an aggregate), or neither. Every record
//! that cannot be read is returned with its row and the reason. A file is read in pieces, so that its
//! size does not matter; a format that has to be read as a whole says from which size on it is refused.

mod cell;
mod columns;
mod count;
mod details;
pub mod dry_run;
mod encoding;
mod error;
pub mod export;
mod format;
mod headerless;
mod html;
mod input;
mod involvement;
mod json_elements;
mod json_rows;
mod json_shape;
mod jsonl;
mod kinds;
mod limited;
mod lines;
mod list;
mod markdown;
mod misp;
mod output;
mod prose;
mod quotes;
mod record;
mod refused;
mod report;
mod stix;
mod table;
mod tags;
mod threatexchange;
mod twitter;
mod wording;

use std::ops::ControlFlow;

pub use self::count::Count;
pub use self::details::{read_end, read_time};
pub use self::error::Error;
pub use self::format::Format;
pub use self::input::{Input, private_file};
pub use self::output::{Output, Reading};
pub use self::record::{Class, Details, Record, SkipReason};
pub use self::refused::UnreadableFormat;
pub use crate::domain::Region;
use crate::domain::assessment::Verdict;
use crate::domain::{Invalid, Kind, Platform};

/// What the user says of a file: kind and platform of values that declare none, and the column of values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumed {
    /// Kind of values without one.
    pub kind: Option<Kind>,
    /// Platform of values without one.
    pub platform: Option<String>,
    /// The column or key of values, where its name does not say it.
    pub column: Option<String>,
    /// The verdict on values of which a text does not say any.
    pub verdict: Option<Verdict>,
    /// The country of phone numbers without a country code.
    pub region: Option<Region>,
}

impl Assumed {
    /// Classifies the values of a cell with the kind and platform that its record declares, if any.
    fn classes(&self, kind: Option<&str>, platform: Option<&str>, raw: &str) -> Vec<Class> {
        if let Some(classes) = stix::classes_of_pattern(raw, self) {
            return classes;
        }
        // In a column of types, `Telegram` says where the value lives.
        let named = kind.filter(|kind| kinds::DeclaredType::of(kind).is_none());
        let named = named.and_then(Platform::known_id);
        let kind = kind.filter(|_| named.is_none());
        let platform = platform.or(named).or(self.platform.as_deref());
        let kind = kind.or(self.kind.map(Kind::as_str));
        let classes = match kind {
            Some(kind) => cell::read_declared(kind, platform, raw),
            None => cell::read_value(raw, platform),
        };
        self.with_national_phones(kind, raw, classes)
    }

    /// Reads what could not be read as phone numbers without a country code, where it is called a phone number.
    fn with_national_phones(
        &self,
        kind: Option<&str>,
        raw: &str,
        classes: Vec<Class>,
    ) -> Vec<Class> {
        let is_unread = matches!(classes.as_slice(), [Class::Unreadable(_) | Class::Neither(_)]);
        if !is_unread || !kinds::is_phone(kind.or_else(|| kinds::label_of(raw))) {
            return classes;
        }
        let Some(region) = self.region else {
            return match classes.as_slice() {
                [Class::Unreadable(invalid)] => {
                    let reason = format!("{}; or state the country with --region", invalid.reason);
                    vec![Class::Unreadable(Invalid::new(invalid.field.clone(), reason))]
                }
                _ => classes,
            };
        };
        let numbers = raw.split([',', ';', '|', '\n']).map(|number| region.phone(number));
        let numbers: Result<Vec<_>, _> = numbers.collect();
        numbers.map_or(classes, |all| all.into_iter().map(Class::Indicator).collect())
    }
}

/// Reads a file, and gives each record to `consumer` until that breaks. Detects the format if `format` is `None`.
pub fn read_input(
    input: &Input,
    format: Option<Format>,
    assumed: &Assumed,
    consumer: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<Reading, Error> {
    if input.head().trim().is_empty() {
        return Err(Error::Empty);
    }
    let format = format.unwrap_or_else(|| Format::detect(input.head(), assumed));
    let mut out = Output::new(format, consumer);
    out.guessed_encoding(input.guessed_encoding());
    match format {
        Format::MetaTtp | Format::Csv => table::read(input, assumed, &mut out)?,
        Format::Jsonl => jsonl::read(input, assumed, &mut out)?,
        Format::Markdown => {
            markdown::read(&input.whole("a report in Markdown")?, assumed, &mut out);
        }
        Format::Stix => stix::read(input, assumed, &mut out)?,
        Format::Misp => misp::read(input, &mut out)?,
        Format::ThreatExchange => threatexchange::read(input, &mut out)?,
        Format::TwitterArchive => twitter::read(input, &mut out)?,
        Format::Html => {
            html::read(&input.whole("a page in HTML")?, assumed, &mut out);
        }
        Format::Text => prose::read(input, assumed, &mut out)?,
        Format::List => list::read(input, assumed, &mut out)?,
    }
    Ok(out.finish())
}

/// Reads a small file that is in memory. Detects the format if `format` is `None`.
pub fn read(bytes: &[u8], format: Option<Format>) -> Result<Vec<Record>, Error> {
    read_as(bytes, format, &Assumed::default())
}

/// Like [`read`], with what the user says of the file.
pub fn read_as(
    bytes: &[u8],
    format: Option<Format>,
    assumed: &Assumed,
) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    read_input(&Input::from_bytes(bytes)?, format, assumed, &mut |record| {
        records.push(record);
        ControlFlow::Continue(())
    })?;
    Ok(records)
}

#[cfg(test)]
#[path = "formats/documented_tests.rs"]
mod documented_tests;
#[cfg(test)]
#[path = "formats/hostile_tests.rs"]
mod hostile_tests;
#[cfg(test)]
#[path = "formats/makers_tests.rs"]
mod makers_tests;
#[cfg(test)]
#[path = "formats/tests.rs"]
mod tests;
