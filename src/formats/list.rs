//! Lists with values in each line: plain lists, block lists, hosts files and filter lists.

use super::kinds::DeclaredType;
use super::{Assumed, Details, Record, cell};
use crate::domain::{Indicator, Kind};

/// Reads a list. Skips blank lines and comments (`# …` with a blank, `//`, `;`, `!`). `#tag` is a
/// hashtag. A heading such as `Domains:` declares the kind of the lines below it.
pub fn read(text: &str, assumed: &Assumed) -> Vec<Record> {
    let mut section: Option<String> = None;
    let mut records = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if is_comment(trimmed) {
            continue;
        }
        if let Some(kind) = heading(trimmed) {
            section = Some(kind.to_owned());
            continue;
        }
        let value = without_block_list_syntax(trimmed);
        let kind = assumed.kind.map(Kind::as_str);
        let platform = assumed.platform.as_deref();
        let mut classes = cell::read_line(value, kind.or(section.as_deref()), platform);
        // A heading says less than a kind that the user states: what it does not fit is read by itself.
        let is_unread = |classes: &[_]| !matches!(classes, [super::Class::Indicator(_), ..]);
        if kind.is_none() && section.is_some() && is_unread(&classes) {
            classes = cell::read_line(value, None, platform);
        }
        records.extend(classes.into_iter().map(|class| Record {
            row: at + 1,
            raw: line.to_owned(),
            class,
            details: Details::default(),
        }));
    }
    records
}

/// Whether a text is a list in sections: a heading that ends with a colon, or two headings. A single heading without
/// one may be the header of a table with one column.
pub fn has_sections(text: &str) -> bool {
    let mut headings = text.lines().map(str::trim).filter(|line| heading(line).is_some());
    headings.next().is_some_and(|first| first.ends_with(':') || headings.next().is_some())
}

/// The longest heading, in bytes. With the characters of values ruled out, few lines have to be looked up.
const MAX_HEADING_BYTES: usize = 32;

/// The kind that a heading names: `Domains:`, `MD5`, `## IP addresses`. `#domains` is a hashtag.
pub fn heading(line: &str) -> Option<&str> {
    let name = match line.trim_start_matches('#') {
        name if name.len() == line.len() => name,
        name => name.strip_prefix(' ')?,
    };
    let name = name.trim().trim_end_matches(':').trim();
    if name.len() > MAX_HEADING_BYTES || name.contains(['.', '/', '@', '[']) {
        return None;
    }
    let is_kind =
        DeclaredType::of(name).is_some_and(|it| it.is_indicator() || it == DeclaredType::Detected);
    (is_kind && Indicator::read(name, None).is_err()).then_some(name)
}

/// Takes off what the formats of block lists put around a value: comments behind it, the address of a hosts file,
/// the syntax of filter lists and of dnsmasq, and wildcards.
fn without_block_list_syntax(line: &str) -> &str {
    let line =
        line.split_once(" #").or_else(|| line.split_once("\t#")).map_or(line, |(value, _)| value);
    let line = line.trim();
    // A line of a hosts file may name several hosts.
    if let Some(("0.0.0.0" | "127.0.0.1" | "::" | "::1", hosts)) =
        line.split_once(char::is_whitespace)
    {
        return hosts.trim_start();
    }
    for directive in ["address=/", "server=/", "local=/"] {
        if let Some((host, _)) = line.strip_prefix(directive).and_then(|rest| rest.split_once('/'))
        {
            return host;
        }
    }
    let line = match line.strip_prefix("||") {
        Some(rule) => rule.split(['^', '$']).next().unwrap_or(rule),
        None => line,
    };
    line.strip_prefix("*.").or_else(|| line.strip_prefix('.')).unwrap_or(line)
}

fn is_comment(line: &str) -> bool {
    line.is_empty()
        || line == "#"
        || (line.starts_with("# ") && heading(line).is_none())
        || line.starts_with("//")
        || line.starts_with([';', '!'])
        || (line.starts_with("[Adblock") && line.ends_with(']'))
}
