//! Indicator values on the command line.

use std::io::{self, BufRead};

use indicatif::ProgressBar;

use super::failure::Failure;
use super::output;
use crate::domain::{Indicator, Invalid, Kind};
use crate::wire::pb;

/// A value and its possible readings, most likely first, or the reason why it has none.
pub type Reading = (String, Result<Vec<Indicator>, Invalid>);

/// Flags that fix the kind and platform of values.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReadAs {
    /// Kind of the values, such as `pdq`
    #[arg(long)]
    pub kind: Option<Kind>,
    /// Platform of handles that do not name one
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<String>,
}

impl ReadAs {
    /// Reads the values of the arguments, or of stdin if the only argument is `-`.
    pub fn read(&self, values: &[String]) -> Result<Vec<Reading>, Failure> {
        let values = if values == ["-"] { read_stdin()? } else { values.to_vec() };
        let read = |value: String| {
            let readings = self.readings(&value);
            (value, readings)
        };
        Ok(values.into_iter().map(read).collect())
    }

    fn readings(&self, value: &str) -> Result<Vec<Indicator>, Invalid> {
        let platform = self.platform.as_deref();
        match self.kind {
            Some(kind) => Ok(vec![Indicator::parse(kind, platform, value)?]),
            None => Indicator::candidates(value, platform),
        }
    }
}

/// The failure of a command if it can read none of its values.
pub fn none_readable(readings: &[Reading]) -> Option<Failure> {
    let mut invalid =
        readings.iter().map_while(|(value, readings)| Some((value, readings.as_ref().err()?)));
    let (value, Invalid { field, reason }) = invalid.next()?;
    // `map_while` ends at the first value that can be read.
    let others = invalid.count();
    (others + 1 == readings.len()).then(|| {
        let more = if others > 0 { format!(", and {others} more") } else { String::new() };
        Failure::usage(format!("cannot read {value:?}: {field} {reason}{more}"))
    })
}

/// The keys of all readings, in order.
pub fn keys(readings: &[Reading]) -> Vec<pb::IndicatorKey> {
    readings.iter().flat_map(|(_, readings)| readings).flatten().map(key).collect()
}

/// Values of one request.
pub const PER_REQUEST: usize = 1_000;

/// Shows how many of `total` values were sent, if one request does not hold them.
pub fn progress(what: &'static str, total: usize) -> ProgressBar {
    output::progress_of_requests(what, total, PER_REQUEST)
}

/// The key of an indicator in a request.
pub fn key(indicator: &Indicator) -> pb::IndicatorKey {
    pb::IndicatorKey {
        kind: pb::Kind::from(indicator.kind()).into(),
        platform: indicator.platform().map(ToString::to_string).unwrap_or_default(),
        value: indicator.value().to_owned(),
    }
}

/// An indicator with its platform, for answers that do not repeat it.
pub fn display(indicator: &Indicator) -> String {
    let platform = indicator.platform().map(ToString::to_string).unwrap_or_default();
    super::text::value(&platform, indicator.value())
}

/// Keeps the answers that match something. A value can be read in several ways, and most readings
/// find nothing. If none matches, keeps the answer of the most likely reading.
pub fn relevant_answers<T>(answers: Vec<T>, is_match: impl Fn(&T) -> bool) -> Vec<T> {
    if answers.iter().any(&is_match) {
        return answers.into_iter().filter(is_match).collect();
    }
    answers.into_iter().take(1).collect()
}

fn read_stdin() -> Result<Vec<String>, Failure> {
    let lines = io::stdin().lock().lines().collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|error| Failure::usage(format!("cannot read stdin: {error}")))?;
    let values: Vec<_> = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
    if values.is_empty() { Err(Failure::usage("stdin contains no values")) } else { Ok(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_all_possible_readings_unless_its_kind_is_given() {
        let digits = "0123456789abcdef".repeat(4);
        let values = [digits.clone(), "just words".to_owned()];
        let readings = ReadAs::default().read(&values).unwrap();
        let kinds: Vec<_> = readings[0].1.as_ref().unwrap().iter().map(Indicator::kind).collect();
        assert_eq!(kinds, [Kind::Sha256, Kind::Pdq]);
        assert!(readings[1].1.is_err());
        assert_eq!(keys(&readings).len(), 2);
        assert!(none_readable(&readings).is_none(), "one can be read");
        let failure = format!("{:?}", none_readable(&readings[1..]));
        assert!(failure.contains(r#"cannot read \"just words\""#), "{failure}");
        let pdq = ReadAs { kind: Some(Kind::Pdq), platform: None }.read(&[digits]).unwrap();
        assert_eq!(keys(&pdq).len(), 1);
        assert_eq!(keys(&pdq)[0].kind(), pb::Kind::Pdq);
    }

    #[test]
    fn matching_answers_are_kept_or_else_the_first() {
        assert_eq!(relevant_answers(vec![0, 3, 0, 4], |n| *n > 0), [3, 4]);
        assert_eq!(relevant_answers(vec![0, 0], |n| *n > 0), [0]);
        assert_eq!(relevant_answers(Vec::<u8>::new(), |n| *n > 0), [0u8; 0]);
    }
}
