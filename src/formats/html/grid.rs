//! The cells of a table, in which one may reach over several rows and columns.

use csv::StringRecord;

/// Columns of a table. What lies after them is left out and named as unread.
pub const MAX_COLUMNS: usize = 100;
/// Columns that a cell covers.
const MAX_COLUMN_SPAN: usize = 20;
/// Rows that a cell covers.
const MAX_ROW_SPAN: usize = 1_000;
/// Bytes of a cell that are repeated in the rows that it covers. A longer one is no value.
const MAX_REPEATED_BYTES: usize = 300;
/// Bytes of a table that are repeated. A page may be made to repeat much more than it has.
const MAX_ALL_REPEATED_BYTES: usize = 4 * 1024 * 1024;

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// Its line.
    pub row: usize,
    /// Whether it is a header.
    pub is_header: bool,
}

impl Cell {
    /// A row as a record, with its line.
    pub fn record(cells: &[Self]) -> (usize, StringRecord) {
        let row = cells.iter().map(|cell| cell.row).max().unwrap_or_default();
        (row, cells.iter().map(|cell| cell.text.as_str()).collect())
    }
}

/// The rows of a table, as they are written.
#[derive(Debug, Default)]
pub struct Grid {
    rows: Vec<Vec<Cell>>,
    cells: Vec<Cell>,
    /// The cell that is open, and the rows and columns that it covers.
    open: Option<(Cell, usize, usize)>,
    /// For each column, the cell from above that reaches into it, and for how many more rows.
    from_above: Vec<Option<(Cell, usize)>>,
    repeated_bytes: usize,
    /// Whether a row has more than [`MAX_COLUMNS`].
    pub has_more_columns: bool,
}

impl Grid {
    /// Opens a cell.
    pub fn open_cell(
        &mut self,
        is_header: bool,
        rows: Option<usize>,
        columns: Option<usize>,
        row: usize,
    ) {
        let cell = Cell { row, is_header, text: String::new() };
        let rows = rows.unwrap_or(1).clamp(1, MAX_ROW_SPAN);
        self.open = Some((cell, rows, columns.unwrap_or(1).clamp(1, MAX_COLUMN_SPAN)));
    }

    /// Ends the cell that is open.
    pub fn end_cell(&mut self, text: String) {
        let Some((mut cell, rows, columns)) = self.open.take() else { return };
        self.add_from_above();
        if self.cells.len() >= MAX_COLUMNS {
            self.has_more_columns |= !text.is_empty();
            return;
        }
        cell.text = text;
        if rows > 1 && cell.text.len() <= MAX_REPEATED_BYTES {
            let mut repeated = cell.clone();
            // A number that stands for several rows is counted once.
            if cell.text.bytes().all(|b| b.is_ascii_digit() || b" ,.~+".contains(&b)) {
                repeated.text.clear();
            }
            let at = self.cells.len();
            self.from_above.resize(self.from_above.len().max(at + 1), None);
            self.from_above[at] = Some((repeated, rows - 1));
        }
        let covered = Cell { row: cell.row, is_header: cell.is_header, text: String::new() };
        self.cells.push(cell);
        self.cells.extend(std::iter::repeat_n(covered, columns - 1));
    }

    /// Ends the row that is open.
    pub fn end_row(&mut self) {
        if self.cells.is_empty() {
            return;
        }
        self.add_from_above();
        let mut cells = std::mem::take(&mut self.cells);
        while cells.len() > 1 && cells.last().is_some_and(|cell| cell.text.is_empty()) {
            cells.pop();
        }
        cells.shrink_to_fit();
        self.rows.push(cells);
    }

    /// The rows.
    pub fn finish(self) -> Vec<Vec<Cell>> {
        self.rows
    }

    /// Adds the cells from above that reach into the next columns of the row.
    fn add_from_above(&mut self) {
        let open_row = self.cells.last().map(|cell| cell.row);
        while self.cells.len() < MAX_COLUMNS
            && let Some(slot) = self.from_above.get_mut(self.cells.len())
            && let Some((cell, rows)) = slot
        {
            let mut cell = cell.clone();
            cell.row = open_row.unwrap_or(cell.row);
            *rows -= 1;
            if *rows == 0 || self.repeated_bytes > MAX_ALL_REPEATED_BYTES {
                *slot = None;
            }
            self.repeated_bytes += cell.text.len() + size_of::<Cell>();
            self.cells.push(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of `text`, `rows` and `columns` that each cell covers.
    fn texts(rows: &[&[(&str, usize, usize)]]) -> Vec<Vec<String>> {
        let mut grid = Grid::default();
        for row in rows {
            for (text, rows, columns) in *row {
                grid.open_cell(false, Some(*rows), Some(*columns), 1);
                grid.end_cell((*text).to_owned());
            }
            grid.end_row();
        }
        let text = |row: Vec<Cell>| row.into_iter().map(|cell| cell.text).collect();
        grid.finish().into_iter().map(text).collect()
    }

    #[test]
    fn a_cell_reaches_into_the_rows_and_columns_that_it_covers() {
        let rows = texts(&[
            &[("domain", 2, 1), ("a", 1, 1)],
            &[("b", 1, 1)],
            &[("wide", 1, 2), ("c", 1, 1)],
        ]);
        assert_eq!(rows, [vec!["domain", "a"], vec!["domain", "b"], vec!["wide", "", "c"]]);
    }

    #[test]
    fn a_number_that_covers_several_rows_is_written_once() {
        let rows = texts(&[&[("Facebook", 1, 1), ("30", 2, 1)], &[("Instagram", 1, 1)]]);
        assert_eq!(rows, [vec!["Facebook", "30"], vec!["Instagram"]]);
    }

    #[test]
    fn what_is_repeated_is_bounded() {
        let text = "x".repeat(200);
        let first: Vec<_> = (0..100).map(|_| (text.as_str(), 1_000, 1)).collect();
        let row: &[(&str, usize, usize)] = &[("y", 1, 1)];
        let mut rows = vec![first.as_slice()];
        rows.extend(std::iter::repeat_n(row, 2_000));
        let bytes: usize = texts(&rows).iter().flatten().map(String::len).sum();
        assert!(bytes < 2 * MAX_ALL_REPEATED_BYTES, "{bytes}");
    }
}
