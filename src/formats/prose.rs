//! Text: sentences in which values stand, as in an article or an e-mail.
//!
//! Defanged values, digests and what stands between back-ticks are taken. Plain links are references; other plain values
//! are listed. A sentence may say anything of a value, so that the verdict is `unknown` unless the user states one.

mod detect;
mod lines;
mod marked;
mod own_phrases;
mod phrases;
mod plain;
mod role;

pub use self::detect::{is_prose, is_sentence};
pub use self::lines::read;
use self::marked::{ValueSpan, marked_values};
pub use self::marked::{is_defanged, push_defanged_target};
use self::plain::plain_values;
pub use self::role::{Role, Stated, role_of_introduced};
use self::role::{joins, role};
use super::{Class, SkipReason, cell, count};
use crate::domain::Indicator;

/// What was found in a paragraph.
#[derive(Debug)]
pub struct ParagraphItem {
    /// The line of the paragraph, from 0.
    pub line: usize,
    /// What it is.
    pub class: Class,
    /// What the sentence states about a value.
    pub stated: Stated,
    /// The word of a value that is left out. `None` stands for the whole line.
    pub word: Option<String>,
}

impl ParagraphItem {
    fn of(line: usize, class: Class) -> Self {
        Self { line, class, stated: Stated::default(), word: None }
    }

    fn left_out(line: usize, reason: SkipReason, word: &str) -> Self {
        Self { word: Some(plain::bare(word).to_owned()), ..Self::of(line, Class::Neither(reason)) }
    }
}

/// Bytes of a paragraph that are read together. Sentences are shorter.
const MAX_PARAGRAPH_BYTES: usize = 16 * 1024;

/// The counts, values and references of a paragraph. `platform` is where handles live that name none.
pub fn paragraph(text: &str, platform: Option<&str>) -> Vec<ParagraphItem> {
    let (mut found, mut rest, mut lines) = (Vec::new(), text, 0);
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(part_end(rest));
        let of_part = part_of_paragraph(part, platform).into_iter();
        found.extend(of_part.map(|one| ParagraphItem { line: one.line + lines, ..one }));
        lines += part.matches('\n').count();
        rest = behind;
    }
    found
}

/// Where the part of a text ends that is read together, between two words.
fn part_end(text: &str) -> usize {
    if text.len() <= MAX_PARAGRAPH_BYTES {
        return text.len();
    }
    let most = text.floor_char_boundary(MAX_PARAGRAPH_BYTES);
    let (front, behind) = text.split_at(most);
    front
        .rfind(char::is_whitespace)
        .filter(|end| *end > 0)
        .or_else(|| behind.find(char::is_whitespace).map(|at| most + at))
        .unwrap_or(text.len())
}

/// What a part holds, in the order of its lines; in a line, in the order of its words.
fn part_of_paragraph(text: &str, platform: Option<&str>) -> Vec<ParagraphItem> {
    let counts = count::in_prose(text).into_iter().map(Class::Aggregate);
    let counts = counts.map(|class| (0, ParagraphItem::of(0, class)));
    let mut found: Vec<(usize, ParagraphItem)> = counts.collect();
    for (line, of_line) in text.lines().enumerate() {
        for word in of_line.split_whitespace().filter(|word| is_reference(word)) {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            found.push((start, ParagraphItem::left_out(line, SkipReason::Reference, word)));
        }
    }
    let values = values(text, platform);
    if values.is_empty() {
        let contains_value = |line: &str| {
            let words: Vec<_> =
                line.split_whitespace().filter(|word| !is_reference(word)).collect();
            cell::may_contain_value(&words.join(" "))
        };
        let line = text.lines().position(contains_value);
        let unread = |line| ParagraphItem::of(line, Class::Neither(SkipReason::TextWithValue));
        found.extend(line.map(|line| (text.len(), unread(line))));
    }
    found.extend(values);
    found.sort_by_key(|(start, item)| (item.line, *start));
    found.into_iter().map(|(_, item)| item).collect()
}

/// Whether a word is a link that nobody marked as a value.
fn is_reference(word: &str) -> bool {
    !word.contains('`') && marked::is_plain_link(word)
}

