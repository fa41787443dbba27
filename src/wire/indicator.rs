//! Indicators, and the keys by which people name them.

use super::pb;
use super::words::ProtoEnum;
use crate::domain::{Indicator, IndicatorId, Invalid, Kind, Platform, Position};

/// Writes an indicator with its id, where that is known already.
pub fn write(indicator: &Indicator, id: IndicatorId) -> pb::Indicator {
    given(indicator.clone(), id)
}

/// Writes an indicator that nobody needs any more.
pub fn given(indicator: Indicator, id: IndicatorId) -> pb::Indicator {
    pb::Indicator {
        id: id.to_string(),
        kind: pb::Kind::from(indicator.kind()).into(),
        platform: indicator.platform().map(Platform::as_str).unwrap_or_default().to_owned(),
        value: indicator.into_value().into(),
    }
}

/// Reads an indicator as people write it: the kind is read off the value where none is given.
pub fn read(kind: i32, platform: &str, value: &str) -> Result<Indicator, Invalid> {
    let platform = Some(platform).filter(|platform| !platform.is_empty());
    match Kind::read(kind)? {
        Some(kind) => Indicator::parse(kind, platform, value),
        None => Indicator::read(value, platform),
    }
}

/// Reads a key.
pub fn read_key(key: &pb::IndicatorKey) -> Result<Indicator, Invalid> {
    read(key.kind, &key.platform, &key.value)
}

/// Writes a version.
pub fn version(position: Position) -> pb::Version {
    pb::Version { sequence: position.sequence, index: position.index }
}
