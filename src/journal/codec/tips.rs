//! Converts tips, responses, referrals and reopenings.

use super::endings::{read_target, write_target};
use super::enforcement::{read_enforcement, write_enforcement};
use super::reactions::read_request_digest;
use super::sharing::{read_sharing, write_sharing};
use super::{
    DecodeError, Decoded, boxed, number, optional, partner_ids, pb, read_id, read_rejected,
    required, strings, write_rejected,
};
use crate::domain::entry::{
    Referral, Referred, RequestId, SubmissionId, TipIndicator, TipResponse, TipSent, TipThread,
    TipsReopened,
};
use crate::domain::tip::{TipState, Urgency};
use crate::domain::{CampaignId, Indicator, Kind, PartnerId, Platform, Timestamp, TipId, Tlp};

pub fn write_sent(sent: &TipSent) -> pb::TipSent {
    pb::TipSent {
        request: sent.request.to_string(),
        digest: sent.digest.to_vec(),
        id: sent.id.as_bytes().to_vec(),
        recipients: strings(&sent.recipients),
        subject: sent.subject.as_deref().unwrap_or_default().to_owned(),
        narrative: sent.narrative.to_string(),
        indicators: sent.indicators.iter().map(write_indicator).collect(),
        rejected: write_rejected(&sent.rejected),
        urgency: number(Urgency::ALL, &sent.urgency),
        respond_by_ms: sent.respond_by.map(Timestamp::as_millis),
        tlp: number(Tlp::ALL, &sent.tlp),
        campaign: sent.campaign.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        submission: sent.submission.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

pub fn read_sent(sent: pb::TipSent) -> Decoded<TipSent> {
    let campaign = (!sent.campaign.is_empty()).then_some(sent.campaign);
    let submission = (!sent.submission.is_empty()).then_some(sent.submission);
    Ok(TipSent {
        request: RequestId::from_stored(&sent.request),
        digest: read_request_digest(sent.digest)?,
        id: read_tip_id(sent.id)?,
        recipients: partner_ids(&sent.recipients),
        subject: boxed(sent.subject),
        narrative: sent.narrative.into_boxed_str(),
        indicators: read_indicators(sent.indicators)?,
        rejected: read_rejected(sent.rejected),
        urgency: required("urgency", Urgency::ALL, sent.urgency)?,
        respond_by: sent.respond_by_ms.map(Timestamp::from_millis),
        tlp: required("tlp", Tlp::ALL, sent.tlp)?,
        campaign: campaign.map(read_campaign).transpose()?,
        submission: submission.map(|id| SubmissionId::from_stored(&id)),
    })
}

fn write_indicator(one: &TipIndicator) -> pb::TipIndicator {
    let indicator = &one.indicator;
    pb::TipIndicator {
        index: one.index,
        id: one.id.as_bytes().to_vec(),
        kind: number(Kind::ALL, &indicator.kind()),
        platform: indicator.platform().map(ToString::to_string).unwrap_or_default(),
        value: indicator.value().to_owned(),
        restricted: one.restricted,
    }
}

fn read_indicator(one: pb::TipIndicator) -> Decoded<TipIndicator> {
    let platform = (!one.platform.is_empty()).then(|| Platform::from_stored(one.platform));
    let kind = required("kind", Kind::ALL, one.kind)?;
    let indicator = Indicator::from_stored(kind, platform, one.value);
    let (id, restricted) = (read_id(one.id)?, one.restricted);
    Ok(TipIndicator { index: one.index, id, indicator, restricted })
}

fn read_indicators(all: Vec<pb::TipIndicator>) -> Decoded<Vec<TipIndicator>> {
    all.into_iter().map(read_indicator).collect()
}

pub fn write_response(response: &TipResponse) -> pb::TipResponse {
    let (recipient, shown) = match &response.thread {
        TipThread::All => (String::new(), false),
        TipThread::Recipient(recipient) => (recipient.to_string(), false),
        TipThread::RecipientToAll(recipient) => (recipient.to_string(), true),
    };
    pb::TipResponse {
        request: response.request.to_string(),
        digest: response.digest.to_vec(),
        tip: response.tip.as_bytes().to_vec(),
        recipient,
        shown,
        moves_to: response.new_state.map_or(0, |state| number(TipState::ALL, &state)),
        message: response.message.as_deref().unwrap_or_default().to_owned(),
        indicators: response.indicators.iter().map(write_indicator).collect(),
        rejected: write_rejected(&response.rejected),
        enforcement: response.enforcement.as_ref().map(|(it, _)| write_enforcement(0, it)),
        enforcement_sharing: response.enforcement.as_ref().map(|(_, it)| write_sharing(it)),
    }
}

pub fn read_response(response: pb::TipResponse) -> Decoded<TipResponse> {
    let recipient = PartnerId::from_stored(&response.recipient);
    let thread = match (response.recipient.is_empty(), response.shown) {
        (true, _) => TipThread::All,
        (false, false) => TipThread::Recipient(recipient),
        (false, true) => TipThread::RecipientToAll(recipient),
    };
    Ok(TipResponse {
        request: RequestId::from_stored(&response.request),
        digest: read_request_digest(response.digest)?,
        tip: read_tip_id(response.tip)?,
        thread,
        new_state: optional("moves_to", TipState::ALL, response.moves_to)?,
        message: boxed(response.message),
        indicators: read_indicators(response.indicators)?,
        rejected: read_rejected(response.rejected),
        enforcement: match response.enforcement {
            None => None,
            Some(done) => {
                let sharing = read_sharing(response.enforcement_sharing.unwrap_or_default())?;
                Some((read_enforcement(done)?.1, sharing))
            }
        },
    })
}

pub fn write_reopened(reopened: &TipsReopened) -> pb::TipsReopened {
    let threads = reopened.threads.iter().map(|(tip, recipient, target)| pb::ReopenedThread {
        tip: tip.as_bytes().to_vec(),
        recipient: recipient.to_string(),
        target: Some(write_target(target)),
    });
    pb::TipsReopened {
        campaign: reopened.campaign.as_bytes().to_vec(),
        batch: reopened.batch,
        author: reopened.author.to_string(),
        threads: threads.collect(),
        last: reopened.last,
    }
}

pub fn read_reopened(reopened: pb::TipsReopened) -> Decoded<TipsReopened> {
    let threads = reopened.threads.into_iter().map(|one| {
        let target = read_target(one.target.unwrap_or_default())?;
        Ok((read_tip_id(one.tip)?, PartnerId::from_stored(&one.recipient), target))
    });
    Ok(TipsReopened {
        campaign: read_campaign(reopened.campaign)?,
        batch: reopened.batch,
        author: PartnerId::from_stored(&reopened.author),
        threads: threads.collect::<Decoded<_>>()?,
        last: reopened.last,
    })
}

pub fn write_referral(referral: &Referral) -> pb::Referral {
    let to = referral.to.iter().map(|one| pb::Referred {
        id: one.id.as_bytes().to_vec(),
        owner: one.owner.to_string(),
        count: one.count,
        tlp: number(Tlp::ALL, &one.tlp),
    });
    pb::Referral {
        partner: referral.partner.to_string(),
        submission: referral.submission.to_string(),
        after: referral.after,
        close: referral.close,
        to: to.collect(),
        not_referred: referral.not_referred,
        rights: referral.visibility_sequence,
    }
}

pub fn read_referral(referral: pb::Referral) -> Decoded<Referral> {
    let to = referral.to.into_iter().map(|one| {
        Ok(Referred {
            id: read_tip_id(one.id)?,
            owner: PartnerId::from_stored(&one.owner),
            count: one.count,
            tlp: required("tlp", Tlp::ALL, one.tlp)?,
        })
    });
    Ok(Referral {
        partner: PartnerId::from_stored(&referral.partner),
        submission: SubmissionId::from_stored(&referral.submission),
        after: referral.after,
        close: referral.close,
        to: to.collect::<Decoded<_>>()?,
        not_referred: referral.not_referred,
        visibility_sequence: referral.rights,
    })
}

pub fn read_tip_id(bytes: Vec<u8>) -> Decoded<TipId> {
    Ok(TipId::from_bytes(bytes.try_into().map_err(|_| DecodeError::Length("tip"))?))
}

fn read_campaign(bytes: Vec<u8>) -> Decoded<CampaignId> {
    Ok(CampaignId::from_bytes(bytes.try_into().map_err(|_| DecodeError::Length("campaign"))?))
}
