//! Markdown reports: tables are tables, blocks of code are lists, and so are lists below a heading such as `Domains`.
//! In the text around them, defanged and back-ticked values are values, and sentences about removals hold counts.
//! Targets of links, headings and sections of references are not read.

use csv::StringRecord;

use super::columns::{Columns, TtpColumns};
use super::{Assumed, Class, Details, Record, cell, count, list, table};
use crate::domain::refang::refang;

/// Words in the heading of a section that lists what others wrote.
const REFERENCE_SECTIONS: &[&str] = &[
    "reference",
    "cross-link",
    "further reading",
    "related",
    "sources",
    "see also",
    "links",
    "credits",
];

/// Whether a text is Markdown: it has a heading, and a table or a second heading.
pub fn is_markdown(text: &str) -> bool {
    let headings = text.lines().filter(|line| level(line).is_some()).count();
    let has_table = text.lines().any(is_separator);
    (headings > 0 && has_table) || (headings > 1 && text.lines().any(|line| line.contains("](")))
}

/// Reads a report. The row of a record is its line.
pub fn read(text: &str, assumed: &Assumed) -> Vec<Record> {
    let lines: Vec<&str> = text.lines().collect();
    let mut section = Section::default();
    let mut is_code = false;
    let mut records = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let (line, row) = (lines[at].trim(), at + 1);
        at += 1;
        if line.starts_with("```") || line.starts_with("~~~") {
            is_code = !is_code;
        } else if let Some(level) = level(line).filter(|_| !is_code) {
            section.enter(level, line);
        } else if section.skipped.is_some() {
            // References: what others wrote.
        } else if is_code {
            read_whole_line(line, None, row, &mut records);
        } else if line.contains('|') && lines.get(at).is_some_and(|next| is_separator(next)) {
            let body = &lines[at + 1..];
            let rows = body.iter().take_while(|row| row.contains('|')).count();
            read_table(line, &body[..rows], row + 2, assumed, &mut records);
            at += 1 + rows;
        } else if section.kind.is_some() && is_list_item(line) {
            read_whole_line(line, section.kind.as_deref(), row, &mut records);
        } else {
            read_text(line, row, &mut records);
        }
    }
    records
}

/// What the headings above a line say.
#[derive(Debug, Default)]
struct Section {
    /// The level of the heading of a section that is not read.
    skipped: Option<usize>,
    /// The kind of the values in list items: `## Domains`.
    kind: Option<String>,
}

impl Section {
    fn enter(&mut self, level: usize, heading: &str) {
        if self.skipped.is_some_and(|skipped| level > skipped) {
            return;
        }
        let lower = heading.to_lowercase();
        let is_reference = REFERENCE_SECTIONS.iter().any(|name| lower.contains(name));
        self.skipped = is_reference.then_some(level);
        self.kind = list::heading(heading).map(str::to_owned);
    }
}

fn is_list_item(line: &str) -> bool {
    line.starts_with(['-', '*', '+', '|']) || line.starts_with(|c: char| c.is_ascii_digit())
}

/// Reads a line that holds values and nothing else, or no value at all.
fn read_whole_line(line: &str, kind: Option<&str>, row: usize, records: &mut Vec<Record>) {
    let classes = cell::read_line(line, kind, None).into_iter();
    push(line, row, classes.filter(|class| matches!(class, Class::Indicator(_))), records);
}

fn push(line: &str, row: usize, classes: impl Iterator<Item = Class>, records: &mut Vec<Record>) {
    records.extend(classes.map(|class| Record {
        row,
        raw: line.to_owned(),
        class,
        details: Details::default(),
    }));
}

/// The level of a heading: `## Domains` has 2.
fn level(line: &str) -> Option<usize> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    ((1..=6).contains(&level) && line[level..].starts_with(' ')).then_some(level)
}

/// Whether a line is the one between the header and the rows of a table: `| --- | :---: |`.
fn is_separator(line: &str) -> bool {
    let line = line.trim();
    line.contains('-')
        && line.contains('|')
        && line.bytes().all(|b| matches!(b, b'|' | b'-' | b':' | b' '))
}

