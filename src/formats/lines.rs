//! Lines of a text of any size.

use std::io::{self, BufRead, Read};

/// Bytes that a line may have. A list has one value in each.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// Reads lines, one at a time.
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: usize,
}

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The number of the line in the file, from 1.
    pub number: usize,
    /// The text without the end of the line.
    pub text: &'a str,
    /// Whether only its beginning is here, because it is too long.
    pub is_cut: bool,
}

impl<R: BufRead> Lines<R> {
    /// The lines of a reader.
    pub const fn of(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), number: 0 }
    }

    /// The next line. `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let mut limited = self.reader.by_ref().take(MAX_LINE_BYTES);
        if limited.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let is_cut = self.buffer.len() as u64 == MAX_LINE_BYTES && !self.buffer.ends_with(b"\n");
        if is_cut {
            self.reader.skip_until(b'\n')?;
        }
        let text = match std::str::from_utf8(&self.buffer) {
            Ok(text) => text,
            // Where a line is cut, a character may be as well.
            Err(error) if is_cut => {
                std::str::from_utf8(&self.buffer[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return Err(io::Error::other("the file was changed while it was read")),
        };
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Ok(Some(Line { number: self.number, text, is_cut }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_is_whole() {
        let long = "é".repeat(1024 * 1024);
        let text = format!("a\r\n{long}\nb");
        let mut lines = Lines::of(text.as_bytes());
        let a = Line { number: 1, text: "a", is_cut: false };
        assert_eq!(lines.next().unwrap(), Some(a));
        let cut = lines.next().unwrap().unwrap();
        assert!(cut.is_cut && cut.number == 2 && cut.text.len() as u64 <= MAX_LINE_BYTES);
        let b = Line { number: 3, text: "b", is_cut: false };
        assert_eq!(lines.next().unwrap(), Some(b));
        assert_eq!(lines.next().unwrap(), None);
    }
}
