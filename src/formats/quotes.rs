//! Blanks before quotes: some makers write `"a", "b, c"`. A parser of CSV takes such a quote for a part of the cell,
//! and the comma inside for the end of it.

use std::io::{self, BufRead, Read};

/// Whether a table has blanks before quotes in one of its first lines.
pub fn has_blanks_before(head: &str, separator: u8) -> bool {
    let pattern = [separator, b' '];
    let mut lines = head.lines().take(LINES);
    lines.any(|line| {
        let mut pieces = line.as_bytes().windows(2).enumerate().filter(|(_, two)| *two == pattern);
        pieces.any(|(at, _)| line[at + 1..].trim_start_matches(' ').starts_with('"'))
    })
}

/// Lines that are looked at.
const LINES: usize = 50;

/// Leaves out the blanks between a separator and a quote.
pub struct WithoutBlanks<R> {
    inner: R,
    separator: u8,
    state: State,
    /// Blanks at the beginning of a cell, which belong to it unless a quote follows.
    blanks: usize,
    ready: Vec<u8>,
    taken: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    CellBegins,
    Unquoted,
    Quoted,
    /// After a quote in a quoted cell: it ends, or another quote follows.
    QuoteInQuoted,
}

impl<R: BufRead> WithoutBlanks<R> {
    /// Reads a table whose cells are apart by `separator`.
    pub const fn of(inner: R, separator: u8) -> Self {
        let state = State::CellBegins;
        Self { inner, separator, state, blanks: 0, ready: Vec::new(), taken: 0 }
    }

    fn push(&mut self, byte: u8) {
        let ends_cell = byte == self.separator || byte == b'\n';
        self.state = match (self.state, byte) {
            (State::CellBegins, b' ') => {
                self.blanks += 1;
                return;
            }
            (State::CellBegins, b'"') => {
                self.blanks = 0;
                State::Quoted
            }
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::Quoted, _) | (State::QuoteInQuoted, b'"') => State::Quoted,
            _ if ends_cell => State::CellBegins,
            _ => State::Unquoted,
        };
        self.keep_blanks();
        self.ready.push(byte);
    }

    fn keep_blanks(&mut self) {
        self.ready.extend(std::iter::repeat_n(b' ', self.blanks));
        self.blanks = 0;
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() {
            let chunk = self.inner.fill_buf()?.to_vec();
            if chunk.is_empty() {
                self.keep_blanks();
                return Ok(());
            }
            for byte in &chunk {
                self.push(*byte);
            }
            self.inner.consume(chunk.len());
        }
        Ok(())
    }
}

impl<R: BufRead> Read for WithoutBlanks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.fill()?;
        }
        let rest = &self.ready[self.taken..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.taken += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn blanks_before_quotes_are_left_out_and_all_others_stay() {
        let table = [
            (r#""a", "b, c",  "d""#, r#""a","b, c","d""#),
            (r#""a, ""b"", c", d, e"#, r#""a, ""b"", c", d, e"#),
            ("a, b\n \"c\",  d  ", "a, b\n\"c\",  d  "),
            ("# \"a\", \"b\"", "# \"a\",\"b\""),
            ("\"a\nb\" , \" c\"", "\"a\nb\" ,\" c\""),
        ];
        for (text, expected) in table {
            // A small buffer: cells lie across its ends.
            let reader = BufReader::with_capacity(3, text.as_bytes());
            let mut read = String::new();
            WithoutBlanks::of(reader, b',').read_to_string(&mut read).unwrap();
            assert_eq!(read, expected);
        }
        assert!(has_blanks_before("a,b\n\"1\", \"2\"\n", b','));
        assert!(!has_blanks_before("a, b\n\"1\",\"2\"\n", b','));
    }
}
