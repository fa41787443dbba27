//! Lists that are sent again. The close of a submission decides which values its lists lose; the exchange withdraws
//! them in several entries, so that a large withdrawal does not delay other requests.
//!
//! The decision is part of the index, so a crash loses nothing: the sweep, on any node, continues where the entries
//! stopped. The request that closes the submission writes the first entries itself, and its receipt says how many
//! values are left to the sweep.

use std::sync::Arc;

use crate::domain::entry::{AppendId, Body, ClosedSubmission, SubmissionId, Withdrawal};
use crate::domain::{PartnerId, Timestamp};
use crate::error::Result;
use crate::exchange::commit::{TARGETS_PER_ENTRY, targets_bytes};
use crate::exchange::core::Core;

/// Entries that a request or one turn of the sweep writes for a close: up to 5,000 values. Bounds the time of a request,
/// and lets several closes take turns.
const ENTRIES_PER_TURN: usize = 10;

/// How far the withdrawals of a close have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseProgress {
    /// Nothing is left to withdraw.
    Complete,
    /// There is more to withdraw.
    Pending,
    /// There is more to withdraw, and the partner has reached its limit of this hour, which ends at this time.
    LimitReached(Timestamp),
}

impl Core {
    /// Withdraws some of what the close of a submission decided to withdraw.
    pub(in crate::exchange) async fn continue_list_close(
        self: &Arc<Self>,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<CloseProgress> {
        let mut entries = 0;
        loop {
            let (author, id) = (partner.clone(), submission.clone());
            let reading = self.blocking(move |core| {
                core.index.read()?.pending_withdrawals(&author, &id, TARGETS_PER_ENTRY)
            });
            let Some(mut pending) = reading.await? else { return Ok(CloseProgress::Complete) };
            if entries == ENTRIES_PER_TURN {
                return Ok(CloseProgress::Pending);
            }
            let allowance = self.withdrawal_allowance(partner)?;
            if allowance.remaining() == 0 && !pending.targets.is_empty() {
                return Ok(CloseProgress::LimitReached(allowance.hour_end()));
            }
            pending.targets.truncate(allowance.remaining());
            // A target is in one entry of a close: it is no member afterwards. So the id is unique, and two nodes that
            // withdraw the same targets store one entry.
            let id = AppendId::derive(&[
                b"list",
                partner.as_str().as_bytes(),
                submission.as_str().as_bytes(),
                &pending.close.to_be_bytes(),
                &targets_bytes(&pending.targets),
            ]);
            let withdrawal = Withdrawal {
                partner: partner.clone(),
                targets: pending.targets,
                closed: Some(ClosedSubmission {
                    submission: submission.clone(),
                    close: pending.close,
                }),
            };
            self.commit(id, None, Body::Withdrawal(withdrawal)).await?.items()?;
            entries += 1;
        }
    }
}
