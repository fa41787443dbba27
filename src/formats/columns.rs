//! Column names of tables.

mod values;

use csv::StringRecord;

pub use self::values::ValueColumn;
use self::values::{Order, ValueColumns, value_columns};
use super::kinds::normal;
use super::{Assumed, Details, details};
use crate::domain::Invalid;
use crate::domain::assessment::Verdict;

/// Columns of tables by tactic, technique and procedure, as Meta publishes them.
#[derive(Clone, Copy, Debug)]
pub struct TtpColumns {
    /// The procedure.
    pub procedure: usize,
    /// The indicator.
    pub indicator: usize,
    /// Comments: the column after the indicator, whatever its name.
    pub note: Option<usize>,
}

impl TtpColumns {
    /// Finds the columns in a header. Ignores case and blanks.
    pub fn of(header: &StringRecord) -> Option<Self> {
        let at = |name: &str| header.iter().position(|cell| has_name(&normal(cell), name));
        at("tactic")?;
        at("technique")?;
        let (procedure, indicator) = (at("procedure")?, at("indicator")?);
        let note = (indicator + 1 < header.len()).then_some(indicator + 1);
        Some(Self { procedure, indicator, note })
    }
}

/// Names of the column of values, the most telling first.
pub const VALUES: &[&str] = &[
    "value",
    "indicator_value",
    "ioc_value",
    "observable_value",
    "attribute_value",
    "data",
    "indicator",
    "ioc",
    "observable",
    "threat_indicator",
    "artifact",
    "raw_indicator",
    "signal",
    "object_value",
    "pattern",
    "stix_pattern",
    "indicator_pattern",
    "wert",
    "valeur",
    "valor",
];

/// Names that may mean the column of values, and mean something else in many tables. They count where each cell of the
/// first rows is a value.
pub const MAYBE_VALUES: &[&str] = &["name", "entity", "object", "item", "entry", "content"];

/// Names of the column of kinds.
pub const KINDS: &[&str] = &[
    "kind",
    "indicator_type",
    "ioc_type",
    "observable_type",
    "attribute_type",
    "value_type",
    "entity_type",
    "data_type",
    "itype",
    "signal_type",
    "hash_type",
    "hash_algorithm",
    "digest_type",
    "algorithm",
    "object_type",
    "type",
    "typ",
    "tipo",
    "pattern_type",
];

/// Names of the column of platforms.
pub const PLATFORMS: &[&str] = &["platform", "site", "network", "chain", "account_type"];

/// Names of the column of chains, in a table of addresses on them.
const CHAINS: &[&str] = &["currency", "coin", "cryptocurrency", "blockchain", "symbol"];

/// Columns of values that are read. A table of more is made to take long.
const MAX_VALUE_COLUMNS: usize = 200;

/// First words of the columns of a log of connections.
const SOURCES: &[&str] = &["src_", "source_"];
const DESTINATIONS: &[&str] = &["dst_", "dest_", "destination_"];

/// Columns of any other table.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// Value columns.
    pub values: Vec<ValueColumn>,
    /// Columns that are named after a kind, and whose values are somebody else's, in order. They are not read.
    excluded: Vec<usize>,
    /// The kind column.
    pub kind: Option<usize>,
    /// The platform column.
    pub platform: Option<usize>,
    /// Whether the table lists connections: one end of each is not the attacker's, and no column says which.
    is_log: bool,
    /// The column of each of [`details::NAMES`].
    details: [Option<DetailColumn>; details::NAMES.len()],
}

/// The column of a field other than the value.
#[derive(Clone, Copy, Debug)]
struct DetailColumn {
    at: usize,
    /// Whether it has the field's own name. Otherwise it has a name of another maker.
    has_own_name: bool,
}

impl Columns {
    /// Finds the columns in a header. `None` if no column contains values. `named` is the column of values that the
    /// user named.
    pub fn of(header: &StringRecord, named: Option<&str>) -> Option<Self> {
        Self::in_order(header, named, Order::OfTable)
    }

    /// Like [`Columns::of`], for the keys of an object.
    pub fn of_keys(header: &StringRecord, named: Option<&str>) -> Option<Self> {
        Self::in_order(header, named, Order::Any)
    }

    fn in_order(header: &StringRecord, named: Option<&str>, order: Order) -> Option<Self> {
        let names: Vec<String> = header.iter().map(normal).collect();
        let ValueColumns { mut read, excluded } = value_columns(header, &names, named, order);
        read.truncate(MAX_VALUE_COLUMNS);
        (!read.is_empty()).then(|| Self { excluded, ..Self::with_values(&names, read) })
    }

    /// The columns of an object around records: none of them contains values.
    pub fn of_parent(header: &StringRecord) -> Self {
        let names: Vec<String> = header.iter().map(normal).collect();
        Self::with_values(&names, Vec::new())
    }

