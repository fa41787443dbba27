//! What the headings above a block say of the values in it.

use super::super::details::words::verdict_of_heading;
use super::super::involvement::involvement_of;
use super::super::kinds::DeclaredType;
use super::super::kinds::excluded::FINGERPRINTS;
use super::super::prose::Stated;
use super::super::wording::{self, has_phrase};
use super::super::{Class, SkipReason, list};
use super::{BOLD_LEVEL, Introduction};
use crate::domain::{Kind, Platform};

/// Phrases in the heading of a section that lists what others wrote, or tells the reader where to turn.
const REFERENCES: &[&str] = &[
    "reference",
    "references",
    "cross link",
    "cross links",
    "further reading",
    "recommended reading",
    "see also",
    "acknowledgement",
    "acknowledgements",
    "acknowledgment",
    "acknowledgments",
    "bibliography",
    "footnotes",
    "endnotes",
    "works cited",
    "sources cited",
    "cited sources",
    "related reports",
    "contact us",
    "press contact",
    "media contact",
    "how to report",
    "get help",
    "related coverage",
    "press coverage",
    "media coverage",
    "news coverage",
    "in the press",
    "in the media",
    "learn more",
    "more information",
    "further information",
    "additional resources",
    "useful resources",
    "related reading",
];

/// Words after a kind in a heading: `Domains used by the operation`.
const USED: &[&str] = &["used", "operated", "registered", "run", "controlled"];
/// Phrases in the heading of a section of addresses of the report's own author.
const OWN: &[&str] = &[
    "about us",
    "about the author",
    "about the authors",
    "about the company",
    "about the team",
    "about the report",
    "about this report",
    "about the researchers",
    "about our",
    "who we are",
];
/// Words between `our` and a kind or a platform: `Our official channels`.
const OUR: &[&str] = &["own", "official", "other", "public", "main", "social", "media"];

/// Places of the author's that are no names of kinds: `Our site:`.
const OUR_PLACES: &[&str] = &[
    "site", "sites", "channels", "pages", "profiles", "handles", "tools", "products", "services",
    "team", "partners",
];

/// Headings of such sections where nothing else stands in them: `Links` does, and `Malicious links` does not.
const REFERENCE_TITLES: &[&str] = &[
    "related",
    "sources",
    "source",
    "links",
    "useful links",
    "external links",
    "credits",
    "contact",
    "contacts",
    "reporting",
    "citations",
    "notes and sources",
    "disclaimer",
    "about",
    "feedback",
    "subscribe",
    "resources",
];

/// Words in the heading of a section whose list items are values.
const VALUES: &[&str] = &["indicator", "ioc", "observable", "c2"];

/// Words for certificates and icons, whose digests are not those of files.
const CERTIFICATES: &[&str] = &["certificate", "cert", "x509", "favicon"];

/// Words in the heading of a section of text within one of values.
const NOTES: &[&str] = &[
    "note",
    "context",
    "background",
    "analysis",
    "description",
    "recommendation",
    "mitigation",
    "detection",
    "timeline",
    "summary",
    "attribution",
    "methodology",
    "overview",
    "conclusion",
];

/// Bytes that a line which is a heading has at most.
const MAX_LINE_BYTES: usize = 60;

/// What the headings above a block say.
#[allow(clippy::struct_excessive_bools)] // Each is one thing that a heading may say: most combinations occur.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Why it is not read, if it is not: `## References`, `## File names`.
    pub left_out: Option<SkipReason>,
    /// Whether it lists addresses of the report's author.
    is_own: bool,
    /// Whether its items are values.
    pub has_values: bool,
    /// The kind of its items: `## Domains`.
    pub kind: Option<String>,
    /// The platform of its items: `## Telegram`.
    pub platform: Option<&'static str>,
    /// Whether the heading may mean something else than the platform: `## Medium`, `## Signal`.
    pub is_common_word: bool,
    /// What it states about each value: `## Impersonated outlets`, `## Benign domains`.
    pub stated: Stated,
}

/// The open sections, the innermost last, each with the level of its heading.
#[derive(Debug, Default)]
pub struct Sections {
    open: Vec<(usize, Section)>,
    outermost: Section,
}

impl Sections {
    /// Closes the sections that a heading of a level ends.
    pub fn leave(&mut self, level: usize) {
        while self.open.last().is_some_and(|(open, _)| *open >= level) {
            self.open.pop();
        }
    }

    /// Opens the section of a heading.
    pub fn enter(&mut self, level: usize, heading: &str) {
        self.leave(level);
        let section = match self.open.last() {
            // The title of a report describes it, and not each list in it.
            Some((1, title)) => {
                Section { stated: title.stated, ..Section::default() }.subsection(heading)
            }
            Some((_, parent)) => parent.subsection(heading),
            // `# Threat reference` is no list of references.
            None if level == 1 => {
                Section { left_out: None, ..Section::default().subsection(heading) }
            }
            None => Section::default().subsection(heading),
        };
        self.open.push((level, section));
    }

