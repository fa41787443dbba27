//! A list of values, one on each line, as block lists are.

use std::io::{self, Write};

use super::{LeftOut, Lost, Tally, Writer, harmless};
use crate::domain::assessment::Verdict;
use crate::domain::{Indicator, IndicatorId, Kind, ReceivedAssessment, Tlp};

/// Writes each value once.
#[derive(Debug)]
pub struct ListWriter<W> {
    out: W,
    include_harmless: bool,
    current: Option<Value>,
}

/// The value whose assessments arrive.
#[derive(Debug)]
struct Value {
    id: IndicatorId,
    /// `None` as long as none of its assessments may be exported.
    indicator: Option<Indicator>,
    /// Why the value is left out of the list, by one of its assessments.
    left_out_for: Option<LeftOut>,
    /// Whether one of its assessments is suspicious or malicious.
    is_suspected: bool,
}

impl Value {
    /// Adds the reason of an assessment that may be exported. It is named rather than that of another one.
    fn add_reason(&mut self, reason: Option<LeftOut>) {
        if matches!(self.left_out_for, None | Some(LeftOut::Withheld)) {
            self.left_out_for = reason.or(self.left_out_for);
        }
    }
}

impl<W: Write> ListWriter<W> {
    /// A list on this output. `strictest` is the strictest marking of its values, which a comment in
    /// the first line names.
    ///
    /// People block what is in a list. So a value is left out if one of its assessments is
    /// non-malicious, or calls it a victim's, an abused service's or a third party's, or if none is
    /// suspicious or malicious, unless `include_harmless` is set. That counts also if the assessment itself may not be exported.
    pub fn new(mut out: W, strictest: Option<Tlp>, include_harmless: bool) -> io::Result<Self> {
        if let Some(tlp) = strictest {
            writeln!(out, "# TLP:{tlp}")?;
        }
        Ok(Self { out, include_harmless, current: None })
    }

    fn write_current(&mut self, tally: &mut Tally) -> io::Result<()> {
        let Some(Value { indicator: Some(indicator), left_out_for, is_suspected, .. }) =
            self.current.take()
        else {
            return Ok(());
        };
        let left_out_for = left_out_for.or((!is_suspected).then_some(LeftOut::Unsuspected));
        if let Some(reason) = left_out_for.filter(|_| !self.include_harmless) {
            tally.leave_out(reason);
        } else {
            let line = line_of(&indicator);
            writeln!(self.out, "{line}")?;
            tally.written += 1;
            if Indicator::read(&line, None).map(|read| read.id()) != Ok(indicator.id()) {
                tally.lose(Lost::Kind);
            }
        }
        Ok(())
    }
}

impl<W: Write> ListWriter<W> {
    /// The value of an assessment. Writes the one before.
    fn value_of(&mut self, id: IndicatorId, tally: &mut Tally) -> io::Result<&mut Value> {
        if self.current.as_ref().is_some_and(|value| value.id != id) {
            self.write_current(tally)?;
        }
        let value = Value { id, indicator: None, left_out_for: None, is_suspected: false };
        Ok(self.current.get_or_insert(value))
    }
}

impl<W: Write> Writer for ListWriter<W> {
    fn add(&mut self, received: &ReceivedAssessment, tally: &mut Tally) -> io::Result<()> {
        let value = self.value_of(received.id, tally)?;
        value.indicator.get_or_insert_with(|| received.assessment.indicator.clone());
        value.add_reason(harmless(received));
        value.is_suspected |= received.assessment.verdict() >= Verdict::Suspicious;
        Ok(())
    }

    fn pass_over(&mut self, received: &ReceivedAssessment, tally: &mut Tally) -> io::Result<()> {
        if let Some(reason) = harmless(received) {
            self.value_of(received.id, tally)?.add_reason(Some(reason));
        }
        Ok(())
    }

    fn withhold(&mut self, received: &ReceivedAssessment, tally: &mut Tally) -> io::Result<()> {
        if harmless(received).is_some() {
            let value = self.value_of(received.id, tally)?;
            value.left_out_for.get_or_insert(LeftOut::Withheld);
        }
        Ok(())
    }

    fn finish(&mut self, tally: &mut Tally) -> io::Result<()> {
        self.write_current(tally)?;
        self.out.flush()
    }
}