    fn with_values(names: &[String], values: Vec<ValueColumn>) -> Self {
        let at = |candidates: &[&str]| {
            candidates.iter().find_map(|name| names.iter().position(|cell| has_name(cell, name)))
        };
        // In `Indicator,Data` the first column holds the kind.
        let is_value = |column: &usize| values.iter().any(|value| value.at == *column);
        let kind = at(KINDS).or_else(|| at(&["indicator", "ioc"])).filter(|kind| !is_value(kind));
        let chain = || at(CHAINS).filter(|_| values.iter().any(ValueColumn::is_on_chain));
        let platform = at(PLATFORMS).or_else(chain).filter(|column| !is_value(column));
        let is_taken =
            |column: usize| is_value(&column) || [kind, platform].contains(&Some(column));
        let detail = |candidates: &[&str]| {
            let free = |name: &&str| {
                names
                    .iter()
                    .enumerate()
                    .position(|(at, cell)| has_name(cell, name) && !is_taken(at))
            };
            candidates.iter().find_map(|name| {
                free(name).map(|at| DetailColumn { at, has_own_name: *name == candidates[0] })
            })
        };
        let details = details::NAMES.map(detail);
        let begins = |first: &[&str]| {
            values.iter().any(|value| first.iter().any(|word| names[value.at].starts_with(word)))
        };
        let is_log = begins(SOURCES) && begins(DESTINATIONS);
        Self { values, kind, platform, is_log, details, ..Self::default() }
    }

    /// The columns of a table without a header: of the values, and of the fields by the first of their
    /// [`details::NAMES`].
    pub fn without_header(
        value: usize,
        kind: Option<usize>,
        field: impl Fn(&str) -> Option<usize>,
    ) -> Self {
        let details = details::NAMES
            .map(|names| field(names[0]).map(|at| DetailColumn { at, has_own_name: true }));
        let values = vec![ValueColumn::of_any_kind(value)];
        Self { values, kind, details, ..Self::default() }
    }

    /// Whether a column is read.
    pub fn is_read(&self, at: usize) -> bool {
        self.values.iter().any(|value| value.at == at)
            || [self.kind, self.platform].contains(&Some(at))
            || self.details.iter().flatten().any(|column| column.at == at)
    }

    /// Whether a column is named after a kind, and its values are somebody else's.
    pub fn is_excluded(&self, at: usize) -> bool {
        self.excluded.binary_search(&at).is_ok()
    }

    /// The columns of an object about a report, such as `article`: its web address is that of the report.
    pub fn without_report_addresses(mut self) -> Self {
        let (urls, values) = self.values.into_iter().partition(ValueColumn::is_one_address);
        self.values = values;
        self.excluded.extend(urls.into_iter().map(|column: ValueColumn| column.at));
        self.excluded.sort_unstable();
        self
    }

    /// The columns of an object that holds its value under a key which names none.
    pub fn with_value(mut self, column: ValueColumn) -> Self {
        self.values = vec![column];
        self
    }

    /// Whether the table has a kind, a verdict, a confidence or a severity for each row.
    pub fn has_assessment(&self) -> bool {
        let [verdict, confidence, severity, ..] = &self.details;
        self.kind.is_some() || [verdict, confidence, severity].iter().any(|one| one.is_some())
    }

    /// The names of a header's columns that are not read.
    pub fn unread<'a>(&self, header: &'a StringRecord) -> impl Iterator<Item = &'a str> {
        let named = header.iter().enumerate().filter(|(_, name)| !name.trim().is_empty());
        named.filter(|(at, _)| !self.is_read(*at)).map(|(_, name)| name.trim())
    }

    /// Reads the other fields of a record.
    pub fn details<'a>(
        &self,
        cell: &impl Fn(Option<usize>) -> Option<&'a str>,
    ) -> Result<Details, Invalid> {
        self.read_details(|field, column| {
            let Some(text) = cell(Some(column)) else { return Vec::new() };
            if !details::LISTS.contains(&details::NAMES[field][0]) {
                return vec![text.to_owned()];
            }
            let parts = text.split([';', '|', ',']).map(str::trim);
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
        })
    }

    /// Like [`Columns::details`], for fields that may be lists. `texts` returns the texts of a column.
    pub fn details_of(&self, texts: impl Fn(usize) -> Vec<String>) -> Result<Details, Invalid> {
        self.read_details(|_, column| texts(column))
    }

    fn read_details(
        &self,
        texts: impl Fn(usize, usize) -> Vec<String>,
    ) -> Result<Details, Invalid> {
        if self.details.iter().all(Option::is_none) {
            return Ok(Details::default());
        }
        details::read(|field| match self.details[field] {
            Some(DetailColumn { at, has_own_name }) => {
                details::Field { has_own_name, texts: texts(field, at) }
            }
            None => details::Field::default(),
        })
    }

    /// Completes the details of a value with what its column, the kind in its row and the kind of table state.
    pub fn complete(
        &self,
        details: &mut Details,
        column: &ValueColumn,
        kind: Option<&str>,
        assumed: &Assumed,
    ) {
        details.involvement = details.involvement.or_else(|| column.involvement_in_row(kind));
        details.verdict = details.verdict.or(column.verdict);
        if self.is_log && assumed.verdict.is_none() {
            details.verdict.get_or_insert(Verdict::Unknown);
        }
    }
}

/// Whether a header cell has a name, singular or plural, with or without separators: `Indicator(s)`, `IndicatorValue`.
pub fn has_name(cell: &str, name: &str) -> bool {
    let is_same = |cell: &str| cell.len() <= name.len() && letters(cell).eq(letters(name));
    is_same(cell) || cell.strip_suffix('s').is_some_and(is_same)
}

/// The characters of a name without separators.
fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| *byte != b'_')
}
