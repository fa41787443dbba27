//! Tables without a header. What a column holds is found out by the cells of the first rows.

use csv::StringRecord;

use super::columns::Columns;
use super::details::{read_time, words};
use super::kinds::{DeclaredType, declared};
use super::list::is_null_address;
use super::{Class, tags};
use crate::domain::{Indicator, Kind};

/// Rows that are looked at.
pub const SAMPLE_ROWS: usize = 20;

/// Words that a cell may have if only one row shows that a text is a table. A sentence has more.
const MAX_WORDS_IN_SINGLE_ROW: usize = 3;

/// Finds the columns by the first rows.
///
/// `None` if the rows are no table. Also `None` if several columns hold values, because nothing says which of them are
/// the indicators. The address of a report after the value is none; its column is not read.
pub fn columns(rows: &[StringRecord]) -> Option<Columns> {
    let first = rows.first()?;
    // `kind,value`, or `value,kind`.
    for (kind, value) in [(0, 1), (1, 0)] {
        let (kind_cell, value_cell) = (first.get(kind)?, first.get(value)?);
        // `Name,Twitter` is a header, and no account of that name.
        let is_on_platform =
            matches!(DeclaredType::of(kind_cell), Some(DeclaredType::OnPlatform(_)));
        if !is_on_platform && is_kind_and_value(kind_cell, value_cell) {
            return Some(Columns::without_header(value, Some(kind), |_| None));
        }
    }
    if let Some((kind, value)) = kind_and_value(rows) {
        return Some(Columns::without_header(value, Some(kind), |_| None));
    }
    let is_even = first.len() > 1 && rows.iter().all(|row| row.len() == first.len());
    let is_single_sentence = rows.len() == 1
        && first.iter().any(|cell| cell.split_whitespace().count() > MAX_WORDS_IN_SINGLE_ROW);
    if !is_even || is_single_sentence || is_line_of_hosts(first) {
        return None;
    }
    let some = |at: usize, holds: &dyn Fn(&str) -> bool| rows.iter().any(|row| holds(&row[at]));
    let all = |at: usize, holds: &dyn Fn(&str) -> bool| rows.iter().all(|row| holds(&row[at]));
    let with_values: Vec<usize> = (0..first.len()).filter(|at| some(*at, &is_value)).collect();
    let (&value, others_with_values) = with_values.split_first()?;
    // Where all cells are values, the row is a list of them.
    let is_list = with_values.len() == first.len();
    let is_source = |at: &usize| rows.iter().all(|row| is_source_of(&row[*at], &row[value]));
    if !all(value, &is_value)
        || (!others_with_values.is_empty() && is_list)
        || !others_with_values.iter().all(is_source)
    {
        return None;
    }
    let others = || (0..first.len()).filter(|at| *at != value);
    Some(Columns::without_header(value, None, |field| {
        let holds: &dyn Fn(&str) -> bool = match field {
            "verdict" => &|cell| words::verdict(cell).is_some(),
            "tlp" => &|cell| words::tlp(cell).is_some(),
            "tags" => &|cell| tags::label(cell).is_some(),
            "action" => &words::is_action,
            _ => return None,
        };
        others().find(|at| all(*at, holds))
    }))
}

/// Two columns beside one another that are a kind and a value in each row.
fn kind_and_value(rows: &[StringRecord]) -> Option<(usize, usize)> {
    let first = rows.first()?;
    let beside = |at: usize| [Some(at + 1), at.checked_sub(1)].into_iter().flatten();
    let pairs = (0..first.len()).flat_map(|kind| beside(kind).map(move |value| (kind, value)));
    let mut pairs = pairs.filter(|(kind, value)| {
        let of =
            |row: &StringRecord| is_kind_and_value(row.get(*kind)?, row.get(*value)?).then_some(());
        rows.iter().all(|row| of(row).is_some())
    });
    pairs.next()
}

fn is_kind_and_value(kind: &str, value: &str) -> bool {
    DeclaredType::of(kind).is_some() && matches!(declared(kind, None, value), Class::Indicator(_))
}

/// Whether a cell can only be a value. The number of an autonomous system is that of the value beside it.
pub fn is_value(cell: &str) -> bool {
    let is_plausible = |read: &Indicator| match read.kind() {
        Kind::Asn | Kind::Hashtag => false,
        Kind::Url => cell.contains('.'),
        _ => true,
    };
    Indicator::read(cell, None).is_ok_and(|read| is_plausible(&read)) && read_time(cell).is_none()
}

/// Whether a cell is where the value in front of it comes from, the address of a report or of who reported it, and not
/// its own address.
fn is_source_of(cell: &str, value: &str) -> bool {
    let read = |text| Indicator::read(text, None).ok();
    let (Some(source), Some(value)) = (read(cell), read(value)) else { return false };
    !matches!(value.kind(), Kind::Url | Kind::Email)
        && matches!(source.kind(), Kind::Url | Kind::Email)
        && !source.value().contains(value.value())
}

/// Whether a row is a line of a hosts file, which names hosts after an address of the machine itself.
fn is_line_of_hosts(row: &StringRecord) -> bool {
    is_null_address(row[0].trim())
}
