//! Writes the blocks of a page as its elements open and close.

use super::super::prose::push_defanged_target;
use super::super::report::{BOLD_LEVEL, Block, Content};
use super::grid::{Cell, Grid};

/// Elements whose content is not text of the page. `head` is none of them: its end tag is optional, and its only text
/// is in elements that are left out.
const LEFT_OUT: &[&str] = &[
    "script", "style", "template", "noscript", "svg", "nav", "title", "select", "iframe", "button",
    "sup",
];
/// Elements that begin a block.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "section",
    "article",
    "header",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "hr",
    "blockquote",
    "figure",
    "figcaption",
    "caption",
    "main",
    "aside",
    "table",
    "form",
    "tr",
    "address",
];
/// Elements of text that its author took back.
const STRUCK: &[&str] = &["del", "s", "strike"];
/// Elements of code in a line.
const CODE: &[&str] = &["code", "tt", "kbd", "samp"];

/// Writes blocks as elements open and close.
#[allow(clippy::struct_excessive_bools)] // Each says whether one kind of element is open: all combinations occur.
#[derive(Default)]
pub struct Writer {
    /// The line of the page that is read.
    pub row: usize,
    blocks: Vec<Block>,
    /// The text of the block, or of the cell of a table, that is written.
    text: String,
    /// Whether it is more than blanks.
    has_text: bool,
    /// The line where it began.
    first_row: usize,
    /// The open element whose content is left out, and how many of its name are open in it.
    left_out: Option<(String, usize)>,
    heading: Option<usize>,
    /// The open lists.
    depth: usize,
    is_item: bool,
    /// How many elements of bold text are open, and whether the block has other text.
    bold: usize,
    has_plain: bool,
    grid: Grid,
    /// Whether a table has columns that are left out.
    has_more_columns: bool,
    is_cell: bool,
    is_code: bool,
    is_preformatted: bool,
    /// The open footers of the page: its author's own addresses.
    footers: usize,
    /// Where the text begins that is struck out.
    struck: Option<usize>,
    /// The target of the link that is open, and where its text begins.
    target: Option<(String, usize)>,
}

impl Writer {
    pub fn open(
        &mut self,
        name: &str,
        attribute: &dyn Fn(&[u8]) -> Option<String>,
        is_closed: bool,
    ) {
        if let Some((left_out, depth)) = &mut self.left_out {
            *depth += usize::from(left_out == name && !is_closed);
            return;
        }
        match name {
            _ if LEFT_OUT.contains(&name) && !is_closed => {
                self.left_out = Some((name.to_owned(), 0));
            }
            "pre" => {
                self.end_block();
                self.is_preformatted = !self.is_cell;
            }
            _ if CODE.contains(&name) => self.mark_code(true),
            "a" => self.target = attribute(b"href").map(|target| (target, self.text.len())),
            "b" | "strong" => self.bold += 1,
            "footer" => {
                self.end_block();
                self.footers += 1;
            }
            "summary" => {
                self.end_block();
                self.heading = Some(BOLD_LEVEL).filter(|_| !self.is_cell);
            }
            _ if STRUCK.contains(&name) => {
                // Within another one, the outer one counts.
                self.struck.get_or_insert(self.text.len());
            }
            "br" => self.break_line(),
            "td" | "th" => {
                self.end_cell();
                self.is_cell = true;
                let span = |name: &[u8]| attribute(name).and_then(|span| span.trim().parse().ok());
                self.grid.open_cell(name == "th", span(b"rowspan"), span(b"colspan"), self.row);
            }
            "table" => {
                self.end_cell();
                self.end_table();
                self.end_block();
            }
            "tr" => {
                self.end_cell();
                self.grid.end_row();
            }
            "ul" | "ol" => {
                self.end_block();
                self.depth += 1;
            }
            "li" => {
                self.end_block();
                self.is_item = !self.is_cell;
            }
            _ if heading_level(name).is_some() => {
                self.end_block();
                self.heading = heading_level(name).filter(|_| !self.is_cell);
            }
            _ if BLOCKS.contains(&name) => self.end_block(),
            _ => {}
        }
    }

    pub fn close(&mut self, name: &str) {
        if let Some((left_out, depth)) = &mut self.left_out {
            if left_out == name {
                match depth.checked_sub(1) {
                    Some(rest) => *depth = rest,
                    None => self.left_out = None,
                }
            }
            return;
        }
        match name {
            "pre" => {
                self.end_block();
                self.is_preformatted = false;
            }
            _ if CODE.contains(&name) => self.mark_code(false),
            "a" => self.end_link(),
            "b" | "strong" => self.bold = self.bold.saturating_sub(1),
            "footer" => {
                self.end_block();
                self.footers = self.footers.saturating_sub(1);
            }
            "summary" => self.end_block(),
            _ if STRUCK.contains(&name) => self.strike_out(),
            "td" | "th" => self.end_cell(),
            "tr" => {
                self.end_cell();
                self.grid.end_row();
            }
            "table" => {
                self.end_cell();
                self.end_table();
            }
            "ul" | "ol" => {
                self.end_block();
                self.depth = self.depth.saturating_sub(1);
            }
            "li" => {
                self.end_block();
                self.is_item = false;
            }
            _ if BLOCKS.contains(&name) || heading_level(name).is_some() => self.end_block(),
            _ => {}
        }
    }

