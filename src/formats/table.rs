//! Tables with a header: the two schemas of Meta, and any table that names its columns.

use std::io::{self, Read};

use csv::StringRecord;

use super::columns::{Columns, MAYBE_VALUES, TtpColumns, ValueColumn, has_name};
use super::count::{self, CountTable};
use super::details::words;
use super::kinds::normal;
use super::limited::LimitedReader;
use super::quotes::{WithoutBlanks, has_blanks_before};
use super::record::raw_text;
use super::{Assumed, Class, Details, Error, Input, Output, Record, SkipReason, cell, headerless};
use crate::domain::assessment::{Involvement, Technique};
use crate::domain::{Indicator, Kind};

/// Lines that may precede the header: a title, `sep=,`.
const MAX_LINES_BEFORE_HEADER: usize = 10;
/// Comments that may precede it.
const MAX_COMMENTS_BEFORE_HEADER: usize = 200;
/// Bytes that a record may have.
const MAX_RECORD_BYTES: u64 = 1024 * 1024;

/// The kind of header, and its columns.
enum Header {
    Ttp(TtpColumns),
    Columns(Columns),
    Counts(CountTable),
    /// There is no header.
    None(Columns),
}

/// Whether the text is a table with known columns.
pub fn has_header(text: &str, assumed: &Assumed) -> bool {
    find_header(text, assumed).is_some()
}

/// Whether the header of a text, if it has one, is a single word below other lines, as a heading in an article.
pub fn has_single_word_below(text: &str, assumed: &Assumed) -> bool {
    find_header(text, assumed).is_none_or(|(table, _)| {
        let is_single = first_record(table).is_some_and(|header| header.len() == 1);
        is_single && table.len() < text.trim_start().len()
    })
}

/// Reads a table.
pub fn read(input: &Input, assumed: &Assumed, out: &mut Output<'_>) -> Result<(), Error> {
    let head = input.head();
    let Some((table, header)) = find_header(head, assumed) else {
        let header = head.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let header = header.chars().take(200).collect();
        return Err(match &assumed.column {
            Some(name) => Error::NoSuchColumn { name: name.clone(), header },
            None => Error::NoValueColumn(header),
        });
    };
    let rows = Rows {
        input,
        start: (head.len() - table.len()) as u64,
        has_headers: !matches!(header, Header::None(_)),
        separator: separator(table),
        has_blanks_before_quotes: has_blanks_before(table, separator(table)),
    };
    match (&header, first_record(table)) {
        (Header::Columns(columns), Some(names)) => {
            out.unread_columns(columns.unread(&names).map(str::to_owned));
        }
        (Header::Counts(counts), Some(names)) => {
            out.unread_columns(counts.unread(&names).map(str::to_owned));
        }
        (Header::None(columns), Some(first)) => {
            let unread = (0..first.len()).filter(|at| !columns.is_read(*at));
            out.unread_columns(unread.map(|at| format!("column {} (no header)", at + 1)));
        }
        _ => {}
    }
    match header {
        Header::Counts(counts) => rows.read(out, |row, cells, out| {
            counts_row(row, cells, &counts, &mut |record| out.record(record));
        }),
        Header::Ttp(columns) => rows.read(out, |row, cells, out| {
            ttp_row(row, cells, &columns, &mut |record| out.record(record));
        }),
        Header::Columns(columns) | Header::None(columns) => rows.read(out, |row, cells, out| {
            columns_row(row, cells, &columns, assumed, &mut |record| out.record(record));
        }),
    }
}

/// Finds the header among the first lines. Returns the text from the header on.
fn find_header<'a>(text: &'a str, assumed: &Assumed) -> Option<(&'a str, Header)> {
    let mut rest = text;
    let (mut titles, mut comments) = (0, 0);
    while titles < MAX_LINES_BEFORE_HEADER && comments < MAX_COMMENTS_BEFORE_HEADER {
        rest = rest.trim_start_matches(['\r', '\n']);
        // Zeek's header is a comment with the names after its own.
        rest = rest.strip_prefix("#fields\t").unwrap_or(rest);
        let first = first_record(rest)?;
        if rest.starts_with('#') && !may_be_header(&first, rest) {
            comments += 1;
            rest = rest.split_once('\n')?.1;
            continue;
        }
        if let Some(columns) = TtpColumns::of(&first) {
            return Some((rest, Header::Ttp(columns)));
        }
        if assumed.column.is_none()
            && let Some(counts) = CountTable::of(&first, &sampled_rows(rest, first.len()))
        {
            return Some((rest, Header::Counts(counts)));
        }
        if let Some(columns) = Columns::of(&first, assumed.column.as_deref()) {
            return Some((rest, Header::Columns(columns)));
        }
        if assumed.column.is_none()
            && let Some(columns) = columns_by_cells(&first, &sampled_rows(rest, first.len()))
        {
            return Some((rest, Header::Columns(columns)));
        }
        if titles == 0
            && !rest.starts_with('#')
            && assumed.column.is_none()
            && let Some(columns) = headerless::columns(&first_records(rest))
        {
            return Some((rest, Header::None(columns)));
        }
        // A row of values is not a title: a list has no header further down.
        let is_title = first.iter().all(|cell| Indicator::read(cell, None).is_err());
        *if rest.starts_with('#') { &mut comments } else { &mut titles } += 1;
        let (_, below) = rest.split_once('\n').filter(|_| is_title)?;
        rest = below;
    }
    None
}

