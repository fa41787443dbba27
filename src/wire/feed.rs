//! A feed's items, encoded once for everybody and once for each class of rights.

use std::collections::BTreeSet;
use std::ops::Range;

use bytes::Bytes;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::{assessment, cursor, indicator, pb, sharing, timestamp};
use crate::domain::cursor::{JournalTag, Place};
use crate::domain::entry::{Batch, Entry, ItemOutcome};
use crate::domain::sharing::SharingView;
use crate::domain::{Assessment, CampaignId, Cursor, IndicatorId, PartnerId, Position, Timestamp};

/// The field of `SubscribeResponse` that holds the items.
const ITEMS_FIELD: u32 = 1;

/// Encoded items of one batch, each found by its place in the batch.
#[derive(Clone, Debug, Default)]
pub struct Encoded {
    bytes: Bytes,
    ends: Vec<usize>,
}

impl Encoded {
    /// The bytes of a range of items.
    pub fn range(&self, from: usize, until: usize) -> Bytes {
        let begin = if from == 0 { 0 } else { self.ends[from - 1] };
        let end = if until == 0 { 0 } else { self.ends[until - 1] };
        self.bytes.slice(begin..end)
    }

    /// Where a range of items has to end so that it takes no more than so many bytes.
    pub fn fitting(&self, range: &Range<usize>, bytes: usize) -> usize {
        let begin = if range.start == 0 { 0 } else { self.ends[range.start - 1] };
        let ends = &self.ends[range.clone()];
        range.start + ends.partition_point(|end| end - begin <= bytes)
    }
}

/// What differs between the readers of a batch. Readers of one class get the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// The reader's own part of the sharing.
    pub view: SharingView,
    /// Whether the reader is the author.
    pub author: bool,
    /// An older version for the same audience could be seen by the reader from this sequence on.
    pub sight_from: u64,
    /// Those of the campaigns that items of the batch name which the reader sees.
    pub campaigns: BTreeSet<CampaignId>,
}

impl Class {
    /// The campaign that an item names, where the readers of the class may know it.
    fn campaign_of(&self, said: &Assessment) -> Option<CampaignId> {
        said.campaign.filter(|campaign| self.author || self.campaigns.contains(campaign))
    }
}

/// A version by itself, for one reader.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// The version.
    pub version: Position,
    /// Whose it is.
    pub author: &'a PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The indicator's id.
    pub id: IndicatorId,
    /// What it says; with its raw spelling for its author alone.
    pub said: &'a Assessment,
    /// The reader's own part of the sharing.
    pub view: &'a SharingView,
    /// The place behind it; `None` in a snapshot.
    pub cursor: Option<pb::Cursor>,
}

/// Writes a version by itself.
pub fn item(shown: &Shown<'_>) -> pb::FeedItem {
    pb::FeedItem {
        version: Some(indicator::version(shown.version)),
        cursor: shown.cursor.clone(),
        author: shown.author.to_string(),
        accepted_at: Some(timestamp(shown.accepted)),
        indicator: Some(indicator::write(&shown.said.indicator, shown.id)),
        assessment: Some(assessment::write(shown.said, shown.accepted)),
        sharing: Some(sharing::write(shown.view)),
        replaces: None,
        raw: shown.said.raw.as_deref().unwrap_or_default().to_owned(),
    }
}

/// Encodes what is the same for every reader: the fields of each item but those of its class.
pub fn encode_common(entry: &Entry, batch: &Batch, journal: JournalTag) -> Encoded {
    let author = entry.author.as_ref().map(ToString::to_string).unwrap_or_default();
    let accepted_at = timestamp(entry.time);
    let mut bytes = Vec::with_capacity(batch.items.len() * 192);
    let ends = batch.items.iter().map(|item| {
        let version = Position::new(entry.sequence, item.index);
        let common = pb::FeedItem {
            version: Some(indicator::version(version)),
            cursor: Some(cursor::write(Cursor { journal, place: Place::behind(version) })),
            author: author.clone(),
            accepted_at: Some(accepted_at),
            indicator: Some(indicator::write(&item.assessment.indicator, item.id)),
            // Who does not see the campaign that it names is not told of it: its class adds it.
            assessment: Some(pb::Assessment {
                campaign: String::new(),
                ..assessment::write(&item.assessment, entry.time)
            }),
            sharing: None,
            replaces: None,
            raw: String::new(),
        };
        common.encode_raw(&mut bytes);
        bytes.len()
    });
    let ends = ends.collect();
    Encoded { bytes: bytes.into(), ends }
}

/// Puts each item together for one class: ready to stand in a `SubscribeResponse`.
pub fn encode_class(
    common: &Encoded,
    batch: &Batch,
    outcomes: &[ItemOutcome],
    class: &Class,
) -> Encoded {
    let replaces: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            ItemOutcome::Replaced(old) if old.sequence >= class.sight_from => Some(*old),
            _ => None,
        })
        .collect();
    encode_replacing(common, batch, &replaces, class)
}

/// The same where it is known of each item which version it replaces for its reader.
pub fn encode_replacing(
    common: &Encoded,
    batch: &Batch,
    replaces: &[Option<Position>],
    class: &Class,
) -> Encoded {
    let sharing =
        pb::FeedItem { sharing: Some(sharing::write(&class.view)), ..pb::FeedItem::default() };
    let sharing = sharing.encode_to_vec();
    let mut bytes =
        Vec::with_capacity(common.bytes.len() + batch.items.len() * (sharing.len() + 8));
    let mut ends = Vec::with_capacity(batch.items.len());
    for (at, item) in batch.items.iter().enumerate() {
        let shared = common.range(at, at + 1);
        let own = pb::FeedItem {
            replaces: replaces.get(at).copied().flatten().map(indicator::version),
            raw: match &item.assessment.raw {
                Some(raw) if class.author => raw.to_string(),
                _ => String::new(),
            },
            // Protobuf merges a message that comes in two parts.
            assessment: class.campaign_of(&item.assessment).map(|campaign| pb::Assessment {
                campaign: campaign.to_string(),
                ..pb::Assessment::default()
            }),
            ..pb::FeedItem::default()
        };
        encode_key(ITEMS_FIELD, WireType::LengthDelimited, &mut bytes);
        encode_varint((shared.len() + sharing.len() + own.encoded_len()) as u64, &mut bytes);
        bytes.extend_from_slice(&shared);
        bytes.extend_from_slice(&sharing);
        own.encode_raw(&mut bytes);
        ends.push(bytes.len());
    }
    Encoded { bytes: bytes.into(), ends }
}
