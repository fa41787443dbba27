//! The layout of a subscription on disk: a small value with its state, which every cursor move rewrites,
//! and the filter in parts of at most 8 KB. The filter never changes. (The sled journal explains why
//! values are small.)
//!
//! The key is partner, NUL, name, NUL, and a big-endian number of two bytes. Partner and name contain no
//! NUL. Every value begins with the layout version (1 byte) and a CRC-32C over the key and the rest of
//! the value (4 bytes). Then:
//!
//! | number | bytes | content |
//! |---|---|---|
//! | 0 | 8 | creation time, in milliseconds |
//! | | 1 + 8 | whether it was acknowledged, and when last |
//! | | 4 + 8 | journal tag and epoch of the cursor |
//! | | 12 | the position after which it continues |
//! | | 1 + 12 | whether the cursor is inside an expansion, and the position there |
//! | from 1 | 2 | number of parts of the filter |
//! | | … | the part |
//!
//! A filter is its five lists in the order of the protocol, each with its length (4 bytes). A kind is
//! its number in the protocol; everything else is text with its length (2 bytes). Then follow the
//! minimum confidence (255 for none) and the campaign ids, 16 bytes each.

use bytes::{Buf, BufMut};

use crate::domain::assessment::{Confidence, Involvement, Verdict};
use crate::domain::cursor::{EpochId, FeedPosition, JournalEpoch, JournalTag};
use crate::domain::filter::Filter;
use crate::domain::label::Label;
use crate::domain::subscription::Subscription;
use crate::domain::{
    CampaignId, Cursor, GroupId, Kind, PartnerId, Platform, Position, SubscriptionName, Timestamp,
};

/// The layout version.
const LAYOUT: u8 = 2;
/// Maximum bytes of a filter in one value.
const PART_BYTES: usize = 8_000;
const HEADER_BYTES: usize = 5;
/// The key number of the state.
const STATE: u16 = 0;
const NO_CONFIDENCE: u8 = u8::MAX;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The common prefix of a subscription's keys, which no other key has.
pub fn prefix(partner: &PartnerId, name: &SubscriptionName) -> Vec<u8> {
    [partner.as_str().as_bytes(), &[0], name.as_str().as_bytes(), &[0]].concat()
}

/// The state of a subscription, with its key.
pub fn state(of: &Subscription) -> Pair {
    let mut body = Vec::with_capacity(54);
    body.put_i64(of.created.as_millis());
    body.put_u8(of.acknowledged.is_some().into());
    body.put_i64(of.acknowledged.unwrap_or_default().as_millis());
    body.put_slice(&of.cursor.journal.journal.0);
    body.put_slice(&of.cursor.journal.epoch.0);
    put_position(of.cursor.position.last_read, &mut body);
    body.put_u8(of.cursor.position.inside.is_some().into());
    put_position(of.cursor.position.inside.unwrap_or_default(), &mut body);
    seal(&prefix(&of.partner, &of.name), STATE, &body)
}

/// The parts of the filter, with their keys. `None` if the filter is too large (about 500 MB).
pub fn filter(of: &Subscription) -> Option<Vec<Pair>> {
    let bytes = encode_filter(&of.filter)?;
    let prefix = prefix(&of.partner, &of.name);
    let count = u16::try_from(bytes.len().div_ceil(PART_BYTES)).ok().filter(|n| *n < u16::MAX)?;
    let parts = bytes.chunks(PART_BYTES).zip(1..).map(|(part, number)| {
        let body = [&count.to_be_bytes()[..], part].concat();
        seal(&prefix, number, &body)
    });
    Some(parts.collect())
}

/// Decodes subscriptions from pairs in key order. The error names the damaged one.
pub fn read(pairs: impl IntoIterator<Item = Pair>) -> Result<Vec<Subscription>, String> {
    let mut read: Vec<Subscription> = Vec::new();
    let mut open: Option<Assembly> = None;
    for (key, value) in pairs {
        let (prefix, number) = key.split_last_chunk().ok_or("a key is too short")?;
        let number = u16::from_be_bytes(*number);
        if open.as_ref().is_none_or(|open| open.prefix != prefix) {
            read.extend(open.take().map(Assembly::finish).transpose()?);
            open = Some(Assembly::begin(prefix)?);
        }
        if let Some(open) = &mut open {
            open.add(&key, number, &value).map_err(|reason| open.damaged(reason))?;
        }
    }
    read.extend(open.map(Assembly::finish).transpose()?);
    Ok(read)
}

