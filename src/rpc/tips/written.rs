//! Tips as messages.

use crate::domain::accepted::{TipAction, TipEntryRecord, TipMove, TipRecord};
use crate::domain::{CampaignId, Position, Timestamp};
use crate::exchange::{RequestReceipt, TipEntryView, TipIndicatorView, TipStep};
use crate::wire::{enforcement, indicator as written, pb, receipt, timestamp};

/// A tip as a party may see it, without its narrative. What is overdue depends on the clock.
pub fn write(tip: &TipRecord, now: Timestamp) -> pb::Tip {
    let is_past = tip.respond_by.is_some_and(|at| at < now);
    let threads = tip.threads.iter().map(|thread| pb::TipThread {
        recipient: thread.recipient.to_string(),
        state: pb::TipState::from(thread.state).into(),
        changed_at: Some(timestamp(thread.changed)),
        overdue: is_past && thread.state.is_open(),
    });
    pb::Tip {
        id: tip.id.to_string(),
        version: Some(written::version(Position::new(tip.sequence, 0))),
        sender: tip.sender.to_string(),
        sent_at: Some(timestamp(tip.accepted)),
        threads: threads.collect(),
        subject: tip.subject.as_deref().unwrap_or_default().to_owned(),
        urgency: pb::TipUrgency::from(tip.urgency).into(),
        respond_by: tip.respond_by.map(timestamp),
        tlp: pb::Tlp::from(tip.tlp).into(),
        campaign: tip.campaign.as_ref().map(CampaignId::to_string).unwrap_or_default(),
        submission_id: tip.submission.as_ref().map(ToString::to_string).unwrap_or_default(),
        referral: tip.referral.is_some(),
        narrative: String::new(),
    }
}

/// What an entry added to a tip, as a party may see it.
pub fn entry(shown: &TipEntryView) -> pb::TipEntry {
    let TipEntryRecord {
        sequence, accepted, author, action: what, recipient, shown: to_all, ..
    } = &shown.record;
    let moves = shown.record.threads.iter().filter(|thread| thread.is_move()).map(move_of);
    let indicators = shown.indicators.iter().map(|one| written::write(&one.indicator, one.id));
    pb::TipEntry {
        version: Some(written::version(Position::new(*sequence, 0))),
        action: action(*what).into(),
        author: author.as_ref().map(ToString::to_string).unwrap_or_default(),
        accepted_at: Some(timestamp(*accepted)),
        recipient: recipient.as_ref().map(ToString::to_string).unwrap_or_default(),
        to_all: *to_all,
        moves: moves.collect(),
        message: shown.text.clone(),
        indicator_count: shown.record.indicators,
        indicators: indicators.collect(),
        enforcement: shown.record.enforcement.as_ref().map(enforcement::write),
    }
}

/// What happened to a tip of a campaign, as a party may see it.
pub fn step(step: &TipStep) -> pb::TipStep {
    pb::TipStep {
        tip_id: step.tip.to_string(),
        sender: step.sender.to_string(),
        subject: step.subject.as_deref().unwrap_or_default().to_owned(),
        action: action(step.what).into(),
        moves: step.moves.iter().map(move_of).collect(),
    }
}

fn action(what: TipAction) -> pb::TipAction {
    match what {
        TipAction::Sent => pb::TipAction::Sent,
        TipAction::Responded => pb::TipAction::Responded,
        TipAction::Withdrawn => pb::TipAction::Withdrawn,
        TipAction::Reopened => pb::TipAction::Reopened,
    }
}

fn move_of(moved: &TipMove) -> pb::TipMove {
    pb::TipMove {
        recipient: moved.recipient.to_string(),
        from: moved.from.map_or(pb::TipState::Unspecified, pb::TipState::from).into(),
        to: pb::TipState::from(moved.to).into(),
    }
}

/// An indicator of a tip.
pub fn indicator(shown: &TipIndicatorView) -> pb::TipIndicator {
    pb::TipIndicator {
        indicator: Some(written::write(&shown.indicator.indicator, shown.indicator.id)),
        author: shown.author.to_string(),
    }
}

/// How many indicators count, and which do not.
pub fn receipt_of(noted: &RequestReceipt) -> (u32, Vec<pb::ItemReceipt>) {
    let counted = u32::try_from(noted.counted).unwrap_or(u32::MAX);
    (counted, noted.rejected.iter().map(receipt::rejected).collect())
}