    /// Opens the section of a line that is no heading by its form: `Domains:`. Returns whether the line states
    /// anything.
    pub fn enter_line(&mut self, line: &str) -> bool {
        let is_short = line.len() <= MAX_LINE_BYTES && !line.contains('\n');
        if !is_short || !line.ends_with([':', '：']) || introduces_sentence(line) {
            return false;
        }
        let parent = self.open.iter().rev().find(|(level, _)| *level < BOLD_LEVEL);
        let parent = parent.map_or(&self.outermost, |(_, section)| section);
        if parent.subsection(line) == *parent {
            return false;
        }
        self.enter(BOLD_LEVEL, line);
        true
    }

    /// Whether a line names a section of references, or in few words one of values: `About us`, `Indicators`.
    pub fn is_named(line: &str) -> bool {
        Self::left_out_below(line).is_some() || Self::names_values(line)
    }

    /// Whether a line names a section of values in few words: `Indicators`, `C2`, `Telegram`.
    pub fn names_values(line: &str) -> bool {
        line.split_whitespace().count() <= 3 && Section::default().subsection(line).has_values
    }

    /// Why what is below a line is not read, if the line is the heading of such a section: `References:`.
    pub fn left_out_below(line: &str) -> Option<SkipReason> {
        Section::default().subsection(line).left_out
    }

    /// The innermost section.
    pub fn current(&self) -> &Section {
        self.open.last().map_or(&self.outermost, |(_, section)| section)
    }
}

impl Section {
    /// The section of a heading in this one. What the heading leaves open is as it is here.
    fn subsection(&self, heading: &str) -> Self {
        let mut section = self.clone();
        let kind = kind_of(heading);
        // `Domains` below `Contact` is a section of its own, and `E-mail` is not.
        let ends_skip = !self.is_own && kind.as_deref().is_some_and(|kind| !is_contact_kind(kind));
        if self.left_out == Some(SkipReason::Reference) && !ends_skip {
            return section;
        }
        let is_other_kind = |reason: &SkipReason| *reason == SkipReason::OtherKind;
        section.left_out = self.left_out.filter(|it| is_other_kind(it) && kind.is_none());
        let lower = heading.to_lowercase();
        let words = wording::words(&lower);
        // In the singular, with `s` or with `es`: `imphashes`.
        let has_word = |names: &[&str]| {
            let is_named = |word: &str| names.contains(&word);
            words.iter().any(|word| {
                is_named(word)
                    || is_named(word.trim_end_matches('s'))
                    || word.strip_suffix("es").is_some_and(is_named)
            })
        };
        let (involvement, verdict) = (involvement_of(heading), verdict_of_heading(heading));
        section.stated = Stated { involvement, verdict }.or(section.stated);
        let is_of_no_file = has_word(CERTIFICATES) || has_word(FINGERPRINTS);
        if is_own(&words, heading) {
            (section.left_out, section.is_own) = (Some(SkipReason::Reference), true);
        } else if has_phrase(&words, REFERENCES) && !has_word(VALUES) {
            section.left_out = Some(SkipReason::Reference);
        } else if is_of_other_kind(heading, kind.as_deref(), is_of_no_file) {
            section.left_out = Some(SkipReason::OtherKind);
        } else if let Some(kind) = kind {
            (section.kind, section.has_values) = (Some(kind), true);
        } else if let Some(platform) = platform_of(heading) {
            section.is_common_word = !self.lists_accounts() && is_common_word(heading);
            (section.platform, section.kind, section.has_values) = (Some(platform), None, true);
        } else if has_word(VALUES) || has_phrase(&words, &["command and control"]) {
            (section.kind, section.has_values) = (None, true);
        } else if is_reference_title(heading) {
            section.left_out = Some(SkipReason::Reference);
        } else if has_word(NOTES) {
            section = Self { stated: section.stated, ..Self::default() };
        } else if involvement.is_some() || verdict.is_some() {
            // `Impersonated outlets`
            (section.kind, section.has_values) = (None, true);
        }
        section
    }

    /// The class of what was read in it. A digest in a sentence or a table below `JA3` is not that of a file.
    pub fn class_of(&self, class: Class) -> Class {
        match class {
            Class::Indicator(read)
                if read.kind().is_file_digest() && self.left_out == Some(SkipReason::OtherKind) =>
            {
                Class::Neither(SkipReason::OtherKind)
            }
            class => class,
        }
    }

