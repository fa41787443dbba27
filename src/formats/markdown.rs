//! Markdown reports: tables are tables; in the text around them, defanged and back-ticked values are values, and
//! sentences about removals hold counts. Links, headings and sections of references are not read.

use csv::StringRecord;

use super::columns::{Columns, TtpColumns};
use super::{Assumed, Class, Details, Record, cell, count, table};
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
    let mut records = Vec::new();
    // The level of the heading whose section is not read.
    let mut skipped: Option<usize> = None;
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim();
        if let Some(level) = level(line) {
            let is_below = skipped.is_some_and(|skipped| level > skipped);
            let heading = line.to_lowercase();
            let is_reference = REFERENCE_SECTIONS.iter().any(|name| heading.contains(name));
            if !is_below {
                skipped = is_reference.then_some(level);
            }
        } else if skipped.is_none() {
            if lines.get(at + 1).is_some_and(|next| line.contains('|') && is_separator(next)) {
                let rows = lines[at + 2..].iter().take_while(|row| row.contains('|')).count();
                read_table(line, &lines[at + 2..at + 2 + rows], at + 3, assumed, &mut records);
                at += 2 + rows;
                continue;
            }
            read_text(line, at + 1, &mut records);
        }
        at += 1;
    }
    records
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
    let classes = count::in_prose(line).into_iter().map(Class::Aggregate);
    let values = marked(line).into_iter().flat_map(|text| cell::read(text, None));
    let values = values.filter(|class| matches!(class, Class::Indicator(_)));
    records.extend(classes.chain(values).map(|class| Record {
        row,
        raw: line.to_owned(),
        class,
        details: Details::default(),
    }));
}

/// The parts of a line that can only be values: between back-ticks, or defanged.
fn marked(line: &str) -> Vec<&str> {
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
    fn a_table_without_a_column_of_values_yields_what_is_marked() {
        let text = "# A network\n\n| Who | Where |\n|---|---|\n| desk | `a[.]example` |\n| news.example | - |\n";
        assert_eq!(values(text), ["a.example"]);
    }

    #[test]
    fn a_list_of_hashtags_is_no_report() {
        assert!(!is_markdown("# a comment\na.example\n#tag\n"));
    }
}
