//! Page tokens of a tip: the last entry or indicator of a page, as opaque text.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::Invalid;

/// The token for the page after `last`. Empty if there is no further page.
pub fn next(last: Option<(u64, u32)>, more: bool) -> String {
    let Some((sequence, index)) = last.filter(|_| more) else { return String::new() };
    let bytes = [&sequence.to_be_bytes()[..], &index.to_be_bytes()].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Parses a token: the sequence and index after which the page starts. `None` for the first page.
pub fn read(field: &'static str, token: &str) -> Result<Option<(u64, u32)>, Invalid> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let bytes: [u8; 12] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (sequence, index) = bytes.split_first_chunk()?;
        let index = u32::from_be_bytes(index.try_into().ok()?);
        Some((u64::from_be_bytes(*sequence), index))
    };
    let reason = "is not one that the exchange handed out";
    read().map(Some).ok_or_else(|| Invalid::new(field, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let token = next(Some((7, 9)), true);
        assert_eq!(read("page_token", &token), Ok(Some((7, 9))));
        assert_eq!((next(Some((7, 9)), false), next(None, true)), (String::new(), String::new()));
        assert_eq!(read("page_token", ""), Ok(None));
        for bad in ["!", "AAAA", &format!("{token}A")] {
            assert_eq!(read("page_token", bad).unwrap_err().field, "page_token");
        }
    }
}
