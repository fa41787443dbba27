//! Cuts a JSON document of any size into the objects of one of its arrays, so that each can be parsed by itself.
//!
//! A parser that reads from a stream handles it byte by byte; cutting first and parsing from memory takes a third of
//! the time, and one broken object does not spoil the others.

use std::io::BufRead;

use super::{Error, Input};

/// Bytes that one object may have.
const MAX_ELEMENT_BYTES: usize = 32 * 1024 * 1024;
/// Containers around an element.
const MAX_DEPTH: usize = 64;
/// Bytes of a key that are compared. Longer keys are others.
const MAX_KEY_BYTES: usize = 64;

/// Which objects of a document are its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Those in arrays below this key.
    Below(&'static str),
    /// The objects of the document, or those in the array that it is.
    Top,
}

impl Place {
    /// Where the elements of an input are: below `key` if the first one there is accepted, otherwise at the top.
    pub fn detect(
        input: &Input,
        key: &'static str,
        is_accepted: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, Error> {
        let below = Self::Below(key);
        let mut elements = JsonElements::of(input.reader(), below);
        let is_below = elements.next()?.is_some_and(|(_, bytes)| is_accepted(bytes));
        Ok(if is_below { below } else { Self::Top })
    }
}

/// The elements of a document, one after the other.
pub struct JsonElements<R> {
    reader: R,
    scanner: Scanner,
    element: Vec<u8>,
    number: usize,
}

impl<R: BufRead> JsonElements<R> {
    /// Cuts what `reader` gives.
    pub fn of(reader: R, place: Place) -> Self {
        let scanner = Scanner { place, ..Scanner::default() };
        Self { reader, scanner, element: Vec::new(), number: 0 }
    }

    /// The next element with its number, from 1. `None` at the end of the document.
    pub fn next(&mut self) -> Result<Option<(usize, &[u8])>, Error> {
        self.element.clear();
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                return if self.scanner.is_complete() {
                    Ok(None)
                } else {
                    Err(self.broken("it ends too early"))
                };
            }
            let scanned = self.scanner.scan(chunk, &mut self.element);
            let length = chunk.len();
            match scanned {
                Scanned::Element { bytes } => {
                    self.reader.consume(bytes);
                    self.number += 1;
                    return Ok(Some((self.number, &self.element)));
                }
                Scanned::All => self.reader.consume(length),
                Scanned::Broken => return Err(self.broken("its brackets do not match")),
            }
            if self.element.len() > MAX_ELEMENT_BYTES {
                let megabytes = MAX_ELEMENT_BYTES >> 20;
                return Err(self.broken(&format!("an object has more than {megabytes} MB")));
            }
        }
    }

    fn broken(&self, reason: &str) -> Error {
        Error::Broken { row: self.number + 1, reason: format!("is not JSON: {reason}") }
    }
}

enum Scanned {
    /// An element ends after so many bytes.
    Element { bytes: usize },
    /// All bytes are used.
    All,
    /// Brackets do not match, or are too many.
    Broken,
}

/// A container around the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Object,
    Array,
    /// The array that holds the elements.
    Elements,
}

#[derive(Debug)]
struct Scanner {
    place: Place,
    containers: Vec<Container>,
    /// The last string outside of elements: a key, if a container follows.
    key: Vec<u8>,
    /// How many containers are open inside of the element. 0 outside.
    depth: usize,
    is_string: bool,
    is_escaped: bool,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            place: Place::Top,
            containers: Vec::new(),
            key: Vec::new(),
            depth: 0,
            is_string: false,
            is_escaped: false,
        }
    }
}

impl Scanner {
    fn is_complete(&self) -> bool {
        self.depth == 0 && self.containers.is_empty() && !self.is_string
    }

    fn scan(&mut self, chunk: &[u8], element: &mut Vec<u8>) -> Scanned {
        let mut at = 0;
        while at < chunk.len() {
            if self.depth > 0 {
                let (bytes, is_end) = self.scan_element(&chunk[at..]);
                element.extend_from_slice(&chunk[at..at + bytes]);
                at += bytes;
                if is_end {
                    return Scanned::Element { bytes: at };
                }
            } else {
                if !self.scan_outside(chunk[at]) {
                    return Scanned::Broken;
                }
                if self.depth > 0 {
                    element.push(b'{');
                }
                at += 1;
            }
        }
        Scanned::All
    }

