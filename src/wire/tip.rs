//! Requests on tips.

use prost::Message;
use sha2::{Digest, Sha256};

use super::enums::ProtoEnum;
use super::{enforcement, indicator, partner, pb, read_timestamp};
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{Rejection, SubmissionId, TipIndicator};
use crate::domain::tip::{MAX_INDICATORS, MAX_SUBJECT_CHARS, MAX_TEXT_CHARS, TipState, Urgency};
use crate::domain::{CampaignId, Invalid, PartnerId, Timestamp, TipId, Tlp, hex, text};

/// Maximum number of names that are parsed. The limit on recipients is lower and applies after
/// duplicates are removed.
const MAX_NAMES: usize = 100;
/// Maximum encoded size of an indicator key, in bytes: it must fit into one index value.
const MAX_KEY_BYTES: usize = 4_000;

/// Parsed and rejected indicators.
pub type Indicators = (Vec<TipIndicator>, Vec<Rejection>);

/// A parsed tip.
#[derive(Clone, Debug)]
pub struct TipContent {
    /// The recipients.
    pub recipients: Vec<PartnerId>,
    /// A one-line subject.
    pub subject: Option<Box<str>>,
    /// The sender's text.
    pub narrative: Box<str>,
    /// The indicators that it refers to.
    pub indicators: Indicators,
    /// How urgent it is.
    pub urgency: Urgency,
    /// When the sender would like an answer.
    pub respond_by: Option<Timestamp>,
    /// What recipients may do with it.
    pub tlp: Option<Tlp>,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
    /// The sender's submission that it refers to.
    pub submission: Option<SubmissionId>,
}

/// A parsed response to a tip.
#[derive(Clone, Debug)]
pub struct ResponseContent {
    /// The tip.
    pub tip: TipId,
    /// The new state.
    pub new_state: Option<TipState>,
    /// The message.
    pub message: Option<Box<str>>,
    /// Additional indicators.
    pub indicators: Indicators,
    /// The recipient whose thread it is for.
    pub recipient: Option<PartnerId>,
    /// The author's enforcement.
    pub enforcement: Option<Enforcement>,
}

/// Parses a tip.
pub fn read_sent(request: &pb::SendTipRequest) -> Result<TipContent, Invalid> {
    if request.recipients.len() > MAX_NAMES {
        return Err(Invalid::new("recipients", format!("has more than {MAX_NAMES} names")));
    }
    let recipients = request.recipients.iter().map(|id| partner::read_id("recipients", id));
    let recipients = recipients.collect::<Result<_, _>>()?;
    let narrative = read_text("narrative", &request.narrative, MAX_TEXT_CHARS)?
        .ok_or_else(|| Invalid::new("narrative", "is missing"))?;
    let respond_by = request.respond_by.as_ref();
    let submission = Some(request.submission_id.as_str()).filter(|id| !id.is_empty());
    Ok(TipContent {
        recipients,
        subject: read_subject(&request.subject)?,
        narrative,
        indicators: read_indicators(&request.indicators)?,
        urgency: Urgency::read(request.urgency)?.unwrap_or(Urgency::Routine),
        respond_by: respond_by.map(|time| read_timestamp("respond_by", time)).transpose()?,
        tlp: Tlp::read(request.tlp).map_err(|invalid| Invalid::new("tlp", invalid.reason))?,
        campaign: read_campaign(&request.campaign)?,
        submission: submission.map(SubmissionId::parse).transpose()?,
    })
}

/// Parses a response.
pub fn read_response(request: &pb::RespondToTipRequest) -> Result<ResponseContent, Invalid> {
    Ok(ResponseContent {
        tip: TipId::parse(&request.tip_id)?,
        new_state: TipState::read(request.state)?,
        message: read_text("message", &request.message, MAX_TEXT_CHARS)?,
        indicators: read_indicators(&request.indicators)?,
        recipient: read_partner("recipient", &request.recipient)?,
        enforcement: read_enforcement(request)?,
    })
}

/// Parses the enforcement of a response. If it has no id, one is derived from the tip and the
/// request.
fn read_enforcement(request: &pb::RespondToTipRequest) -> Result<Option<Enforcement>, Invalid> {
    let Some(enforcement) = &request.enforcement else { return Ok(None) };
    let within =
        |invalid: Invalid| Invalid::new(format!("enforcement.{}", invalid.field), invalid.reason);
    if !enforcement.tip.is_empty() {
        return Err(within(Invalid::new("tip", "must be empty: it is the tip of the response")));
    }
    let mut enforcement = enforcement.clone();
    if enforcement.id.is_empty() {
        let parts = [request.tip_id.as_bytes(), b"/", request.request_id.as_bytes()].concat();
        let digest = Sha256::digest(parts);
        enforcement.id = format!("tip:{}:{}", request.tip_id, hex::encode(&digest[..8]));
    }
    enforcement::read(&enforcement).map(Some).map_err(within)
}

