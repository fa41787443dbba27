//! Finds out how the text of a file is encoded.

use std::io::Read;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::Error;

/// What a scan of the bytes of a file found.
#[derive(Debug, Default)]
pub struct TextScan {
    /// Size in bytes.
    pub bytes: u64,
    /// The encoding that a byte order mark names.
    bom: Option<&'static Encoding>,
    /// The first line with a byte that no text contains, from 1.
    control_line: Option<usize>,
    /// The first line that is not UTF-8, from 1.
    invalid_line: Option<usize>,
    /// Bytes that are not UTF-8.
    invalid_bytes: u64,
    /// Characters of UTF-8 of more than one byte.
    wide_characters: u64,
    line: usize,
}

impl TextScan {
    /// Reads all bytes once.
    pub fn of(mut reader: impl Read) -> Result<Self, Error> {
        let mut scan = Self { line: 1, ..Self::default() };
        let mut buffer = vec![0; 64 * 1024];
        // Bytes at the end of a piece that may begin a character.
        let mut carried = 0;
        loop {
            let read = reader.read(&mut buffer[carried..])?;
            if scan.bytes == 0 {
                scan.bom = byte_order_mark(&buffer[..read]);
            }
            scan.bytes += read as u64;
            let end = carried + read;
            let used = scan.add(&buffer[..end], read == 0);
            if read == 0 {
                return Ok(scan);
            }
            buffer.copy_within(used..end, 0);
            carried = end - used;
        }
    }

    /// Whether a byte order mark names the encoding.
    pub const fn has_bom(&self) -> bool {
        self.bom.is_some()
    }

    /// The encoding to decode from; `None` for UTF-8.
    pub fn encoding(&self) -> Result<Option<&'static Encoding>, Error> {
        if self.bom.is_some() {
            return Ok(self.bom);
        }
        if let Some(line) = self.control_line {
            return Err(Error::NotText { line });
        }
        match self.invalid_line {
            None => Ok(None),
            // Most letters beyond ASCII are UTF-8: the others are damage, and not another encoding.
            Some(line) if self.wide_characters >= self.invalid_bytes => {
                Err(Error::NotText { line })
            }
            Some(_) => Ok(Some(WINDOWS_1252)),
        }
    }

    /// Checks the beginning of a stream: whether it can be text.
    pub fn check_start(&self, head: &[u8]) -> Result<(), Error> {
        if let Some(format) = super::refused::unreadable_format(head) {
            return Err(Error::Unreadable(format));
        }
        match self.control_line {
            Some(line) if self.bom.is_none() => Err(Error::NotText { line }),
            _ => Ok(()),
        }
    }

    /// Adds a piece, and returns how many bytes of it were used: a character may go on in the next piece.
    fn add(&mut self, piece: &[u8], is_last: bool) -> usize {
        let mut rest = piece;
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.add_text(text);
                    return piece.len();
                }
                Err(error) => {
                    let (valid, behind) = rest.split_at(error.valid_up_to());
                    self.add_text(std::str::from_utf8(valid).unwrap_or_default());
                    let invalid = match error.error_len() {
                        Some(length) => length,
                        None if is_last => behind.len(),
                        None => return piece.len() - behind.len(),
                    };
                    self.invalid_line.get_or_insert(self.line);
                    self.invalid_bytes += invalid as u64;
                    rest = &behind[invalid..];
                }
            }
        }
    }

    fn add_text(&mut self, text: &str) {
        if !text.is_ascii() {
            self.wide_characters += text.chars().filter(|c| c.len_utf8() > 1).count() as u64;
        }
        if self.control_line.is_none()
            && let Some(at) = text.bytes().position(|byte| byte == 0)
        {
            let lines = text[..at].matches('\n').count();
            self.control_line = Some(self.line + lines);
        }
        self.line += text.bytes().filter(|byte| *byte == b'\n').count();
    }
}

/// The encoding that a byte order mark names, other than UTF-8.
fn byte_order_mark(start: &[u8]) -> Option<&'static Encoding> {
    let (encoding, _) = Encoding::for_bom(start)?;
    (encoding != UTF_8).then_some(encoding)
}