fn read_table(
    header: &str,
    rows: &[&str],
    first_line: usize,
    assumed: &Assumed,
    records: &mut Vec<Record>,
) {
    let header = cells(header);
    let ttp = TtpColumns::of(&header);
    let columns = Columns::of(&header, assumed.column.as_deref());
    for (row, line) in (first_line..).zip(rows) {
        let cells = cells(line);
        match (&ttp, &columns) {
            (Some(columns), _) => table::ttp_row(row, &cells, columns, records),
            (None, Some(columns)) => table::columns_row(row, &cells, columns, assumed, records),
            (None, None) => cells.iter().for_each(|cell| read_text(cell, row, records)),
        }
    }
}

/// The cells of a row, without back-ticks. `\|` is a bar inside of a cell.
fn cells(line: &str) -> StringRecord {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').unwrap_or(line).replace("\\|", "\u{0}");
    line.split('|').map(|cell| cell.trim().replace('`', "").replace('\u{0}', "|")).collect()
}

/// Reads a line of text: counts of removals, defanged values, and values between back-ticks.
fn read_text(line: &str, row: usize, records: &mut Vec<Record>) {
    let text = without_link_targets(line);
    let counts = count::in_prose(&text).into_iter().map(Class::Aggregate);
    let values = marked_values(&text).into_iter().flat_map(|text| cell::read(text, None));
    let values = values.filter(|class| matches!(class, Class::Indicator(_)));
    push(line, row, counts.chain(values), records);
}

/// A line with the text of its links in place of `[text](target)`: a target is a reference.
fn without_link_targets(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((front, behind)) = rest.split_once("](") {
        let Some((_, behind)) = behind.split_once(')') else { break };
        // The bracket that opens the link. Brackets of defanged dots in its text close before it ends.
        let mut depth = 1;
        let opening = front.rmatch_indices(['[', ']']).find(|(_, bracket)| {
            depth = if *bracket == "[" { depth - 1 } else { depth + 1 };
            depth == 0
        });
        match opening {
            Some((at, _)) => {
                plain.push_str(&front[..at]);
                plain.push_str(&front[at + 1..]);
            }
            None => plain.push_str(front),
        }
        rest = behind;
    }
    plain.push_str(rest);
    plain
}

/// The parts of a line that can only be values: between back-ticks, or defanged.
fn marked_values(line: &str) -> Vec<&str> {
    let (mut parts, mut is_code) = (Vec::new(), false);
    for part in line.split('`') {
        if is_code {
            parts.push(part);
        } else {
            parts.extend(part.split_whitespace().filter(|word| is_defanged(word)));
        }
        is_code = !is_code;
    }
    parts
}

fn is_defanged(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let has_mark = ["[.]", "(.)", "{.}", "[dot]", "[at]", "[@]", "[:]", "hxxp"];
    has_mark.iter().any(|mark| lower.contains(mark)) && refang(word) != word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        let records = read(text, &Assumed::default()).into_iter();
        let values = records.filter_map(|record| match record.class {
            Class::Indicator(read) => Some(read.value().to_owned()),
            _ => None,
        });
        values.collect()
    }

    #[test]
    fn text_yields_marked_values_and_no_links() {
        let text = "# A network\n\nIt used a[.]example and `b.example`, as [we wrote](https://blog.example/x) on \
                    news.example.\n\n## References\n\n- hxxps://c[.]example/x\n\n## Domains\n\n- d[.]example\n";
        assert!(is_markdown(text));
        assert_eq!(values(text), ["a.example", "b.example", "d.example"]);
    }

    #[test]
    fn lists_below_a_kind_and_blocks_of_code_yield_values() {
        let text = "# A network\n\n## Domains\n\nThey used news.example as well.\n\n- a.example\n- b.example (now \
                    c.example)\n\n## Notes\n\n- d.example\n\n```\ne.example\ncurl https://f.example/x\n```\n\n\
                    As [g[.]example](https://blog.example/x) says.\n";
        assert!(is_markdown(text));
        let expected = ["a.example", "b.example", "c.example", "e.example", "g.example"];
        assert_eq!(values(text), expected);
    }

    #[test]
    fn a_table_without_a_column_of_values_yields_what_is_marked() {
        let text = "# A network\n\n| Who | Where |\n|---|---|\n| desk | `a[.]example` |\n| news.example | - |\n";
        assert_eq!(values(text), ["a.example"]);
    }

    #[test]
    fn a_list_of_hashtags_is_no_report() {
        assert!(!is_markdown("# a comment\na.example\n#tag\n"));
    }
}
