//! Sightings and feedback.

use prost::Message;
use sha2::{Digest, Sha256};

use super::enums::ProtoEnum;
use super::{indicator, pb, read_timestamp, sharing, timestamp};
use crate::domain::entry::{Rejection, RequestId, Sighting};
use crate::domain::feedback::Opinion;
use crate::domain::sharing::{SharingRequest, SharingView};
use crate::domain::{Invalid, PartnerId, Position, Timestamp, text};

const MAX_NOTE_CHARS: usize = 2_000;
/// Together with its sharing a note must fit into one index value, which is limited to 8 KB.
const MAX_NOTE_BYTES: usize = 4_000;

/// The idempotency key of a request, and SHA-256 of its content.
pub type Keyed = (RequestId, [u8; 32]);

/// Parses the idempotency key of a request and computes its digest.
pub fn read_key(request_id: &str, request: &impl Message) -> Result<Keyed, Invalid> {
    let key = RequestId::parse(request_id)
        .map_err(|invalid| Invalid::new("request_id", invalid.reason))?;
    // The digest covers the request as sent, before defaults. The encoding is canonical for
    // messages without maps.
    Ok((key, Sha256::digest(request.encode_to_vec()).into()))
}

/// Parses sightings. An error is about the request as a whole; invalid sightings are rejected one
/// by one.
pub fn read_sightings(
    request: &pb::ReportSightingsRequest,
    max: usize,
    now: Timestamp,
) -> Result<(SharingRequest, Vec<Sighting>, Vec<Rejection>), Invalid> {
    let count = request.sightings.len();
    if count == 0 || count > max {
        let reason = format!("has {count} sightings: the limit is 1 to {max}");
        return Err(Invalid::new("sightings", reason));
    }
    let sharing = sharing::read(request.sharing.as_ref())?;
    let (mut items, mut rejected) = (Vec::new(), Vec::new());
    for (index, sighting) in (0u32..).zip(&request.sightings) {
        match read_sighting(index, sighting, now) {
            Ok(sighting) => items.push(sighting),
            Err(invalid) => rejected.push(Rejection { index, invalid }),
        }
    }
    Ok((sharing, items, rejected))
}

fn read_sighting(index: u32, message: &pb::Sighting, now: Timestamp) -> Result<Sighting, Invalid> {
    let key = message.indicator.as_ref().ok_or_else(|| Invalid::new("indicator", "is missing"))?;
    let indicator = indicator::read_key(key)?;
    if message.count == 0 {
        return Err(Invalid::new("count", "is missing: it must be at least 1"));
    }
    let time = |field, time: &Option<prost_types::Timestamp>| {
        time.as_ref().map(|time| read_timestamp(field, time)).transpose()
    };
    let first_seen = time("first_seen", &message.first_seen)?;
    let last_seen = time("last_seen", &message.last_seen)?;
    if first_seen.zip(last_seen).is_some_and(|(first, last)| last < first) {
        return Err(Invalid::new("last_seen", "is before first_seen"));
    }
    if first_seen.or(last_seen).is_some_and(|first| first > now) {
        return Err(Invalid::new("first_seen", "is in the future"));
    }
    let (id, count) = (indicator.id(), message.count);
    Ok(Sighting { index, id, indicator, count, first_seen, last_seen })
}

/// Parsed feedback on a version.
#[derive(Clone, Debug)]
pub struct FeedbackRef {
    /// The version.
    pub about: Position,
    /// How much its author agrees.
    pub opinion: Opinion,
    /// The reason.
    pub note: Option<Box<str>>,
    /// Who receives it, besides the author of the assessment.
    pub sharing: Option<SharingRequest>,
}

/// Parses feedback.
pub fn read_feedback(request: &pb::GiveFeedbackRequest) -> Result<FeedbackRef, Invalid> {
    let version = request.version.ok_or_else(|| Invalid::new("version", "is missing"))?;
    let opinion =
        Opinion::read(request.opinion)?.ok_or_else(|| Invalid::new("opinion", "is missing"))?;
    text::check("note", &request.note, MAX_NOTE_CHARS)?;
    if request.note.len() > MAX_NOTE_BYTES {
        return Err(Invalid::new("note", format!("is longer than {MAX_NOTE_BYTES} bytes")));
    }
    let note = (!request.note.is_empty()).then(|| request.note.as_str().into());
    let sharing = request.sharing.as_ref().map(|shared| sharing::read(Some(shared))).transpose()?;
    let about = Position::new(version.sequence, version.index);
    Ok(FeedbackRef { about, opinion, note, sharing })
}

/// Converts a sighting for one reader.
pub fn sighting(
    position: Position,
    author: &PartnerId,
    accepted: Timestamp,
    sighting: &Sighting,
    view: &SharingView,
) -> pb::VisibleSighting {
    pb::VisibleSighting {
        version: Some(indicator::version(position)),
        author: author.to_string(),
        accepted_at: Some(timestamp(accepted)),
        indicator: Some(indicator::write(&sighting.indicator, sighting.id)),
        count: sighting.count,
        first_seen: sighting.first_seen.map(timestamp),
        last_seen: sighting.last_seen.map(timestamp),
        sharing: Some(sharing::write(view)),
    }
}
