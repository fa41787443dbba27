//! Closes submissions.

use super::Applier;
use crate::domain::entry::{Close, Entry, Outcome, VoidReason};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{Closing, SubmissionState};

impl Applier {
    pub(super) fn close(&mut self, entry: &Entry, close: &Close) -> Result<Outcome> {
        let submission = keys::submission(&close.partner, &close.submission);
        let Some(mut state) = self.submission(&submission)? else {
            return Ok(Outcome::Void(VoidReason::SubmissionUnknown));
        };
        if let Some(void) = self.check_close(&state, close)? {
            return Ok(Outcome::Void(void));
        }
        // A repeated close changes nothing about lists: the values that it lacks may be back by now.
        let closed_by_author = state.closed.is_some_and(|closing| closing.batches.is_some());
        if !closed_by_author && let Some(void) = self.check_lists(&state, close)? {
            return Ok(Outcome::Void(void));
        }
        if !closed_by_author && state.names_list {
            self.close_lists(entry, &state, close)?;
        }
        let closed_before = state.closed.is_some();
        state.closed = Some(Closing { at: entry.time, batches: close.batches });
        self.put_submission(submission, state);
        if !closed_before {
            self.remove(keys::open(&close.partner, &close.submission));
            if state.assets {
                self.mark_unreferred(entry, close)?;
            }
        }
        Ok(Outcome::Applied(Vec::new()))
    }

    fn check_close(&self, state: &SubmissionState, close: &Close) -> Result<Option<VoidReason>> {
        let closed_with = state.closed.map(|closing| closing.batches);
        Ok(match (closed_with, close.batches) {
            // The exchange closes submissions that are open and idle. By the time the entry is applied,
            // this one may be neither.
            (Some(_), None) => Some(VoidReason::SubmissionClosed),
            (Some(Some(before)), Some(now)) if before != now => Some(VoidReason::SubmissionClosed),
            (_, Some(named)) if state.highest > named => {
                Some(VoidReason::BatchesBeyond(state.highest))
            }
            (_, Some(named)) if state.batches < named => {
                Some(VoidReason::BatchMissing(self.first_missing(close, named)?))
            }
            _ => None,
        })
    }

    fn first_missing(&self, close: &Close, named: u32) -> Result<u32> {
        for number in 1..=named {
            if self.read(&keys::batch(&close.partner, &close.submission, number))?.is_none() {
                return Ok(number);
            }
        }
        Ok(named)
    }
}