/// The values of a paragraph by where they begin, each with its role.
fn values(text: &str, platform: Option<&str>) -> Vec<(usize, ParagraphItem)> {
    let spans = spans(text);
    let (mut found, mut line, mut counted_to) = (Vec::new(), 0, 0);
    let (mut last_end, mut last_role) = (0, Role::Reported);
    for (at, (ValueSpan { start, end }, is_marked)) in spans.iter().enumerate() {
        let part = &text[*start..*end];
        line += text[counted_to..*start].matches('\n').count();
        counted_to = *start;
        let indicators = indicators(part, platform);
        let Some(first) = indicators.first() else {
            if cell::may_contain_value(part) {
                found
                    .push((*start, ParagraphItem::left_out(line, SkipReason::TextWithValue, part)));
            }
            continue;
        };
        let next = spans.get(at + 1).map_or(text.len(), |(next, _)| next.start);
        let between = &text[last_end..*start];
        let before = last_sentence_start(between).map_or(between, |end| &between[end..]);
        let behind = &text[*end..next.max(*end)];
        let behind = first_sentence_end(behind).map_or(behind, |end| &behind[..end]);
        let is_joined = !found.is_empty() && joins(between, last_role);
        let role = if is_joined {
            last_role
        } else {
            role(before, behind, first.kind(), breaks_links(part))
        };
        // The comma after a value is no part of it, but of what follows.
        (last_end, last_role) = (start + part.trim_end_matches([',', ';', ':']).len(), role);
        found.extend(indicators.into_iter().map(|indicator| {
            let item = match role.stated() {
                Some(stated) if *is_marked => {
                    ParagraphItem { stated, ..ParagraphItem::of(line, Class::Indicator(indicator)) }
                }
                Some(_) => ParagraphItem::left_out(line, SkipReason::TextWithValue, part),
                None => ParagraphItem::left_out(line, SkipReason::Reference, part),
            };
            (*start, item)
        }));
    }
    found
}

/// The marked and plain values of a text, in their order, and whether each is marked.
fn spans(text: &str) -> Vec<(ValueSpan, bool)> {
    let marked = marked_values(text);
    let plain = plain_values(text, &marked).into_iter().map(|span| (span, false));
    let mut spans: Vec<_> = marked.iter().map(|span| (*span, true)).chain(plain).collect();
    spans.sort_by_key(|(span, _)| span.start);
    spans
}

/// Whether a value is written so that it is no link. `a[at]b[.]example` is how people write their own address.
fn breaks_links(part: &str) -> bool {
    is_defanged(part) && !part.to_ascii_lowercase().contains("[at]")
}

/// The values of a marked part. Only what is marked as a handle is one.
fn indicators(part: &str, platform: Option<&str>) -> Vec<Indicator> {
    let platform = platform.filter(|_| part.starts_with('@'));
    let classes = cell::read(part, platform).into_iter();
    let indicators = classes.filter_map(|class| match class {
        Class::Indicator(indicator) => Some(indicator),
        _ => None,
    });
    let indicators: Vec<_> = indicators.collect();
    if !indicators.is_empty() {
        return indicators;
    }
    // `(a[.]example).`
    let is_around = |c: char| {
        matches!(c, '(' | ')' | '"' | '“' | '”' | '\'' | ',' | ';' | ':' | '!' | '?' | '.')
    };
    Indicator::read(part.trim_matches(is_around), None).into_iter().collect()
}

/// Bytes of a text between two values in which the end of a sentence is looked for.
const MAX_SEARCHED: usize = 400;

/// Where the last sentence of a text begins, if one ends in it.
fn last_sentence_start(text: &str) -> Option<usize> {
    let from = text.ceil_char_boundary(text.len().saturating_sub(MAX_SEARCHED));
    let tail = &text[from..];
    let end = [". ", "! ", "? ", "; ", ".\n", "!\n", "?\n", "\n\n"]
        .iter()
        .filter_map(|end| tail.rfind(end))
        .max()?;
    Some(from + end + 1)
}

/// Where the first sentence of a text ends.
fn first_sentence_end(text: &str) -> Option<usize> {
    let head = &text[..text.floor_char_boundary(MAX_SEARCHED)];
    [". ", "! ", "? ", ".\n", "!\n", "?\n", "; "].iter().filter_map(|end| head.find(end)).min()
}

#[cfg(test)]
mod tests;
