//! Encoding of feed items: the common fields once per batch, the rest once per class of readers.

use std::collections::BTreeSet;
use std::ops::Range;

use bytes::Bytes;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::fields::Fields;
use super::{assessment, cursor, indicator, pb, sharing, timestamp};
use crate::domain::cursor::{FeedPosition, JournalEpoch};
use crate::domain::entry::{Batch, Entry, ItemOutcome};
use crate::domain::sharing::SharingView;
use crate::domain::{Assessment, CampaignId, Cursor, IndicatorId, PartnerId, Position, Timestamp};

/// The number of the field `items` in `SubscribeResponse`.
const ITEMS_FIELD: u32 = 1;

/// The encoded items of one batch, addressed by their index in it.
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

    /// The end of the longest prefix of a range of items that takes at most `bytes` bytes.
    pub fn end_within(&self, range: &Range<usize>, bytes: usize) -> usize {
        let begin = if range.start == 0 { 0 } else { self.ends[range.start - 1] };
        let ends = &self.ends[range.clone()];
        range.start + ends.partition_point(|end| end - begin <= bytes)
    }
}

/// What differs between the readers of a batch. Readers of one class receive the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReaderClass {
    /// The reader's part of the sharing.
    pub sharing: SharingView,
    /// Whether the reader is the author.
    pub is_author: bool,
    /// The sequence from which on the reader can see earlier versions for the same audience.
    pub visible_from: u64,
    /// The campaigns named in the batch that the reader may see.
    pub campaigns: BTreeSet<CampaignId>,
}

impl ReaderClass {
    /// The campaign of an item, if readers of this class may know it.
    fn campaign_of(&self, assessment: &Assessment) -> Option<CampaignId> {
        assessment.campaign.filter(|campaign| self.is_author || self.campaigns.contains(campaign))
    }
}

/// A single version, for one reader.
#[derive(Clone, Debug)]
pub struct ItemRef<'a> {
    /// The version.
    pub version: Position,
    /// Its author.
    pub author: &'a PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The indicator's id.
    pub id: IndicatorId,
    /// The assessment. `raw` must be set only if the reader is the author.
    pub assessment: &'a Assessment,
    /// The reader's part of the sharing.
    pub sharing: &'a SharingView,
    /// The cursor after this item; `None` in a snapshot.
    pub cursor: Option<pb::Cursor>,
}

/// Converts a single version.
pub fn item(item: &ItemRef<'_>) -> pb::FeedItem {
    pb::FeedItem {
        version: Some(indicator::version(item.version)),
        cursor: item.cursor.clone(),
        author: item.author.to_string(),
        accepted_at: Some(timestamp(item.accepted)),
        indicator: Some(indicator::write(&item.assessment.indicator, item.id)),
        assessment: Some(assessment::write(item.assessment, item.accepted)),
        sharing: Some(sharing::write(item.sharing)),
        replaces: None,
        raw: item.assessment.raw.as_deref().unwrap_or_default().to_owned(),
    }
}

/// Encodes the fields of each item that are the same for every reader.
pub fn encode_common(entry: &Entry, batch: &Batch, journal: JournalEpoch) -> Encoded {
    let author = entry.author.as_ref().map(PartnerId::as_str).unwrap_or_default();
    let mut bytes = Vec::with_capacity(batch.items.len() * 256);
    let ends = batch.items.iter().map(|item| {
        let version = Position::new(entry.sequence, item.index);
        let cursor = Cursor { journal, position: FeedPosition::after_item(version) };
        let assessment = &item.assessment;
        let mut fields = Fields::append_to(&mut bytes);
        fields.version(1, version);
        fields.message(2, |fields| fields.message(1, |token| cursor::put(cursor, token.buffer())));
        fields.text(3, author);
        fields.time(4, entry.time);
        fields.indicator(5, &assessment.indicator, item.id);
        // The campaign is added per class, since not every reader may know it.
        fields.message(6, |fields| assessment::put(assessment, entry.time, fields));
        bytes.len()
    });
    let ends = ends.collect();
    Encoded { bytes: bytes.into(), ends }
}

/// Completes each item for one class, as an `items` field of a `SubscribeResponse`.
pub fn encode_class(
    common: &Encoded,
    batch: &Batch,
    outcomes: &[ItemOutcome],
    class: &ReaderClass,
) -> Encoded {
    let replaces: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            ItemOutcome::Replaced(old) if old.sequence >= class.visible_from => Some(*old),
            _ => None,
        })
        .collect();
    encode_replacing(common, batch, &replaces, class)
}

