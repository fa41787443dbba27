//! The summary of an indicator for one reader, computed from the assessments that it may see.

use super::assessment::{Assessment, Verdict};
use super::entry::Position;
use super::partner::PartnerId;

/// One visible assessment with its author and version.
#[derive(Clone, Copy, Debug)]
pub struct VisibleAssessment<'a> {
    /// Its author.
    pub author: &'a PartnerId,
    /// Its version.
    pub version: Position,
    /// The assessment.
    pub assessment: &'a Assessment,
}

/// A summary of one indicator.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// Whether at least one author says `non_malicious` and another `suspicious` or `malicious`.
    pub disputed: bool,
    /// The assessment that represents the indicator, complete: fields of several assessments are
    /// never mixed.
    pub strongest: VisibleAssessment<'a>,
    /// The number of authors with an assessment of it.
    pub authors: u32,
}

impl<'a> Summary<'a> {
    /// Summarises visible assessments; `None` if there are none.
    ///
    /// The newest assessment of each author counts. The strongest is chosen by verdict, confidence,
    /// severity, then newest. If `owner` owns the platform of the asset, its `non_malicious`
    /// overrides all others and any dispute.
    pub fn of(visible: &[VisibleAssessment<'a>], owner: Option<&PartnerId>) -> Option<Summary<'a>> {
        let mut newest: Vec<VisibleAssessment<'a>> = Vec::new();
        for candidate in visible {
            match newest.iter_mut().find(|current| current.author == candidate.author) {
                Some(current) if current.version < candidate.version => *current = *candidate,
                Some(_) => {}
                None => newest.push(*candidate),
            }
        }
        let authors = u32::try_from(newest.len()).unwrap_or(u32::MAX);
        let harmless =
            |one: &VisibleAssessment<'_>| one.assessment.verdict() == Verdict::NonMalicious;
        if let Some(own) = newest.iter().find(|one| owner == Some(one.author) && harmless(one)) {
            return Some(Summary { disputed: false, strongest: *own, authors });
        }
        let strongest = *newest.iter().max_by_key(|one| {
            let a = one.assessment;
            (a.verdict(), a.confidence(), a.severity(), one.version)
        })?;
        let harmful = |one: &VisibleAssessment<'_>| one.assessment.verdict() > Verdict::Unknown;
        let disputed = newest.iter().any(harmless) && newest.iter().any(harmful);
        Some(Summary { disputed, strongest, authors })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assessment::Confidence;
    use super::super::indicator::{Indicator, Kind};
    use super::*;

    fn assessment(verdict: Verdict, confidence: u32) -> Assessment {
        let indicator = Indicator::from_stored(Kind::Domain, None, "sample.example");
        Assessment {
            verdict: Some(verdict),
            confidence: Some(Confidence::new(confidence).unwrap()),
            ..Assessment::of(indicator)
        }
    }

    fn summary(
        assessments: &[(&str, u64, Assessment)],
        owner: Option<&str>,
    ) -> Option<(bool, String, u32)> {
        let authors: Vec<_> =
            assessments.iter().map(|(id, ..)| PartnerId::from_stored(id)).collect();
        let visible: Vec<_> = assessments
            .iter()
            .zip(&authors)
            .map(|((_, sequence, assessment), author)| VisibleAssessment {
                author,
                version: Position::new(*sequence, 0),
                assessment,
            })
            .collect();
        let owner = owner.map(PartnerId::from_stored);
        Summary::of(&visible, owner.as_ref())
            .map(|s| (s.disputed, s.strongest.author.to_string(), s.authors))
    }

    #[test]
    fn nothing_visible_is_nothing_known() {
        assert!(summary(&[], None).is_none());
    }

    #[test]
    fn the_strongest_verdict_stands_for_the_indicator_then_confidence_then_newest() {
        let one = ("birdsite", 1, assessment(Verdict::Suspicious, 99));
        let two = ("facegraph", 2, assessment(Verdict::Malicious, 10));
        let three = ("tubeworks", 3, assessment(Verdict::Malicious, 10));
        assert_eq!(summary(&[one, two, three], None), Some((false, "tubeworks".into(), 3)));
    }

    #[test]
    fn only_the_newest_word_of_an_author_counts() {
        let old = ("birdsite", 1, assessment(Verdict::Malicious, 90));
        let new = ("birdsite", 5, assessment(Verdict::Unknown, 10));
        let other = ("facegraph", 2, assessment(Verdict::Suspicious, 20));
        assert_eq!(summary(&[old, new, other], None), Some((false, "facegraph".into(), 2)));
    }

    #[test]
    fn a_harmless_verdict_beside_a_worse_one_is_a_dispute_unless_the_platforms_owner_says_it() {
        let bad = ("birdsite", 1, assessment(Verdict::Malicious, 90));
        let good = ("facegraph", 2, assessment(Verdict::NonMalicious, 90));
        assert_eq!(summary(&[bad.clone(), good.clone()], None), Some((true, "birdsite".into(), 2)));
        assert_eq!(summary(&[bad, good], Some("facegraph")), Some((false, "facegraph".into(), 2)));
    }
}
