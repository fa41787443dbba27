//! Lookup results and summaries of indicators, for one reader.

use prost::Message;

use super::{assessment, indicator, pb, sharing, timestamp};
use crate::domain::sharing::SharingView;
use crate::domain::{Assessment, Indicator, IndicatorId, Invalid, PartnerId, Position, Timestamp};

/// One visible assessment, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct AssessmentRef<'a> {
    /// Its author.
    pub author: &'a PartnerId,
    /// Its version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The indicator's id.
    pub id: IndicatorId,
    /// The assessment. `raw` must be set only if the reader is the author.
    pub assessment: &'a Assessment,
    /// The reader's part of the sharing.
    pub view: &'a SharingView,
}

/// A summary of the visible assessments.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// The assessment that represents the indicator.
    pub strongest: AssessmentRef<'a>,
    /// Whether some authors say `non_malicious` and others `suspicious` or `malicious`.
    pub disputed: bool,
    /// The number of authors.
    pub authors: u32,
}

/// Converts a summary.
pub fn summary(summary: &Summary<'_>) -> pb::IndicatorSummary {
    let strongest = &summary.strongest;
    pb::IndicatorSummary {
        indicator: Some(indicator::write(&strongest.assessment.indicator, strongest.id)),
        disputed: summary.disputed,
        strongest: Some(visible_assessment(strongest)),
        authors: summary.authors,
    }
}

/// Converts one visible assessment.
pub fn visible_assessment(known: &AssessmentRef<'_>) -> pb::VisibleAssessment {
    pb::VisibleAssessment {
        version: Some(indicator::version(known.version)),
        author: known.author.to_string(),
        accepted_at: Some(timestamp(known.accepted)),
        indicator: Some(indicator::write(&known.assessment.indicator, known.id)),
        assessment: Some(assessment::write(known.assessment, known.accepted)),
        sharing: Some(sharing::write(known.view)),
        raw: known.assessment.raw.as_deref().unwrap_or_default().to_owned(),
    }
}

/// The lookup result for a known value.
pub fn found(known: &Summary<'_>) -> pb::LookupResult {
    result(pb::lookup_result::Result::Known(summary(known)))
}

/// Adds the networks that hold the address of a lookup result, the smallest first. Stops before the one that would
/// exceed `max_bytes`, and returns how many bytes are left.
pub fn add_networks<'a>(
    result: &mut pb::LookupResult,
    networks: impl IntoIterator<Item = Summary<'a>>,
    mut max_bytes: usize,
) -> usize {
    for network in networks {
        let network = summary(&network);
        match max_bytes.checked_sub(network.encoded_len()) {
            Some(left) if result.networks_omitted == 0 => {
                max_bytes = left;
                result.networks.push(network);
            }
            _ => result.networks_omitted += 1,
        }
    }
    max_bytes
}

/// Adds the other names of the account of a lookup result, each with its summary. Stops before the one that would exceed
/// `max_bytes`, and returns how many bytes are left.
pub fn add_accounts<'a>(
    result: &mut pb::LookupResult,
    names: impl IntoIterator<Item = (&'a Indicator, Option<Summary<'a>>)>,
    mut max_bytes: usize,
) -> usize {
    for (name, known) in names {
        let indicator = Some(indicator::write(name, name.id()));
        let account = pb::LinkedAccount { indicator, summary: known.as_ref().map(summary) };
        let Some(left) = max_bytes.checked_sub(account.encoded_len()) else {
            result.accounts_may_have_more = true;
            break;
        };
        max_bytes = left;
        result.accounts.push(account);
    }
    max_bytes
}

/// The lookup result for a value about which the reader may see nothing.
pub fn unknown(indicator: Indicator, id: IndicatorId) -> pb::LookupResult {
    let indicator = Some(indicator::write_owned(indicator, id));
    result(pb::lookup_result::Result::Unknown(pb::UnknownValue { indicator }))
}

/// The lookup result for an invalid value.
pub fn unreadable(invalid: &Invalid) -> pb::LookupResult {
    result(pb::lookup_result::Result::Unreadable(pb::UnreadableValue {
        field: invalid.field.to_string(),
        reason: invalid.reason.to_string(),
    }))
}

fn result(result: pb::lookup_result::Result) -> pb::LookupResult {
    pb::LookupResult { result: Some(result), ..pb::LookupResult::default() }
}
