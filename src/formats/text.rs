//! Decodes bytes to text.

use std::borrow::Cow;

use super::Error;

/// Decodes UTF-8 with or without a byte order mark, or UTF-16 with one.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    if let Some(nul) = bytes.iter().position(|b| *b == 0) {
        return Err(Error::NotText { line: line_at(bytes, nul) });
    }
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|error| Error::NotText { line: line_at(bytes, error.valid_up_to()) })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, Error> {
    let units = bytes.chunks(2).map(|pair| match pair {
        [first, second] => unit([*first, *second]),
        _ => 0xfffd,
    });
    let text = char::decode_utf16(units).collect::<Result<String, _>>();
    text.map(Cow::Owned).map_err(|_| Error::NotText { line: 1 })
}

fn line_at(bytes: &[u8], offset: usize) -> usize {
    1 + bytes[..offset].split(|b| *b == b'\n').count() - 1
}
