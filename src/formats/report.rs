//! Reports, as the blocks that Markdown and HTML have in common. Tables are tables, blocks of code are lists, and so
//! are lists below a heading such as `Domains`. In the text around them, marked values are values, and sentences about
//! removals hold counts. Targets of links, headings, footnotes and sections of references are not read.

mod introduction;
mod section;
mod table;

use csv::StringRecord;

pub use self::introduction::Introduction;
use self::section::is_contact_kind;
pub use self::section::{Sections, is_common_word};
use super::count;
use super::kinds::DeclaredType;
use super::prose::{self, ParagraphItem, Stated};
use super::record::raw_text;
use super::{Assumed, Class, Count, Details, Output, Record, SkipReason, cell, list};

/// A block of a report.
#[derive(Debug, PartialEq)]
pub struct Block {
    /// The line of the file where it begins, from 1.
    pub row: usize,
    /// What it is.
    pub content: Content,
}

/// What a block is. Code in a text stands between back-ticks; nothing else does. Targets of links are left out.
#[derive(Debug, PartialEq)]
pub enum Content {
    /// A heading. Level 1 is the title; a line in bold is one of [`BOLD_LEVEL`].
    Heading(usize, String),
    /// A paragraph, with its line breaks.
    Text(String),
    /// An item of a list, with its depth from 1.
    Item(usize, String),
    /// A footnote, what was struck out, or the front matter of a file.
    LeftOut(String),
    /// A block of code.
    Code(String),
    /// A table: its header and its rows, each with its line.
    Table(Vec<(usize, StringRecord)>),
}

/// The level of a line in bold, below all headings.
pub const BOLD_LEVEL: usize = 7;
/// The level of an item that is the heading of the list in it. Deeper items have higher levels.
const ITEM_LEVEL: usize = 8;

/// Reads a report. The row of a record is its line.
pub fn read(blocks: &[Block], assumed: &Assumed, out: &mut Output<'_>) {
    let mut report = Report { assumed, out, sections: Sections::default(), list: List::default() };
    for (at, block) in blocks.iter().enumerate() {
        if report.out.is_stopped() {
            break;
        }
        report.read(block, &blocks[at..]);
    }
}

/// Bytes of a line in which a value is looked for among words. Longer ones are text.
const MAX_REMARK_BYTES: usize = 400;

struct Report<'a, 'out> {
    assumed: &'a Assumed,
    out: &'a mut Output<'out>,
    sections: Sections,
    /// The list that is read, or follows.
    list: List,
}

/// What applies to all items of a list.
#[derive(Clone, Copy, Debug, Default)]
struct List {
    /// What the paragraph in front of it states: `The domains were:`.
    introduction: Option<Introduction>,
    /// Whether its items may be counts, because the paragraph or heading in front of it is about removals: `We removed:`.
    has_counts: bool,
    /// Whether each item is one word.
    has_single_words: bool,
}

impl List {
    /// The list that follows a block. Its items are the first blocks of `rest`; there may be none.
    fn after(block: &Content, rest: &[Block]) -> Self {
        let (introduction, has_counts) = match block {
            Content::Text(text) => (Introduction::of(text), count::is_about_removals(text)),
            Content::Heading(_, text) => (None, count::is_about_removals(text)),
            _ => (None, false),
        };
        let blocks = rest.iter().filter(|block| !matches!(block.content, Content::LeftOut(_)));
        let mut items = blocks.map_while(|block| match &block.content {
            Content::Item(_, text) => Some(text),
            _ => None,
        });
        let has_single_words = items.all(|text| text.split_whitespace().count() == 1);
        Self { introduction, has_counts, has_single_words }
    }

    /// What the introduction states about each value.
    fn stated(self) -> Stated {
        self.introduction.map(|it| it.stated).unwrap_or_default()
    }
}

