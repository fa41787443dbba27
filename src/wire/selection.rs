//! Selection of the caller's own objects.

use super::indicator;
use super::pb;
use super::sharing::read_audience;
use crate::domain::audience::AudienceDigest;
use crate::domain::{IndicatorId, Invalid, text};

/// Parsed keys, each an id or an error; and the audience that the selection is limited to.
pub type Keys = (Vec<Result<IndicatorId, Invalid>>, Option<AudienceDigest>);

const MAX_TEXT_CHARS: usize = 500;
const MAX_TEXT_BYTES: usize = 1_000;

/// Parses keys. An error is about the selection as a whole.
pub fn read_keys(message: &pb::IndicatorKeys, max: usize) -> Result<Keys, Invalid> {
    let count = message.keys.len();
    if count == 0 || count > max {
        let reason = format!("has {count} values: the limit is 1 to {max}");
        return Err(Invalid::new("indicators.keys", reason));
    }
    let read = |key| indicator::read_key(key).map(|indicator| indicator.id());
    let audience = message.audience.as_ref();
    let audience = audience.map(|named| read_audience(named, "indicators.audience")).transpose()?;
    Ok((message.keys.iter().map(read).collect(), audience.as_ref().map(AudienceDigest::of)))
}

/// Parses a reason: the basis of a release or the reason of a hold.
pub fn read_reason(field: &'static str, reason: &str) -> Result<String, Invalid> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Invalid::new(field, "is missing"));
    }
    text::check(field, reason, MAX_TEXT_CHARS)?;
    if reason.len() > MAX_TEXT_BYTES {
        return Err(Invalid::new(field, format!("is longer than {MAX_TEXT_BYTES} bytes")));
    }
    Ok(reason.to_owned())
}
