//! Indicators that a tip or response refers to.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::cli::failure::Failure;
use crate::cli::{output, text, values};
use crate::domain::{Indicator, Kind};
use crate::formats::{self, Assumed, Class};
use crate::wire::pb;

/// Flags for indicators.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Indicators")]
pub struct IndicatorFlags {
    /// Indicator value; may be repeated
    #[arg(long = "indicator", value_name = "VALUE")]
    indicators: Vec<String>,
    /// File with indicators, in any format that submit reads; `-` is stdin
    #[arg(long, value_name = "FILE|-")]
    file: Option<PathBuf>,
    /// Kind of values that do not have one, such as `pdq`
    #[arg(long)]
    kind: Option<Kind>,
    /// Platform of handles that do not name one
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
}

/// The indicators of a request, and the records of the file that could not be read.
#[derive(Debug, Default)]
pub struct ReadIndicators {
    pub keys: Vec<pb::IndicatorKey>,
    pub unreadable: Vec<String>,
}

impl IndicatorFlags {
    /// Whether the file is stdin.
    pub fn take_stdin(&self) -> bool {
        self.file.as_deref() == Some(Path::new("-"))
    }

    /// Reads the values of the flags and of the file. The exchange parses the values of the flags,
    /// and gives a reason for each that it rejects.
    pub fn read(&self) -> Result<ReadIndicators, Failure> {
        let named = self.indicators.iter().map(|value| pb::IndicatorKey {
            kind: self.kind.map_or(pb::Kind::Unspecified, pb::Kind::from).into(),
            platform: self.platform.clone().unwrap_or_default(),
            value: value.clone(),
        });
        let readable = self.indicators.iter().filter(|value| self.can_read(value)).count();
        let mut indicators = ReadIndicators { keys: named.collect(), ..ReadIndicators::default() };
        if readable == 0 && self.file.is_none() && !self.indicators.is_empty() {
            return Err(Failure::usage(
                "none of the values of --indicator can be read: nothing was sent",
            ));
        }
        let Some(file) = &self.file else { return Ok(indicators) };
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("cannot read {}: {error}", file.display()))
        };
        let bytes = read(file).map_err(|error| unreadable(&error))?;
        let assumed =
            Assumed { kind: self.kind, platform: self.platform.clone(), ..Assumed::default() };
        let records =
            formats::read_as(&bytes, None, &assumed).map_err(|error| unreadable(&error))?;
        for record in records {
            match record.class {
                Class::Indicator(indicator) => indicators.keys.push(values::key(&indicator)),
                Class::Unreadable(invalid) => {
                    indicators
                        .unreadable
                        .push(format!("{} {:?} {invalid}", record.row, record.raw));
                }
                Class::Aggregate(_) | Class::Neither(_) => {}
            }
        }
        if readable == 0 && indicators.keys.len() == self.indicators.len() {
            let reason = indicators.unreadable.first().cloned();
            return Err(unreadable(&reason.unwrap_or_else(|| {
                "it has no indicator. Nothing was sent. Look at it with tipoff submit --dry-run"
                    .into()
            })));
        }
        let mut known_keys = std::collections::BTreeSet::new();
        indicators
            .keys
            .retain(|key| known_keys.insert((key.kind, key.platform.clone(), key.value.clone())));
        Ok(indicators)
    }
}

impl IndicatorFlags {
    /// Whether a value of a flag can be read, as the exchange will.
    fn can_read(&self, value: &str) -> bool {
        let platform = self.platform.as_deref();
        match self.kind {
            Some(kind) => Indicator::parse(kind, platform, value).is_ok(),
            None => Indicator::candidates(value, platform).is_ok(),
        }
    }
}

impl ReadIndicators {
    /// Prints each rejected or unreadable indicator to stdout.
    pub fn print_rejected(&self, rejected: &[pb::ItemReceipt]) -> Result<(), Failure> {
        for reason in self.reasons(rejected) {
            output::line(&format!("{}  {reason}", output::paint(output::BAD, "rejected")))?;
        }
        Ok(())
    }

    /// The reason for each rejected or unreadable indicator.
    pub fn reasons(&self, rejected: &[pb::ItemReceipt]) -> Vec<String> {
        let rejected = rejected.iter().map(|item| {
            let key = self.keys.get(item.index as usize).cloned().unwrap_or_default();
            let value = text::value(&key.platform, &key.value);
            format!("{value:?}: {} {}", item.field, item.reason)
        });
        self.unreadable.iter().cloned().chain(rejected).collect()
    }
}

/// Reads a file, or stdin for `-`.
pub fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(file)
}
