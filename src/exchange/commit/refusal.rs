//! Errors for entries that apply made void.

use crate::domain::entry::{RegistryRule, VoidReason};
use crate::domain::tip;
use crate::error::{Error, Kind};

/// The error for the caller whose entry is void.
pub(in crate::exchange) fn refused(reason: &VoidReason) -> Error {
    match reason {
        VoidReason::Repeats(_) => Error::new(
            Kind::Conflict,
            "batch_repeated",
            "this request was stored before, and its receipt is no longer available",
        ),
        VoidReason::Conflicts(_) => Error::new(
            Kind::Conflict,
            "batch_conflict",
            "this key was used before with other content: send a batch unchanged, or under another number or \
             submission; send every other request with a request_id of its own",
        ),
        VoidReason::SubmissionClosed => Error::new(
            Kind::Precondition,
            "submission_closed",
            "the submission is closed: send new batches in a new submission",
        ),
        VoidReason::BatchMissing(number) => Error::new(
            Kind::Precondition,
            "batch_missing",
            format!("the submission cannot be closed: batch {number} has not come"),
        ),
        VoidReason::BatchesBeyond(number) => Error::new(
            Kind::Precondition,
            "batches_beyond",
            format!(
                "the submission cannot be closed with this number of batches: it has a batch {number}"
            ),
        ),
        VoidReason::SubmissionUnknown => {
            Error::new(Kind::NotFound, "submission_unknown", "you have no submission of this id")
        }
        VoidReason::AudienceGone => Error::new(
            Kind::Precondition,
            "audience_gone",
            "you have left a group that the request names, or a partner that it names no longer exists",
        ),
        VoidReason::Registry(rule @ RegistryRule::PartnerUnknown) => {
            Error::new(Kind::NotFound, "no_such_partner", rule.reason())
        }
        VoidReason::Registry(rule) => {
            Error::new(Kind::Precondition, "registry_rule", rule.reason())
        }
        VoidReason::Suspended => Error::new(
            Kind::Denied,
            "partner_suspended",
            "you were suspended before this was applied: contact the operator of the exchange",
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
            "the tip is withdrawn by its sender, and can no longer be changed",
        ),
        VoidReason::TransitionRefused { from, to } => {
            Error::new(Kind::Precondition, "move_refused", tip::transition_error(*from, *to))
        }
        VoidReason::ListShrinks { list, would_withdraw, size } => Error::new(
            Kind::Precondition,
            "list_shrinks",
            format!(
                "the close would withdraw {would_withdraw} of the {size} values of the list `{list}`, which is much: \
                 nothing was withdrawn, and the submission stays open"
            ),
        )
        .with_metadata([
            ("list", list.to_string()),
            ("would_withdraw", would_withdraw.to_string()),
            ("list_size", size.to_string()),
        ]),
        VoidReason::AlreadyApplied => {
            Error::new(Kind::Conflict, "done_before", "this was already applied")
        }
    }
}
