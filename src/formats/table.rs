//! Tables with a header: the two schemas of Meta, and any table that names its columns.

use csv::StringRecord;

use super::columns::{Columns, TtpColumns};
use super::{Assumed, Details, Error, Record, cell, count};
use crate::domain::Indicator;
use crate::domain::assessment::{Involvement, Technique};

/// Lines that may precede the header: a title, `sep=,`, blank lines.
const MAX_LINES_BEFORE_HEADER: usize = 10;

/// The kind of header, and its columns.
enum Header {
    Ttp(TtpColumns),
    Columns(Columns),
    /// There is no header; each row is `kind,value`.
    None(Columns),
}

/// Whether the text is a table with known columns.
pub fn has_header(text: &str, assumed: &Assumed) -> bool {
    find_header(text, assumed).is_some()
}

/// Reads a table.
pub fn read(text: &str, assumed: &Assumed) -> Result<Vec<Record>, Error> {
    let Some((table, header)) = find_header(text, assumed) else {
        let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let header = header.chars().take(200).collect();
        return Err(match &assumed.column {
            Some(name) => Error::NoSuchColumn { name: name.clone(), header },
            None => Error::NoValueColumn(header),
        });
    };
    let has_headers = !matches!(header, Header::None(_));
    let mut reader = reader(table, has_headers);
    match header {
        Header::Ttp(columns) => read_rows(table, &mut reader, |row, cells, records| {
            ttp_row(row, cells, &columns, records);
        }),
        Header::Columns(columns) | Header::None(columns) => {
            read_rows(table, &mut reader, |row, cells, records| {
                columns_row(row, cells, &columns, assumed, records);
            })
        }
    }
}

/// Finds the header among the first lines. Returns the text from the header on.
fn find_header<'a>(text: &'a str, assumed: &Assumed) -> Option<(&'a str, Header)> {
    let mut rest = text;
    for line in 0..MAX_LINES_BEFORE_HEADER {
        rest = rest.trim_start_matches(['\r', '\n']);
        let first = reader(rest, false).records().next()?.ok()?;
        if let Some(columns) = TtpColumns::of(&first) {
            return Some((rest, Header::Ttp(columns)));
        }
        if let Some(columns) = Columns::of(&first, assumed.column.as_deref()) {
            return Some((rest, Header::Columns(columns)));
        }
        if line == 0
            && let Some(columns) = Columns::without_header(&first)
        {
            return Some((rest, Header::None(columns)));
        }
        // A row of values is not a title: a list has no header further down.
        let is_title = first.iter().all(|cell| Indicator::read(cell, None).is_err());
        let (_, below) = rest.split_once('\n').filter(|_| is_title)?;
        rest = below;
    }
    None
}

fn reader(text: &str, has_headers: bool) -> csv::Reader<&[u8]> {
    // The most frequent separator of the first line counts.
    let header = text.lines().next().unwrap_or_default();
    let count = |separator: u8| header.bytes().filter(|b| *b == separator).count();
    let separator = [b',', b'\t', b';'].into_iter().max_by_key(|s| (count(*s), *s == b','));
    csv::ReaderBuilder::new()
        .delimiter(separator.unwrap_or(b','))
        .has_headers(has_headers)
        .flexible(true)
        .from_reader(text.as_bytes())
}

fn read_rows(
    text: &str,
    reader: &mut csv::Reader<&[u8]>,
    mut handle_row: impl FnMut(usize, &StringRecord, &mut Vec<Record>),
) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    let mut cells = StringRecord::new();
    let (mut row, mut last_start) = (0, 0);
    loop {
        row += 1;
        let start = reader.position().byte();
        if !reader.read_record(&mut cells).map_err(|error| broken(row, &error))? {
            let last = usize::try_from(last_start).ok().and_then(|start| text.get(start..));
            check_quotes(row - 1, last.unwrap_or_default())?;
            return Ok(records);
        }
        last_start = start;
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            handle_row(row, &cells, &mut records);
        }
    }
}

/// An unclosed quote turns all following rows into one cell and loses them.
fn check_quotes(row: usize, last: &str) -> Result<(), Error> {
    let is_open = last.bytes().filter(|b| *b == b'"').count() % 2 == 1;
    if is_open && last.trim_end().contains('\n') {
        let reason = "a quote is not closed: all following rows would become one cell";
        return Err(Error::Broken { row, reason: reason.into() });
    }
    Ok(())
}

pub fn ttp_row(row: usize, cells: &StringRecord, columns: &TtpColumns, into: &mut Vec<Record>) {
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
    let platform = count::platform_of_procedure(procedure);
    for class in cell::read(raw, platform) {
        into.push(Record { row, raw: raw.to_owned(), class, details: details.clone() });
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

pub fn columns_row(
    row: usize,
    cells: &StringRecord,
    columns: &Columns,
    assumed: &Assumed,
    into: &mut Vec<Record>,
) {
    let text = |at: usize| cells.get(at).map(str::trim).unwrap_or_default();
    let cell = |at: Option<usize>| at.map(text).filter(|text| !text.is_empty());
    let details = columns.details(&cell);
    for (column, kind) in &columns.values {
        let raw = cells.get(*column).unwrap_or_default();
        let kind = kind.as_deref().or(cell(columns.kind));
        if raw.trim().is_empty() && columns.values.len() > 1 {
            continue;
        }
        for class in assumed.classes(kind, cell(columns.platform), raw) {
            into.push(Record::with(row, raw.to_owned(), class, details.clone()));
        }
    }
}

fn broken(row: usize, error: &csv::Error) -> Error {
    Error::Broken { row, reason: error.to_string() }
}