impl Report<'_, '_> {
    /// Reads the first block of `rest`.
    fn read(&mut self, block: &Block, rest: &[Block]) {
        let row = block.row;
        match &block.content {
            // It may stand between the items of a list, and changes nothing for them.
            Content::LeftOut(text) => return self.record_left_out(text, row),
            // A value in bold is no heading.
            Content::Heading(BOLD_LEVEL, text) if cell::contains_value(text) => {
                return self.read(&Block { row, content: Content::Text(text.clone()) }, rest);
            }
            _ => {}
        }
        let is_item = matches!(block.content, Content::Item(..));
        match &block.content {
            Content::Heading(level, text) => self.sections.enter(*level, text),
            Content::Item(depth, text) if self.enter_item(*depth, text, rest) => return,
            Content::Item(..) => {}
            _ => self.sections.leave(ITEM_LEVEL),
        }
        let left_out = self.sections.current().left_out;
        match &block.content {
            Content::Heading(_, text) if cell::may_contain_value(text) => {
                let class = Class::Neither(SkipReason::TextWithValue);
                self.record(text, class, row, Stated::default());
            }
            Content::Heading(..) | Content::LeftOut(_) => {}
            Content::Item(_, text) | Content::Code(text) if left_out.is_some() => {
                self.record_left_out(text, row);
            }
            // Below `File names` there may be sentences about the attacker's values.
            Content::Text(text) if left_out == Some(SkipReason::Reference) => {
                self.record_left_out(text, row);
            }
            Content::Table(rows) if left_out == Some(SkipReason::Reference) => {
                for (row, cells) in rows {
                    cells.iter().for_each(|cell| self.record_left_out(cell, *row));
                }
            }
            Content::Table(rows) => self.read_table(rows),
            Content::Code(text) => self.read_code(text, row),
            Content::Text(text) if self.sections.enter_line(text) => {}
            Content::Text(text) => self.read_text(text, row),
            Content::Item(_, text) => self.read_item(text, row),
        }
        if !is_item {
            self.list = List::after(&block.content, &rest[1..]);
        }
    }

    /// Enters an item. One that names a kind or a platform is the heading of the list in it, and one that names a platform
    /// among accounts is that of the items after it. Returns whether it is only a heading.
    fn enter_item(&mut self, depth: usize, text: &str, rest: &[Block]) -> bool {
        self.sections.leave(ITEM_LEVEL + depth);
        let next = rest.get(1).and_then(|next| match &next.content {
            Content::Item(next, _) => Some(*next),
            _ => None,
        });
        let names_platform = self.sections.current().is_platform_heading(text);
        if next.is_some_and(|next| next > depth) {
            self.sections.enter(ITEM_LEVEL + depth, text);
            return names_platform;
        }
        let is_heading = names_platform && depth == 1 && next.is_some();
        if is_heading {
            self.sections.enter(ITEM_LEVEL, text);
        }
        is_heading
    }

    /// Reads a paragraph. Its first line may introduce values in the others.
    fn read_text(&mut self, text: &str, row: usize) {
        // A line in bold above others: `Domains`.
        if let Some((first, rest)) = text.split_once('\n')
            && list::heading(first).is_some()
        {
            self.sections.enter(BOLD_LEVEL, first);
            return self.read_text(rest, row + 1);
        }
        // `Accounts removed: 30`
        if count::is_about_removals(text.lines().next().unwrap_or_default())
            && let Some(counts) = text.lines().map(|line| count::read(line, None)).collect()
        {
            let counts: Vec<Vec<Count>> = counts;
            for ((at, line), counts) in text.lines().enumerate().zip(counts) {
                for class in counts.into_iter().map(Class::Aggregate) {
                    self.record(line, class, row + at, Stated::default());
                }
            }
            return;
        }
        let list = List { has_single_words: false, ..self.list };
        let introduced = text
            .split_once('\n')
            .and_then(|(first, rest)| Some((first, rest, Introduction::of(first)?)));
        match introduced {
            Some((first, rest, introduction)) => {
                self.read_lines(first, row, List::default());
                self.read_lines(rest, row + 1, List { introduction: Some(introduction), ..list });
            }
            None => self.read_lines(text, row, list),
        }
    }

