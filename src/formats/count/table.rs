//! Tables of counts: `Platform | Accounts removed`.

use csv::StringRecord;

use super::metric::is_reach;
use super::number::number;
use super::phrase::CountSubject;
use super::words::{COUNT_WORDS, tokens};
use super::{Count, read};
use crate::domain::{Invalid, Platform};
use crate::formats::columns::Columns;
use crate::formats::details;
use crate::formats::wording::words;
use crate::formats::{Class, SkipReason};

/// Names of columns that hold platforms or assets.
const LABELS: &[&str] = &[
    "platform",
    "site",
    "network",
    "service",
    "company",
    "asset",
    "assets",
    "asset type",
    "type",
    "category",
];

/// First words of rows that add up others.
const TOTALS: &[&str] = &["total", "totals", "sum", "subtotal", "all", "overall"];

/// Rows by which a column without such a word is recognized.
pub const SAMPLED_ROWS: usize = 50;
/// Digits from which on a number without groups may be an id.
const MIN_ID_DIGITS: usize = 7;

/// The columns of a table of counts.
#[derive(Clone, Debug)]
pub struct CountTable {
    /// Columns of platforms and assets.
    labels: Vec<usize>,
    /// Columns of counts, with what the header says of them.
    counts: Vec<CountColumn>,
}

#[derive(Clone, Debug)]
struct CountColumn {
    at: usize,
    asset: Option<&'static str>,
    platforms: Vec<String>,
}

impl CountTable {
    /// Finds the columns of counts by a header and the rows below it. `None` for any other table.
    pub fn of<'a>(
        header: &StringRecord,
        rows: impl IntoIterator<Item = &'a StringRecord>,
    ) -> Option<Self> {
        if header.len() < 2 {
            return None;
        }
        let rows: Vec<_> = rows.into_iter().take(SAMPLED_ROWS).collect();
        let names: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
        let numbers = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(str::trim);
            let cells: Vec<&str> = cells.filter(|cell| !is_blank(cell)).collect();
            Numbers {
                read: cells.iter().filter(|cell| is_plain_number(cell)).count(),
                cells: cells.len(),
            }
        };
        let is_label =
            |at: usize| LABELS.contains(&names[at].as_str()) || (at == 0 && names_platforms(&rows));
        let labels: Vec<usize> = (0..names.len()).filter(|at| is_label(*at)).collect();
        let counts: Vec<_> = (0..names.len())
            .filter(|at| !labels.contains(at))
            .filter_map(|at| CountColumn::of(at, &names[at], !labels.is_empty(), || numbers(at)))
            .collect();
        // A table of values may state beside each how many accounts shared it.
        let is_count = |at: usize| counts.iter().any(|column| column.at == at);
        let values = Columns::of(header, None).map(|columns| columns.values).unwrap_or_default();
        let is_empty = |at: usize| !rows.is_empty() && numbers(at).cells == 0;
        let holds_values = |at: usize| !is_count(at) && !labels.contains(&at) && !is_empty(at);
        let has_values = values.iter().any(|one| holds_values(one.at));
        (!counts.is_empty() && !has_values).then_some(Self { labels, counts })
    }

    /// The names of a header's columns that are not read.
    pub fn unread<'a>(&self, header: &'a StringRecord) -> impl Iterator<Item = &'a str> {
        let is_read =
            |at: usize| self.labels.contains(&at) || self.counts.iter().any(|one| one.at == at);
        header.iter().enumerate().filter(move |(at, _)| !is_read(*at)).map(|(_, name)| name.trim())
    }

    /// The counts of a row, each with its cell.
    pub fn row<'a>(&self, cells: &'a StringRecord) -> Vec<(&'a str, Class)> {
        let text = |at: usize| cells.get(at).map(str::trim).unwrap_or_default();
        let first = text(0).to_lowercase();
        if words(&first).first().is_some_and(|word| TOTALS.contains(word)) {
            return vec![(text(0), Class::Neither(SkipReason::Total))];
        }
        let mut row = CountSubject::default();
        for label in &self.labels {
            let lower = text(*label).to_lowercase();
            let tokens = tokens(&lower);
            if let Some(named) = CountSubject::of(&tokens) {
                row.asset = named.asset.or(row.asset);
                row.platforms.extend(named.platforms);
            } else if let Ok(platform) = Platform::parse(text(*label))
                && (Platform::is_named(platform.as_str()) || lower.contains('.'))
            {
                row.platforms.push(platform.as_str().to_owned());
            }
        }
        let cells = self.counts.iter().map(|column| (column, text(column.at)));
        cells
            .flat_map(|(column, cell)| {
                column.classes(cell, &row).into_iter().map(move |it| (cell, it))
            })
            .collect()
    }
}

/// How many cells of a column are numbers.
struct Numbers {
    read: usize,
    cells: usize,
}

impl CountColumn {
    fn of(
        at: usize,
        name: &str,
        has_label: bool,
        numbers: impl FnOnce() -> Numbers,
    ) -> Option<Self> {
        let tokens = tokens(name);
        if tokens.iter().any(|word| is_reach(word)) {
            return None;
        }
        let is_stated = tokens.iter().any(|word| COUNT_WORDS.contains(word));
        let words: Vec<&str> =
            tokens.into_iter().filter(|word| !COUNT_WORDS.contains(word)).collect();
        let CountSubject { asset, platforms, is_singular } = CountSubject::of(&words)?;
        // A column `Account` holds ids.
        if is_singular && !is_stated {
            return None;
        }
        // `Accounts removed` holds counts, whatever is in its cells. `Accounts` may hold handles: all its cells have
        // to be numbers. `Count` needs a column that names what is counted; then one number in it is enough.
        let has_numbers = || {
            let Numbers { read, cells } = numbers();
            read > 0 && (read == cells || (is_stated && has_label))
        };
        let holds_counts = match asset {
            Some(_) => is_stated || has_numbers(),
            None => is_stated && has_label && has_numbers(),
        };
        holds_counts.then_some(Self { at, asset, platforms })
    }

