//! Reads a text paragraph by paragraph.

use super::super::lines::Lines;
use super::super::record::raw_text;
use super::super::report::{Introduction, Sections};
use super::super::{
    Assumed, Class, Details, Error, Input, Output, Record, SkipReason, cell, count, list,
};
use super::marked::{marked_values, without_link_targets};
use super::{MAX_PARAGRAPH_BYTES, ParagraphItem, Stated, paragraph};
use crate::domain::Kind;
use crate::domain::assessment::Verdict;

/// Longer lines are no headings.
const MAX_HEADING_WORDS: usize = 6;
const MAX_HEADING_BYTES: usize = 60;
/// The level of every heading: a text does not say more.
const HEADING_LEVEL: usize = 2;

/// Reads text. The row of a record is its line.
pub fn read(input: &Input, assumed: &Assumed, out: &mut Output<'_>) -> Result<(), Error> {
    let mut text = Text {
        verdict: assumed.verdict.unwrap_or(Verdict::Unknown),
        out,
        sections: Sections::default(),
        paragraph: Paragraph::default(),
        introduction: None,
        counts_follow: false,
        has_begun: false,
        is_signed: false,
        short_line: None,
    };
    let mut lines = Lines::of(input.reader());
    let mut is_signature = false;
    while let Some(line) = lines.next()? {
        if text.out.is_stopped() {
            break;
        }
        // What follows the mark of a signature is the author's.
        if line.text == "-- " {
            is_signature = true;
            text.add(0, "");
        } else if is_signature {
            text.record_left_out(line.number, line.text);
        } else {
            text.add(line.number, line.text);
        }
    }
    text.add(0, "");
    Ok(())
}

/// Lines in front of the name of who wrote a mail.
const SIGN_OFFS: &[&str] = &[
    "regards",
    "kind regards",
    "with kind regards",
    "warm regards",
    "best regards",
    "with best regards",
    "yours faithfully",
    "best wishes",
    "sincerely",
    "yours sincerely",
    "thanks",
    "many thanks",
    "thank you",
    "cheers",
];

struct Text<'a, 'out> {
    verdict: Verdict,
    out: &'a mut Output<'out>,
    sections: Sections,
    paragraph: Paragraph,
    /// What the paragraph before says of the values after it: `The domains were:`.
    introduction: Option<Introduction>,
    /// Whether it says that something was removed: `We removed:`.
    counts_follow: bool,
    /// Whether a line has been read.
    has_begun: bool,
    /// Whether the author has signed: `Kind regards`.
    is_signed: bool,
    /// A line that may be a heading.
    short_line: Option<(usize, String)>,
}

/// Lines without a blank one between them.
#[derive(Default)]
struct Paragraph {
    text: String,
    /// The lines as written.
    raw: Vec<String>,
    first_row: usize,
}

impl Text<'_, '_> {
    fn add(&mut self, row: usize, raw: &str) {
        let line = raw.trim_start_matches(['>', ' ', '\t']).trim_end();
        let is_blank = !line.contains(char::is_alphanumeric);
        // A short line is a heading unless the next one goes on with its sentence.
        if let Some((row, raw)) = self.short_line.take() {
            let text = raw.trim_start_matches(['>', ' ', '\t']).trim_end();
            let is_heading = is_blank
                || is_sign_off(text)
                || text.ends_with([':', ','])
                || list::heading(text).is_some()
                || Sections::is_named(text)
                || begins_item(line)
                || !values(line, None).is_empty();
            if is_heading { self.enter(text) } else { self.push(row, &raw, text) }
        }
        if is_blank {
            return self.end_paragraph();
        }
        if self.is_short(line) {
            self.end_paragraph();
            self.short_line = Some((row, raw_text(raw)));
            return;
        }
        self.push(row, raw, line);
    }

    /// Enters the section of a heading.
    fn enter(&mut self, line: &str) {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let is_sign_off = is_sign_off(line);
        // A title describes the text, and not each value in it. The name below `Kind regards` is no heading.
        let is_kind = line.ends_with(':') || list::heading(line).is_some();
        if is_kind || is_sign_off || !(is_first || self.is_signed) {
            let heading = if is_sign_off { "Contact" } else { line };
            self.sections.enter(HEADING_LEVEL, heading);
            self.is_signed = is_sign_off;
        }
        self.introduction = Introduction::of(line);
        self.counts_follow = count::is_about_removals(line);
    }

    /// Adds a line to the paragraph.
    fn push(&mut self, row: usize, raw: &str, line: &str) {
        self.has_begun = true;
        if begins_item(line) || self.paragraph.text.len() + line.len() > MAX_PARAGRAPH_BYTES {
            self.end_paragraph();
        }
        if self.paragraph.raw.is_empty() {
            self.paragraph.first_row = row;
        } else {
            self.paragraph.text.push('\n');
        }
        self.paragraph.text.push_str(&without_link_targets(line));
        self.paragraph.raw.push(raw_text(raw));
        if line.ends_with(':') {
            self.end_paragraph();
        }
    }