    /// Reads an item. Below `We removed:` it is a count, or refused if it holds a number.
    fn read_item(&mut self, text: &str, row: usize) {
        let has_counts = self.list.has_counts;
        let counts = || match count::read(text, None) {
            Some(counts) => Some(counts.into_iter().map(Class::Aggregate).collect()),
            // A sentence may hold counts beside other figures.
            None => {
                (has_counts && count::is_unread_count(text) && count::in_prose(text).is_empty())
                    .then(|| vec![Class::Unreadable(count::unread_count())])
            }
        };
        let has_values = self.sections.current().has_values || self.list.introduction.is_some();
        // `Accounts removed: 30`
        let may_count = has_counts || count::is_about_removals(text);
        let classes = may_count.then(counts).flatten().or_else(|| {
            labelled(&text.replace('`', " "), has_values).filter(|classes| !classes.is_empty())
        });
        match classes {
            Some(classes) => {
                let stated = stated_beside(text).or(self.list.stated());
                for class in classes {
                    self.record(text, class, row, stated);
                }
            }
            None => self.read_lines(text, row, self.list),
        }
    }

    /// Reads the lines of a paragraph, an item or a cell.
    fn read_lines(&mut self, text: &str, row: usize, list: List) {
        let section = self.sections.current();
        let (kind, platform) = (section.kind.clone(), section.platform);
        let has_values = section.has_values || list.introduction.is_some();
        let has_single_words = list.has_single_words && !section.is_common_word;
        let list = List { has_single_words, ..list };
        let lines: Vec<Vec<Class>> = if has_values {
            let read = |line: &str| values(line, kind.as_deref(), platform, list);
            text.lines().map(read).collect()
        } else {
            Vec::new()
        };
        // Where most lines are values, the others are remarks.
        let of_values = lines.iter().filter(|classes| !classes.is_empty()).count();
        if of_values > 0 && of_values * 2 >= lines.len() {
            for ((at, line), classes) in text.lines().enumerate().zip(lines) {
                if classes.is_empty() {
                    self.read_sentences(line, row + at, platform, list);
                }
                let stated = stated_beside(line).or(list.stated());
                for class in classes {
                    self.record(line, class, row + at, stated);
                }
            }
            return;
        }
        self.read_sentences(text, row, platform, list);
    }

    fn read_sentences(&mut self, text: &str, row: usize, platform: Option<&str>, list: List) {
        let lines: Vec<&str> = text.lines().collect();
        let found = prose::paragraph(text, platform);
        let is_empty = found.is_empty();
        for ParagraphItem { line, class, stated, word } in found {
            let raw = word.as_deref().or_else(|| lines.get(line).copied()).unwrap_or(text);
            self.record(raw, class, row + line, stated.or(list.stated()));
        }
        // Values of which nothing is said, or among words: the reader decides.
        let has_values = self.sections.current().has_values || list.introduction.is_some();
        let may_be_value = |text: &&str| text.trim_end_matches('.').contains(['.', '@', ':']);
        let is_looked_at = |(_, line): &(usize, &&str)| {
            is_empty && line.len() <= MAX_REMARK_BYTES && may_be_value(line)
        };
        for (at, line) in lines.iter().enumerate().filter(is_looked_at) {
            let mut words = line.split_whitespace().filter(may_be_value);
            let has_value = has_values && words.any(cell::contains_value);
            if has_value || !values(line, None, None, List::default()).is_empty() {
                let class = Class::Neither(SkipReason::TextWithValue);
                self.record(line, class, row + at, Stated::default());
            }
        }
    }

