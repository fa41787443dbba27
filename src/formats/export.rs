//! Writes received objects in the formats of other tools, one object at a time.
//!
//! [`Rules`] decide what may leave. A writer then writes each assessment as it arrives, and counts in
//! a [`Tally`] what its format has no place for. Writers hold no more than what has to be written
//! once, such as authors, so memory does not grow with the number of objects.

mod csv;
mod json;
mod list;
mod misp;
pub mod stix;
mod tags;
mod tally;
mod text;
mod threatexchange;

use std::io;

pub use self::csv::{Cells, CsvWriter};
pub use self::list::ListWriter;
pub(super) use self::misp::REFERENCE as MISP_REFERENCE;
pub use self::misp::{FeedError, FeedWriter};
pub(super) use self::tags::TIPOFF_NAMESPACE;
pub use self::tally::{LeftOut, Lost, Tally};
pub use self::threatexchange::DescriptorWriter;
use crate::domain::assessment::{Involvement, Verdict};
use crate::domain::sharing::Audience;
use crate::domain::{ReceivedAssessment, Tlp};

/// A writer of one format. Assessments arrive in the order of a snapshot: by the id of the indicator.
pub trait Writer {
    /// Writes an assessment that [`Rules::refusal`] does not refuse, or counts why the format has no place for it.
    fn add(&mut self, received: &ReceivedAssessment, tally: &mut Tally) -> io::Result<()>;

    /// Takes note of an assessment that may not be exported. Nothing of it is written; a list leaves out its
    /// value if it says that nobody should block it.
    fn withhold(&mut self, _received: &ReceivedAssessment, _tally: &mut Tally) -> io::Result<()> {
        Ok(())
    }

    /// Takes note of an assessment outside of what was asked for, like [`Writer::withhold`].
    fn pass_over(&mut self, _received: &ReceivedAssessment, _tally: &mut Tally) -> io::Result<()> {
        Ok(())
    }

    /// Writes what comes after the last assessment. Nothing may be added afterwards.
    fn finish(&mut self, tally: &mut Tally) -> io::Result<()>;
}

/// What may leave the exchange's own clients in a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Whether AMBER+STRICT objects are exported. They may not leave the reader's organisation.
    pub include_strict: bool,
}

impl Rules {
    /// Why an assessment may not be exported: by its marking, or because a terminal or an editor would act on its value.
    pub fn refusal(self, received: &ReceivedAssessment) -> Option<LeftOut> {
        let is_printable = text::is_printable(received.assessment.indicator.value());
        let by_value = (!is_printable).then_some(LeftOut::ControlCharacters);
        self.refusal_by_marking(received.tlp).or(by_value)
    }

    /// Why an object with this marking may not be exported. RED never is.
    pub fn refusal_by_marking(self, tlp: Tlp) -> Option<LeftOut> {
        match tlp {
            Tlp::Red => Some(LeftOut::Red),
            Tlp::AmberStrict if !self.include_strict => Some(LeftOut::Strict),
            Tlp::AmberStrict | Tlp::Amber | Tlp::Green | Tlp::Clear => None,
        }
    }

    /// The mode of a new file, from which the system takes the umask. What may have AMBER+STRICT objects is for
    /// its user alone.
    pub const fn file_mode(self) -> u32 {
        if self.include_strict { 0o600 } else { 0o666 }
    }
}

/// Why the assessment says that nobody should block its value.
fn harmless(received: &ReceivedAssessment) -> Option<LeftOut> {
    let assessment = &received.assessment;
    match assessment.involvement() {
        Involvement::Victim => Some(LeftOut::Victim),
        Involvement::AbusedService => Some(LeftOut::AbusedService),
        Involvement::ThirdParty => Some(LeftOut::ThirdParty),
        Involvement::Attacker if assessment.verdict() == Verdict::NonMalicious => {
            Some(LeftOut::NonMalicious)
        }
        Involvement::Attacker => None,
    }
}

/// The audience as keywords: `public`, `everyone`, `group:core`, `partner:facegraph`. Empty for an
/// object that was released to its reader.
fn audience_keywords(audience: &Audience) -> Vec<String> {
    match audience {
        Audience::Public => vec!["public".into()],
        Audience::Everyone => vec!["everyone".into()],
        Audience::Named { groups, partners } => {
            let groups = groups.iter().map(|group| format!("group:{group}"));
            groups.chain(partners.iter().map(|partner| format!("partner:{partner}"))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::sample;
    use super::*;
    use crate::domain::{Indicator, Kind};

    #[test]
    fn a_value_with_control_characters_and_a_marking_that_forbids_it_are_refused() {
        let rules = Rules::default();
        let mut received = sample("a.example");
        assert_eq!(rules.refusal(&received), None);
        received.assessment.indicator =
            Indicator::from_stored(Kind::Url, None, "https://a.example/\u{1b}[2J");
        assert_eq!(rules.refusal(&received), Some(LeftOut::ControlCharacters));
        received.tlp = Tlp::AmberStrict;
        assert_eq!(rules.refusal(&received), Some(LeftOut::Strict));
        let rules = Rules { include_strict: true };
        assert_eq!(rules.refusal_by_marking(Tlp::AmberStrict), None);
        assert_eq!(rules.refusal_by_marking(Tlp::Red), Some(LeftOut::Red));
    }
}

#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod samples;