/// The value. On a platform, its address if that says the kind, else `platform:value`.
fn line_of(indicator: &Indicator) -> String {
    let Some(platform) = indicator.platform() else { return indicator.value().to_owned() };
    let prefixed = format!("{platform}:{}", indicator.value());
    let says_kind =
        |line: &str| Indicator::read(line, None).is_ok_and(|read| read.id() == indicator.id());
    if indicator.kind() == Kind::Account || says_kind(&prefixed) {
        return prefixed;
    }
    indicator.web_address().unwrap_or(prefixed)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{every_kind, sample};
    use super::*;
    use crate::domain::assessment::{Involvement, Verdict};

    fn written(all: &[ReceivedAssessment], include_harmless: bool) -> (Vec<String>, Tally) {
        let (mut out, mut tally) = (Vec::new(), Tally::default());
        let mut list = ListWriter::new(&mut out, Some(Tlp::Amber), include_harmless).unwrap();
        for received in all {
            list.add(received, &mut tally).unwrap();
        }
        list.finish(&mut tally).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines = text.lines().map(str::to_owned);
        assert_eq!(lines.next().as_deref(), Some("# TLP:AMBER"));
        (lines.collect(), tally)
    }

    #[test]
    fn what_may_not_be_exported_speaks_against_its_value_and_is_not_written_itself() {
        let of = |value: &str, involvement| {
            let mut received = sample(value);
            received.assessment.involvement = Some(involvement);
            received
        };
        let (attacker, victim) = (Involvement::Attacker, Involvement::Victim);
        // Whether each may be exported. All assessments of a value arrive together, in any order.
        let all = [
            (of("first.example", victim), false),
            (of("first.example", attacker), true),
            (of("last.example", attacker), true),
            (of("last.example", victim), false),
            (of("both.example", victim), false),
            (of("both.example", victim), true),
            (of("alone.example", victim), false),
            (of("agrees.example", attacker), false),
            (of("agrees.example", attacker), true),
        ];
        let (mut out, mut tally) = (Vec::new(), Tally::default());
        let mut list = ListWriter::new(&mut out, None, false).unwrap();
        for (received, may_be_exported) in &all {
            if *may_be_exported {
                list.add(received, &mut tally).unwrap();
            } else {
                list.withhold(received, &mut tally).unwrap();
            }
        }
        list.finish(&mut tally).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "agrees.example\n");
        let left_out = [(LeftOut::Victim, 1), (LeftOut::Withheld, 2)].into();
        assert_eq!(tally, Tally { written: 1, left_out, ..Tally::default() });
    }

    #[test]
    fn each_kind_reads_again_or_is_counted() {
        let ambiguous = [Kind::Pdq, Kind::AndroidPackage, Kind::IosAppId, Kind::Tlsh, Kind::Ssdeep];
        for received in every_kind() {
            let indicator = received.assessment.indicator.clone();
            let (lines, tally) = written(&[received], false);
            let reads = Indicator::read(&lines[0], None).is_ok_and(|read| read == indicator);
            assert_eq!(reads, !ambiguous.contains(&indicator.kind()), "{lines:?}");
            assert_eq!(!tally.lost.contains_key(&Lost::Kind), reads, "{lines:?}");
            assert_eq!(tally.written, 1);
        }
    }

    #[test]
    fn a_value_is_left_out_if_one_partner_calls_it_harmless_and_written_once_otherwise() {
        let attacker = sample("a.example");
        let mut victim = attacker.clone();
        victim.assessment.involvement = Some(Involvement::Victim);
        let mut cleared = sample("b.example");
        cleared.assessment.verdict = Some(Verdict::NonMalicious);
        let other = sample("c.example");
        let mut unknown = sample("d.example");
        unknown.assessment.verdict = Some(Verdict::Unknown);
        let all = [attacker, victim, cleared, other.clone(), other, unknown];
        let (lines, tally) = written(&all, false);
        assert_eq!(lines, ["c.example"]);
        assert_eq!(tally.written, 1);
        let left_out =
            [(LeftOut::NonMalicious, 1), (LeftOut::Victim, 1), (LeftOut::Unsuspected, 1)];
        assert_eq!(tally.left_out, left_out.into());
        let (lines, tally) = written(&all, true);
        assert_eq!(lines, ["a.example", "b.example", "c.example", "d.example"]);
        assert!(tally.left_out.is_empty());
    }
}
