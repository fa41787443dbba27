//! Tips, in.

use prost::Message;
use sha2::{Digest, Sha256};

use super::words::ProtoEnum;
use super::{enforcement, indicator, partner, pb, read_timestamp};
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{Rejection, SubmissionId, TipIndicator};
use crate::domain::tip::{MOST_CHARS, MOST_INDICATORS, SUBJECT_CHARS, TipState, Urgency};
use crate::domain::{CampaignId, Invalid, PartnerId, Timestamp, TipId, Tlp};

/// The most names of recipients that are read; fewer may stand in a tip, each named once.
const MAX_NAMES: usize = 100;
/// The most bytes of an indicator as it is sent: it has to fit one value of the index.
const MAX_KEY_BYTES: usize = 4_000;

/// Indicators, those that could be read and those that could not.
pub type Indicators = (Vec<TipIndicator>, Vec<Rejection>);

/// A tip as it was sent, read.
#[derive(Clone, Debug)]
pub struct TipContent {
    /// Who is to receive it.
    pub recipients: Vec<PartnerId>,
    /// What it is about, in a line.
    pub subject: Option<Box<str>>,
    /// What its sender tells.
    pub narrative: Box<str>,
    /// What it refers to.
    pub indicators: Indicators,
    /// How soon it has to be acted upon.
    pub urgency: Urgency,
    /// Until when its sender would like to hear.
    pub respond_by: Option<Timestamp>,
    /// What recipients may do with it.
    pub tlp: Option<Tlp>,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
    /// The sender's submission that it refers to.
    pub submission: Option<SubmissionId>,
}

/// What a party adds to a tip, read.
#[derive(Clone, Debug)]
pub struct ResponseContent {
    /// The tip.
    pub tip: TipId,
    /// Where it is moved.
    pub moves_to: Option<TipState>,
    /// What its author says.
    pub message: Option<Box<str>>,
    /// What it refers to besides.
    pub indicators: Indicators,
    /// The recipient that it is for.
    pub recipient: Option<PartnerId>,
    /// What its author did.
    pub enforcement: Option<Enforcement>,
}

/// Reads a tip.
pub fn read_sent(request: &pb::SendTipRequest) -> Result<TipContent, Invalid> {
    if request.recipients.len() > MAX_NAMES {
        return Err(Invalid::new("recipients", format!("has more than {MAX_NAMES} names")));
    }
    let recipients = request.recipients.iter().map(|id| partner::read_id("recipients", id));
    let recipients = recipients.collect::<Result<_, _>>()?;
    let narrative = read_text("narrative", &request.narrative, MOST_CHARS)?
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

/// Reads what a party adds to a tip.
pub fn read_response(request: &pb::RespondToTipRequest) -> Result<ResponseContent, Invalid> {
    Ok(ResponseContent {
        tip: TipId::parse(&request.tip_id)?,
        moves_to: TipState::read(request.state)?,
        message: read_text("message", &request.message, MOST_CHARS)?,
        indicators: read_indicators(&request.indicators)?,
        recipient: read_partner("recipient", &request.recipient)?,
        enforcement: read_done(request)?,
    })
}

/// Reads what a party did. Where it gives that no name, the tip and the request do.
fn read_done(request: &pb::RespondToTipRequest) -> Result<Option<Enforcement>, Invalid> {
    let Some(done) = &request.enforcement else { return Ok(None) };
    let within =
        |invalid: Invalid| Invalid::new(format!("enforcement.{}", invalid.field), invalid.reason);
    if !done.tip.is_empty() {
        return Err(within(Invalid::new("tip", "is left out: it is the tip that is answered")));
    }
    let mut done = done.clone();
    if done.id.is_empty() {
        let named = [request.tip_id.as_bytes(), b"/", request.request_id.as_bytes()].concat();
        let digest = Sha256::digest(named);
        let short: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        done.id = format!("tip:{}:{short}", request.tip_id);
    }
    enforcement::read(&done).map(Some).map_err(within)
}

/// Reads the name of a partner; `None` where none is given.
pub fn read_partner(field: &'static str, id: &str) -> Result<Option<PartnerId>, Invalid> {
    Some(id).filter(|id| !id.is_empty()).map(|id| partner::read_id(field, id)).transpose()
}

/// Reads the id of a campaign; `None` where none is given.
pub fn read_campaign(id: &str) -> Result<Option<CampaignId>, Invalid> {
    Some(id).filter(|id| !id.is_empty()).map(CampaignId::parse).transpose()
}

/// Reads words of a list, each of which says something.
pub fn read_words<W: ProtoEnum>(field: &'static str, numbers: &[i32]) -> Result<Vec<W>, Invalid> {
    let read = |number: &i32| W::read(*number)?.ok_or_else(|| Invalid::new(field, "says nothing"));
    numbers.iter().map(read).collect()
}

fn read_subject(subject: &str) -> Result<Option<Box<str>>, Invalid> {
    if subject.contains(char::is_control) {
        return Err(Invalid::new("subject", "is not one line of text"));
    }
    read_text("subject", subject, SUBJECT_CHARS)
}

/// A text; `None` where it is empty, or nothing but space.
fn read_text(field: &'static str, text: &str, most: usize) -> Result<Option<Box<str>>, Invalid> {
    if text.chars().count() > most {
        return Err(Invalid::new(field, format!("is longer than {most} characters")));
    }
    Ok((!text.trim().is_empty()).then(|| text.into()))
}

fn read_indicators(keys: &[pb::IndicatorKey]) -> Result<Indicators, Invalid> {
    if keys.len() > MOST_INDICATORS {
        let reason = format!("has {} values, and may have {MOST_INDICATORS}", keys.len());
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