/// A subscription that is being assembled from its values.
struct Assembly {
    prefix: Vec<u8>,
    partner: PartnerId,
    name: SubscriptionName,
    state: Option<(Timestamp, Option<Timestamp>, Cursor)>,
    filter: Vec<u8>,
    next: u16,
    count: u16,
}

impl Assembly {
    fn begin(prefix: &[u8]) -> Result<Self, String> {
        let named = || {
            let text = std::str::from_utf8(prefix).ok()?.strip_suffix('\0')?;
            let (partner, name) = text.split_once('\0')?;
            Some((PartnerId::parse(partner).ok()?, SubscriptionName::parse(name).ok()?))
        };
        let (partner, name) = named().ok_or("a key belongs to no subscription")?;
        let (prefix, filter) = (prefix.to_vec(), Vec::new());
        Ok(Self { prefix, partner, name, state: None, filter, next: 1, count: 0 })
    }

    fn add(&mut self, key: &[u8], number: u16, value: &[u8]) -> Result<(), &'static str> {
        let mut body = open_sealed(key, value)?;
        if number == STATE {
            self.state = Some(read_state(body).ok_or("its state is not readable")?);
            return Ok(());
        }
        let count = body.try_get_u16().map_err(|_| "a part of its filter is too short")?;
        if number != self.next || (number > 1 && count != self.count) {
            return Err("the parts of its filter belong to different filters");
        }
        self.filter.extend_from_slice(body);
        (self.next, self.count) = (number + 1, count);
        Ok(())
    }

    fn finish(self) -> Result<Subscription, String> {
        let Some((created, acknowledged, cursor)) = self.state else {
            return Err(self.damaged("its state is missing"));
        };
        if self.count == 0 || self.next != self.count + 1 {
            return Err(self.damaged("parts of its filter are missing"));
        }
        let Some(filter) = read_filter(&self.filter) else {
            return Err(self.damaged("its filter is not readable"));
        };
        let Self { partner, name, .. } = self;
        Ok(Subscription { partner, name, filter, cursor, created, acknowledged })
    }

    fn damaged(&self, reason: &str) -> String {
        format!("subscription `{}` of partner `{}`: {reason}", self.name, self.partner)
    }
}

fn seal(prefix: &[u8], number: u16, body: &[u8]) -> Pair {
    let key = [prefix, &number.to_be_bytes()[..]].concat();
    let mut value = Vec::with_capacity(HEADER_BYTES + body.len());
    value.put_u8(LAYOUT);
    value.put_u32(checksum(&key, body));
    value.put_slice(body);
    (key, value)
}

fn open_sealed<'a>(key: &[u8], value: &'a [u8]) -> Result<&'a [u8], &'static str> {
    let Some((mut header, body)) = value.split_at_checked(HEADER_BYTES) else {
        return Err("a value is too short");
    };
    if header.get_u8() != LAYOUT {
        return Err("a value has the layout of another version");
    }
    if header.get_u32() != checksum(key, body) {
        return Err("the checksum of a value does not match");
    }
    Ok(body)
}

fn checksum(key: &[u8], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), body)
}

fn put_position(position: Position, bytes: &mut Vec<u8>) {
    bytes.put_u64(position.sequence);
    bytes.put_u32(position.index);
}

fn read_state(mut bytes: &[u8]) -> Option<(Timestamp, Option<Timestamp>, Cursor)> {
    if bytes.len() != 54 {
        return None;
    }
    let created = Timestamp::from_millis(bytes.get_i64());
    let was_acknowledged = bytes.get_u8() != 0;
    let acknowledged = Timestamp::from_millis(bytes.get_i64());
    let (mut journal, mut epoch) = ([0; 4], [0; 8]);
    bytes.copy_to_slice(&mut journal);
    bytes.copy_to_slice(&mut epoch);
    let journal = JournalEpoch { journal: JournalTag(journal), epoch: EpochId(epoch) };
    let after = Position::new(bytes.get_u64(), bytes.get_u32());
    let is_inside = bytes.get_u8() != 0;
    let inside = Position::new(bytes.get_u64(), bytes.get_u32());
    let position = FeedPosition { last_read: after, inside: is_inside.then_some(inside) };
    let cursor = Cursor { journal, position };
    Some((created, was_acknowledged.then_some(acknowledged), cursor))
}

