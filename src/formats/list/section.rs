//! Headings of lists, and what they declare for the lines below.

use std::sync::Arc;

use super::firewall::{is_blocklist_name, opens_set};
use super::proxy::blocks_in_section;
use crate::domain::assessment::{Involvement, Verdict};
use crate::domain::{Indicator, Kind, Platform};
use crate::formats::details::words::{verdict, verdict_of_heading};
use crate::formats::involvement::involvement_of;
use crate::formats::kinds::DeclaredType;
use crate::formats::prose::Stated;
use crate::formats::report::{Sections, is_common_word};
use crate::formats::{Details, SkipReason, tags, wording};

/// What the last heading declares for the lines below it.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Their kind: `Domains:`; or their platform: `Telegram:`.
    kind: Option<Arc<str>>,
    /// Their platform, if the heading has nothing else.
    platform: Option<&'static str>,
    /// Why they are not read: `References:`, `JA3:`.
    pub left_out: Option<SkipReason>,
    /// Their involvement: `# Compromised sites`.
    involvement: Option<Involvement>,
    /// Their verdict: `Benign domains:`.
    verdict: Option<Verdict>,
    /// Whether they are let through: `{ -block }` of Privoxy, `set allowed {` of nftables.
    lets_through: bool,
    /// Whether the last line was blank. Only then a word without a mark ends the section: `References`.
    is_after_blank: bool,
}

impl Section {
    /// Enters the section of a heading. Returns whether the line is one.
    pub fn enter(&mut self, line: &str) -> bool {
        if self.enter_rules(line) {
            return true;
        }
        let is_after_blank = std::mem::replace(&mut self.is_after_blank, line.is_empty());
        let stated = || (involvement_of(line), verdict_of_heading(line));
        let kind = heading(line);
        let platform = if kind.is_none() { platform_heading(line) } else { None };
        if let Some(kind) = kind.or(platform) {
            let (involvement, verdict) = stated();
            let left_out = Sections::left_out_below(line);
            let left_out = left_out.filter(|reason| *reason == SkipReason::OtherKind);
            let kind = Some(kind.into());
            let lets_through = self.lets_through;
            *self = Self {
                kind,
                platform,
                left_out,
                involvement,
                verdict,
                lets_through,
                ..Self::default()
            };
            return true;
        }
        let is_comment = ["# ", "## ", "! "].iter().any(|mark| line.starts_with(mark));
        let is_heading = line.ends_with(':')
            || undecorated(line).len() < line.len()
            || (self.kind.is_some() && is_after_blank && is_bare_title(line))
            // `# C2`
            || (is_comment && Sections::names_values(line.trim_start_matches(['#', ' '])));
        if !(is_comment || is_heading) || Indicator::read(line, None).is_ok() {
            return false;
        }
        let (involvement, verdict) = stated();
        let is_stated = involvement.is_some() || verdict.is_some();
        // Another heading ends the section; a comment does only if it states the opposite.
        if is_stated || is_heading || (is_comment && accuses(line)) {
            (self.involvement, self.verdict, self.left_out) = (involvement, verdict, None);
            if self.platform.take().is_some() {
                self.kind = None;
            }
        }
        if is_heading || self.kind.is_some() {
            self.left_out = left_out_below(line).or(self.left_out);
        }
        if is_stated {
            let last = line.trim_end_matches(':').rsplit(' ').next().unwrap_or_default();
            self.kind = heading(last).map(Arc::from);
        }
        is_stated || (is_heading && self.left_out.is_some())
    }

    /// Passes a line that is no heading.
    pub const fn pass_value(&mut self) {
        self.is_after_blank = false;
    }

    /// Enters or leaves a block of rules that says whether what is in it is let through.
    fn enter_rules(&mut self, line: &str) -> bool {
        let lets_through =
            opens_set(line).or_else(|| blocks_in_section(line).map(|blocks| !blocks));
        match lets_through {
            Some(lets_through) => self.lets_through = lets_through,
            None if self.lets_through && line == "}" => self.lets_through = false,
            None => return false,
        }
        true
    }

    /// Whether the lines are of a block that lets them through.
    pub const fn lets_through(&self) -> bool {
        self.lets_through
    }

    /// The kind that is declared for a value. Below the name of a platform, a domain is one where no handle has dots.
    pub fn kind_of(&self, value: &str) -> Option<&str> {
        let is_of_platform = |platform: &str| {
            let has_dots = matches!(platform, "bluesky" | "instagram" | "threads" | "tiktok");
            let may_be_there = |read: Indicator| {
                read.kind().needs_platform() || (has_dots && read.kind() == Kind::Domain)
            };
            Indicator::read(value, None).ok().is_none_or(may_be_there)
        };
        self.kind.as_deref().filter(|_| self.platform.is_none_or(is_of_platform))
    }

    /// What it declares, as the details of a record. What a remark on the record states counts first.
    pub fn details(&self, remark: Option<&str>) -> Details {
        let of_section = Stated { involvement: self.involvement, verdict: self.verdict };
        let of_remark = remark.map(Stated::of_remark).unwrap_or_default();
        let Stated { involvement, verdict } = of_remark.or(of_section);
        Details { verdict, involvement, ..Details::default() }
    }
}

/// Whether a text is a list in sections: a heading that ends with a colon, or two headings. A single heading without
/// one may be the header of a table with one column.
pub fn has_sections(text: &str) -> bool {
    let mut is_after_blank = false;
    let is_heading = |line: &&str| {
        let is_after_blank = std::mem::replace(&mut is_after_blank, line.is_empty());
        heading(line).or_else(|| platform_heading(line)).is_some()
            || (is_after_blank && is_bare_title(line))
    };
    let mut headings = text.lines().map(str::trim).filter(is_heading);
    headings.next().is_some_and(|first| first.ends_with(':') || headings.next().is_some())
}

