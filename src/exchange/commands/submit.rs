//! Submissions.
//!
//! A receipt means that the batch is durable, applied, and visible to the next read. It is read from the outcome of the
//! entry, so concurrent requests with the same key get the same receipt.

use std::collections::BTreeSet;

use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{
    AppendId, Batch, Body, Close, Entry, Item, ItemOutcome, Outcome, Rejection, SubmissionId,
    VoidReason,
};
use crate::domain::list::ListReceipt;
use crate::domain::submission::{
    BatchReceipt, BatchRequest, CloseRequest, Receipt, Referrals, SubmissionRequest,
};
use crate::domain::{Invalid, Sharing};
use crate::error::{Error, Result};
use crate::exchange::commands::Commands;
use crate::exchange::commit::{item_receipts, refused};
use crate::exchange::core::{Caller, rights_of};
use crate::exchange::lists::CloseProgress;
use crate::exchange::visibility::{ReaderView, restricted};
use crate::index::View;
use crate::journal::Append;

impl Commands {
    /// Submits a batch of a submission, closes the submission, or does both in this order.
    ///
    /// Idempotent: the same (partner, submission, number) with the same content returns the same receipt. After an
    /// error of kind `Unknown`, `Unavailable` or `Exhausted`, the caller may send the same request again.
    pub async fn submit(&self, caller: &Caller, submission: SubmissionRequest) -> Result<Receipt> {
        let batch = match submission.batch {
            Some(batch) => Some(self.submit_batch(caller, &submission.id, batch).await?),
            None => None,
        };
        let (referrals, lists) = match submission.close {
            Some(close) => {
                self.close_submission(caller, &submission.id, close).await?;
                let referrals = self.core.refer_submission(caller, &submission.id).await?;
                let lists = self.withdraw_for_lists(caller, &submission.id).await?;
                (Some(referrals), lists)
            }
            None => (None, None),
        };
        Ok(Receipt {
            submission: submission.id,
            batch,
            closed: submission.close.is_some(),
            referrals: referrals
                .map(|referral| Referrals { to: referral.to, not_referred: referral.not_referred }),
            lists,
        })
    }

    async fn submit_batch(
        &self,
        caller: &Caller,
        submission: &SubmissionId,
        request: BatchRequest,
    ) -> Result<BatchReceipt> {
        let (number, digest) = (request.number, request.digest);
        let view = self.core.index.read()?;
        if let Some(sequence) = self.find_batch(&view, caller, submission, number, digest)? {
            drop(view);
            return self.repeated_receipt(sequence).await;
        }
        let batch = self.check_batch(&view, caller, submission, request)?;
        drop(view);
        self.core.submit_allowance(caller.partner())?.require()?;
        self.commit_batch(caller, batch).await
    }

    /// Resolves the sharing of a batch, and rejects the items that the caller may not submit.
    fn check_batch(
        &self,
        view: &View<'_>,
        caller: &Caller,
        submission: &SubmissionId,
        request: BatchRequest,
    ) -> Result<Batch> {
        let registry = view.registry();
        let sharing = Sharing::resolve(request.sharing, caller.partner(), registry.as_ref())?;
        let now = self.core.clock.now();
        if sharing.releases.iter().any(|release| release.until.is_some_and(|until| until <= now)) {
            return Err(Invalid::new("sharing.releases.until", "has passed").into());
        }
        let (items, rejected) =
            restricted::reject_restricted(request.items, &sharing, registry, request.rejected);
        let (items, mut rejected) = self.reject_hidden_campaigns(view, caller, items, rejected)?;
        rejected.sort_by_key(|rejection| rejection.index);
        Ok(Batch {
            submission: submission.clone(),
            number: request.number,
            digest: request.digest,
            sharing,
            replaces: request.replaces.as_ref().map(AudienceDigest::of),
            list: request.list,
            items,
            rejected,
        })
    }

    /// Commits a batch and returns its receipt.
    async fn commit_batch(&self, caller: &Caller, batch: Batch) -> Result<BatchReceipt> {
        let (submission, number, digest) = (batch.submission.clone(), batch.number, batch.digest);
        // `void_sequence` is the earlier attempt that was void, or 0: a new attempt needs a new id.
        let id = |void_sequence: u64| {
            AppendId::derive(&[
                b"batch",
                caller.partner().as_str().as_bytes(),
                submission.as_str().as_bytes(),
                &number.to_be_bytes(),
                &digest,
                &void_sequence.to_be_bytes(),
            ])
        };
        let body = Body::SubmissionBatch(batch);
        let mut append = Append::new(id(0), Some(caller.partner().clone()), body);
        loop {
            let encoded = append.encoded().clone();
            let committed = self.core.commit_append(append).await?;
            match &*committed.outcome {
                Outcome::Applied(items) => {
                    return self.receipt(committed.sequence, items, committed.repeated).await;
                }
                Outcome::Void(VoidReason::Repeats(first)) => {
                    return self.repeated_receipt(*first).await;
                }
                // An earlier attempt was void. Its author may be active or a member again by now, so try again.
                Outcome::Void(VoidReason::AudienceGone | VoidReason::Suspended)
                    if committed.repeated =>
                {
                    append = Append::with_id(id(committed.sequence), &encoded)
                        .map_err(|error| Error::internal("append_again", error))?;
                }
                Outcome::Void(reason) => return Err(refused(reason)),
            }
        }
    }

