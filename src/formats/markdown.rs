//! Markdown, as the blocks of a report.

mod lines;

use csv::StringRecord;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use self::lines::Lines;
use super::prose::{self, push_defanged_target};
use super::report::{self, BOLD_LEVEL, Block, Content, Sections};
use super::{Assumed, Output, html};
use crate::domain::Platform;

/// Whether a text is Markdown: it has a heading, and a table, a footnote, a link, a second heading with a sentence or with
/// the name of a section of references or indicators or with a label in bold, or a list below a heading that names a
/// platform. So is one with front matter and a heading of the second level.
pub fn is_markdown(text: &str) -> bool {
    let headings = lines::headings(text);
    let has_table = || text.lines().any(lines::is_separator);
    let has_link = || text.lines().any(|line| line.contains("]("));
    let has_items =
        || text.lines().any(|line| line.starts_with(['-', '*', '+']) && line[1..].starts_with(' '));
    let names_platform = || {
        text.lines().any(|line| {
            lines::level(line).is_some_and(|level| level > 1)
                && Platform::is_named(line.trim_matches(['#', ' ', ':']))
        })
    };
    let has_section = || text.lines().any(|line| lines::level(line).is_some_and(|level| level > 1));
    // Comments of a block list look like headings, but no line of it is a sentence.
    let has_sentence = || {
        has_section() && text.lines().any(|line| !line.starts_with('#') && prose::is_sentence(line))
    };
    let names_section = || {
        let named = |line: &str| {
            lines::level(line).is_some_and(|level| level > 1)
                && Sections::is_named(line.trim_matches(['#', ' ']))
        };
        text.lines().any(named)
    };
    let has_footnote = || text.lines().any(|line| line.starts_with("[^") && line.contains("]: "));
    let has_label = || text.lines().any(lines::has_emphasised_label);
    (headings > 0 && (has_table() || has_footnote() || has_link()))
        || (headings > 1 && (has_sentence() || names_section() || has_label()))
        || (headings > 0 && names_platform() && has_items())
        || (lines::has_front_matter(text) && has_section())
}

/// Reads a report. The row of a record is its line.
pub fn read(text: &str, assumed: &Assumed, out: &mut Output<'_>) {
    report::read(&blocks(text), assumed, out);
}

/// The blocks of a text.
fn blocks(text: &str) -> Vec<Block> {
    let lines = Lines::of(text);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut writer = Writer { source: &lines.text, ..Writer::default() };
    for (event, range) in Parser::new_ext(&lines.text, options).into_offset_iter() {
        let row = lines.row(range.start);
        match event {
            Event::Start(tag) => writer.open(tag, range.start, row),
            Event::End(tag) => writer.close(tag, range.end),
            Event::Text(text) => writer.text(&text, row),
            Event::Code(code) => writer.code(&code),
            Event::SoftBreak => writer.line.push('\n'),
            Event::HardBreak => writer.line_break(),
            Event::InlineHtml(tag) if is_line_break(&tag) => writer.line_break(),
            Event::Html(text) => writer.html.push_str(&text),
            _ => {}
        }
    }
    writer.flush();
    writer.blocks
}

fn is_line_break(tag: &str) -> bool {
    tag.to_ascii_lowercase().starts_with("<br")
}

/// Writes blocks as Markdown opens and closes.
#[allow(clippy::struct_excessive_bools)] // Each says whether one kind of block is open: all combinations occur.
#[derive(Default)]
struct Writer<'a> {
    source: &'a str,
    blocks: Vec<Block>,
    /// The text of the block that is open.
    line: String,
    row: usize,
    heading: Option<usize>,
    depth: usize,
    is_item: bool,
    /// Whether the block has text that is not bold.
    has_plain: bool,
    bold: usize,
    footnotes: usize,
    is_code: bool,
    is_metadata: bool,
    /// The targets of the open links, each with the text before it.
    links: Vec<(String, usize)>,
    html: String,
    cells: Vec<String>,
    rows: Vec<(usize, StringRecord)>,
    is_cell: bool,
    /// Where the text begins that is struck out.
    struck: Option<usize>,
    /// Whether the text is that of an image.
    is_image: bool,
}

