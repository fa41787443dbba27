//! Conversion between the generated types of `tipoff.v1` and the domain types.
//!
//! Incoming: every field is validated here by itself, and errors name the field. What depends on the registry or
//! on other requests (audiences, limits, times that have passed) is checked in [`crate::exchange`].
//! Outgoing: defaults are filled in, and a reader gets only its own part of a sharing.

pub mod assessment;
pub mod campaign;
pub mod cursor;
pub mod encoded;
pub mod enforcement;
pub mod enums;
pub mod feed;
mod fields;
pub mod filter;
pub mod indicator;
pub mod known;
pub mod partner;
pub mod purpose;
pub mod reaction;
pub mod receipt;
pub mod received;
pub mod selection;
pub mod sharing;
pub mod submission;
pub mod tip;

/// Generated messages and clients of `tipoff.v1`.
#[allow(missing_docs, clippy::pedantic, clippy::large_enum_variant)]
pub mod pb {
    tonic::include_proto!("tipoff.v1");
}

/// Generated servers of `tipoff.v1`.
#[allow(missing_docs, clippy::pedantic)]
pub mod servers {
    include!(concat!(env!("OUT_DIR"), "/servers/tipoff.v1.rs"));
}

/// The descriptors of `tipoff.v1`, for server reflection and the method table.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tipoff.v1.bin"));

use crate::domain::{Invalid, Timestamp};

/// Converts a timestamp.
pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let millis = time.as_millis();
    prost_types::Timestamp {
        seconds: millis.div_euclid(1000),
        nanos: i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or(0),
    }
}

/// Parses a timestamp, truncated to milliseconds. Accepts protobuf's range: years 1 to 9999.
pub fn read_timestamp(
    field: &'static str,
    time: &prost_types::Timestamp,
) -> Result<Timestamp, Invalid> {
    const FIRST_SECOND: i64 = -62_135_596_800;
    const LAST_SECOND: i64 = 253_402_300_799;
    let in_range = (FIRST_SECOND..=LAST_SECOND).contains(&time.seconds)
        && (0..1_000_000_000).contains(&time.nanos);
    if !in_range {
        return Err(Invalid::new(field, "is not a time between the years 1 and 9999"));
    }
    Ok(Timestamp::from_millis(time.seconds * 1000 + i64::from(time.nanos) / 1_000_000))
}