/// Like [`encode_class`], with the replaced version given for each item.
pub fn encode_replacing(
    common: &Encoded,
    batch: &Batch,
    replaces: &[Option<Position>],
    class: &ReaderClass,
) -> Encoded {
    let sharing =
        pb::FeedItem { sharing: Some(sharing::write(&class.sharing)), ..pb::FeedItem::default() };
    let sharing = sharing.encode_to_vec();
    let mut bytes =
        Vec::with_capacity(common.bytes.len() + batch.items.len() * (sharing.len() + 8));
    let mut ends = Vec::with_capacity(batch.items.len());
    let (mut begin, mut specific) = (0, Vec::new());
    for (at, item) in batch.items.iter().enumerate() {
        let shared = &common.bytes[begin..common.ends[at]];
        begin = common.ends[at];
        specific.clear();
        let mut fields = Fields::append_to(&mut specific);
        // Protobuf merges two occurrences of a message field.
        if let Some(campaign) = class.campaign_of(&item.assessment) {
            fields.message(6, |assessment| assessment.text(13, &campaign.to_string()));
        }
        if let Some(replaced) = replaces.get(at).copied().flatten() {
            fields.version(8, replaced);
        }
        if class.is_author {
            fields.text(9, item.assessment.raw.as_deref().unwrap_or_default());
        }
        encode_key(ITEMS_FIELD, WireType::LengthDelimited, &mut bytes);
        encode_varint((shared.len() + sharing.len() + specific.len()) as u64, &mut bytes);
        bytes.extend_from_slice(shared);
        bytes.extend_from_slice(&sharing);
        bytes.extend_from_slice(&specific);
        ends.push(bytes.len());
    }
    Encoded { bytes: bytes.into(), ends }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::AccountNames;
    use crate::domain::assessment::{Basis, Confidence, Involvement, Severity, Technique, Verdict};
    use crate::domain::cursor::{EpochId, JournalTag};
    use crate::domain::entry::{AppendId, Body, Item, SubmissionId};
    use crate::domain::label::Label;
    use crate::domain::sharing::Audience;
    use crate::domain::{Indicator, Kind, Platform, Sharing, Tlp};

    /// One item without optional fields, and one with all of them.
    fn batch() -> Batch {
        let bare = Assessment::of(Indicator::from_stored(Kind::Domain, None, "a.example"));
        let time = Timestamp::from_millis;
        let platform = Some(Platform::from_stored("x"));
        // Field by field: one that is added has to be written, and stand here.
        let full = Assessment {
            indicator: Indicator::from_stored(Kind::Account, platform, "a"),
            raw: Some("https://x.com/A".into()),
            verdict: Some(Verdict::Malicious),
            confidence: Some(Confidence::new(0).unwrap()),
            severity: Some(Severity::Critical),
            involvement: Some(Involvement::Victim),
            basis: Some(Basis::Public),
            labels: ["phishing", "ticket-touting"].map(Label::from_stored).into(),
            techniques: vec![Technique::parse("T0090.001").unwrap()],
            first_seen: Some(time(-1)),
            last_seen: Some(time(0)),
            valid_until: Some(time(1_795_000_000_123)),
            note: Some("n".repeat(500).into()),
            references: vec!["https://a.example/1".into(), "https://a.example/2".into()],
            campaign: Some(CampaignId::new(uuid::Uuid::from_u128(7))),
            account: AccountNames {
                account_id: Some("1234567".into()),
                former_handles: vec!["b".into(), "c".into()],
            },
        };
        let item = |(index, assessment): (u32, Assessment)| Item {
            index,
            id: assessment.indicator.id(),
            assessment,
        };
        Batch {
            submission: SubmissionId::parse("s").unwrap(),
            number: 1,
            digest: [0; 32],
            sharing: Sharing {
                tlp: Tlp::Green,
                audience: Audience::Everyone,
                releases: Vec::new(),
            },
            replaces: None,
            list: None,
            items: [(0, bare), (300, full)].map(item).into(),
            rejected: Vec::new(),
        }
    }

    #[test]
    fn items_are_written_as_the_message_would_have_them() {
        let batch = batch();
        let entry = Entry {
            sequence: 70_000,
            time: Timestamp::from_millis(1_790_000_000_000),
            id: AppendId::derive(&[]),
            author: Some(PartnerId::from_stored("birdsite")),
            body: Body::SubmissionBatch(batch.clone()),
        };
        let journal = JournalEpoch { journal: JournalTag(*b"abcd"), epoch: EpochId(*b"ef-ghijk") };
        let view =
            SharingView { tlp: Tlp::Green, audience: Audience::Everyone, releases: Vec::new() };
        let replaced = Position::new(3, 0);
        for author in [false, true] {
            let class = ReaderClass {
                sharing: view.clone(),
                is_author: author,
                visible_from: 2,
                campaigns: BTreeSet::new(),
            };
            let outcomes = [ItemOutcome::Created, ItemOutcome::Replaced(replaced)];
            let common = encode_common(&entry, &batch, journal);
            let encoded = encode_class(&common, &batch, &outcomes, &class);
            let read = pb::SubscribeResponse::decode(encoded.range(0, 2)).unwrap();
            let expected: Vec<_> = batch
                .items
                .iter()
                .map(|one| {
                    let version = Position::new(entry.sequence, one.index);
                    let mut assessment = one.assessment.clone();
                    assessment.campaign = assessment.campaign.filter(|_| author);
                    assessment.raw = assessment.raw.filter(|_| author);
                    let shown = ItemRef {
                        version,
                        author: entry.author.as_ref().unwrap(),
                        accepted: entry.time,
                        id: one.id,
                        assessment: &assessment,
                        sharing: &view,
                        cursor: Some(cursor::write(Cursor {
                            journal,
                            position: FeedPosition::after_item(version),
                        })),
                    };
                    let replaces = (one.index == 300).then(|| indicator::version(replaced));
                    pb::FeedItem { replaces, ..item(&shown) }
                })
                .collect();
            assert_eq!(read.items, expected);
            // Byte by byte too, where nothing comes in two parts.
            let first =
                pb::SubscribeResponse { items: expected[..1].to_vec(), ..Default::default() };
            assert_eq!(encoded.range(0, 1), first.encode_to_vec());
        }
    }
}
