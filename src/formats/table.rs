//! Tables with a header: Meta's two schemas and any that name their columns.

use csv::StringRecord;

use super::columns::{Columns, TtpColumns, declared};
use super::{Details, Error, Record, cell, count};
use crate::domain::assessment::{Involvement, Technique};

/// Whether the first line is a header whose columns are known.
pub fn has_header(text: &str) -> bool {
    let mut reader = reader(text);
    reader.headers().is_ok_and(|header| {
        TtpColumns::of(header).is_some() || Columns::of(header).is_some_and(|c| c.is_header())
    })
}

/// Reads a table.
pub fn read(text: &str) -> Result<Vec<Record>, Error> {
    let mut reader = reader(text);
    let header = reader.headers().map_err(|error| broken(0, &error))?.clone();
    if let Some(columns) = TtpColumns::of(&header) {
        return read_rows(&mut reader, |row, cells, records| {
            ttp_row(row, cells, &columns, records);
        });
    }
    let Some(columns) = Columns::of(&header) else {
        let header = header.iter().collect::<Vec<_>>().join(",");
        return Err(Error::NoValueColumn(header.chars().take(200).collect()));
    };
    read_rows(&mut reader, |row, cells, records| row_of_columns(row, cells, &columns, records))
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    // A header may follow blank lines; its most frequent separator is the table's.
    let text = text.trim_start_matches(['\r', '\n']);
    let header = text.lines().next().unwrap_or_default();
    let count = |separator: u8| header.bytes().filter(|b| *b == separator).count();
    let separator = [b',', b'\t', b';'].into_iter().max_by_key(|s| (count(*s), *s == b','));
    csv::ReaderBuilder::new()
        .delimiter(separator.unwrap_or(b','))
        .flexible(true)
        .from_reader(text.as_bytes())
}

fn read_rows(
    reader: &mut csv::Reader<&[u8]>,
    mut take: impl FnMut(usize, &StringRecord, &mut Vec<Record>),
) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    for (at, cells) in reader.records().enumerate() {
        let row = at + 1;
        let cells = cells.map_err(|error| broken(row, &error))?;
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            take(row, &cells, &mut records);
        }
    }
    Ok(records)
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

fn row_of_columns(row: usize, cells: &StringRecord, columns: &Columns, into: &mut Vec<Record>) {
    let text = |at: usize| cells.get(at).map(str::trim).unwrap_or_default();
    let of = |at: Option<usize>| at.map(text).filter(|text| !text.is_empty());
    let details = columns.details(&of);
    for (column, kind) in &columns.values {
        let raw = cells.get(*column).unwrap_or_default();
        let kind = kind.as_deref().or(of(columns.kind));
        if raw.trim().is_empty() && columns.values.len() > 1 {
            continue;
        }
        let class = match kind {
            Some(kind) => declared(kind, of(columns.platform), raw),
            None => cell::read_with_platform(raw, of(columns.platform)),
        };
        into.push(Record { row, raw: raw.to_owned(), class, details: details.clone() });
    }
}

fn broken(row: usize, error: &csv::Error) -> Error {
    Error::Broken { row, reason: error.to_string() }
}