    /// Rejects items that name a campaign which their author may not see. Returns the accepted items, and all
    /// rejections.
    fn reject_hidden_campaigns(
        &self,
        view: &View<'_>,
        caller: &Caller,
        items: Vec<Item>,
        mut rejected: Vec<Rejection>,
    ) -> Result<(Vec<Item>, Vec<Rejection>)> {
        let campaigns: BTreeSet<_> =
            items.iter().filter_map(|item| item.assessment.campaign).collect();
        if campaigns.is_empty() {
            return Ok((items, rejected));
        }
        let author = rights_of(view.registry(), caller.partner())?;
        let author_view = ReaderView::new(view, &author, self.core.clock.now());
        let mut visible = BTreeSet::new();
        for campaign in campaigns {
            if author_view.sees_campaign(campaign)? {
                visible.insert(campaign);
            }
        }
        let is_accepted =
            |item: &Item| item.assessment.campaign.is_none_or(|named| visible.contains(&named));
        let (accepted, hidden): (Vec<_>, Vec<_>) = items.into_iter().partition(is_accepted);
        rejected.extend(hidden.into_iter().map(|item| {
            let invalid = Invalid::new("campaign", "is not a campaign that you see");
            Rejection { index: item.index, invalid }
        }));
        Ok((accepted, rejected))
    }

    /// The sequence of the entry that holds a batch, if the batch was stored before and its receipt is still retained.
    fn find_batch(
        &self,
        view: &View<'_>,
        caller: &Caller,
        submission: &SubmissionId,
        number: u32,
        digest: [u8; 32],
    ) -> Result<Option<u64>> {
        let Some(record) = view.batch_record(caller.partner(), submission, number)? else {
            return Ok(None);
        };
        if record.digest != digest {
            return Err(refused(&VoidReason::Conflicts(record.sequence)));
        }
        // Apply would decide the same for a new entry. But the journal may still know the id, and would return the old
        // entry with its receipt.
        let state = view.submission(caller.partner(), submission)?;
        if state.is_some_and(|state| state.has_expired(self.core.clock.now())) {
            return Err(refused(&VoidReason::SubmissionClosed));
        }
        Ok(Some(record.sequence))
    }

    /// The receipt of a batch that was stored before.
    async fn repeated_receipt(&self, sequence: u64) -> Result<BatchReceipt> {
        match &*self.core.index.applied_outcome(sequence)? {
            Outcome::Applied(items) => self.receipt(sequence, items, true).await,
            Outcome::Void(reason) => Err(refused(reason)),
        }
    }

    async fn receipt(
        &self,
        sequence: u64,
        outcomes: &[ItemOutcome],
        replayed: bool,
    ) -> Result<BatchReceipt> {
        let logged = self.core.entry(sequence).await?;
        let Entry { time, body: Body::SubmissionBatch(batch), .. } = &logged.entry else {
            return Err(Error::internal("receipt", format!("entry {sequence} is not a batch")));
        };
        let indexes = batch.items.iter().map(|item| item.index);
        let items = item_receipts(sequence, indexes, outcomes, &batch.rejected);
        let number = batch.number;
        Ok(BatchReceipt { number, sequence, accepted_at: *time, items, replayed })
    }

    /// Withdraws what the lists of a closed submission lack, as far as one request may. Returns what is done and what is
    /// left.
    async fn withdraw_for_lists(
        &self,
        caller: &Caller,
        submission: &SubmissionId,
    ) -> Result<Option<ListReceipt>> {
        let progress = self.core.continue_list_close(caller.partner(), submission).await?;
        let (partner, submission) = (caller.partner().clone(), submission.clone());
        let reading = self
            .core
            .blocking(move |core| core.index.read()?.list_receipt(&partner, &submission))
            .await?;
        Ok(reading.map(|receipt| match progress {
            CloseProgress::LimitReached(until) if receipt.pending > 0 => {
                ListReceipt { resumes_at: Some(until), ..receipt }
            }
            _ => receipt,
        }))
    }

    async fn close_submission(
        &self,
        caller: &Caller,
        submission: &SubmissionId,
        close: CloseRequest,
    ) -> Result<()> {
        let CloseRequest { batches, policy } = close;
        if batches == 0 {
            let reason = "is missing: a submission has at least one batch";
            return Err(Invalid::new("close.batches", reason).into());
        }
        let state = self.core.index.read()?.submission(caller.partner(), submission)?;
        if state.and_then(|state| state.closed).and_then(|closing| closing.batches) == Some(batches)
        {
            return Ok(());
        }
        // The id depends on the number of stored batches. So a close that was void because of a missing batch is
        // decided again once that batch is stored.
        let stored_batches = state.map_or(0, |state| state.batches);
        let id = AppendId::derive(&[
            b"close",
            caller.partner().as_str().as_bytes(),
            submission.as_str().as_bytes(),
            &batches.to_be_bytes(),
            &stored_batches.to_be_bytes(),
            &[u8::from(policy.shrink)],
            &policy.unreadable.to_be_bytes(),
            &self.core.index.checkpoint().to_be_bytes(),
        ]);
        let close = Close {
            partner: caller.partner().clone(),
            submission: submission.clone(),
            batches: Some(batches),
            policy,
        };
        let body = Body::SubmissionClosed(close);
        self.core.commit(id, Some(caller.partner()), body).await?.items()?;
        Ok(())
    }
}
