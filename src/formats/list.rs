//! Lists with one value per line.

use super::{Assumed, Details, Record};

/// Reads a list. Skips blank lines and comments (`# …` with a blank, `//`, `;`). `#tag` is a
/// hashtag.
pub fn read(text: &str, assumed: &Assumed) -> Vec<Record> {
    let lines = text.lines().enumerate();
    let values = lines.filter(|(_, line)| !is_comment(line.trim()));
    values
        .map(|(at, line)| Record {
            row: at + 1,
            raw: line.to_owned(),
            class: assumed.class(None, None, line),
            details: Details::default(),
        })
        .collect()
}

fn is_comment(line: &str) -> bool {
    line.is_empty()
        || line == "#"
        || line.starts_with("# ")
        || line.starts_with("//")
        || line.starts_with(';')
}
