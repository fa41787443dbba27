//! Lists with values in each line: plain lists, block lists, hosts files and filter lists.

mod block_list;
mod filter_list;
mod firewall;
mod mail;
mod proxy;
mod router;
mod section;
mod zone;

pub use self::block_list::{is_made_of_rules, is_null_address};
pub use self::section::heading;

use std::borrow::Cow;
use std::io::BufRead;
use std::num::NonZero;
use std::thread;

use self::block_list::{blocked, is_bare_value, is_comment, opens_soa};
use self::section::{Section, has_sections, label};
use super::lines::Lines;
use super::record::raw_text;
use super::{
    Assumed, Class, Details, Error, Input, Output, Record, SkipReason, cell, kinds, read_time,
};
use crate::domain::{Indicator, Invalid, Kind};

/// Lines that are read at a time, on all cores.
const BLOCK_LINES: usize = 8_192;
/// Bytes of such lines.
const BLOCK_BYTES: usize = 4 * 1024 * 1024;
/// Lines of an SOA record after its first. A record that is never closed ends there.
const MAX_SOA_LINES: usize = 8;
/// Lines for which another thread is worth its start.
const LINES_PER_THREAD: usize = 512;

/// Reads a list. Skips blank lines and comments (`# …` with a blank, `//`, `;`, `!`). `#tag` is a
/// hashtag. A heading such as `Domains:` declares the kind of the lines below it.
pub fn read(input: &Input, assumed: &Assumed, out: &mut Output<'_>) -> Result<(), Error> {
    let mut section = Section::default();
    let mut lines = Lines::of(input.reader());
    let mut soa_lines = 0;
    loop {
        let block = next_block(&mut lines, &mut section, &mut soa_lines)?;
        if block.is_empty() || out.is_stopped() {
            return Ok(());
        }
        for record in read_block(&block, assumed).into_iter().flatten() {
            out.record(record);
        }
    }
}

/// A line, with the kind and the involvement that the last heading declares.
#[derive(Debug)]
struct ListLine {
    number: usize,
    text: String,
    is_cut: bool,
    /// Whether it is a value and nothing else.
    is_bare: bool,
    section: Section,
}

/// The next lines that are no comments. None at the end. `soa_lines` counts down the lines of an open SOA
/// record, which are skipped.
fn next_block<R: BufRead>(
    lines: &mut Lines<R>,
    section: &mut Section,
    soa_lines: &mut usize,
) -> Result<Vec<ListLine>, Error> {
    let (mut block, mut bytes) = (Vec::new(), 0);
    while block.len() < BLOCK_LINES && bytes < BLOCK_BYTES {
        let Some(line) = lines.next()? else { break };
        let trimmed = line.text.trim();
        if *soa_lines > 0 {
            *soa_lines = if trimmed.contains(')') { 0 } else { *soa_lines - 1 };
            continue;
        }
        let is_bare = is_bare_value(trimmed);
        if is_bare {
            section.pass_value();
        } else {
            if opens_soa(trimmed) {
                *soa_lines = MAX_SOA_LINES;
                continue;
            }
            let is_heading = section.enter(trimmed);
            if !line.is_cut && (is_heading || is_comment(trimmed)) {
                continue;
            }
        }
        if !line.is_cut && section.lets_through() {
            continue;
        }
        bytes += line.text.len();
        let (number, text, is_cut) = (line.number, line.text.to_owned(), line.is_cut);
        block.push(ListLine { number, text, is_cut, is_bare, section: section.clone() });
    }
    Ok(block)
}

