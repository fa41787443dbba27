//! Which of its own objects a partner means, in.

use super::indicator;
use super::pb;
use super::sharing::read_audience;
use crate::domain::audience::AudienceDigest;
use crate::domain::{IndicatorId, Invalid};

/// Keys as they were read, each or why not, and the audience that is meant alone.
pub type Keys = (Vec<Result<IndicatorId, Invalid>>, Option<AudienceDigest>);

const MAX_TEXT_CHARS: usize = 500;
const MAX_TEXT_BYTES: usize = 1_000;

/// Reads keys: an error is about them as a whole.
pub fn read_keys(asked: &pb::IndicatorKeys, most: usize) -> Result<Keys, Invalid> {
    let count = asked.keys.len();
    if count == 0 || count > most {
        let reason = format!("has {count} values, and may have 1 to {most}");
        return Err(Invalid::new("indicators.keys", reason));
    }
    let read = |key| indicator::read_key(key).map(|indicator| indicator.id());
    let audience = asked.audience.as_ref();
    let audience = audience.map(|named| read_audience(named, "indicators.audience")).transpose()?;
    Ok((asked.keys.iter().map(read).collect(), audience.as_ref().map(AudienceDigest::of)))
}

/// Reads a text that says why: the basis of a release, the reason of a hold.
pub fn read_why(field: &'static str, text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Invalid::new(field, "is missing"));
    }
    if text.chars().count() > MAX_TEXT_CHARS || text.len() > MAX_TEXT_BYTES {
        let reason =
            format!("is longer than {MAX_TEXT_CHARS} characters or {MAX_TEXT_BYTES} bytes");
        return Err(Invalid::new(field, reason));
    }
    Ok(text.to_owned())
}