fn encode_filter(filter: &Filter) -> Option<Vec<u8>> {
    fn put_texts<'a>(
        texts: impl ExactSizeIterator<Item = &'a str>,
        bytes: &mut Vec<u8>,
    ) -> Option<()> {
        bytes.put_u32(u32::try_from(texts.len()).ok()?);
        for text in texts {
            bytes.put_u16(u16::try_from(text.len()).ok()?);
            bytes.put_slice(text.as_bytes());
        }
        Some(())
    }
    let Filter { kinds, platforms, labels, groups, authors, min_confidence, campaigns, .. } =
        filter;
    let mut bytes = Vec::new();
    bytes.put_u32(u32::try_from(kinds.len()).ok()?);
    for kind in kinds {
        let number = Kind::ALL.iter().position(|one| one == kind)? + 1;
        bytes.put_u8(u8::try_from(number).ok()?);
    }
    put_texts(platforms.iter().map(Platform::as_str), &mut bytes)?;
    put_texts(labels.iter().map(Label::as_str), &mut bytes)?;
    put_texts(groups.iter().map(GroupId::as_str), &mut bytes)?;
    put_texts(authors.iter().map(PartnerId::as_str), &mut bytes)?;
    bytes.put_u8(min_confidence.map_or(NO_CONFIDENCE, Confidence::percent));
    for campaign in campaigns {
        bytes.put_slice(campaign.as_bytes());
    }
    // Two bytes more than whole ids. Older records have none.
    if !filter.verdicts.is_empty() || !filter.involvements.is_empty() {
        bytes.put_u8(bits(Verdict::ALL, &filter.verdicts));
        bytes.put_u8(bits(Involvement::ALL, &filter.involvements));
    }
    Some(bytes)
}

/// A bit for each value that is in a list.
fn bits<T: PartialEq>(all: &[T], list: &[T]) -> u8 {
    (0..).zip(all).filter(|(_, one)| list.contains(one)).fold(0, |bits, (at, _)| bits | 1 << at)
}

/// The values whose bits are set.
fn of_bits<T: Copy>(all: &[T], bits: u8) -> Vec<T> {
    (0..).zip(all).filter(|(at, _)| bits & 1 << at != 0).map(|(_, one)| *one).collect()
}

fn read_filter(mut bytes: &[u8]) -> Option<Filter> {
    fn texts<T>(bytes: &mut &[u8], read: impl Fn(&str) -> T) -> Option<Vec<T>> {
        let count = bytes.try_get_u32().ok()?;
        let text = |_| {
            let length = usize::from(bytes.try_get_u16().ok()?);
            let (text, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            Some(read(std::str::from_utf8(text).ok()?))
        };
        (0..count).map(text).collect()
    }
    let count = bytes.try_get_u32().ok()?;
    let kind = |_| {
        let number = usize::from(bytes.try_get_u8().ok()?);
        Kind::ALL.get(number.checked_sub(1)?).copied()
    };
    let kinds = (0..count).map(kind).collect::<Option<_>>()?;
    let platforms = texts(&mut bytes, |text| Platform::from_stored(text.to_owned()))?;
    let labels = texts(&mut bytes, Label::from_stored)?;
    let groups = texts(&mut bytes, GroupId::from_stored)?;
    let authors = texts(&mut bytes, PartnerId::from_stored)?;
    let min_confidence = match bytes.try_get_u8().ok()? {
        NO_CONFIDENCE => None,
        percent => Some(Confidence::new(percent.into()).ok()?),
    };
    let (ids, rest) = bytes.as_chunks::<16>();
    let campaigns = ids.iter().map(|id| CampaignId::from_bytes(*id)).collect();
    let (verdicts, involvements) = match rest {
        [] => (Vec::new(), Vec::new()),
        [verdicts, involvements] => {
            (of_bits(Verdict::ALL, *verdicts), of_bits(Involvement::ALL, *involvements))
        }
        _ => return None,
    };
    Some(Filter {
        kinds,
        platforms,
        labels,
        groups,
        authors,
        min_confidence,
        campaigns,
        verdicts,
        involvements,
    })
}
