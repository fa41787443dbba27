//! One value a line.

use super::{Assumed, Details, Record};

/// Reads a list. Blank lines and comments (`# …` with a blank, `//`, `;`) are passed over; `#tag` is
/// a hashtag.
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