    pub fn text(&mut self, text: &str) {
        if self.left_out.is_some() {
            return;
        }
        // A back-tick of the page marks nothing.
        let plain = text.replace('`', "'");
        self.begin_text(&plain);
        if self.is_preformatted {
            self.text.push_str(&plain);
            return;
        }
        self.has_plain |= self.bold == 0 && plain.contains(char::is_alphanumeric);
        let mut words = plain.split_whitespace();
        let begins_with_blank = plain.starts_with(char::is_whitespace);
        if begins_with_blank && !self.text.ends_with([' ', '\n', '`']) && !self.text.is_empty() {
            self.text.push(' ');
        }
        if let Some(first) = words.next() {
            self.text.push_str(first);
        }
        for word in words {
            self.text.push(' ');
            self.text.push_str(word);
        }
        if plain.ends_with(char::is_whitespace) && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    /// Notes where the text of a block begins. Blanks alone begin none.
    fn begin_text(&mut self, text: &str) {
        if !self.has_text && !text.trim().is_empty() {
            (self.has_text, self.first_row) = (true, self.row);
        }
    }

    fn take_text(&mut self) -> String {
        if self.struck.is_some() {
            self.strike_out();
            // The next block is struck out too.
            self.struck = Some(0);
        }
        self.has_text = false;
        std::mem::take(&mut self.text)
    }

    /// Ends what is open. Returns the blocks, and whether a table has columns that are left out.
    pub fn finish(mut self) -> (Vec<Block>, bool) {
        self.end_cell();
        self.end_table();
        self.end_block();
        (self.blocks, self.has_more_columns)
    }

    fn mark_code(&mut self, is_open: bool) {
        if !self.is_preformatted && self.is_code != is_open {
            self.is_code = is_open;
            self.text.push('`');
        }
    }

    fn end_link(&mut self) {
        let Some((target, start)) = self.target.take() else { return };
        let target = target.replace("%5B", "[").replace("%5D", "]").replace(['`', ' ', '\n'], "");
        let end = self.text.len();
        push_defanged_target(&mut self.text, start, &target);
        if self.text.len() > end {
            self.begin_text(&target);
        }
    }

    fn strike_out(&mut self) {
        let Some(start) = self.struck.take().filter(|start| *start <= self.text.len()) else {
            return;
        };
        let text = self.text.split_off(self.text.ceil_char_boundary(start));
        self.blocks.push(Block { row: self.row, content: Content::LeftOut(text) });
    }

    fn break_line(&mut self) {
        if self.is_cell {
            self.separate();
        } else if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Separates values in a cell.
    fn separate(&mut self) {
        if !self.has_text {
            return;
        }
        // Blanks are cut, so that they are not looked through again.
        self.text.truncate(self.text.trim_end().len());
        self.text.push_str(if self.text.ends_with(';') { " " } else { "; " });
    }

    /// Ends the block that is open, or separates parts of a cell.
    fn end_block(&mut self) {
        if self.is_cell {
            return self.separate();
        }
        self.mark_code(false);
        let text = self.take_text();
        let (heading, is_bold) = (self.heading.take(), !std::mem::take(&mut self.has_plain));
        let text = text.trim_matches('\n').trim_end();
        if text.trim().is_empty() {
            return;
        }
        let text = text.to_owned();
        let content = match heading {
            _ if self.footers > 0 => Content::LeftOut(text),
            Some(level) => Content::Heading(level, text.trim().to_owned()),
            None if self.is_preformatted => Content::Code(text),
            None if self.is_item => Content::Item(self.depth.max(1), text.trim().to_owned()),
            None if is_bold && !text.contains('\n') => {
                Content::Heading(BOLD_LEVEL, text.trim().to_owned())
            }
            None => Content::Text(text.trim().to_owned()),
        };
        self.blocks.push(Block { row: self.first_row, content });
    }

    fn end_cell(&mut self) {
        if self.is_cell {
            self.mark_code(false);
            let text = self.take_text();
            let text = text.trim().trim_end_matches(';').trim_end().to_owned();
            self.grid.end_cell(text);
            (self.is_cell, self.has_plain) = (false, false);
        }
    }

    fn end_table(&mut self) {
        self.grid.end_row();
        let grid = std::mem::take(&mut self.grid);
        self.has_more_columns |= grid.has_more_columns;
        let rows = grid.finish();
        let Some(first) = rows.first() else { return };
        // `<tr><th>Domain</th><td>a.example</td></tr>`: the header is a column.
        let has_labels = |row: &Vec<Cell>| {
            row.split_first().is_some_and(|(label, others)| {
                label.is_header && others.iter().any(|cell| !cell.is_header)
            })
        };
        let row = first.first().map_or(self.row, |cell| cell.row);
        let mut records: Vec<_> = rows.iter().map(|row| Cell::record(row)).collect();
        if rows.iter().all(has_labels) {
            records.insert(0, (row, csv::StringRecord::new()));
        }
        self.blocks.push(Block { row, content: Content::Table(records) });
    }
}

/// The level of a heading: `h2` has 2.
fn heading_level(name: &str) -> Option<usize> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}
