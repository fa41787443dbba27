//! Indicators, and the keys by which clients name them.

use super::enums::ProtoEnum;
use super::pb;
use crate::domain::{Indicator, IndicatorId, Invalid, Kind, Platform, Position};

/// Converts an indicator with its id, without computing the id again.
pub fn write(indicator: &Indicator, id: IndicatorId) -> pb::Indicator {
    write_owned(indicator.clone(), id)
}

/// Like [`write`], but consumes the indicator.
pub fn write_owned(indicator: Indicator, id: IndicatorId) -> pb::Indicator {
    pb::Indicator {
        id: id.to_string(),
        kind: pb::Kind::from(indicator.kind()).into(),
        platform: indicator.platform().map(Platform::as_str).unwrap_or_default().to_owned(),
        value: indicator.into_value().into(),
    }
}

/// Parses an indicator. The kind is detected if it is not set.
pub fn read(kind: i32, platform: &str, value: &str) -> Result<Indicator, Invalid> {
    let platform = Some(platform).filter(|platform| !platform.is_empty());
    match Kind::read(kind)? {
        Some(kind) => Indicator::parse(kind, platform, value),
        None => Indicator::read(value, platform),
    }
}

/// Parses a key.
pub fn read_key(key: &pb::IndicatorKey) -> Result<Indicator, Invalid> {
    read(key.kind, &key.platform, &key.value)
}

/// Converts a version.
pub fn version(position: Position) -> pb::Version {
    pb::Version { sequence: position.sequence, index: position.index }
}