    fn classes(&self, cell: &str, row: &CountSubject) -> Vec<Class> {
        if is_blank(cell) {
            return vec![Class::Neither(SkipReason::Empty)];
        }
        if self.asset.is_none() && row.asset.is_none() && row.platforms.is_empty() {
            return vec![Class::Unreadable(unread_count())];
        }
        let platforms = if self.platforms.is_empty() { &row.platforms } else { &self.platforms };
        let asset = self.asset.or(row.asset).unwrap_or("asset");
        let lower = cell.to_lowercase();
        let tokens = tokens(&lower);
        if let Some((number, [])) = number(&tokens) {
            let (count, approximate) = (number.value, number.is_approximate);
            return vec![Class::Aggregate(Count {
                count,
                approximate,
                platforms: platforms.clone(),
                asset,
            })];
        }
        match read(cell, platforms.first().map(String::as_str)) {
            Some(counts) => counts.into_iter().map(Class::Aggregate).collect(),
            None => vec![Class::Unreadable(unread_count())],
        }
    }
}

/// The reason why a cell that should be a count is refused.
pub fn unread_count() -> Invalid {
    Invalid::new(
        "count",
        "is not understood: write a number with what it counts, such as `30 accounts`",
    )
}

/// Whether the first cells of most rows name platforms.
fn names_platforms(rows: &[&StringRecord]) -> bool {
    let is_platform =
        |row: &&&StringRecord| row.get(0).is_some_and(|cell| Platform::is_named(cell.trim()));
    let named = rows.iter().filter(is_platform).count();
    named > 0 && named * 2 >= rows.len()
}

/// Whether a cell counts nothing.
fn is_blank(cell: &str) -> bool {
    details::words::is_blank(cell) || matches!(cell, "–" | "—" | "0")
}

/// Whether a cell is a number, and not the id of an account.
fn is_plain_number(cell: &str) -> bool {
    let lower = cell.to_lowercase();
    let digits = cell.bytes().all(|b| b.is_ascii_digit());
    let may_be_id = digits && cell.len() >= MIN_ID_DIGITS;
    !may_be_id && matches!(number(&tokens(&lower)), Some((_, [])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[&[&str]]) -> Option<Vec<(u64, String)>> {
        let rows: Vec<StringRecord> =
            rows.iter().map(|row| StringRecord::from(row.to_vec())).collect();
        let table = CountTable::of(&rows[0], &rows[1..])?;
        let classes = rows[1..].iter().flat_map(|row| table.row(row)).map(|(_, class)| class);
        let counts = classes.filter_map(|class| match class {
            Class::Aggregate(count) => Some((count.count, count.kind())),
            _ => None,
        });
        Some(counts.collect())
    }

    #[test]
    fn counts_per_platform_are_read() {
        let one = |count, kind: &str| (count, kind.to_owned());
        let read = counts(&[
            &["Platform", "Accounts removed", "Followers"],
            &["Facebook", "1,200", "40,000"],
            &["X (formerly Twitter)", "about 30", "9"],
            &["Facebook and Instagram", "7", ""],
            &["TikTok", "-", "3"],
            &["Total", "1,237", ""],
        ]);
        let expected = [
            one(1_200, "facebook_account"),
            one(30, "x_account"),
            one(7, "facebook+instagram_account"),
        ];
        assert_eq!(read.unwrap(), expected);
        let read = counts(&[&["", "Pages", "Groups"], &["Facebook", "12", "4"]]);
        assert_eq!(read.unwrap(), [one(12, "facebook_page"), one(4, "facebook_group")]);
        let read = counts(&[&["Asset", "Count"], &["Facebook accounts", "12"], &["Pages", "4"]]);
        assert_eq!(read.unwrap(), [one(12, "facebook_account"), one(4, "page")]);
        let read = counts(&[&["Month", "Facebook accounts removed"], &["May", "12"]]);
        assert_eq!(read.unwrap(), [one(12, "facebook_account")]);
    }

    #[test]
    fn tables_of_values_are_no_tables_of_counts() {
        let tables: [&[&[&str]]; 6] = [
            &[&["Platform", "Account"], &["Facebook", "pier_desk"]],
            &[&["Platform", "Accounts"], &["Facebook", "100001234567"]],
            &[&["domain", "accounts"], &["pier.example", "12"]],
            &[&["Platform", "Followers"], &["Facebook", "12"]],
            &[&["platform", "account"], &["facebook", "12345"]],
            &[&["value", "count"], &["pier.example", "12"]],
        ];
        for table in tables {
            assert_eq!(counts(table), None, "{table:?}");
        }
    }

    #[test]
    fn a_cell_of_counts_that_is_not_understood_is_unreadable() {
        let header = StringRecord::from(vec!["Platform", "Accounts removed"]);
        let row = StringRecord::from(vec!["Facebook", "see annex"]);
        let table = CountTable::of(&header, [&row]).unwrap();
        assert!(matches!(table.row(&row)[0].1, Class::Unreadable(_)));
        let header = StringRecord::from(vec!["Platform", "Count"]);
        let rows = [vec!["Facebook", "30"], vec!["Instagram", "n/k"]].map(StringRecord::from);
        let table = CountTable::of(&header, &rows).unwrap();
        assert!(matches!(table.row(&rows[1])[0].1, Class::Unreadable(_)));
    }
}