    /// Scans bytes of an element. Returns how many, and whether the element ends with them.
    fn scan_element(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.is_string {
                if !self.is_escaped {
                    // Most of a document is in strings.
                    let rest = &bytes[at..];
                    at += memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                }
                if let Some(byte) = bytes.get(at) {
                    self.scan_string(*byte);
                    at += 1;
                }
                continue;
            }
            at += 1;
            match byte {
                b'"' => self.is_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at, true);
                    }
                }
                _ => {}
            }
        }
        (bytes.len(), false)
    }

    fn scan_string(&mut self, byte: u8) {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => self.is_string = false,
            _ => {}
        }
    }

    /// Scans a byte outside of elements. Returns whether brackets match so far.
    fn scan_outside(&mut self, byte: u8) -> bool {
        if self.is_string {
            self.scan_string(byte);
            if self.is_string && self.key.len() <= MAX_KEY_BYTES {
                self.key.push(byte);
            }
            return true;
        }
        match byte {
            b'"' => {
                self.is_string = true;
                self.key.clear();
            }
            b'{' if self.is_element() => self.depth = 1,
            b'{' => self.containers.push(Container::Object),
            b'[' => {
                let is_elements = match self.place {
                    Place::Below(key) => {
                        self.key == key.as_bytes()
                            && self.containers.last() == Some(&Container::Object)
                    }
                    Place::Top => self.containers.is_empty(),
                };
                let array = if is_elements { Container::Elements } else { Container::Array };
                self.containers.push(array);
                self.key.clear();
            }
            b'}' => return self.containers.pop() == Some(Container::Object),
            b']' => return self.containers.pop().is_some_and(|last| last != Container::Object),
            _ => {}
        }
        self.containers.len() <= MAX_DEPTH
    }

    fn is_element(&self) -> bool {
        match self.containers.last() {
            Some(last) => *last == Container::Elements,
            None => self.place == Place::Top,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn elements(text: &str, place: Place) -> Result<Vec<String>, Error> {
        // A small buffer: elements lie across its ends.
        let mut elements = JsonElements::of(BufReader::with_capacity(3, text.as_bytes()), place);
        let mut found = Vec::new();
        while let Some((_, element)) = elements.next()? {
            found.push(String::from_utf8(element.to_vec()).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn the_objects_below_a_key_are_cut_out_wherever_it_stands() {
        let place = Place::Below("objects");
        let bundle = r#"{"a":"[{\"","objects":[ {"id":"}\\"}, {"objects":[{"x":1}]} ],"z":{"objects":[{}]}}"#;
        let expected = [r#"{"id":"}\\"}"#, r#"{"objects":[{"x":1}]}"#, "{}"];
        assert_eq!(elements(bundle, place).unwrap(), expected);
        let bundles = r#"[{"objects":[{"a":1}]},{"objects":[{"b":2}]}]"#;
        assert_eq!(elements(bundles, place).unwrap().len(), 2);
        assert_eq!(elements(r#"{"objects":{"a":[{}]},"b":[{}]}"#, place).unwrap().len(), 0);
    }

    #[test]
    fn the_objects_of_a_document_are_those_in_lines_or_in_its_array() {
        assert_eq!(elements("{\"a\":1}\n{\"b\":[{}]}\n", Place::Top).unwrap().len(), 2);
        assert_eq!(elements("[{\"a\":1}, {\"b\":2}]", Place::Top).unwrap().len(), 2);
    }

    #[test]
    fn a_document_that_ends_early_or_has_other_brackets_is_broken() {
        for text in ["{\"objects\":[{\"a\":1}", "{\"objects\":[{\"a\":1}]]", "}", "[\"a"] {
            assert!(elements(text, Place::Below("objects")).is_err(), "{text}");
        }
        let deep = "[".repeat(1_000_000);
        assert!(elements(&deep, Place::Below("objects")).is_err());
    }
}