    /// Whether a line may be a heading: short, without a value, and no end of a sentence that began above it.
    fn is_short(&self, line: &str) -> bool {
        let is_short =
            line.len() <= MAX_HEADING_BYTES && line.split_whitespace().count() <= MAX_HEADING_WORDS;
        let is_apart = self.paragraph.raw.is_empty() || list::heading(line).is_some();
        is_short
            && is_apart
            && !line.ends_with(['.', '!', '?'])
            && !begins_item(line)
            && marked_values(line).is_empty()
            && !cell::may_contain_value(line)
            && values(line, None).is_empty()
    }

    fn end_paragraph(&mut self) {
        let Paragraph { text, raw, first_row } = std::mem::take(&mut self.paragraph);
        if raw.is_empty() {
            return;
        }
        let section = self.sections.current();
        let (kind, platform, left_out) = (section.kind.clone(), section.platform, section.left_out);
        let is_list = section.has_values || left_out.is_some() || self.introduction.is_some();
        let introduced = self.introduction.map(|it| it.stated).unwrap_or_default();
        let stated = introduced.or(section.stated);
        let lines: Vec<_> = text.lines().map(|line| values(line, kind.as_deref())).collect();
        let are_values = lines.iter().all(|values| !values.is_empty());
        if are_values && (is_list || (lines.len() > 1 && lines.iter().flatten().all(is_public))) {
            for (at, class) in lines
                .into_iter()
                .enumerate()
                .flat_map(|(at, line)| line.into_iter().map(move |class| (at, class)))
            {
                let class = left_out.map_or(class, Class::Neither);
                self.record(
                    &raw,
                    first_row,
                    ParagraphItem { stated, ..ParagraphItem::of(at, class) },
                );
            }
            return;
        }
        let is_reference = left_out == Some(SkipReason::Reference);
        let counts = count::read(&text, None).filter(|_| self.counts_follow && !is_reference);
        if let Some(counts) = counts {
            for class in counts.into_iter().map(Class::Aggregate) {
                self.record(&raw, first_row, ParagraphItem::of(0, class));
            }
            return;
        }
        // An introduction is for all items after it.
        let introduction = Introduction::of(&text);
        if introduction.is_some() || !begins_item(&text) {
            self.introduction = introduction;
        }
        self.counts_follow = text.ends_with(':') && count::is_about_removals(&text);
        let found = paragraph(&text, platform);
        let is_empty = found.is_empty();
        for mut one in found {
            if is_reference && matches!(one.class, Class::Indicator(_)) {
                one.class = Class::Neither(SkipReason::Reference);
            }
            one.stated = one.stated.or(stated);
            self.record(&raw, first_row, one);
        }
        // A value of which nothing is said, such as the author's own site.
        let alone = lines.iter().position(|values| !values.is_empty()).filter(|_| is_empty);
        if let Some(line) = alone {
            let class = Class::Neither(SkipReason::TextWithValue);
            self.record(&raw, first_row, ParagraphItem::of(line, class));
        }
    }

    /// Records a line that is not read, if it contains a value.
    fn record_left_out(&mut self, row: usize, raw: &str) {
        if cell::contains_value(raw) {
            let class = Class::Neither(SkipReason::Reference);
            self.record(&[raw_text(raw)], row, ParagraphItem::of(0, class));
        }
    }

    fn record(&mut self, raw: &[String], first_row: usize, found: ParagraphItem) {
        let ParagraphItem { line, class, stated: Stated { involvement, verdict }, word } = found;
        let verdict = verdict.or(Some(self.verdict));
        let details = match &class {
            Class::Indicator(_) => Details { verdict, involvement, ..Details::default() },
            _ => Details::default(),
        };
        let raw = word.or_else(|| raw.get(line).cloned()).unwrap_or_default();
        self.out.record(Record { row: first_row + line, raw, class, details });
    }
}

/// Words that a line of a list has at most. Longer ones are text, in which values are marked.
const MAX_WORDS: usize = 3;

/// The values of a line that holds nothing else.
fn values(line: &str, kind: Option<&str>) -> Vec<Class> {
    if line.split_whitespace().nth(MAX_WORDS).is_some() {
        return Vec::new();
    }
    let read = cell::read_line(line, kind, None).into_iter();
    read.filter(Class::is_indicator).collect()
}

/// Whether a value is no address of a person: those stand below texts as well.
fn is_public(class: &Class) -> bool {
    match class {
        Class::Indicator(read) => {
            !matches!(read.kind(), Kind::Email | Kind::Phone | Kind::Url | Kind::Account)
        }
        _ => false,
    }
}

/// Whether a line stands in front of the name of who wrote a mail.
fn is_sign_off(line: &str) -> bool {
    SIGN_OFFS.contains(&line.to_lowercase().trim_end_matches([',', '.', '!']))
}

fn begins_item(line: &str) -> bool {
    let is_number = || {
        let behind = line.trim_start_matches(|c: char| c.is_ascii_digit());
        behind.len() < line.len() && behind.starts_with([')', '.']) && behind[1..].starts_with(' ')
    };
    ["- ", "* ", "• ", "+ ", "– ", "· "].iter().any(|bullet| line.starts_with(bullet))
        || is_number()
}
