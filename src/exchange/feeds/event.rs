//! The events of a feed, as the exchange hands them to a transport.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::accepted::{AssessmentRecord, TipRecord};
use crate::domain::cursor::{FeedPosition, JournalEpoch};
use crate::domain::enforcement::EnforcementId;
use crate::domain::entry::Outcome;
use crate::domain::sharing::SharingView;
use crate::domain::{CampaignId, GroupId, IndicatorId, PartnerId, Position, Timestamp};
use crate::exchange::liaison::AccessedObjects;
use crate::exchange::visibility::campaign::ContributionView;
use crate::exchange::visibility::enforcement::EnforcementView;
use crate::exchange::visibility::reaction::{FeedbackView, SightingView};
use crate::exchange::visibility::tip::TipEntryView;
use crate::journal::LoggedEntry;

/// What one journal entry means to one reader, in the order of positions. Never empty.
#[derive(Debug)]
pub enum FeedEvent {
    /// New versions from a submission batch, and removals of the versions that they replace.
    Batch(BatchEvent),
    /// Versions to drop.
    Removals(Vec<Removal>),
    /// Existing versions that became visible: the reader joined a group, or they were released to it.
    Items(Vec<FeedItem>),
    /// Partners joined or left a group.
    GroupChange(GroupChange),
    /// Sightings.
    Sightings(Vec<SightingView>),
    /// Feedback.
    Feedback(Box<FeedbackView>),
    /// A contribution to a campaign.
    Campaign(Box<CampaignEvent>),
    /// Enforcements.
    Enforcements(Vec<EnforcementEvent>),
    /// A new entry of a tip.
    Tip(Box<TipEvent>),
}

/// A batch as one reader receives it: at least one item or removal.
#[derive(Debug)]
pub struct BatchEvent {
    /// The journal and its epoch at the entry, for cursors.
    pub journal: JournalEpoch,
    /// The journal entry of the batch.
    pub logged: Arc<LoggedEntry>,
    /// The outcome of the entry.
    pub outcome: Arc<Outcome>,
    /// The part of the sharing that the reader may know.
    pub sharing: SharingView,
    /// Whether the reader is the author.
    pub is_author: bool,
    /// The first sequence at which the reader could see versions for this audience. An item names the version that it
    /// replaces only if that version is not older.
    pub visible_from: u64,
    /// The items for the reader, by index in the batch, in order.
    pub ranges: Vec<Range<usize>>,
    /// If the batch replaces another audience, or the reader is a liaison: for each item, the version that it replaces
    /// for this reader. `None`: each item replaces what its outcome says.
    pub replaces: Option<Vec<Option<Position>>>,
    /// Versions that the reader has to drop. An item that it does not receive replaces them, or one that replaces two
    /// versions of different audiences.
    pub removals: Vec<BatchRemoval>,
    /// The campaigns that the items name and that the reader may see.
    pub campaigns: BTreeSet<CampaignId>,
}

/// A version that the reader has to drop, because an item of a batch replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRemoval {
    /// The index of the item in the batch.
    pub item_index: usize,
    /// The position after this removal. If the reader also receives the item, this position is before the item.
    pub position: FeedPosition,
    /// The removed version.
    pub version: Position,
    /// Why the version is removed.
    pub reason: RemovalReason,
}

/// A version that the reader has to drop, if it holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The position after this removal.
    pub position: FeedPosition,
    /// The removed version.
    pub version: Position,
    /// The object that it is a version of.
    pub object: RemovedObject,
    /// The author of the version.
    pub author: PartnerId,
    /// Why the version is removed.
    pub reason: RemovalReason,
}

/// The object of a removed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovedObject {
    /// An assessment of this indicator.
    Assessment(IndicatorId),
    /// A contribution to this campaign.
    Contribution(CampaignId),
    /// The enforcement with this id, which its author chose.
    Enforcement(EnforcementId),
}

/// Why a version is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemovalReason {
    /// A newer version replaced it. The reader receives the newer version, unless that was replaced too.
    Replaced,
    /// The filter no longer matches it, or does not match the version that replaced it.
    NoLongerMatches,
    /// Its author withdrew it.
    Withdrawn,
    /// It expired.
    Expired,
    /// The reader left the group through which it saw the version, or the audience changed.
    NoLongerShared,
}

/// A current assessment, as the reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedItem {
    /// The position after the event.
    pub position: FeedPosition,
    /// The author of the assessment.
    pub author: PartnerId,
    /// The assessment. The raw spelling is present for its author only.
    pub record: AssessmentRecord,
    /// The part of the sharing that the reader may know.
    pub sharing: SharingView,
}

/// A contribution to a campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignEvent {
    /// The position after the event.
    pub position: FeedPosition,
    /// The contribution.
    pub contribution: ContributionView,
}

/// An enforcement.
#[derive(Clone, Debug, PartialEq)]
pub struct EnforcementEvent {
    /// The position after the event.
    pub position: FeedPosition,
    /// The enforcement.
    pub enforcement: EnforcementView,
}

/// Members that joined or left a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupChange {
    /// The position after the event.
    pub position: FeedPosition,
    /// The group.
    pub group: GroupId,
    /// The members that joined.
    pub joined: Vec<PartnerId>,
    /// The members that left.
    pub left: Vec<PartnerId>,
    /// The time of the change.
    pub changed_at: Timestamp,
}

/// A new entry of a tip, as one of its parties may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct TipEvent {
    /// The position after the event.
    pub position: FeedPosition,
    /// The tip, with the state of each thread after the entry.
    pub tip: TipRecord,
    /// The entry, with the first of its indicators. The others are read with the tip.
    pub entry: TipEntryView,
    /// The time by the exchange's clock.
    pub now: Timestamp,
    /// For a liaison: what the access log has to record before the event is sent.
    pub accessed: AccessedObjects,
}
