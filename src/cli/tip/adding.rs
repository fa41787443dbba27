//! What is added to a tip, in the words of the command line.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::cli::failure::Failure;
use crate::cli::{output, values, words};
use crate::domain::Kind;
use crate::formats::{self, Assumed, Class};
use crate::wire::pb;

/// The indicators that something refers to.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "What it refers to")]
pub struct IndicatorFlags {
    /// A value as people write it
    #[arg(long = "indicator", value_name = "VALUE")]
    indicators: Vec<String>,
    /// A file of them, in any format that submit reads; `-` is stdin
    #[arg(long, value_name = "FILE|-")]
    file: Option<PathBuf>,
    /// The kind of values whose kind is not said, such as `pdq`
    #[arg(long)]
    kind: Option<Kind>,
    /// The platform of handles that name none
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
}

/// The indicators of a request, and what could not be read of a file.
#[derive(Debug, Default)]
pub struct ReadIndicators {
    pub keys: Vec<pb::IndicatorKey>,
    pub unreadable: Vec<String>,
}

impl IndicatorFlags {
    /// Whether they take what stands on stdin.
    pub fn take_stdin(&self) -> bool {
        self.file.as_deref() == Some(Path::new("-"))
    }

    /// The values as they are named, and those of the file. What is named is read by the exchange, which
    /// says of each why it cannot be.
    pub fn read(&self) -> Result<ReadIndicators, Failure> {
        let named = self.indicators.iter().map(|value| pb::IndicatorKey {
            kind: self.kind.map_or(pb::Kind::Unspecified, pb::Kind::from).into(),
            platform: self.platform.clone().unwrap_or_default(),
            value: value.clone(),
        });
        let mut adding = ReadIndicators { keys: named.collect(), ..ReadIndicators::default() };
        let Some(file) = &self.file else { return Ok(adding) };
        let cannot = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("cannot read {}: {error}", file.display()))
        };
        let bytes = read(file).map_err(|error| cannot(&error))?;
        let assumed = Assumed { kind: self.kind, platform: self.platform.clone() };
        let records = formats::read_as(&bytes, None, &assumed).map_err(|error| cannot(&error))?;
        for record in records {
            match record.class {
                Class::Indicator(indicator) => adding.keys.push(values::key(&indicator)),
                Class::Unreadable(invalid) => {
                    adding.unreadable.push(format!("{} {:?} {invalid}", record.row, record.raw));
                }
                Class::Aggregate(_) | Class::Neither(_) => {}
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        adding.keys.retain(|key| seen.insert((key.kind, key.platform.clone(), key.value.clone())));
        Ok(adding)
    }
}

impl ReadIndicators {
    /// Says on stdout what does not count: of what was sent, and of what was not.
    pub fn tell_rejected(&self, rejected: &[pb::ItemReceipt]) -> Result<(), Failure> {
        for reason in self.reasons(rejected) {
            output::line(&format!("{}  {reason}", output::paint(output::BAD, "rejected")))?;
        }
        Ok(())
    }

    /// Why each does not count.
    pub fn reasons(&self, rejected: &[pb::ItemReceipt]) -> Vec<String> {
        let of_exchange = rejected.iter().map(|item| {
            let key = self.keys.get(item.index as usize).cloned().unwrap_or_default();
            let value = words::value(&key.platform, &key.value);
            format!("{value:?}: {} {}", item.field, item.reason)
        });
        self.unreadable.iter().cloned().chain(of_exchange).collect()
    }
}

/// A file, or stdin.
pub fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(file)
}
