//! Converts sightings and feedback.

use super::endings::{read_target, write_target};
use super::sharing::{read_sharing, write_sharing};
use super::{
    DecodeError, Decoded, boxed, number, pb, read_id, read_rejected, required, write_rejected,
};
use crate::domain::entry::{Feedback, RequestId, Sighting, Sightings};
use crate::domain::feedback::Opinion;
use crate::domain::{Indicator, Kind, PartnerId, Platform, Timestamp};

pub fn write_sightings(sightings: &Sightings) -> pb::Sightings {
    pb::Sightings {
        request: sightings.request.to_string(),
        digest: sightings.digest.to_vec(),
        sharing: Some(write_sharing(&sightings.sharing)),
        items: sightings.items.iter().map(write_sighting).collect(),
        rejected: write_rejected(&sightings.rejected),
    }
}

pub fn read_sightings(sightings: pb::Sightings) -> Decoded<Sightings> {
    let items = sightings.items.into_iter().map(read_sighting);
    Ok(Sightings {
        request: RequestId::from_stored(&sightings.request),
        digest: read_request_digest(sightings.digest)?,
        sharing: read_sharing(sightings.sharing.unwrap_or_default())?,
        items: items.collect::<Decoded<_>>()?,
        rejected: read_rejected(sightings.rejected),
    })
}

fn write_sighting(sighting: &Sighting) -> pb::Sighting {
    let indicator = &sighting.indicator;
    pb::Sighting {
        index: sighting.index,
        id: sighting.id.as_bytes().to_vec(),
        kind: number(Kind::ALL, &indicator.kind()),
        platform: indicator.platform().map(ToString::to_string).unwrap_or_default(),
        value: indicator.value().to_owned(),
        count: sighting.count,
        first_seen_ms: sighting.first_seen.map(Timestamp::as_millis),
        last_seen_ms: sighting.last_seen.map(Timestamp::as_millis),
    }
}

fn read_sighting(sighting: pb::Sighting) -> Decoded<Sighting> {
    let platform =
        (!sighting.platform.is_empty()).then(|| Platform::from_stored(sighting.platform));
    let kind = required("kind", Kind::ALL, sighting.kind)?;
    Ok(Sighting {
        index: sighting.index,
        id: read_id(sighting.id)?,
        indicator: Indicator::from_stored(kind, platform, sighting.value),
        count: sighting.count,
        first_seen: sighting.first_seen_ms.map(Timestamp::from_millis),
        last_seen: sighting.last_seen_ms.map(Timestamp::from_millis),
    })
}

pub fn write_feedback(feedback: &Feedback) -> pb::Feedback {
    pb::Feedback {
        request: feedback.request.to_string(),
        digest: feedback.digest.to_vec(),
        of: feedback.assessment_author.to_string(),
        about: Some(write_target(&feedback.target)),
        opinion: number(Opinion::ALL, &feedback.opinion),
        note: feedback.note.as_deref().unwrap_or_default().to_owned(),
        sharing: Some(write_sharing(&feedback.sharing)),
    }
}

pub fn read_feedback(feedback: pb::Feedback) -> Decoded<Feedback> {
    let target = read_target(feedback.about.unwrap_or_default())?;
    Ok(Feedback {
        request: RequestId::from_stored(&feedback.request),
        digest: read_request_digest(feedback.digest)?,
        assessment_author: PartnerId::from_stored(&feedback.of),
        target,
        opinion: required("opinion", Opinion::ALL, feedback.opinion)?,
        note: boxed(feedback.note),
        sharing: read_sharing(feedback.sharing.unwrap_or_default())?,
    })
}

pub fn read_request_digest(bytes: Vec<u8>) -> Decoded<[u8; 32]> {
    bytes.try_into().map_err(|_| DecodeError::Length("digest"))
}
