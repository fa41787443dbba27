//! Lines of Markdown, as people write them: some tables lack what the parser asks for.

/// A text in which each table stands apart and has as many columns as its header, with the line of each of its bytes.
#[derive(Debug)]
pub struct Lines {
    /// The text.
    pub text: String,
    /// Where each line begins, and which line of the file it is.
    starts: Vec<(usize, usize)>,
}

impl Lines {
    /// Prepares the lines of a file.
    pub fn of(text: &str) -> Self {
        let mut prepared = Self { text: String::with_capacity(text.len()), starts: Vec::new() };
        let lines: Vec<&str> = text.lines().collect();
        let (mut is_code, mut is_table) = (false, false);
        for (at, line) in lines.iter().enumerate() {
            is_code ^= line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
            let is_blank = line.trim().is_empty();
            let has_bar = line.contains('|');
            let before = at.checked_sub(1).and_then(|before| lines.get(before));
            let is_separator = has_bar && is_separator(line);
            let is_header = has_bar
                && !is_separator
                && lines.get(at + 1).is_some_and(|next| self::is_separator(next));
            let is_quoted = line.trim_start().starts_with('>');
            // A table may follow a line of text, and a line of text a table.
            let is_apart = before.is_none_or(|before| before.trim().is_empty());
            if !is_code
                && !is_apart
                && !is_quoted
                && ((is_header && !is_table) || (is_table && !has_bar && !is_blank))
            {
                prepared.push("", at + 1);
            }
            is_table = (is_table && has_bar) || is_header;
            match before.filter(|_| is_separator && is_table && !is_code) {
                Some(header) if cells(header) != cells(line) => {
                    prepared.push(&format!("|{}", "---|".repeat(cells(header))), at + 1);
                }
                _ => prepared.push(line, at + 1),
            }
        }
        prepared
    }

    /// The line of the file in which a byte stands, from 1.
    pub fn row(&self, offset: usize) -> usize {
        let at = self.starts.partition_point(|(start, _)| *start <= offset);
        at.checked_sub(1).and_then(|at| self.starts.get(at)).map_or(1, |(_, row)| *row)
    }

    fn push(&mut self, line: &str, row: usize) {
        self.starts.push((self.text.len(), row));
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// Columns that a table has at most.
const MAX_COLUMNS: usize = 200;

/// How many cells a row has.
fn cells(row: &str) -> usize {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let row = if row.ends_with("\\|") { row } else { row.strip_suffix('|').unwrap_or(row) };
    let bars = row.matches('|').count() - row.matches("\\|").count();
    (bars + 1).min(MAX_COLUMNS)
}

/// How many headings a text has: `## Domains`, or a line that is underlined.
pub fn headings(text: &str) -> usize {
    let marked = text.lines().filter(|line| level(line).is_some()).count();
    let mut before = ["", ""];
    let mut underlined = 0;
    for line in text.lines() {
        let is_line =
            line.len() > 2 && (line.bytes().all(|b| b == b'=') || line.bytes().all(|b| b == b'-'));
        let is_title = before[0].trim().is_empty() && before[1].starts_with(char::is_alphabetic);
        underlined += usize::from(is_line && is_title);
        before = [before[1], line];
    }
    marked + underlined
}

/// The level of a heading: `## Domains` has 2.
pub fn level(line: &str) -> Option<usize> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    ((1..=6).contains(&level) && line[level..].starts_with(' ')).then_some(level)
}

/// Lines that front matter has at most.
const MAX_FRONT_MATTER: usize = 100;

/// Whether a text begins with front matter: `title: …` and the like between two lines `---`.
pub fn has_front_matter(text: &str) -> bool {
    let mut lines = text.lines();
    let opens = lines.next().is_some_and(|line| line.trim_end() == "---");
    let mut fields = lines.take(MAX_FRONT_MATTER).take_while(|line| !line.starts_with('#'));
    opens
        && fields.next().is_some_and(|line| line.contains(": "))
        && fields.any(|line| line.trim_end() == "---")
}

/// Whether a line or an item begins with a label in bold or italics: `- **Accounts removed:** 30`.
pub fn has_emphasised_label(line: &str) -> bool {
    let text = line.trim_start().trim_start_matches(['-', '+', ' ']);
    let text = text.strip_prefix("* ").unwrap_or(text);
    let label = text.trim_start_matches(['*', '_']);
    let mark = &text[..text.len() - label.len()];
    let end = label.find(mark).filter(|end| !mark.is_empty() && *end > 0);
    end.is_some_and(|end| label[..end].ends_with(':') || label[end + mark.len()..].starts_with(':'))
}

/// Whether a line is the one between the header and the rows of a table: `| --- | :---: |`.
pub fn is_separator(line: &str) -> bool {
    let line = line.trim();
    line.contains('-')
        && line.contains('|')
        && line.bytes().all(|b| matches!(b, b'|' | b'-' | b':' | b' '))
}
