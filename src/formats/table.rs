//! Tables with a header: Meta's two schemas and any that name their columns.

use csv::StringRecord;

use super::columns::{Columns, TtpColumns};
use super::{Assumed, Details, Error, Record, cell, count};
use crate::domain::Indicator;
use crate::domain::assessment::{Involvement, Technique};

/// How many lines may stand before the header: a title, `sep=,`, blank ones.
const LINES_BEFORE: usize = 10;

/// Where the header of a table is, and what it says.
enum Header {
    Ttp(TtpColumns),
    Columns(Columns),
    /// There is none, and each line is `kind,value`.
    None(Columns),
}

/// Whether the text is a table whose columns are known.
pub fn has_header(text: &str) -> bool {
    find_header(text).is_some()
}

/// Reads a table.
pub fn read(text: &str, assumed: &Assumed) -> Result<Vec<Record>, Error> {
    let Some((table, header)) = find_header(text) else {
        let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(Error::NoValueColumn(header.chars().take(200).collect()));
    };
    let has_headers = !matches!(header, Header::None(_));
    let mut reader = reader(table, has_headers);
    match header {
        Header::Ttp(columns) => read_rows(table, &mut reader, |row, cells, records| {
            ttp_row(row, cells, &columns, records);
        }),
        Header::Columns(columns) | Header::None(columns) => {
            read_rows(table, &mut reader, |row, cells, records| {
                row_of_columns(row, cells, &columns, assumed, records);
            })
        }
    }
}

/// Finds the header among the first lines, and gives the text from there on.
fn find_header(text: &str) -> Option<(&str, Header)> {
    let mut rest = text;
    for line in 0..LINES_BEFORE {
        rest = rest.trim_start_matches(['\r', '\n']);
        let first = reader(rest, false).records().next()?.ok()?;
        if let Some(columns) = TtpColumns::of(&first) {
            return Some((rest, Header::Ttp(columns)));
        }
        if let Some(columns) = Columns::of(&first) {
            return Some((rest, Header::Columns(columns)));
        }
        if line == 0
            && let Some(columns) = Columns::without_header(&first)
        {
            return Some((rest, Header::None(columns)));
        }
        // A list of values is no title, and has no header further down.
        let is_title = first.iter().all(|cell| Indicator::read(cell, None).is_err());
        let (_, below) = rest.split_once('\n').filter(|_| is_title)?;
        rest = below;
    }
    None
}

fn reader(text: &str, has_headers: bool) -> csv::Reader<&[u8]> {
    // The most frequent separator of the first line is the table's.
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
    mut take: impl FnMut(usize, &StringRecord, &mut Vec<Record>),
) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    let mut cells = StringRecord::new();
    let (mut row, mut last) = (0, 0);
    loop {
        row += 1;
        let begin = reader.position().byte();
        if !reader.read_record(&mut cells).map_err(|error| broken(row, &error))? {
            let last = usize::try_from(last).ok().and_then(|begin| text.get(begin..));
            check_quotes(row - 1, last.unwrap_or_default())?;
            return Ok(records);
        }
        last = begin;
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            take(row, &cells, &mut records);
        }
    }
}

/// A quote that is never closed makes one cell of all lines behind it, which are lost with it.
fn check_quotes(row: usize, last: &str) -> Result<(), Error> {
    let is_open = last.bytes().filter(|b| *b == b'"').count() % 2 == 1;
    if is_open && last.trim_end().contains('\n') {
        let reason = "a quote is opened and never closed, and all that follows would be one cell";
        return Err(Error::Broken { row, reason: reason.into() });
    }
    Ok(())
}

fn ttp_row(row: usize, cells: &StringRecord, columns: &TtpColumns, into: &mut Vec<Record>) {
    let text = |at: usize| cells.get(at).unwrap_or_default();
    let procedure = number_of(text(columns.procedure));
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

/// The number at the beginning of a procedure's cell: `0.9.4 Acquiring …`.
fn number_of(procedure: &str) -> &str {
    procedure.split_whitespace().next().unwrap_or_default().trim_end_matches('.')
}

/// Compromising websites (8.2) and data (8.3) of the online operations kill chain name those whom it
/// was done to.
fn is_victim(procedure: &str) -> bool {
    procedure.starts_with("8.2.") || procedure.starts_with("8.3.")
}

fn row_of_columns(
    row: usize,
    cells: &StringRecord,
    columns: &Columns,
    assumed: &Assumed,
    into: &mut Vec<Record>,
) {
    let text = |at: usize| cells.get(at).map(str::trim).unwrap_or_default();
    let of = |at: Option<usize>| at.map(text).filter(|text| !text.is_empty());
    let details = columns.details(&of);
    for (column, kind) in &columns.values {
        let raw = cells.get(*column).unwrap_or_default();
        let kind = kind.as_deref().or(of(columns.kind));
        if raw.trim().is_empty() && columns.values.len() > 1 {
            continue;
        }
        let class = assumed.class(kind, of(columns.platform), raw);
        into.push(Record::with(row, raw.to_owned(), class, details.clone()));
    }
}

fn broken(row: usize, error: &csv::Error) -> Error {
    Error::Broken { row, reason: error.to_string() }
}