impl Writer<'_> {
    fn open(&mut self, tag: Tag<'_>, start: usize, row: usize) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock => {
                self.flush();
                self.row = row;
                self.is_code = matches!(tag, Tag::CodeBlock(_));
                if let Tag::Heading { level, .. } = tag {
                    self.heading = Some(level as usize);
                }
            }
            Tag::MetadataBlock(_) => {
                self.flush();
                (self.row, self.is_metadata) = (row, true);
            }
            Tag::FootnoteDefinition(_) => {
                self.flush();
                (self.row, self.footnotes) = (row, self.footnotes + 1);
            }
            Tag::List(_) => {
                self.flush();
                self.depth += 1;
            }
            Tag::Item => {
                self.flush();
                (self.row, self.is_item) = (row, true);
            }
            Tag::Table(_) => self.flush(),
            Tag::TableHead | Tag::TableRow => self.row = row,
            Tag::TableCell => self.is_cell = true,
            Tag::Strong => {
                self.bold += 1;
                self.underscores(start);
            }
            Tag::Emphasis => self.underscores(start),
            Tag::Strikethrough => self.struck = Some(self.line.len()),
            Tag::Image { .. } => self.is_image = true,
            Tag::Link { dest_url, link_type, .. } => {
                let is_own = matches!(link_type, LinkType::Autolink | LinkType::Email);
                let target = if is_own { String::new() } else { dest_url.into_string() };
                self.links.push((target, self.line.len()));
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd, end: usize) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock => self.flush(),
            TagEnd::HtmlBlock => {
                let (html, row) = (std::mem::take(&mut self.html), self.row);
                let blocks = html::blocks(&html).into_iter();
                let in_file = |block: Block| Block { row: block.row + row - 1, ..block };
                self.blocks.extend(blocks.map(in_file));
            }
            TagEnd::MetadataBlock(_) => {
                self.flush();
                self.is_metadata = false;
            }
            TagEnd::FootnoteDefinition => {
                self.flush();
                self.footnotes -= 1;
            }
            TagEnd::List(_) => {
                self.flush();
                self.depth -= 1;
            }
            TagEnd::Item => {
                self.flush();
                self.is_item = false;
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.line);
                self.cells.push(cell.trim().to_owned());
                self.is_cell = false;
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                let cells = std::mem::take(&mut self.cells);
                self.rows.push((self.row, StringRecord::from(cells)));
            }
            TagEnd::Table => {
                let rows = std::mem::take(&mut self.rows);
                let row = rows.first().map_or(self.row, |(row, _)| *row);
                self.blocks.push(Block { row, content: Content::Table(rows) });
            }
            TagEnd::Strong => {
                self.underscores(end.saturating_sub(1));
                self.bold -= 1;
            }
            TagEnd::Emphasis => self.underscores(end.saturating_sub(1)),
            TagEnd::Strikethrough => self.strike_out(),
            TagEnd::Image => self.is_image = false,
            TagEnd::Link => {
                if let Some((target, start)) = self.links.pop() {
                    push_defanged_target(&mut self.line, start, &target);
                    // `a.example [1]`
                    let text = self.line.get(start..).unwrap_or_default();
                    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
                        self.line.truncate(start);
                    }
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, row: usize) {
        if self.is_image {
            return;
        }
        if self.line.is_empty() && !self.is_cell && !self.is_code && !self.is_metadata {
            self.row = row;
        }
        self.has_plain |= self.bold == 0 && text.contains(char::is_alphanumeric);
        // A back-tick that is none of Markdown.
        self.line.push_str(&text.replace('`', "'"));
    }

    fn code(&mut self, code: &str) {
        self.has_plain |= self.bold == 0;
        self.line.push('`');
        self.line.push_str(&code.replace('`', "'"));
        self.line.push('`');
    }

    fn line_break(&mut self) {
        self.line.push_str(if self.is_cell { "; " } else { "\n" });
    }

    /// Leaves out what was struck out: its author took it back.
    fn strike_out(&mut self) {
        let Some(start) = self.struck.take().filter(|start| *start <= self.line.len()) else {
            return;
        };
        let text = self.line.split_off(self.line.ceil_char_boundary(start));
        self.blocks.push(Block { row: self.row, content: Content::LeftOut(text) });
    }

    /// A handle such as `__pier__` is no emphasis: underscores stay.
    fn underscores(&mut self, at: usize) {
        if self.source.as_bytes().get(at) == Some(&b'_') {
            self.line.push('_');
        }
    }

    /// Ends the block that is open.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.line);
        let text = text.trim_end();
        let heading = self.heading.take();
        let (is_code, is_bold) =
            (std::mem::take(&mut self.is_code), !std::mem::take(&mut self.has_plain));
        if text.trim().is_empty() || self.is_cell {
            return;
        }
        let text = text.to_owned();
        let content = match heading {
            _ if self.footnotes > 0 || self.is_metadata => Content::LeftOut(text),
            Some(level) => Content::Heading(level, text),
            None if is_code => Content::Code(text),
            None if self.is_item || self.depth > 0 => Content::Item(self.depth, text),
            None if is_bold && !text.contains('\n') => Content::Heading(BOLD_LEVEL, text),
            None => Content::Text(text),
        };
        self.blocks.push(Block { row: self.row, content });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::assessment::Involvement;
    use crate::formats::{Class, Format, read};

    fn values(text: &str) -> Vec<String> {
        let records = read(text.as_bytes(), Some(Format::Markdown)).unwrap().into_iter();
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

    #[test]
    fn a_heading_states_the_involvement_of_what_is_below_it() {
        let text = "# A network\n\n## Impersonated outlets\n\n### Domains\n\n- a.example\n\n| Domain |\n|---|\n| \
                    b.example |\n\n## Indicators of compromise\n\n- c.example\n";
        let records = read(text.as_bytes(), Some(Format::Markdown)).unwrap();
        let involvements: Vec<_> =
            records.iter().map(|record| record.details.involvement).collect();
        assert_eq!(involvements, [Some(Involvement::Victim), Some(Involvement::Victim), None]);
    }
}
