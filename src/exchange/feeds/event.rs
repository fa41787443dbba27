//! What a reader gets.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

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
use crate::index::record::{AssessmentRecord, TipRecord};
use crate::journal::LoggedEntry;

/// What a reader gets of one entry: something, in the order of its places.
#[derive(Debug)]
pub enum FeedEvent {
    /// Items of a batch, and removals of what they took the place of.
    Batch(BatchEvent),
    /// Versions to drop.
    Removals(Vec<Removal>),
    /// Current versions that the reader sees since it joined a group.
    Items(Vec<FeedItem>),
    /// Somebody joined or left a group.
    GroupChange(GroupChange),
    /// Sightings.
    Sightings(Vec<SightingView>),
    /// Feedback.
    Feedback(Box<FeedbackView>),
    /// What is said of a campaign.
    Campaign(Box<CampaignEvent>),
    /// What was done.
    Enforcements(Vec<EnforcementEvent>),
    /// What was added to a tip.
    Tip(Box<TipEvent>),
}

/// What a reader gets of one batch: something, of items and removals.
#[derive(Debug)]
pub struct BatchEvent {
    /// The journal that the entry is in, and its epoch, for cursors.
    pub journal: JournalEpoch,
    /// The entry that holds them.
    pub logged: Arc<LoggedEntry>,
    /// What the entry came to.
    pub outcome: Arc<Outcome>,
    /// The reader's own part of the sharing.
    pub view: SharingView,
    /// Whether the reader is the author.
    pub author: bool,
    /// The reader could see an older version for the same audience from this sequence on.
    pub visible_from: u64,
    /// Which items, by their place in the batch, in order.
    pub ranges: Vec<Range<usize>>,
    /// Where the batch takes the place of another audience, the version that each item replaces for
    /// this reader.
    pub replaces: Option<Vec<Option<Position>>>,
    /// What the reader is to drop, since items of the batch took its place that it does not get.
    pub removals: Vec<BatchRemoval>,
    /// Those of the campaigns that its items name which the reader sees.
    pub campaigns: BTreeSet<CampaignId>,
}

/// A version that a reader may hold and is to drop, since an item of a batch took its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRemoval {
    /// The place in the batch of that item.
    pub at: usize,
    /// The place behind this removal: before the item, where the reader gets that one too.
    pub place: FeedPosition,
    /// The version.
    pub version: Position,
    /// Why.
    pub reason: RemovalReason,
}

/// A version that a reader may hold and is to drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The place behind this removal.
    pub place: FeedPosition,
    /// The version.
    pub version: Position,
    /// What it was.
    pub what: RemovedObject,
    /// Whose it was.
    pub author: PartnerId,
    /// Why.
    pub reason: RemovalReason,
}

/// What a version was of that is to be dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovedObject {
    /// An assessment of this indicator.
    Assessment(IndicatorId),
    /// What was said of this campaign.
    Contribution(CampaignId),
    /// What was done, by its author's id.
    Enforcement(EnforcementId),
}

/// Why a version is to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemovalReason {
    /// A newer version took its place, which the reader was given, or which was replaced again.
    Replaced,
    /// The filter does not ask for what took its place, or no longer for it.
    NoLongerMatches,
    /// Its author took it back.
    Withdrawn,
    /// Its time was over.
    Expired,
    /// The reader left the group through which it saw it, or others receive it now.
    NoLongerShared,
}

/// A current version, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedItem {
    /// The place behind it.
    pub place: FeedPosition,
    /// Whose it is.
    pub author: PartnerId,
    /// The assessment; its raw spelling is there for its author alone.
    pub record: AssessmentRecord,
    /// The reader's own part of the sharing.
    pub view: SharingView,
}

/// What is said of a campaign, and the place behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignEvent {
    /// The place behind it.
    pub place: FeedPosition,
    /// What is said.
    pub contribution: ContributionView,
}

/// What was done, and the place behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnforcementEvent {
    /// The place behind it.
    pub place: FeedPosition,
    /// What was done.
    pub enforcement: EnforcementView,
}

/// Who joined and who left a group of the reader's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupChange {
    /// The place behind it.
    pub place: FeedPosition,
    /// The group.
    pub group: GroupId,
    /// Who joined.
    pub joined: Vec<PartnerId>,
    /// Who left.
    pub left: Vec<PartnerId>,
    /// When.
    pub at: Timestamp,
}

/// What an entry added to a tip, as one of its parties is told.
#[derive(Clone, Debug, PartialEq)]
pub struct TipEvent {
    /// The place behind it.
    pub place: FeedPosition,
    /// The tip as that party may see it, each thread as it stood then.
    pub tip: TipRecord,
    /// What was added, with the first of its indicators.
    pub entry: TipEntryView,
    /// The time by the exchange's clock.
    pub now: Timestamp,
    /// Of a liaison, what of it is to be written down before it leaves.
    pub accessed: AccessedObjects,
}
