//! The outcome of applying an entry.

use serde::{Deserialize, Serialize};

use crate::domain::entry::Position;
use crate::domain::list::ListName;
use crate::domain::time::Timestamp;
use crate::domain::tip::TipState;

/// The outcome of an entry. Deterministic: every replay gives the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The entry was applied. For a batch, a withdrawal, an expiry or a release: the outcome of
    /// each item, in order.
    Applied(Vec<ItemOutcome>),
    /// The entry has no effect and is never delivered.
    Void(VoidReason),
}

/// The outcome of one item of a batch, or of one target of a withdrawal or release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemOutcome {
    /// The author's first assessment of this indicator for this audience.
    Created,
    /// It replaced the author's earlier version.
    Replaced(Position),
    /// It equals the current version, and gets no version of its own.
    Unchanged(Position),
    /// It replaced the author's version for the audience that the batch replaces, and also the one
    /// for its own audience if there was one.
    Moved {
        /// The version for the replaced audience.
        from: Position,
        /// The earlier version for its own audience.
        over: Option<Position>,
        /// If there is no earlier version: when the author last withdrew one for its own audience.
        withdrawn: Option<Timestamp>,
    },
    /// It equals the current version for its own audience, and gets no version of its own. The
    /// author's version for the replaced audience ended.
    Merged {
        /// The version for the replaced audience.
        from: Position,
        /// The version that it equals.
        current: Position,
    },
    /// For a target: this version ended.
    Ended(Position),
    /// For a target: there was no current version.
    NoCurrentVersion,
    /// For an object and a liaison: this version is now released, or released on a new basis.
    Released(Position),
    /// For an object and a liaison: this version is no longer released.
    Retracted(Position),
    /// For an object and a liaison: this version has reached the maximum number of releases.
    Full(Position),
    /// The author's first assessment of this indicator for this audience since it withdrew one, at
    /// this time.
    Recreated(Timestamp),
    /// Rejected: an earlier item of the same submission gave the indicator another verdict.
    VerdictConflict,
}

impl ItemOutcome {
    /// The versions that this item ended; the one for its own audience first.
    pub fn ended_versions(self) -> impl Iterator<Item = Position> {
        let (first, second) = match self {
            ItemOutcome::Created
            | ItemOutcome::Recreated(_)
            | ItemOutcome::VerdictConflict
            | ItemOutcome::Unchanged(_)
            | ItemOutcome::NoCurrentVersion
            | ItemOutcome::Released(_)
            | ItemOutcome::Retracted(_)
            | ItemOutcome::Full(_) => (None, None),
            ItemOutcome::Replaced(old) | ItemOutcome::Ended(old) => (Some(old), None),
            ItemOutcome::Moved { from, over, .. } => (over, Some(from)),
            ItemOutcome::Merged { from, .. } => (Some(from), None),
        };
        first.into_iter().chain(second)
    }

    /// Whether the item created a version.
    pub const fn makes_version(self) -> bool {
        matches!(
            self,
            ItemOutcome::Created
                | ItemOutcome::Recreated(_)
                | ItemOutcome::Replaced(_)
                | ItemOutcome::Moved { .. }
        )
    }
}

/// Why an entry has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VoidReason {
    /// A retry: the same request was applied at this sequence. The answer is the same.
    Repeats(u64),
    /// The same key was used with other content at this sequence.
    Conflicts(u64),
    /// The submission is already closed.
    SubmissionClosed,
    /// The submission cannot be closed: this batch is missing.
    BatchMissing(u32),
    /// The submission cannot be closed: it has this batch, whose number is above the close's total.
    BatchesBeyond(u32),
    /// The submission does not exist.
    SubmissionUnknown,
    /// By the time of this entry, the author had left a group that it named, or a named partner was
    /// gone.
    AudienceGone,
    /// It breaks a rule of the registry. Checked in the order of entries.
    Registry(RegistryRule),
    /// The version does not exist or is no longer current.
    VersionGone,
    /// Its author was suspended by then.
    Suspended,
    /// Its author has no such hold, or the hold has ended.
    HoldGone,
    /// Its author has no such tip.
    TipUnknown,
    /// The tip was already withdrawn.
    TipWithdrawn,
    /// The tip's state does not allow this transition.
    TransitionRefused {
        /// The current state.
        from: TipState,
        /// The requested state.
        to: TipState,
    },
    /// The exchange's own entry that was already applied, such as an expiry written twice.
    AlreadyApplied,
    /// The close would withdraw much of a list, and its author did not confirm that.
    ListShrinks {
        /// The list.
        list: ListName,
        /// The number of values that the close would withdraw.
        would_withdraw: u64,
        /// The number of values of the list after its last close.
        size: u64,
    },
}

/// A rule of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegistryRule {
    /// A partner's role never changes.
    RoleFixed,
    /// Only members own platforms.
    OwnsNothing,
    /// Another partner owns one of the platforms.
    PlatformOwned,
    /// The partner does not exist.
    PartnerUnknown,
    /// An operator cannot be suspended: nobody could resume it.
    OperatorStays,
    /// Groups hold only members and observers; a restricted group only members.
    MemberUnfit,
    /// A group's history rule, its restriction and its terms are fixed at creation.
    GroupFixed,
    /// There is already a restricted group.
    RestrictedTwice,
    /// The partner is not in the group, or the terms are not that group's.
    TermsUnknown,
    /// Only liaisons have purposes.
    PurposesUnfit,
    /// An operator cannot revoke its own certificate: it would be locked out.
    OwnCertificate,
}

impl RegistryRule {
    /// Every rule, in the order of its number on disk.
    pub const ALL: &'static [RegistryRule] = &[
        RegistryRule::RoleFixed,
        RegistryRule::OwnsNothing,
        RegistryRule::PlatformOwned,
        RegistryRule::PartnerUnknown,
        RegistryRule::OperatorStays,
        RegistryRule::MemberUnfit,
        RegistryRule::GroupFixed,
        RegistryRule::RestrictedTwice,
        RegistryRule::TermsUnknown,
        RegistryRule::PurposesUnfit,
        RegistryRule::OwnCertificate,
    ];

    /// The error message for the caller.
    pub const fn reason(self) -> &'static str {
        match self {
            RegistryRule::RoleFixed => "a partner's role never changes",
            RegistryRule::OwnsNothing => "only a member owns platforms",
            RegistryRule::PlatformOwned => "another partner owns one of the platforms",
            RegistryRule::PartnerUnknown => "there is no such partner",
            RegistryRule::OperatorStays => {
                "an operator cannot be suspended: nobody could resume it"
            }
            RegistryRule::MemberUnfit => {
                "only members and observers can be in a group, and only members in a restricted one"
            }
            RegistryRule::GroupFixed => {
                "a group's history rule, its restriction and its terms are fixed when it is made"
            }
            RegistryRule::RestrictedTwice => "there is already a restricted group",
            RegistryRule::TermsUnknown => {
                "you are not in such a restricted group, or these are not its terms"
            }
            RegistryRule::PurposesUnfit => "only a liaison can have purposes",
            RegistryRule::OwnCertificate => {
                "this would revoke the certificate that you use, and lock you out: connect with a new one, and revoke \
                 the old one by its serial number"
            }
        }
    }
}