/// Whether a comment may be the header of a table: `# id,date,url`. `# hosts` is the title of a list.
fn may_be_header(comment: &StringRecord, text: &str) -> bool {
    let is_row = |row: &StringRecord| row.get(0).is_some_and(|cell| !cell.starts_with('#'));
    comment.len() > 1
        && sampled_rows(text, comment.len())
            .iter()
            .find(|row| is_row(row))
            .is_none_or(|row| row.len() == comment.len())
}

/// The columns of a table whose column of values has a name that may mean something else, by the cells in it.
fn columns_by_cells(header: &StringRecord, rows: &[StringRecord]) -> Option<Columns> {
    let position = |name: &&str| header.iter().position(|cell| has_name(&normal(cell), name));
    let (name, at) = MAYBE_VALUES.iter().find_map(|name| Some((*name, position(name)?)))?;
    let holds_values = rows.iter().all(|row| row.get(at).is_some_and(headerless::is_value));
    let columns = Columns::of(header, Some(name)).filter(|_| holds_values && !rows.is_empty());
    columns.filter(Columns::has_assessment)
}

/// The separator of a table: the most frequent one of its first line.
fn separator(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |separator: u8| header.bytes().filter(|b| *b == separator).count();
    let separator = [b',', b'\t', b';'].into_iter().max_by_key(|s| (count(*s), *s == b','));
    separator.unwrap_or(b',')
}

fn first_record(text: &str) -> Option<StringRecord> {
    reader(text.as_bytes(), separator(text), false).records().next()?.ok()
}

/// The first rows of a table without a header, but for comments.
fn first_records(text: &str) -> Vec<StringRecord> {
    let mut reader = reader(text.as_bytes(), separator(text), false);
    let rows = reader.records().map_while(Result::ok);
    let rows = rows.filter(|row| !row.get(0).is_some_and(|cell| cell.starts_with("# ")));
    rows.take(headerless::SAMPLE_ROWS).collect()
}

/// The first rows below the header of a table, by which a column of numbers is recognized.
fn sampled_rows(text: &str, columns: usize) -> Vec<StringRecord> {
    if columns < 2 {
        return Vec::new();
    }
    let mut reader = reader(text.as_bytes(), separator(text), true);
    reader.records().take(count::SAMPLED_ROWS).filter_map(Result::ok).collect()
}

fn reader<R: Read>(text: R, separator: u8, has_headers: bool) -> csv::Reader<R> {
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(has_headers)
        .flexible(true)
        .from_reader(text)
}

/// The rows of a table.
struct Rows<'a> {
    input: &'a Input,
    /// Bytes of the text before the header.
    start: u64,
    has_headers: bool,
    separator: u8,
    has_blanks_before_quotes: bool,
}

impl Rows<'_> {
    fn read(
        &self,
        out: &mut Output<'_>,
        mut handle_row: impl FnMut(usize, &StringRecord, &mut Output<'_>),
    ) -> Result<(), Error> {
        let (text, limit) = LimitedReader::of(self.text()?, MAX_RECORD_BYTES);
        let mut reader = reader(text, self.separator, self.has_headers);
        let mut cells = StringRecord::new();
        let (mut row, mut has_lines, mut last_start) = (0, false, 0);
        while !out.is_stopped() {
            row += 1;
            let start = reader.position().byte();
            limit.begin();
            if !reader.read_record(&mut cells).map_err(|error| broken(row, &error))? {
                return if has_lines { self.check_quotes(row - 1, last_start) } else { Ok(()) };
            }
            has_lines = cells.iter().any(|cell| cell.contains('\n'));
            last_start = start;
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                handle_row(row, &cells, out);
            }
        }
        Ok(())
    }

    /// The text of the table.
    fn text(&self) -> io::Result<Box<dyn Read>> {
        let mut text = self.input.reader();
        skip(&mut text, self.start)?;
        Ok(if self.has_blanks_before_quotes {
            Box::new(WithoutBlanks::of(text, self.separator))
        } else {
            Box::new(text)
        })
    }

    /// Checks the last record, which begins at byte `start` of the table. An unclosed quote turns all following rows
    /// into one cell and loses them.
    fn check_quotes(&self, row: usize, start: u64) -> Result<(), Error> {
        let (mut text, mut last) = (self.text()?, String::new());
        skip(&mut text, start)?;
        text.take(MAX_RECORD_BYTES).read_to_string(&mut last)?;
        let is_open = last.bytes().filter(|b| *b == b'"').count() % 2 == 1;
        if is_open && last.trim_end().contains('\n') {
            let reason = "a quote is not closed: all following rows would become one cell";
            return Err(Error::Broken { row, reason: reason.into() });
        }
        Ok(())
    }
}

