//! Records of lists: their members, and the progress of closes that make them shorter.

use serde::{Deserialize, Serialize};

use super::codec::record;
use crate::domain::audience::AudienceDigest;
use crate::domain::list::{ListChanges, ListName};
use crate::domain::{IndicatorId, Position, Timestamp};

/// A list, stored under its number: the sequence of the first batch that named it.
///
/// A member belongs to the generation of the submission that sent it last. So what a new submission lacks is what is
/// left in the earlier generations, and nothing is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRecord {
    /// Its name.
    pub name: ListName,
    /// Its audience.
    pub audience: AudienceDigest,
    /// The number of members after its last close.
    pub size: u64,
    /// The generations that have members, the oldest first.
    pub generations: Vec<Generation>,
}

record!(ListRecord, "a list");

/// The members that one submission sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// The sequence at which the submission was opened. A submission that is opened again after it was idle gets
    /// another one.
    pub number: u64,
    /// The submission: the sequence of its first batch.
    pub submission: u64,
    /// The number of members.
    pub members: u64,
    /// How many of them another list holds too.
    pub shared: u64,
    /// Whether they are part of the list.
    pub state: GenerationState,
}

/// Whether the members of a generation are part of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GenerationState {
    /// The submission is open.
    Open,
    /// The submission is closed: a later close withdraws them.
    Closed,
    /// A close decided to withdraw them. The entries that do so are being written.
    Withdrawing,
}

/// Names a generation of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GenerationKey {
    /// The number of the list.
    pub list: u64,
    /// The number of the generation.
    pub number: u64,
}

/// The generations that hold an indicator, of the lists of one author for one audience: at most one of each list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMemberships(pub Vec<GenerationKey>);

record!(ListMemberships, "the lists of an indicator");

/// The lists of a submission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionLists {
    /// Their numbers.
    pub lists: Vec<u64>,
    /// How its author closed it; `None` until then.
    pub closing: Option<ListClosing>,
}

record!(SubmissionLists, "the lists of a submission");

/// The close of a submission that names lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListClosing {
    /// The sequence of the close.
    pub close: u64,
    /// What it has done to the lists so far.
    pub done: ListChanges,
    /// The first and the last entry that withdrew a value for it.
    pub withdrawn_by: Option<(u64, u64)>,
    /// Generations whose members are still to be withdrawn.
    pub pending: Vec<PendingGeneration>,
}

/// A generation whose members a close withdraws, in the order of their ids. It gets no new members meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingGeneration {
    /// The generation.
    pub generation: GenerationKey,
    /// The last member that an entry withdrew. The next scan starts after it, and so skips deleted keys. Rarely, members
    /// before it are left: [`View::pending_withdrawals`](crate::index::View::pending_withdrawals) finds them with a
    /// second scan.
    pub after: Option<IndicatorId>,
}

/// When an author last withdrew its assessment of an indicator for an audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalRecord {
    /// The time.
    pub at: Timestamp,
    /// The target that withdrew it: its entry, and its index in the entry.
    pub by: Position,
}

record!(WithdrawalRecord, "the time of a withdrawal");
