//! Pages in HTML, as the blocks of a report. Scripts, styles and menus are left out.

mod grid;
mod writer;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};

use self::writer::Writer;
use super::report::{self, Block};
use super::{Assumed, Output};

/// Whether a text is a page.
pub fn is_html(head: &str) -> bool {
    let start = head.trim_start();
    let start: String = start.chars().take(1_000).collect::<String>().to_ascii_lowercase();
    // A table may stand after a sentence.
    let has_table =
        start.contains("<tr") && start.lines().any(|line| line.trim_start().starts_with("<table"));
    let has_tag = || {
        ["<!doctype html", "<html", "<body", "<table", "<head", "<div", "<ul", "<h1", "<p>"]
            .iter()
            .any(|tag| start.contains(tag))
    };
    has_table || (start.starts_with('<') && has_tag())
}

/// Reads a page. The row of a record is its line.
pub fn read(page: &str, assumed: &Assumed, out: &mut Output<'_>) {
    let (blocks, has_more_columns) = write(page);
    if has_more_columns {
        out.unread_columns([format!("columns after the {}th of a table", grid::MAX_COLUMNS)]);
    }
    report::read(&blocks, assumed, out);
}

/// The blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    write(page).0
}

/// The blocks of a page, and whether a table has columns that are left out.
fn write(page: &str) -> (Vec<Block>, bool) {
    let mut writer = Writer::default();
    let mut place = Place { page, offset: 0, row: 1 };
    for Ok(token) in Tokenizer::new_with_emitter(page, DefaultEmitter::<usize>::new_with_span()) {
        match token {
            Token::StartTag(tag) => {
                writer.row = place.row_of(tag.span.start);
                let attribute = |name: &[u8]| {
                    let value = tag.attributes.get(name)?;
                    Some(String::from_utf8_lossy(value).into_owned())
                };
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                writer.open(&name, &attribute, tag.self_closing);
            }
            Token::EndTag(tag) => {
                writer.row = place.row_of(tag.span.start);
                writer.close(&String::from_utf8_lossy(&tag.name));
            }
            Token::String(text) => {
                writer.row = place.row_of(text.span.start);
                writer.text(&String::from_utf8_lossy(&text));
            }
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    writer.finish()
}

/// A place in a page.
struct Place<'a> {
    page: &'a str,
    offset: usize,
    row: usize,
}

impl Place<'_> {
    /// The line of an offset, which is not before the last one.
    fn row_of(&mut self, offset: usize) -> usize {
        let passed = self.page.get(self.offset..offset).unwrap_or_default();
        self.row += passed.matches('\n').count();
        self.offset = self.offset.max(offset);
        self.row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{Class, read};

    const PAGE: &str = "<!DOCTYPE html><html><head><title>x</title><script>var a = 'b[.]example';</script></head><body>\
        <nav><ul><li><a href=\"https://site.example/\">n[.]example</a></li></ul></nav>\
        <h1>A network</h1><p>It used a[.]example, as <a href=\"https://blog.example/x\">we wrote</a>.</p>\
        <table><tr><th>Type</th><th>Indicator</th></tr><tr><td>domain</td><td><a href='https://c.example'>c.example</a>\
        </td></tr><tr><td>url</td><td>https://d.example/a|b</td></tr></table>\
        <h2>Domains</h2><ul><li>e.example</li><li>f.example</li></ul><h2>Notes</h2><p>g.example is a news site.</p>\
        <pre>h.example\ni.example</pre><p>Run <code>j.example</code> &amp; more</p></body></html>";

    #[test]
    fn a_page_is_read_as_the_report_that_it_is() {
        let records = read(PAGE.as_bytes(), None).unwrap();
        let values: Vec<_> = records
            .iter()
            .filter_map(|record| match &record.class {
                Class::Indicator(read) => Some(read.value()),
                _ => None,
            })
            .collect();
        let expected = [
            "a.example",
            "c.example",
            "https://d.example/a|b",
            "e.example",
            "f.example",
            "h.example",
            "i.example",
            "j.example",
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn a_large_page_takes_linear_time() {
        let page = format!("<html>{}", "<table><tr><td><a href='x'>[".repeat(50_000));
        assert!(!blocks(&page).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics_on_any_page(text in "(<(/)?(table|tr|td|a href='x'|pre|code|li|h2|script|nav)>|[a-z|`\\[\\]().é ]){0,60}") {
            let _ = blocks(&text);
        }
    }
}
