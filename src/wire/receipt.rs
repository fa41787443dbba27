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
        version: None,
        field: invalid.field.to_string(),
        reason: invalid.reason.to_string(),
    }
}

/// Converts the receipt of an item.
pub fn write_item(index: u32, item: &ItemReceipt) -> pb::ItemReceipt {
    let (status, version) = match item {
        ItemReceipt::Created(version) => (pb::ItemStatus::Created, *version),
        ItemReceipt::Replaced(version) => (pb::ItemStatus::Replaced, *version),
        ItemReceipt::Unchanged(version) => (pb::ItemStatus::Unchanged, *version),
        ItemReceipt::Rejected(invalid) => return invalid_item(index, invalid),
    };
    pb::ItemReceipt {
        index,
        status: status.into(),
        version: Some(indicator::version(version)),
        field: String::new(),
        reason: String::new(),
    }
}
