//! Tables for people, which fit the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use console::measure_text_width;

use super::output::{DIM, paint, width};

/// Spaces between two columns.
const GAP: u16 = 2;

/// Formats rows as aligned columns under a header, without borders.
///
/// On a terminal that is too narrow, empty columns are left out and cells are wrapped between words. If even the longest
/// words do not fit side by side, each row becomes a block with one line for each cell.
pub fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    table_of(&header, rows.into_iter().map(Vec::from).collect())
}

/// Like [`table`], for a number of columns that depends on what was asked for.
pub fn table_of(header: &[&str], rows: Vec<Vec<String>>) -> String {
    fit(header, rows, width())
}

fn fit(header: &[&str], rows: Vec<Vec<String>>, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| total(header, &rows, measure_text_width) > *width)
    else {
        return columns(header, rows, None);
    };
    let (header, rows) = without_empty_columns(header, rows);
    if total(&header, &rows, longest_word) <= width {
        columns(&header, rows, Some(width))
    } else {
        blocks(&header, &rows, width)
    }
}

/// The width of a table whose columns are as wide as their widest cell.
fn total(header: &[&str], rows: &[Vec<String>], width_of: impl Fn(&str) -> usize) -> usize {
    let widths = (0..header.len()).map(|column| column_width(header, rows, column, &width_of));
    widths.sum::<usize>() + usize::from(GAP) * header.len().saturating_sub(1)
}

fn column_width(
    header: &[&str],
    rows: &[Vec<String>],
    column: usize,
    width_of: impl Fn(&str) -> usize,
) -> usize {
    let cells = rows.iter().map(|row| row[column].as_str()).chain([header[column]]);
    cells.flat_map(str::lines).map(width_of).max().unwrap_or(0)
}

fn longest_word(text: &str) -> usize {
    text.split(' ').map(measure_text_width).max().unwrap_or(0)
}

fn without_empty_columns<'a>(
    header: &[&'a str],
    rows: Vec<Vec<String>>,
) -> (Vec<&'a str>, Vec<Vec<String>>) {
    let is_kept: Vec<bool> = (0..header.len())
        .map(|column| rows.is_empty() || rows.iter().any(|row| !row[column].is_empty()))
        .collect();
    let kept_header = header.iter().zip(&is_kept).filter(|(_, kept)| **kept);
    let kept_cells = |row: Vec<String>| {
        row.into_iter().zip(&is_kept).filter(|(_, kept)| **kept).map(|(cell, _)| cell).collect()
    };
    (kept_header.map(|(name, _)| *name).collect(), rows.into_iter().map(kept_cells).collect())
}

fn columns(header: &[&str], rows: Vec<Vec<String>>, width: Option<usize>) -> String {
    let least: Vec<usize> =
        (0..header.len()).map(|column| column_width(header, &rows, column, longest_word)).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(|name| paint(DIM, name)));
    table.add_rows(rows);
    for (column, least) in table.column_iter_mut().zip(&least) {
        column.set_padding((0, GAP));
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(
            clamped(*least).saturating_add(GAP),
        )));
    }
    if let Some(width) = width {
        // The last column needs no gap.
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(clamped(width).saturating_add(GAP));
    }
    trimmed(&table)
}

/// A block for each row, with the name of the column before each cell.
fn blocks(header: &[&str], rows: &[Vec<String>], width: usize) -> String {
    let label_width = header.iter().map(|name| name.len()).max().unwrap_or(0);
    let block = |row: &Vec<String>| {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(clamped(width));
        let cells = header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        table.add_rows(cells.map(|(name, cell)| [paint(DIM, name), cell.clone()]));
        if let Some(names) = table.column_mut(0) {
            names.set_padding((0, GAP));
            let whole = Width::Fixed(clamped(label_width).saturating_add(GAP));
            names.set_constraint(ColumnConstraint::Absolute(whole));
        }
        if let Some(cells) = table.column_mut(1) {
            cells.set_padding((0, 0));
        }
        trimmed(&table)
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

/// A width as comfy-table takes it.
fn clamped(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

fn trimmed(table: &Table) -> String {
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: Option<usize>) -> String {
        let row = |tip: &str, until: &str, about: &str| {
            vec![tip.to_owned(), until.to_owned(), String::new(), about.to_owned()]
        };
        let rows = vec![
            row("29b2ba84", "2026-11-30T22:42Z", "a network that works to sow discord"),
            row("1b86f116", "", "referral"),
        ];
        fit(&["TIP", "ANSWER BY", "URGENCY", "ABOUT"], rows, width)
    }

    #[test]
    fn without_a_terminal_each_row_is_one_line() {
        let lines = [
            "TIP       ANSWER BY          URGENCY  ABOUT",
            "29b2ba84  2026-11-30T22:42Z           a network that works to sow discord",
            "1b86f116                              referral",
        ];
        assert_eq!(shown(None), lines.join("\n"));
        assert_eq!(shown(Some(73)), lines.join("\n"), "it fits exactly");
    }

    #[test]
    fn a_narrow_terminal_wraps_between_words_and_leaves_empty_columns_out() {
        let lines = [
            "TIP       ANSWER BY          ABOUT",
            "29b2ba84  2026-11-30T22:42Z  a network",
            "                             that works to",
            "                             sow discord",
            "1b86f116                     referral",
        ];
        assert_eq!(shown(Some(42)), lines.join("\n"));
    }

    #[test]
    fn where_words_do_not_fit_each_row_is_a_block() {
        let lines = [
            "TIP        29b2ba84",
            "ANSWER BY  2026-11-30T22:42Z",
            "ABOUT      a network that works",
            "           to sow discord",
            "",
            "TIP        1b86f116",
            "ABOUT      referral",
        ];
        assert_eq!(shown(Some(31)), lines.join("\n"));
    }
}