/// Reads lines on all cores, and returns their records in order.
fn read_block(block: &[ListLine], assumed: &Assumed) -> Vec<Vec<Record>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(block.len().div_ceil(LINES_PER_THREAD));
    let read = |lines: &[ListLine]| -> Vec<Record> {
        lines.iter().flat_map(|line| line.read(assumed)).collect()
    };
    if threads < 2 {
        return vec![read(block)];
    }
    thread::scope(|scope| {
        let parts = block.chunks(block.len().div_ceil(threads));
        let parts: Vec<_> = parts.map(|part| scope.spawn(move || read(part))).collect();
        let records = parts.into_iter().map(|part| {
            let read: Result<Vec<Record>, _> = part.join();
            read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        records.collect()
    })
}

impl ListLine {
    fn read(&self, assumed: &Assumed) -> Vec<Record> {
        let line = self.text.trim();
        let classes = if self.is_cut {
            let reason = "is a line of more than 1 MB: a list has one value in each line";
            vec![Class::Unreadable(Invalid::new("value", reason))]
        } else {
            line_classes(line, self.is_bare, &self.section, assumed)
        };
        let remark = if self.is_bare { None } else { remark_of(line) };
        let details = self.section.details(remark);
        let record = |class| Record {
            row: self.number,
            raw: raw_text(&self.text),
            details: match &class {
                Class::Indicator(_) => details.clone(),
                _ => Details::default(),
            },
            class,
        };
        let left_out = self.section.left_out;
        let in_section = |class: Class| match (left_out, &class) {
            (Some(reason), Class::Indicator(_) | Class::Unreadable(_)) => Class::Neither(reason),
            (None, Class::Neither(SkipReason::Text)) if names_value(line) => {
                Class::Neither(SkipReason::TextWithValue)
            }
            _ => class,
        };
        classes.into_iter().map(in_section).map(record).collect()
    }
}

/// Reads a line below a heading.
fn line_classes(line: &str, is_bare: bool, section: &Section, assumed: &Assumed) -> Vec<Class> {
    let blocked = if is_bare { Cow::Borrowed(line) } else { blocked(line) };
    let value = &*blocked;
    let kind = assumed.kind.map(Kind::as_str);
    let platform = assumed.platform.as_deref();
    let declared = kind.or_else(|| section.kind_of(value));
    let classes = cell::read_line(value, declared, platform);
    let named = declared.or_else(|| is_national_phones(value).then_some("phone"));
    let classes = assumed.with_national_phones(named, value, classes);
    if is_read(&classes) {
        return classes;
    }
    if let Some((name, values)) = label(value).filter(|_| kind.is_none()) {
        let classes = cell::read_line(values, Some(name), platform);
        let classes = assumed.with_national_phones(Some(name), values, classes);
        if classes.iter().all(Class::is_indicator) {
            return classes;
        }
    }
    let part = without_time(value).or_else(|| before_remark(value));
    if let Some(part) = part {
        let classes = cell::read_line(part, declared, platform);
        if is_read(&classes) {
            return classes;
        }
    }
    // A number without a country is none until the user names it.
    if declared.is_some() && kinds::is_phone(declared) && is_national_phones(value) {
        return classes;
    }
    // A heading is weaker than a kind that the user states: a value that does not fit it is read by itself.
    if kind.is_none() && declared.is_some() {
        return cell::read_line(value, None, platform);
    }
    classes
}

/// Whether a word of a text is a value with a dot: `we saw a.example too`.
fn names_value(text: &str) -> bool {
    let mut words = text.split_whitespace().filter(|word| word.trim_end_matches('.').contains('.'));
    words.any(|word| Indicator::read(word, None).is_ok())
}

fn is_read(classes: &[Class]) -> bool {
    matches!(classes, [Class::Indicator(_), ..])
}

/// Whether a line has nothing but digits as phone numbers have them in their country: `020 7946 0018`, with the zero in
/// front that is not dialled from abroad.
fn is_national_phones(line: &str) -> bool {
    const MIN_DIGITS: usize = 9;
    let is_number = |number: &str| {
        let number = number.trim();
        (number.starts_with('0') || number.starts_with("(0"))
            && number.bytes().all(|b| b.is_ascii_digit() || b" -().".contains(&b))
            && number.bytes().filter(u8::is_ascii_digit).count() >= MIN_DIGITS
    };
    line.split([',', ';']).all(is_number)
}

/// What follows a time at the beginning of a line: `2026-01-02T10:00:00Z a.example`.
fn without_time(line: &str) -> Option<&str> {
    if !line.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (day, rest) = line.split_once(char::is_whitespace)?;
    let is_day = day.contains('-') && read_time(day).is_some();
    let rest = rest.trim_start();
    let behind_time = rest.split_once(char::is_whitespace).filter(|(time, _)| {
        time.contains(':') && time.bytes().all(|b| b.is_ascii_digit() || b":.Z".contains(&b))
    });
    is_day.then(|| behind_time.map_or(rest, |(_, rest)| rest.trim_start()))
}

/// The value in front of a remark: `a.example, seen in May`, `a.example: C2`, `192.0.2.0/24 ; a network`.
fn before_remark(line: &str) -> Option<&str> {
    /// Longer texts are sentences.
    const MAX_WORDS: usize = 6;
    if let Some((front, _)) = line.split_once(" ;").or_else(|| line.split_once(" //")) {
        return Some(front);
    }
    let (value, remark) = line.split_at(line.find(char::is_whitespace)?);
    if remark.split_whitespace().nth(MAX_WORDS).is_some() {
        return None;
    }
    let is_apart = value.ends_with([',', ';', ':'])
        || remark.starts_with('\t')
        || ["-- ", "- ", "– ", "— "].iter().any(|dash| remark.trim_start().starts_with(dash));
    let holds_value = cell::may_contain_value(remark)
        || remark.split_whitespace().any(|word| Indicator::read(word, None).is_ok());
    (is_apart && !holds_value).then(|| value.trim_end_matches([',', ';', ':']))
}

/// The remark on the value of a line, and the label in front of it.
pub fn remark_of(line: &str) -> Option<&str> {
    const SURE: [&str; 4] = [" #", "\t#", " //", " ;"];
    let first = |marks: &[&str]| {
        let found = marks.iter().filter_map(|mark| line.find(mark).map(|at| (at, mark.len())));
        found.min()
    };
    if let Some((at, length)) = first(&SURE) {
        return Some(&line[at + length..]);
    }
    let marks = [" (", " - ", " – ", " — ", " -- ", ", ", ": ", "\t"];
    let (at, length) = first(&marks)?;
    let (front, remark) = (&line[..at], &line[at + length..]);
    // A label is a remark in front.
    if label(line).is_some_and(|(_, values)| values == remark.trim_start()) {
        return Some(front);
    }
    let is_remark = !remark.contains(['.', '/', '@', '_']) && Indicator::read(front, None).is_ok();
    is_remark.then_some(remark)
}

/// Lines by which a list is told from a table.
const SAMPLED_LINES: usize = 20;

/// Whether a text is a list although it may have the separators of a table: it has sections, or each of its lines is a
/// label with values, or each is a web address with separators of its own.
pub fn is_list(text: &str) -> bool {
    let is_all = |is_line: &dyn Fn(&str) -> bool| {
        let lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line));
        let mut lines = lines.take(SAMPLED_LINES).peekable();
        lines.peek().is_some() && lines.all(is_line)
    };
    let is_labelled = |line: &str| {
        let read = |(name, values)| cell::read_line(values, Some(name), None);
        label(line).is_some_and(|label| read(label).iter().all(Class::is_indicator))
    };
    has_sections(text) || is_all(&is_labelled) || is_all(&is_made_of_urls)
}

/// Whether a line is web addresses apart by blanks, and what is after a separator in it is no cell of a table: a word, a time, a
/// value. What has an equals sign is of a query.
fn is_made_of_urls(line: &str) -> bool {
    line.split_whitespace().all(is_url_with_separators)
}

fn is_url_with_separators(word: &str) -> bool {
    let mut parts = word.split([',', ';']);
    let is_url = parts.next().is_some_and(|url| url.contains("://"));
    let is_part = |part: &str| {
        part.contains(|c: char| !c.is_alphabetic())
            && read_time(part).is_none()
            && Indicator::read(part, None).is_err()
    };
    let parts: Vec<&str> = parts.collect();
    let is_query = parts.iter().any(|part| part.contains(['=', '&']));
    let is_one = is_query || parts.into_iter().all(is_part);
    is_url && is_one
}
