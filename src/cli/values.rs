//! The values that a command is about, as people write them.

use std::io::{self, BufRead};

use super::failure::Failure;
use crate::domain::{Indicator, Invalid, Kind};
use crate::wire::pb;

/// A value, and everything that it can be, the likeliest first; or why it is nothing.
pub type Reading = (String, Result<Vec<Indicator>, Invalid>);

/// How a command takes the kind and the platform of its values.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReadAs {
    /// The kind that the values are of, such as `pdq`
    #[arg(long)]
    pub kind: Option<Kind>,
    /// The platform of handles that name none
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<String>,
}

impl ReadAs {
    /// Reads the values: those of the arguments, or of stdin where they are `-` alone.
    pub fn read(&self, values: &[String]) -> Result<Vec<Reading>, Failure> {
        let values = if values == ["-"] { of_stdin()? } else { values.to_vec() };
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
            None => Indicator::readings(value, platform),
        }
    }
}

/// The keys of every reading, in order.
pub fn keys(readings: &[Reading]) -> Vec<pb::IndicatorKey> {
    readings.iter().flat_map(|(_, readings)| readings).flatten().map(key).collect()
}

/// What an indicator is called in a request.
pub fn key(indicator: &Indicator) -> pb::IndicatorKey {
    pb::IndicatorKey {
        kind: pb::Kind::from(indicator.kind()).into(),
        platform: indicator.platform().map(ToString::to_string).unwrap_or_default(),
        value: indicator.value().to_owned(),
    }
}

/// An indicator as a reading has it, for answers that do not name it.
pub fn shown(indicator: &Indicator) -> String {
    let platform = indicator.platform().map(ToString::to_string).unwrap_or_default();
    super::words::value(&platform, indicator.value())
}

/// Of what came back for each reading of one value: those that came to something, or else the
/// likeliest alone.
pub fn telling<T>(answers: Vec<T>, came_to_something: impl Fn(&T) -> bool) -> Vec<T> {
    if answers.iter().any(&came_to_something) {
        return answers.into_iter().filter(came_to_something).collect();
    }
    answers.into_iter().take(1).collect()
}

fn of_stdin() -> Result<Vec<String>, Failure> {
    let lines = io::stdin().lock().lines().collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|error| Failure::usage(format!("cannot read stdin: {error}")))?;
    let values: Vec<_> = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
    if values.is_empty() { Err(Failure::usage("stdin holds no values")) } else { Ok(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_everything_that_it_can_be_unless_its_kind_is_said() {
        let digits = "0123456789abcdef".repeat(4);
        let values = [digits.clone(), "just words".to_owned()];
        let readings = ReadAs::default().read(&values).unwrap();
        let kinds: Vec<_> = readings[0].1.as_ref().unwrap().iter().map(Indicator::kind).collect();
        assert_eq!(kinds, [Kind::Sha256, Kind::Pdq]);
        assert!(readings[1].1.is_err());
        assert_eq!(keys(&readings).len(), 2);
        let pdq = ReadAs { kind: Some(Kind::Pdq), platform: None }.read(&[digits]).unwrap();
        assert_eq!(keys(&pdq).len(), 1);
        assert_eq!(keys(&pdq)[0].kind(), pb::Kind::Pdq);
    }

    #[test]
    fn of_many_answers_those_that_say_something_are_told() {
        assert_eq!(telling(vec![0, 3, 0, 4], |n| *n > 0), [3, 4]);
        assert_eq!(telling(vec![0, 0], |n| *n > 0), [0]);
        assert_eq!(telling(Vec::<u8>::new(), |n| *n > 0), [0u8; 0]);
    }
}