fn skip(reader: &mut impl Read, bytes: u64) -> io::Result<()> {
    io::copy(&mut reader.take(bytes), &mut io::sink()).map(drop)
}

/// Reads a row of a report by procedure.
pub fn ttp_row(
    row: usize,
    cells: &StringRecord,
    columns: &TtpColumns,
    emit: &mut impl FnMut(Record),
) {
    let text = |at: usize| cells.get(at).unwrap_or_default();
    let procedure = procedure_number(text(columns.procedure));
    let raw = text(columns.indicator);
    let note = columns.note.map(text).map(str::trim).filter(|note| !note.is_empty());
    let details = Details {
        techniques: Technique::parse(procedure).into_iter().collect(),
        involvement: is_victim(procedure).then_some(Involvement::Victim),
        note: note.map(str::to_owned),
        ..Details::default()
    };
    for class in ttp_classes(procedure, raw) {
        emit(Record { row, raw: raw_text(raw), class, details: details.clone() });
    }
}

/// Reads the cell of a procedure. A number under one about assets is a count, or else it is unreadable.
fn ttp_classes(procedure: &str, raw: &str) -> Vec<Class> {
    let is_unread = || count::is_about_assets(procedure) && count::is_unread_count(raw);
    if count::is_figure(raw.trim()) && is_unread() {
        return vec![Class::Unreadable(count::unread_count())];
    }
    match cell::read(raw, count::platform_of_procedure(procedure)).as_slice() {
        [Class::Neither(SkipReason::Text)] if is_unread() => {
            vec![Class::Unreadable(count::unread_count())]
        }
        classes => classes.to_vec(),
    }
}

/// Reads a row of a table of counts.
pub fn counts_row(
    row: usize,
    cells: &StringRecord,
    counts: &CountTable,
    emit: &mut impl FnMut(Record),
) {
    for (cell, class) in counts.row(cells) {
        emit(Record { row, raw: raw_text(cell), class, details: Details::default() });
    }
}

/// The number at the start of a procedure cell: `0.9.4 Acquiring …`.
fn procedure_number(procedure: &str) -> &str {
    procedure.split_whitespace().next().unwrap_or_default().trim_end_matches('.')
}

/// Whether a procedure names victims: compromised websites (8.2) and data (8.3) of the online
/// operations kill chain.
fn is_victim(procedure: &str) -> bool {
    procedure.starts_with("8.2.") || procedure.starts_with("8.3.")
}

/// Reads a row of any other table.
pub fn columns_row(
    row: usize,
    cells: &StringRecord,
    columns: &Columns,
    assumed: &Assumed,
    emit: &mut impl FnMut(Record),
) {
    let text = |at: usize| cells.get(at).map(str::trim).unwrap_or_default();
    let cell = |at: Option<usize>| at.map(text).filter(|text| !words::is_blank(text));
    let details = columns.details(&cell);
    let (kind, platform) = (cell(columns.kind), cell(columns.platform));
    let mut records = Vec::new();
    let is_in_row = |column: &&ValueColumn| column.at < cells.len() || columns.values.len() == 1;
    for column in columns.values.iter().take_while(is_in_row) {
        let raw = cells.get(column.at).unwrap_or_default();
        let is_blank = words::is_absent(raw);
        if is_blank && columns.values.len() > 1 {
            continue;
        }
        let mut details = details.clone();
        if let Ok(details) = &mut details {
            columns.complete(details, column, kind, assumed);
        }
        let kind = column.kind_in_row(kind, platform);
        let classes = if is_blank {
            vec![Class::Neither(SkipReason::Empty)]
        } else {
            assumed.classes(kind, platform, raw)
        };
        for class in classes {
            records.push(Record::with(row, raw_text(raw), class, details.clone()));
        }
    }
    link_account(&mut records);
    records.into_iter().for_each(emit);
}

/// Links the handle and the stable id of a row, if it has one of each and both are on one platform.
fn link_account(records: &mut [Record]) {
    let mut ids = records.iter().filter_map(|record| record.indicator_of(Kind::AccountId));
    let (Some(id), None) = (ids.next().cloned(), ids.next()) else { return };
    let is_handle = |record: &&mut Record| record.indicator_of(Kind::Account).is_some();
    let mut handles = records.iter_mut().filter(is_handle);
    let (Some(handle), None) = (handles.next(), handles.next()) else { return };
    let platform = handle.indicator_of(Kind::Account).and_then(Indicator::platform);
    if handle.details.account_id.is_none() && platform == id.platform() {
        handle.details.account_id = Some(id.into_value().into());
    }
}

fn broken(row: usize, error: &csv::Error) -> Error {
    let reason = match error.kind() {
        csv::ErrorKind::Io(error) => format!("{error}. Is a quote not closed?"),
        _ => error.to_string(),
    };
    Error::Broken { row, reason }
}