    /// Whether an item in it is the heading of handles on a platform: `Telegram` among accounts.
    pub fn is_platform_heading(&self, text: &str) -> bool {
        self.has_values
            && platform_of(text).is_some()
            && (self.lists_accounts() || !is_common_word(text))
    }

    /// Whether its items are accounts, so that headings in it are platforms.
    fn lists_accounts(&self) -> bool {
        let kind = self.kind.as_deref().and_then(DeclaredType::of);
        matches!(kind, Some(DeclaredType::Kind(Kind::Account, _)))
    }
}

/// Whether a section lists values of a kind that is not exchanged: `File names`, `Certificates (SHA1)`.
fn is_of_other_kind(heading: &str, kind: Option<&str>, names_other_digests: bool) -> bool {
    let is_digest = |of| match of {
        DeclaredType::Kind(kind, _) => kind.is_file_digest(),
        of => of == DeclaredType::Detected,
    };
    let may_be_digests = kind.is_none_or(|kind| DeclaredType::of(kind).is_some_and(is_digest));
    DeclaredType::of(heading) == Some(DeclaredType::Unsupported)
        || (names_other_digests && may_be_digests && heading.len() <= MAX_LINE_BYTES)
}

/// The kind that a heading names, alone or after other words: `Domains`, `Known phishing domains`.
fn kind_of(heading: &str) -> Option<String> {
    if let Some(kind) = list::heading(heading) {
        return Some(kind.to_owned());
    }
    let name = heading.trim_matches([':', ' ', '#']);
    let words: Vec<&str> = name.split_whitespace().collect();
    // `Domains used by the operation`
    if let [kind, verb, _, ..] = words.as_slice()
        && USED.contains(verb)
        && kind.ends_with('s')
    {
        return list::heading(kind).map(str::to_owned);
    }
    if !name.ends_with('s') || words.len() > 6 {
        return None;
    }
    let suffixes = (1..words.len()).rev().take(2).rev().map(|at| words[at..].join(" "));
    suffixes.into_iter().find_map(|suffix| list::heading(&suffix).map(str::to_owned))
}

/// Whether a heading is about the report's author: `About us`, `Our domains`, but not `Our indicators`.
fn is_own(words: &[&str], heading: &str) -> bool {
    let names_ours = || {
        let at = words.iter().position(|word| *word == "our")?;
        let behind = words[at + 1..].iter().skip_while(|word| OUR.contains(word));
        let name = behind.copied().collect::<Vec<_>>().join(" ");
        let is_value = VALUES.iter().any(|word| name.starts_with(word));
        let is_kind = OUR_PLACES.contains(&name.as_str()) || list::heading(&name).is_some();
        Some(!is_value && (is_kind || platform_of(&name).is_some()))
    };
    has_phrase(words, OWN) || (heading.len() <= MAX_LINE_BYTES && names_ours() == Some(true))
}

fn is_reference_title(heading: &str) -> bool {
    let lower = heading.to_lowercase();
    // `Appendix: sources`
    let title = lower.trim_matches(|c: char| !c.is_alphanumeric());
    let title = title.rsplit(": ").next().unwrap_or(title);
    REFERENCE_TITLES.contains(&title) || DeclaredType::of(heading) == Some(DeclaredType::Reference)
}

/// Whether a kind is one at which people are reached: `Email`, `Phone`, `Website`.
pub fn is_contact_kind(kind: &str) -> bool {
    matches!(
        DeclaredType::of(kind),
        Some(
            DeclaredType::Kind(Kind::Email | Kind::Phone | Kind::Url, _) | DeclaredType::Reference
        )
    )
}

/// Whether a line introduces values in a sentence, and is no heading.
fn introduces_sentence(line: &str) -> bool {
    Introduction::of(line).is_some() && line.split_whitespace().count() > 4
}

/// The platform that a heading names, and nothing else: `Telegram`, `X (formerly Twitter):`.
fn platform_of(heading: &str) -> Option<&'static str> {
    let name = heading.trim_matches(|c: char| c.is_whitespace() || matches!(c, '#' | ':' | '*'));
    let front = name.split_once(" (").map_or(name, |(front, _)| front);
    Platform::known_id(name)
        .or_else(|| Platform::known_id(front).filter(|_| Platform::parse(name).is_ok()))
}

/// Platforms whose names are words of their own, and severities.
const COMMON_WORDS: &[&str] = &[
    "beacons", "kick", "line", "medium", "ok", "ripple", "rumble", "signal", "steam", "threads",
    "x",
];

/// Whether a heading may mean something else than the platform that it names: `Medium`, and not `X (Twitter)`.
pub fn is_common_word(heading: &str) -> bool {
    let name = heading.trim_matches(|c: char| !c.is_alphanumeric());
    COMMON_WORDS.iter().any(|word| name.eq_ignore_ascii_case(word))
}