    /// Reads a block of code: lines of values, or text.
    fn read_code(&mut self, text: &str, row: usize) {
        if prose::is_prose(text) {
            return self.read_lines(text, row, List::default());
        }
        for (at, line) in text.lines().enumerate() {
            let read = cell::read_line(line, None, None).into_iter();
            let values: Vec<_> = read.filter(Class::is_indicator).collect();
            if values.is_empty() {
                self.read_sentences(line, row + at, None, List::default());
            }
            for class in values {
                self.record(line, class, row + at, Stated::default());
            }
        }
    }

    /// Records the lines of a text that is not read, such as a reference, if they contain values.
    fn record_left_out(&mut self, text: &str, row: usize) {
        let reason = self.sections.current().left_out.unwrap_or(SkipReason::Reference);
        for (at, line) in text.lines().enumerate() {
            if cell::contains_value(line) {
                self.record(line, Class::Neither(reason), row + at, Stated::default());
            }
        }
    }

    fn record(&mut self, line: &str, class: Class, row: usize, stated: Stated) {
        let section = self.sections.current();
        let Stated { involvement, verdict } = stated.or(section.stated);
        let class = section.class_of(class);
        let details = match class {
            Class::Indicator(_) => Details { verdict, involvement, ..Details::default() },
            _ => Details::default(),
        };
        self.out.record(Record { row, raw: raw_text(line), class, details });
    }
}

/// What a remark after the value of a line states: `a.example (compromised)`.
fn stated_beside(line: &str) -> Stated {
    list::remark_of(line).map(Stated::of_remark).unwrap_or_default()
}

/// The values of a line that holds nothing else. None if it is text.
fn values(
    line: &str,
    kind: Option<&str>,
    platform: Option<&'static str>,
    list: List,
) -> Vec<Class> {
    let line = line.replace('`', " ");
    let line = line.trim();
    if is_labelled_reference(line) {
        return Vec::new();
    }
    if let Some(classes) = labelled(line, true).filter(|classes| !classes.is_empty()) {
        return classes;
    }
    let classes = match (kind, platform) {
        // A word below `Telegram` is a handle where it is marked as one, or where all items are single words.
        (None, Some(on)) if are_handles(line) || (list.has_single_words && is_word(line)) => {
            cell::read_value(line, Some(on))
        }
        (None, Some(_)) => cell::read(line, None),
        _ => cell::read_line(line, kind, platform),
    };
    classes.into_iter().filter(Class::is_indicator).collect()
}

/// Reads `Domains: a.example, b.example` and `ip-dst: 192.0.2.1 — the server`. `None` if no kind is in front, or if it
/// may be an address of the author's, where the text around it says of no value that it is one: `Website: …`.
fn labelled(line: &str, has_values: bool) -> Option<Vec<Class>> {
    let (label, values) = line.split_once(": ")?;
    let kind = list::heading(label.trim_matches(['*', ' ']))?;
    let is_plain = !kind.contains(' ') && !kind.ends_with('s') && is_contact_kind(kind);
    if is_plain && !has_values && !prose::is_defanged(values) {
        return None;
    }
    let declared = cell::read_declared(kind, None, values.trim());
    if declared.iter().any(Class::is_indicator) {
        return Some(declared.into_iter().filter(Class::is_indicator).collect());
    }
    Some(cell::read(values, None).into_iter().filter(Class::is_indicator).collect())
}

/// Whether a line leads to what others wrote: `link: https://blog.example/x`. What is defanged is a value.
fn is_labelled_reference(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(label, target)| {
        DeclaredType::of(label) == Some(DeclaredType::Reference) && !prose::is_defanged(target)
    })
}

/// Whether a line consists of handles that are marked as such: `@pier_desk, @quay_desk`.
fn are_handles(line: &str) -> bool {
    let mut words = line.split([',', ';', ' ']).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| word.starts_with('@') && word.len() > 1)
}

/// Whether a line is one word, and not the label of what follows.
fn is_word(line: &str) -> bool {
    !line.contains(char::is_whitespace) && !line.ends_with(':')
}

#[cfg(test)]
mod tests;
