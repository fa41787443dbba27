//! A JSON array that is written element by element, one on each line.

use std::io::{self, Write};

use serde_json::Value;

/// An object `{FRONT, "KEY": […]}` whose array is written as its elements come.
#[derive(Debug)]
pub struct ArrayWriter<W> {
    out: W,
    front: String,
    has_elements: bool,
}

impl<W: Write> ArrayWriter<W> {
    /// An array under `key`. `front` are the members before it, as JSON with a comma after each.
    pub fn new(out: W, front: &str, key: &str) -> Self {
        Self { out, front: format!("{{{front}\"{key}\":["), has_elements: false }
    }

    /// Writes one element.
    pub fn push(&mut self, element: &Value) -> io::Result<()> {
        self.separate()?;
        serde_json::to_writer(&mut self.out, element)?;
        Ok(())
    }

    /// Writes one element that is JSON already.
    pub fn push_line(&mut self, element: &[u8]) -> io::Result<()> {
        self.separate()?;
        self.out.write_all(element)
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        !self.has_elements
    }

    /// Ends the array, and the object with `behind`: its last members, each with a comma in front.
    /// Nothing may be written afterwards.
    pub fn finish(&mut self, behind: &str) -> io::Result<()> {
        if self.is_empty() {
            self.out.write_all(self.front.as_bytes())?;
        }
        writeln!(self.out, "\n]{behind}}}")?;
        self.out.flush()
    }

    /// The output, for an object whose array is left out because it is empty.
    pub fn output(&mut self) -> &mut W {
        &mut self.out
    }

    /// Gives the output back.
    pub fn into_output(self) -> W {
        self.out
    }

    fn separate(&mut self) -> io::Result<()> {
        let separator = if self.has_elements { ",\n" } else { "\n" };
        if !self.has_elements {
            self.out.write_all(self.front.as_bytes())?;
            self.has_elements = true;
        }
        self.out.write_all(separator.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_array_is_json_with_any_number_of_elements() {
        for count in 0..3 {
            let mut out = Vec::new();
            let mut array = ArrayWriter::new(&mut out, "\"a\":1,", "data");
            for number in 0..count {
                array.push(&json!(number)).unwrap();
            }
            assert_eq!(array.is_empty(), count == 0);
            array.finish(",\"z\":2").unwrap();
            let numbers: Vec<_> = (0..count).collect();
            let read: Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(read, json!({ "a": 1, "data": numbers, "z": 2 }));
        }
    }
}