/// Parses a partner's id; `None` if empty.
pub fn read_partner(field: &'static str, id: &str) -> Result<Option<PartnerId>, Invalid> {
    Some(id).filter(|id| !id.is_empty()).map(|id| partner::read_id(field, id)).transpose()
}

/// Parses a campaign's id; `None` if empty.
pub fn read_campaign(id: &str) -> Result<Option<CampaignId>, Invalid> {
    Some(id).filter(|id| !id.is_empty()).map(CampaignId::parse).transpose()
}

/// Parses a list of enumeration values. None of them may be unspecified.
pub fn read_enums<W: ProtoEnum>(field: &'static str, numbers: &[i32]) -> Result<Vec<W>, Invalid> {
    let read = |number: &i32| {
        W::read(*number)?.ok_or_else(|| Invalid::new(field, "contains an unspecified value"))
    };
    numbers.iter().map(read).collect()
}

fn read_subject(subject: &str) -> Result<Option<Box<str>>, Invalid> {
    text::check_line("subject", subject, MAX_SUBJECT_CHARS)?;
    read_text("subject", subject, MAX_SUBJECT_CHARS)
}

/// A text; `None` if it is empty or only white space.
fn read_text(
    field: &'static str,
    text: &str,
    max_chars: usize,
) -> Result<Option<Box<str>>, Invalid> {
    text::check(field, text, max_chars)?;
    Ok((!text.trim().is_empty()).then(|| text.into()))
}

fn read_indicators(keys: &[pb::IndicatorKey]) -> Result<Indicators, Invalid> {
    if keys.len() > MAX_INDICATORS {
        let reason = format!("has {} values: the limit is {MAX_INDICATORS}", keys.len());
        return Err(Invalid::new("indicators", reason));
    }
    let (mut indicators, mut rejected) = (Vec::with_capacity(keys.len()), Vec::new());
    for (index, key) in (0u32..).zip(keys) {
        match read_indicator(index, key) {
            Ok(indicator) => indicators.push(indicator),
            Err(invalid) => rejected.push(Rejection { index, invalid }),
        }
    }
    Ok((indicators, rejected))
}

fn read_indicator(index: u32, key: &pb::IndicatorKey) -> Result<TipIndicator, Invalid> {
    if key.encoded_len() > MAX_KEY_BYTES {
        return Err(Invalid::new("value", format!("is larger than {MAX_KEY_BYTES} bytes")));
    }
    let indicator = indicator::read_key(key)?;
    Ok(TipIndicator { index, id: indicator.id(), indicator, restricted: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> pb::SendTipRequest {
        pb::SendTipRequest {
            recipients: vec!["facegraph".into()],
            narrative: "a network of accounts".into(),
            ..Default::default()
        }
    }

    #[test]
    fn what_is_wrong_with_a_tip_is_named_by_its_field() {
        type Change = fn(&mut pb::SendTipRequest);
        let cases: [(&str, Change); 8] = [
            ("recipients", |tip| tip.recipients = vec!["Face Graph".into()]),
            ("narrative", |tip| tip.narrative = "  \n".into()),
            ("narrative", |tip| tip.narrative = "ü".repeat(4_001)),
            ("subject", |tip| tip.subject = "two\nlines".into()),
            ("subject", |tip| tip.subject = "x".repeat(201)),
            ("indicators", |tip| tip.indicators = vec![pb::IndicatorKey::default(); 1_001]),
            ("campaign", |tip| tip.campaign = "storm".into()),
            ("tlp", |tip| tip.tlp = 99),
        ];
        for (field, change) in cases {
            let mut tip = sent();
            change(&mut tip);
            assert_eq!(read_sent(&tip).unwrap_err().field, field);
        }
        let longest = pb::SendTipRequest { narrative: "ü".repeat(4_000), ..sent() };
        assert_eq!(read_sent(&longest).unwrap().urgency, Urgency::Routine);
    }

    #[test]
    fn an_indicator_that_cannot_be_read_is_rejected_by_itself() {
        let key = |value: &str| pb::IndicatorKey { value: value.into(), ..Default::default() };
        let indicators = vec![key("a[.]example"), key("just words"), key(&"x".repeat(5_000))];
        let (read, rejected) = read_indicators(&indicators).unwrap();
        assert_eq!((read[0].index, read[0].indicator.value()), (0, "a.example"));
        assert_eq!(rejected.iter().map(|one| one.index).collect::<Vec<_>>(), [1, 2]);
    }
}
