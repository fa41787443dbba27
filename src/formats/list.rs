//! One value a line.

use super::{Class, Details, Record, cell};

/// Reads a list. Blank lines and comments (`# …` with a blank, `//`, `;`) are passed over; `#tag` is
/// a hashtag.
pub fn read(text: &str) -> Vec<Record> {
    let lines = text.lines().enumerate();
    let values = lines.filter(|(_, line)| !is_comment(line.trim()));
    values
        .map(|(at, line)| Record {
            row: at + 1,
            raw: line.to_owned(),
            class: match cell::read_with_platform(line, None) {
                // A line of a list was meant as a value.
                Class::Neither(neither) => Class::Neither(neither),
                class => class,
            },
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
