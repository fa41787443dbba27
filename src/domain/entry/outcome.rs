//! What an entry came to.

use serde::{Deserialize, Serialize};

use crate::domain::entry::Position;
use crate::domain::tip::TipState;

/// What an entry came to when it was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was taken; for a batch, a withdrawal or an expiry, with what became of each of its items or
    /// targets, in their order.
    Taken(Vec<ItemOutcome>),
    /// It has no effect, and is never delivered.
    Void(VoidReason),
}

/// What an item of a batch, or a target of a withdrawal, came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemOutcome {
    /// The author's first word on this indicator to this audience.
    Created,
    /// It took the place of the author's earlier one, of this version.
    Replaced(Position),
    /// It says what the current one of this version says, and gets no version of its own.
    Unchanged(Position),
    /// It took the place of the author's earlier one for the audience that the batch replaces, and
    /// of one for its own audience where there was one.
    Moved {
        /// The version for the audience that is replaced.
        from: Position,
        /// The earlier version for the same audience.
        over: Option<Position>,
    },
    /// It says what the current one says, and gets no version of its own; what the author said to the
    /// audience that the batch replaces ended.
    Merged {
        /// The version for the audience that is replaced.
        from: Position,
        /// The version that it repeats.
        current: Position,
    },
    /// Of a target: this version ended.
    Ended(Position),
    /// Of a target: there was nothing to end.
    Nothing,
    /// Of an object and a liaison: this version is released from here on, or on another ground.
    Released(Position),
    /// Of an object and a liaison: this version is released no longer.
    Retracted(Position),
    /// Of an object and a liaison: no more releases fit on this version.
    Full(Position),
}

impl ItemOutcome {
    /// The versions that ended by it, those of its own audience first.
    pub fn ended(self) -> impl Iterator<Item = Position> {
        let (first, second) = match self {
            ItemOutcome::Created
            | ItemOutcome::Unchanged(_)
            | ItemOutcome::Nothing
            | ItemOutcome::Released(_)
            | ItemOutcome::Retracted(_)
            | ItemOutcome::Full(_) => (None, None),
            ItemOutcome::Replaced(old) | ItemOutcome::Ended(old) => (Some(old), None),
            ItemOutcome::Moved { from, over } => (over, Some(from)),
            ItemOutcome::Merged { from, .. } => (Some(from), None),
        };
        first.into_iter().chain(second)
    }

    /// Whether the item got a version of its own.
    pub const fn makes_version(self) -> bool {
        matches!(self, ItemOutcome::Created | ItemOutcome::Replaced(_) | ItemOutcome::Moved { .. })
    }
}

/// Why an entry has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VoidReason {
    /// The same was taken at this sequence: the answer is the same too.
    Repeats(u64),
    /// The same key was taken with other content at this sequence.
    Conflicts(u64),
    /// The submission was closed before.
    SubmissionClosed,
    /// The submission lacks this batch, so it cannot be closed.
    BatchMissing(u32),
    /// The submission has a batch of this number, above what the close names.
    BatchesBeyond(u32),
    /// There is no such submission.
    SubmissionUnknown,
    /// The author was no longer in a group it named, or a partner it named had gone.
    AudienceGone,
    /// The registry does not allow it, by the order in which requests came.
    Registry(RegistryRule),
    /// There is no such version, or it is no longer current.
    VersionGone,
    /// Its author was kept out by then.
    Suspended,
    /// There is no such hold of its author's, or it has ended.
    HoldGone,
    /// Its author has no such tip.
    TipUnknown,
    /// The tip was withdrawn by then.
    TipWithdrawn,
    /// The tip cannot be moved so from where it stands.
    MoveRefused {
        /// Where it stands.
        from: TipState,
        /// Where it was to be moved.
        to: TipState,
    },
    /// It was done before: what the exchange does by itself, it does once.
    DoneBefore,
}

/// A rule of the registry that a request breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegistryRule {
    /// A partner's role never changes.
    RoleFixed,
    /// Only a member owns platforms.
    OwnsNothing,
    /// Another partner owns one of the platforms.
    PlatformOwned,
    /// There is no such partner.
    PartnerUnknown,
    /// An operator cannot be kept out: somebody has to let it in again.
    OperatorStays,
    /// Only members and observers are in groups, and only members in a restricted one.
    MemberUnfit,
    /// What new members see, whether a group is restricted and its terms are fixed when it is made.
    GroupFixed,
    /// Another group is the restricted one.
    RestrictedTwice,
    /// The terms are of a group that the partner is not in, or are not that group's.
    TermsUnknown,
    /// Only a liaison reads for purposes.
    PurposesUnfit,
}

impl RegistryRule {
    /// Every rule, by its number on disk.
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
    ];

    /// The rule, for whoever broke it.
    pub const fn reason(self) -> &'static str {
        match self {
            RegistryRule::RoleFixed => "a partner's role never changes",
            RegistryRule::OwnsNothing => "only a member owns platforms",
            RegistryRule::PlatformOwned => "another partner owns one of the platforms",
            RegistryRule::PartnerUnknown => "there is no such partner",
            RegistryRule::OperatorStays => {
                "an operator is not suspended: nobody could let it in again"
            }
            RegistryRule::MemberUnfit => {
                "members and observers alone are in groups, and members alone in a restricted one"
            }
            RegistryRule::GroupFixed => {
                "what new members see, whether a group is restricted, and its terms are fixed when it \
                 is made"
            }
            RegistryRule::RestrictedTwice => "there is a restricted group already",
            RegistryRule::TermsUnknown => {
                "you are not in such a restricted group, or these are not its terms"
            }
            RegistryRule::PurposesUnfit => "only a liaison has kinds of purpose",
        }
    }
}