/// The label of a line, which is a heading with its values in the same line: `Domains: a.example, b.example`.
pub fn label(line: &str) -> Option<(&str, &str)> {
    let separators = [":", "=", " - ", " – ", " — "];
    let found = separators.iter().filter_map(|by| line.find(by).map(|at| (at, by.len())));
    let (at, length) = found.min()?;
    let (name, values) = (&line[..at], line[at + length..].trim());
    if values.is_empty() || values.starts_with("//") {
        return None;
    }
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
    // `YouTube: removed` says something of the platform.
    let has_handle = || values.contains(['@', '/', '_']);
    let platform = || platform_named(name.trim()).filter(|_| has_handle());
    Some((heading(name).or_else(platform)?, values))
}

/// The longest heading, in bytes. With the characters of values ruled out, few lines have to be looked up.
const MAX_HEADING_BYTES: usize = 40;

/// The kind that a heading names: `Domains:`, `MD5`, `## IP addresses`, `Hashes (MD5)`.
pub fn heading(line: &str) -> Option<&str> {
    let name = words_of_heading(line).filter(|name| !name.contains('/'))?;
    let is_kind = |name: &&str| {
        let of = DeclaredType::of(name);
        of.is_some_and(|it| it.is_indicator() || it == DeclaredType::Detected)
            && Indicator::read(name, None).is_err()
    };
    let in_brackets = name.strip_suffix(')').and_then(|name| name.split_once(" ("));
    let in_brackets = in_brackets.and_then(|(name, kind)| [kind, name].into_iter().find(is_kind));
    Some(name).filter(is_kind).or(in_brackets)
}

/// Whether a comment is the title of values that somebody attacks with: `# Blocklist`, `# Malicious`, `# Phishing`.
fn accuses(line: &str) -> bool {
    const MAX_WORDS: usize = 4;
    let lower = line.to_lowercase();
    let words = wording::words(&lower);
    let is_accusation = |word: &&str| {
        is_blocklist_name(word)
            || matches!(verdict(word), Some(Verdict::Malicious | Verdict::Suspicious))
            || tags::label(word).is_some()
    };
    words.len() <= MAX_WORDS && words.iter().any(is_accusation)
}

/// The platform that a heading names: `Telegram:`, `## TikTok`, or `Instagram` in a line of its own.
fn platform_heading(line: &str) -> Option<&'static str> {
    /// Shorter names may be handles.
    const MIN_BYTES: usize = 4;
    let name = words_of_heading(line)?;
    let is_bare_name = name.len() >= MIN_BYTES && name.starts_with(char::is_uppercase);
    let is_marked = line.ends_with([':', ']', '#', '=']) || line.starts_with('#');
    platform_named(name).filter(|_| is_marked || is_bare_name)
}

/// The platform of a name that is no common word.
fn platform_named(name: &str) -> Option<&'static str> {
    let named = Platform::known_id(name).or_else(|| Platform::known_by_two_names(name));
    named.filter(|_| !is_common_word(name))
}

/// The longest title without a mark, in bytes.
const MAX_TITLE_BYTES: usize = 24;

/// Whether a line is the title of what is not read, without a mark: `References`.
fn is_bare_title(line: &str) -> bool {
    line.len() <= MAX_TITLE_BYTES
        && line.starts_with(char::is_uppercase)
        && line.chars().all(|c| c.is_alphanumeric() || c == ' ')
        && left_out_below(line).is_some()
}

/// Why what is below a line is not read: `References:`, `JA3:`. `# Reference: https://…` is a comment on what is below it.
fn left_out_below(line: &str) -> Option<SkipReason> {
    let name = line.trim_start_matches('#');
    let is_word = |word: &str| word.chars().all(char::is_alphabetic);
    let is_title = name.len() == line.len() || name.split_whitespace().all(is_word);
    let is_short = line.len() <= MAX_HEADING_BYTES && line.split_whitespace().count() <= 4;
    if is_title && is_short { Sections::left_out_below(name) } else { None }
}

/// A heading without what marks it as one: `[URLs]`, `== Emails ==`, `**Domains**`.
fn undecorated(line: &str) -> &str {
    if let Some(inner) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
        return inner.trim();
    }
    let marks = ["=", "-", "*", "_"].iter().find(|mark| line.starts_with(**mark));
    let inner = marks.and_then(|mark| {
        let front = line.trim_start_matches(mark);
        let inner = front.trim_end_matches(mark);
        (inner.len() < front.len() && line.len() > front.len() + 1).then_some(inner)
    });
    inner.map_or(line, str::trim)
}

/// The words of a heading without what is around them: `## Domains`, `### PDQ ###`, `[PDQ]`, `Domains (2):`. `#domains`
/// is a hashtag.
fn words_of_heading(line: &str) -> Option<&str> {
    let marks = line.trim_start_matches('#');
    if marks.len() < line.len() && !marks.starts_with(' ') && !line.ends_with('#') {
        return None;
    }
    let name = line.trim_matches(|c: char| c == ' ' || "#=*_-:[]".contains(c));
    // The number of values below.
    let is_count = |count: &str| !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
    let counted = name.strip_suffix(')').and_then(|name| name.rsplit_once('('));
    let name = counted.filter(|(_, count)| is_count(count)).map_or(name, |(name, _)| name.trim());
    let is_short = !name.is_empty() && name.len() <= MAX_HEADING_BYTES;
    (is_short && !name.contains(['.', '@', '['])).then_some(name)
}
