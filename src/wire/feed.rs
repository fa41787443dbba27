//! A feed's items, encoded once for everybody and once for each class of rights.

use std::ops::Range;

use bytes::Bytes;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::{assessment, cursor, indicator, pb, sharing, timestamp, words::Word};
use crate::domain::assessment::Confidence;
use crate::domain::cursor::JournalTag;
use crate::domain::entry::{Batch, Entry, ItemOutcome};
use crate::domain::filter::Filter;
use crate::domain::label::Labels;
use crate::domain::sharing::SharingView;
use crate::domain::{Cursor, GroupId, Invalid, PartnerId, Platform, Position};

/// The field of `SubscribeResponse` that holds the items.
const ITEMS_FIELD: u32 = 1;
const MAX_FILTER_VALUES: usize = 100;

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
            cursor: Some(cursor::write(Cursor { journal, after: version })),
            author: author.clone(),
            accepted_at: Some(accepted_at),
            indicator: Some(indicator::write(&item.assessment.indicator, item.id)),
            assessment: Some(assessment::write(&item.assessment, entry.time)),
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
    let sharing =
        pb::FeedItem { sharing: Some(sharing::write(&class.view)), ..pb::FeedItem::default() };
    let sharing = sharing.encode_to_vec();
    let mut bytes =
        Vec::with_capacity(common.bytes.len() + batch.items.len() * (sharing.len() + 8));
    let mut ends = Vec::with_capacity(batch.items.len());
    for (at, item) in batch.items.iter().enumerate() {
        let shared = common.range(at, at + 1);
        let own = pb::FeedItem {
            replaces: match outcomes.get(at) {
                Some(ItemOutcome::Replaced(old)) if old.sequence >= class.sight_from => {
                    Some(indicator::version(*old))
                }
                _ => None,
            },
            raw: match &item.assessment.raw {
                Some(raw) if class.author => raw.to_string(),
                _ => String::new(),
            },
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

/// Reads what a reader asks for.
pub fn read_filter(filter: Option<&pb::Filter>, labels: &Labels) -> Result<Filter, Invalid> {
    let Some(filter) = filter else { return Ok(Filter::default()) };
    let lists = [
        ("filter.kinds", filter.kinds.len()),
        ("filter.platforms", filter.platforms.len()),
        ("filter.labels", filter.labels.len()),
        ("filter.groups", filter.groups.len()),
        ("filter.authors", filter.authors.len()),
    ];
    for (field, count) in lists {
        if count > MAX_FILTER_VALUES {
            return Err(Invalid::new(field, format!("has more than {MAX_FILTER_VALUES} values")));
        }
    }
    let kind = |number: &i32| match Word::read(*number) {
        Ok(Some(kind)) => Ok(kind),
        Ok(None) => Err(Invalid::new("filter.kinds", "has a kind that is not specified")),
        Err(invalid) => Err(Invalid::new("filter.kinds", invalid.reason)),
    };
    let named = |field: &'static str| move |invalid: Invalid| Invalid::new(field, invalid.reason);
    let platform = |text: &String| Platform::parse(text).map_err(named("filter.platforms"));
    let label = |text: &String| labels.parse(text).map_err(named("filter.labels"));
    let group = |text: &String| GroupId::parse(text).map_err(named("filter.groups"));
    let author = |text: &String| PartnerId::parse(text).map_err(named("filter.authors"));
    Ok(Filter {
        kinds: filter.kinds.iter().map(kind).collect::<Result<_, _>>()?,
        platforms: filter.platforms.iter().map(platform).collect::<Result<_, _>>()?,
        labels: filter.labels.iter().map(label).collect::<Result<_, _>>()?,
        groups: filter.groups.iter().map(group).collect::<Result<_, _>>()?,
        authors: filter.authors.iter().map(author).collect::<Result<_, _>>()?,
        min_confidence: filter
            .min_confidence
            .map(Confidence::new)
            .transpose()
            .map_err(named("filter.min_confidence"))?,
    })
}
