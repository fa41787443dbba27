//! Sightings and feedback, in and out.

use prost::Message;
use sha2::{Digest, Sha256};

use super::words::ProtoEnum;
use super::{indicator, pb, read_timestamp, sharing, timestamp};
use crate::domain::entry::{Rejection, RequestId, Sighting};
use crate::domain::feedback::Opinion;
use crate::domain::sharing::{SharingRequest, SharingView};
use crate::domain::{Invalid, PartnerId, Position, Timestamp};

const MAX_NOTE_CHARS: usize = 2_000;
/// With its sharing it has to fit one value of the index, and those stay below 8 KB.
const MAX_NOTE_BYTES: usize = 4_000;

/// A request under a key: the key, and SHA-256 of what was sent.
pub type Keyed = (RequestId, [u8; 32]);

/// Reads the key of a request.
pub fn read_key(request_id: &str, request: &impl Message) -> Result<Keyed, Invalid> {
    let key = RequestId::parse(request_id)
        .map_err(|invalid| Invalid::new("request_id", invalid.reason))?;
    // Over what was sent, before defaults: encoding is canonical for messages without maps.
    Ok((key, Sha256::digest(request.encode_to_vec()).into()))
}

/// Reads sightings: an error is about the request as a whole, and what cannot be read is rejected one
/// by one.
pub fn read_sightings(
    request: &pb::ReportSightingsRequest,
    most: usize,
    now: Timestamp,
) -> Result<(SharingRequest, Vec<Sighting>, Vec<Rejection>), Invalid> {
    let count = request.sightings.len();
    if count == 0 || count > most {
        let reason = format!("has {count} sightings, and may have 1 to {most}");
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

fn read_sighting(index: u32, seen: &pb::Sighting, now: Timestamp) -> Result<Sighting, Invalid> {
    let key = seen.indicator.as_ref().ok_or_else(|| Invalid::new("indicator", "is missing"))?;
    let indicator = indicator::read_key(key)?;
    if seen.count == 0 {
        return Err(Invalid::new("count", "is missing: what was seen was seen at least once"));
    }
    let time = |field, time: &Option<prost_types::Timestamp>| {
        time.as_ref().map(|time| read_timestamp(field, time)).transpose()
    };
    let first_seen = time("first_seen", &seen.first_seen)?;
    let last_seen = time("last_seen", &seen.last_seen)?;
    if first_seen.zip(last_seen).is_some_and(|(first, last)| last < first) {
        return Err(Invalid::new("last_seen", "is before first_seen"));
    }
    if first_seen.or(last_seen).is_some_and(|first| first > now) {
        return Err(Invalid::new("first_seen", "is in the future"));
    }
    let (id, count) = (indicator.id(), seen.count);
    Ok(Sighting { index, id, indicator, count, first_seen, last_seen })
}

/// What somebody thinks of a version.
#[derive(Clone, Debug)]
pub struct FeedbackRef {
    /// The version.
    pub about: Position,
    /// How far it is agreed with.
    pub opinion: Opinion,
    /// Why.
    pub note: Option<Box<str>>,
    /// Who is told besides the assessment's author.
    pub sharing: Option<SharingRequest>,
}

/// Reads how far somebody agrees with which version, and why.
pub fn read_feedback(request: &pb::GiveFeedbackRequest) -> Result<FeedbackRef, Invalid> {
    let version = request.version.ok_or_else(|| Invalid::new("version", "is missing"))?;
    let opinion =
        Opinion::read(request.opinion)?.ok_or_else(|| Invalid::new("opinion", "is missing"))?;
    if request.note.chars().count() > MAX_NOTE_CHARS || request.note.len() > MAX_NOTE_BYTES {
        let reason =
            format!("is longer than {MAX_NOTE_CHARS} characters or {MAX_NOTE_BYTES} bytes");
        return Err(Invalid::new("note", reason));
    }
    let note = (!request.note.is_empty()).then(|| request.note.as_str().into());
    let sharing = request.sharing.as_ref().map(|shared| sharing::read(Some(shared))).transpose()?;
    let about = Position::new(version.sequence, version.index);
    Ok(FeedbackRef { about, opinion, note, sharing })
}

/// Writes a sighting as a reader may see it.
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
