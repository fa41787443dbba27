//! Errors for entries that apply made void.

use crate::domain::entry::VoidReason;
use crate::domain::tip;
use crate::error::{Error, Kind};

/// The answer for an entry that came to nothing.
pub(in crate::exchange) fn refused(reason: &VoidReason) -> Error {
    match reason {
        VoidReason::Repeats(_) => Error::new(
            Kind::Conflict,
            "batch_repeated",
            "this was taken before, and its receipt is no longer kept",
        ),
        VoidReason::Conflicts(_) => Error::new(
            Kind::Conflict,
            "batch_conflict",
            "this was taken with other content: a batch is sent again as it was, or under another \
             number or submission, and sightings and feedback each under a request_id of their own",
        ),
        VoidReason::SubmissionClosed => Error::new(
            Kind::Precondition,
            "submission_closed",
            "the submission is closed: what is new goes into a new one",
        ),
        VoidReason::BatchMissing(number) => Error::new(
            Kind::Precondition,
            "batch_missing",
            format!("the submission cannot be closed: batch {number} has not come"),
        ),
        VoidReason::BatchesBeyond(number) => Error::new(
            Kind::Precondition,
            "batches_beyond",
            format!("the submission cannot be closed so: it has a batch {number}"),
        ),
        VoidReason::SubmissionUnknown => {
            Error::new(Kind::NotFound, "submission_unknown", "you have no submission of this id")
        }
        VoidReason::AudienceGone => Error::new(
            Kind::Precondition,
            "audience_gone",
            "you have left a group that the request names, or a partner that it names has gone",
        ),
        VoidReason::Registry(rule) => {
            Error::new(Kind::Precondition, "registry_rule", rule.reason())
        }
        VoidReason::Suspended => Error::new(
            Kind::Denied,
            "partner_suspended",
            "you were suspended before this was taken: speak to the operator of the exchange",
        ),
        VoidReason::HoldGone => {
            Error::new(Kind::NotFound, "hold_unknown", "you have no such hold, or it has ended")
        }
        VoidReason::VersionGone => Error::new(
            Kind::NotFound,
            "version_unknown",
            "there is no such version, or it is no longer current",
        ),
        VoidReason::TipUnknown => Error::new(Kind::NotFound, "tip_unknown", "you have no such tip"),
        VoidReason::TipWithdrawn => Error::new(
            Kind::Precondition,
            "tip_withdrawn",
            "the tip is withdrawn: its sender took it back, and nothing more is allowed",
        ),
        VoidReason::TransitionRefused { from, to } => {
            Error::new(Kind::Precondition, "move_refused", tip::transition_error(*from, *to))
        }
        VoidReason::AlreadyApplied => {
            Error::new(Kind::Conflict, "done_before", "this was done before")
        }
    }
}
