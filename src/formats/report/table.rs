//! Tables of reports.

use csv::StringRecord;

use super::super::columns::{Columns, TtpColumns};
use super::super::count::CountTable;
use super::super::prose::Stated;
use super::super::{Assumed, Record, headerless, table};
use super::{List, Report, is_contact_kind, labelled};

/// The columns of a table in a report.
enum ReportHeader {
    Ttp(TtpColumns),
    Counts(CountTable),
    Columns(Box<Columns>),
    /// No column holds values.
    Text,
}

impl Report<'_, '_> {
    /// Reads a table. The first row is its header.
    pub(super) fn read_table(&mut self, rows: &[(usize, StringRecord)]) {
        let Some(((first_row, header), body)) = rows.split_first() else { return };
        // A row of labels and values has no header above it.
        if header.iter().all(|name| name.trim().is_empty()) {
            return body.iter().for_each(|(row, cells)| self.read_pair(*row, cells));
        }
        let columns = self.header(&plain(header), body);
        if matches!(columns, ReportHeader::Text) {
            // The first row may be values.
            if let Some(columns) = self.columns_without_header(rows) {
                return self.read_rows(rows, &ReportHeader::Columns(Box::new(columns)));
            }
            self.read_cells(*first_row, header);
        }
        self.read_rows(body, &columns);
    }

    fn read_rows(&mut self, rows: &[(usize, StringRecord)], columns: &ReportHeader) {
        let section = self.sections.current().clone();
        let Stated { involvement, verdict } = section.stated;
        let platform = section.platform.filter(|_| !section.is_common_word).map(str::to_owned);
        let platform = self.assumed.platform.clone().or(platform);
        let assumed = Assumed { platform, ..self.assumed.clone() };
        for (row, cells) in rows {
            let out = &mut *self.out;
            let mut give = |mut record: Record| {
                record.class = section.class_of(record.class);
                record.details.involvement = record.details.involvement.or(involvement);
                record.details.verdict = record.details.verdict.or(verdict);
                out.record(record);
            };
            match columns {
                ReportHeader::Ttp(columns) => {
                    table::ttp_row(*row, &plain(cells), columns, &mut give);
                }
                ReportHeader::Counts(counts) => {
                    table::counts_row(*row, &plain(cells), counts, &mut give);
                }
                ReportHeader::Columns(columns) => {
                    table::columns_row(*row, &plain(cells), columns, &assumed, &mut give);
                }
                ReportHeader::Text => self.read_cells(*row, cells),
            }
        }
    }

    fn header(&mut self, header: &StringRecord, body: &[(usize, StringRecord)]) -> ReportHeader {
        if let Some(columns) = TtpColumns::of(header) {
            return ReportHeader::Ttp(columns);
        }
        let named = self.assumed.column.as_deref();
        if named.is_none()
            && let Some(counts) = CountTable::of(header, body.iter().map(|(_, cells)| cells))
        {
            self.out.unread_columns(counts.unread(header).map(str::to_owned));
            return ReportHeader::Counts(counts);
        }
        let has_values = named.is_some() || self.sections.current().has_values;
        match Columns::of(header, named) {
            Some(columns) if !has_values && lists_people(header, &columns) => ReportHeader::Text,
            Some(columns) => {
                self.out.unread_columns(columns.unread(header).map(str::to_owned));
                ReportHeader::Columns(Box::new(columns))
            }
            None => ReportHeader::Text,
        }
    }

    /// The columns of a table of kinds and values without a header. Kinds such as `E-mail` may be the author's, if no
    /// heading says that the table lists values.
    fn columns_without_header(&mut self, rows: &[(usize, StringRecord)]) -> Option<Columns> {
        let sample = rows.iter().take(headerless::SAMPLE_ROWS).map(|(_, cells)| plain(cells));
        let sample: Vec<StringRecord> = sample.collect();
        let columns = headerless::columns(&sample)?;
        let kind = columns.kind?;
        let mut kinds = sample.iter().filter_map(|row| row.get(kind));
        let has_values = self.sections.current().has_values || !kinds.any(is_contact_kind);
        if !has_values {
            return None;
        }
        let unread = (0..rows[0].1.len()).filter(|at| !columns.is_read(*at));
        self.out.unread_columns(unread.map(|at| format!("column {} (no header)", at + 1)));
        Some(columns)
    }

    fn read_cells(&mut self, row: usize, cells: &StringRecord) {
        for cell in cells.iter().filter(|cell| !cell.is_empty()) {
            self.read_lines(cell, row, List::default());
        }
    }

    /// Reads a row of a label and its values: `Domain | a.example`.
    fn read_pair(&mut self, row: usize, cells: &StringRecord) {
        let mut cells = cells.iter();
        let label = cells.next().unwrap_or_default().trim_end_matches(':');
        for cell in cells.filter(|cell| !cell.trim().is_empty()) {
            let line = format!("{label}: {}", cell.replace('`', ""));
            let classes = labelled(&line, self.sections.current().has_values);
            match classes.filter(|classes| !classes.is_empty()) {
                Some(classes) => {
                    for class in classes {
                        self.record(cell, class, row, Stated::default());
                    }
                }
                None => self.read_lines(cell, row, List::default()),
            }
        }
    }
}

/// Names of columns of people and organisations.
const PEOPLE: &[&str] =
    &["name", "organisation", "organization", "company", "contact", "person", "team", "partner"];

/// Whether a table says where people and organisations are reached: `Name | Website | E-mail`.
fn lists_people(header: &StringRecord, columns: &Columns) -> bool {
    let names_people = |name: &str| PEOPLE.contains(&name.trim().to_lowercase().as_str());
    header.iter().any(names_people)
        && columns.values.iter().all(|column| header.get(column.at).is_some_and(is_contact_kind))
}

/// The cells of a row without back-ticks.
fn plain(cells: &StringRecord) -> StringRecord {
    cells.iter().map(|cell| cell.replace('`', "")).collect()
}
