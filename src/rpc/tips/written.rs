//! Converts tips into messages.

use crate::domain::accepted::{TipAction, TipEntryRecord, TipMove, TipRecord};
use crate::domain::{CampaignId, Position, Timestamp};
use crate::exchange::{RequestReceipt, TipEntryView, TipIndicatorView, TipStep};
use crate::wire::{enforcement, indicator as wire_indicator, pb, receipt, timestamp};

/// Converts a tip as one party may see it, without its narrative. `now` decides which threads are overdue.
pub fn write(tip: &TipRecord, now: Timestamp) -> pb::Tip {
    let deadline_passed = tip.respond_by.is_some_and(|at| at < now);
    let threads = tip.threads.iter().map(|thread| pb::TipThread {
        recipient: thread.recipient.to_string(),
        state: pb::TipState::from(thread.state).into(),
        changed_at: Some(timestamp(thread.changed)),
        overdue: deadline_passed && thread.state.is_open(),
    });
    pb::Tip {
        id: tip.id.to_string(),
        version: Some(wire_indicator::version(Position::new(tip.sequence, 0))),
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

/// Converts an entry of a tip as one party may see it.
pub fn entry(view: &TipEntryView) -> pb::TipEntry {
    let TipEntryRecord {
        sequence, accepted, author, action: what, recipient, shown: to_all, ..
    } = &view.record;
    let moves = view.record.threads.iter().filter(|thread| thread.is_move()).map(move_of);
    let indicators =
        view.indicators.iter().map(|listed| wire_indicator::write(&listed.indicator, listed.id));
    pb::TipEntry {
        version: Some(wire_indicator::version(Position::new(*sequence, 0))),
        action: action(*what).into(),
        author: author.as_ref().map(ToString::to_string).unwrap_or_default(),
        accepted_at: Some(timestamp(*accepted)),
        recipient: recipient.as_ref().map(ToString::to_string).unwrap_or_default(),
        to_all: *to_all,
        moves: moves.collect(),
        message: view.text.clone(),
        indicator_count: view.record.indicators,
        indicators: indicators.collect(),
        enforcement: view.record.enforcement.as_ref().map(enforcement::write),
    }
}

/// Converts an event of a tip in the timeline of a campaign, as one party may see it.
pub fn step(step: &TipStep) -> pb::TipStep {
    pb::TipStep {
        tip_id: step.tip.to_string(),
        sender: step.sender.to_string(),
        subject: step.subject.as_deref().unwrap_or_default().to_owned(),
        action: action(step.action).into(),
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

/// Converts an indicator of a tip.
pub fn indicator(view: &TipIndicatorView) -> pb::TipIndicator {
    pb::TipIndicator {
        indicator: Some(wire_indicator::write(&view.indicator.indicator, view.indicator.id)),
        author: view.author.to_string(),
    }
}

/// The number of indicators that were counted, and the receipts of the rejected ones.
pub fn receipt_of(receipt: &RequestReceipt) -> (u32, Vec<pb::ItemReceipt>) {
    let counted = u32::try_from(receipt.counted).unwrap_or(u32::MAX);
    (counted, receipt.rejected.iter().map(receipt::rejected).collect())
}
