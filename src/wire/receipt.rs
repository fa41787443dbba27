//! Receipts.

use super::{indicator, pb, timestamp};
use crate::domain::entry::Rejection;
use crate::domain::submission::{BatchReceipt, ItemReceipt, Receipt};
use crate::domain::{Invalid, PartnerId};

/// Converts a receipt.
pub fn write(receipt: &Receipt) -> pb::Receipt {
    let mut written = pb::Receipt {
        submission_id: receipt.submission.to_string(),
        closed: receipt.closed,
        ..pb::Receipt::default()
    };
    if let Some(referrals) = &receipt.referrals {
        let referred = |(partner, count): &(PartnerId, u32)| pb::ReferredAssets {
            partner: partner.to_string(),
            count: *count,
        };
        written.referred = referrals.to.iter().map(referred).collect();
        written.not_referred = referrals.not_referred;
    }
    written.lists = receipt.lists.map(|lists| pb::ListReceipt {
        withdrawn: lists.done.withdrawn,
        held_by_other_lists: lists.done.held_by_other_lists,
        not_withdrawn: lists.done.not_withdrawn,
        pending: lists.pending,
        first_sequence: lists.withdrawn_by.map_or(0, |(first, _)| first),
        last_sequence: lists.withdrawn_by.map_or(0, |(_, last)| last),
        resumes_at: lists.resumes_at.map(timestamp),
    });
    if let Some(batch) = &receipt.batch {
        write_batch(batch, &mut written);
    }
    written
}

fn write_batch(batch: &BatchReceipt, into: &mut pb::Receipt) {
    into.number = batch.number;
    into.sequence = batch.sequence;
    into.accepted_at = Some(timestamp(batch.accepted_at));
    into.replayed = batch.replayed;
    into.items = batch.items.iter().map(|(index, item)| write_item(*index, item)).collect();
}

/// The receipt of a rejected item.
pub fn rejected(rejection: &Rejection) -> pb::ItemReceipt {
    invalid_item(rejection.index, &rejection.invalid)
}

fn invalid_item(index: u32, invalid: &Invalid) -> pb::ItemReceipt {
    pb::ItemReceipt {
        index,
        status: pb::ItemStatus::Rejected.into(),
        field: invalid.field.to_string(),
        reason: invalid.reason.to_string(),
        ..pb::ItemReceipt::default()
    }
}

/// Converts the receipt of an item.
pub fn write_item(index: u32, item: &ItemReceipt) -> pb::ItemReceipt {
    let (status, version, withdrawn) = match item {
        ItemReceipt::Created(version) => (pb::ItemStatus::Created, *version, None),
        ItemReceipt::Recreated { version, withdrawn } => {
            (pb::ItemStatus::Created, *version, Some(*withdrawn))
        }
        ItemReceipt::Replaced { version, withdrawn } => {
            (pb::ItemStatus::Replaced, *version, *withdrawn)
        }
        ItemReceipt::Unchanged(version) => (pb::ItemStatus::Unchanged, *version, None),
        ItemReceipt::Rejected(invalid) => return invalid_item(index, invalid),
    };
    pb::ItemReceipt {
        index,
        status: status.into(),
        version: Some(indicator::version(version)),
        withdrawn_before: withdrawn.map(timestamp),
        ..pb::ItemReceipt::default()
    }
}
