//! Column names of tables.

use csv::StringRecord;

use super::kinds::{DeclaredType, declared, normal};
use super::{Class, Details, details};
use crate::domain::{Indicator, Invalid};

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
const VALUES: &[&str] = &[
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
];

/// Names of the column of kinds.
const KINDS: &[&str] = &[
    "kind",
    "indicator_type",
    "ioc_type",
    "observable_type",
    "attribute_type",
    "value_type",
    "data_type",
    "itype",
    "type",
];

/// Columns of any other table.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// Value columns, each with the kind that its header declares, if any.
    pub values: Vec<(usize, Option<String>)>,
    /// The kind column.
    pub kind: Option<usize>,
    /// The platform column.
    pub platform: Option<usize>,
    /// The column of each of [`details::NAMES`].
    details: [Option<usize>; details::NAMES.len()],
}

impl Columns {
    /// Finds the columns in a header. `None` if no column contains values. `named` is the column of values that the
    /// user named.
    pub fn of(header: &StringRecord, named: Option<&str>) -> Option<Self> {
        let names: Vec<String> = header.iter().map(normal).collect();
        let at = |candidates: &[&str]| {
            candidates.iter().find_map(|name| names.iter().position(|cell| has_name(cell, name)))
        };
        let all_named = |name: &str| -> Vec<(usize, Option<String>)> {
            let columns = names.iter().enumerate().filter(|(_, cell)| has_name(cell, name));
            columns.map(|(column, _)| (column, None)).collect()
        };
        let by_name = || VALUES.iter().find(|name| names.iter().any(|cell| has_name(cell, name)));
        let named = named.map(normal).or_else(|| by_name().map(|name| (*name).to_owned()));
        let values = match named {
            Some(name) => all_named(&name),
            // A row of values has cells that are not names.
            None if header.iter().any(looks_like_a_value) => Vec::new(),
            None => names
                .iter()
                .enumerate()
                .filter(|(_, name)| DeclaredType::of(name).is_some_and(|it| it.is_indicator()))
                .map(|(column, name)| (column, Some(name.clone())))
                .collect(),
        };
        // In `Indicator,Data` the first column holds the kind.
        let is_value = |column: &usize| values.iter().any(|(value, _)| value == column);
        let kind = at(KINDS).or_else(|| at(&["indicator", "ioc"])).filter(|kind| !is_value(kind));
        let platform = at(&["platform", "site", "network", "chain", "account_type"]);
        let platform = platform.filter(|column| !is_value(column));
        (!values.is_empty()).then(|| Self {
            values,
            kind,
            platform,
            details: details::NAMES.map(at),
        })
    }

    /// The columns of a table without a header whose rows are `kind,value`.
    pub fn without_header(first: &StringRecord) -> Option<Self> {
        let (kind, value) = (first.get(0)?, first.get(1)?);
        DeclaredType::of(kind)?;
        matches!(declared(kind, None, value), Class::Indicator(_)).then(|| Self {
            values: vec![(1, None)],
            kind: Some(0),
            ..Self::default()
        })
    }

    /// Reads the other fields of a record.
    pub fn details<'a>(
        &self,
        cell: &impl Fn(Option<usize>) -> Option<&'a str>,
    ) -> Result<Details, Invalid> {
        details::read(|names| {
            let Some(text) = cell(self.details_column(names)) else { return Vec::new() };
            let is_list = ["labels", "technique", "references"].contains(&names[0]);
            if !is_list {
                return vec![text.to_owned()];
            }
            let parts = text.split([';', '|', ',']).map(str::trim);
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
        })
    }

    /// Like [`Columns::details`], for fields that may be lists. `texts` returns the texts of a column.
    pub fn details_of(&self, texts: impl Fn(usize) -> Vec<String>) -> Result<Details, Invalid> {
        details::read(|names| self.details_column(names).map_or_else(Vec::new, &texts))
    }

    fn details_column(&self, names: &[&str]) -> Option<usize> {
        let at = details::NAMES.iter().position(|one| *one == names)?;
        self.details[at]
    }
}

/// Whether a header cell has a name, singular or plural: `Indicator(s)`.
fn has_name(cell: &str, name: &str) -> bool {
    cell == name || cell.strip_suffix('s') == Some(name)
}

fn looks_like_a_value(cell: &str) -> bool {
    cell.contains(['.', ':', '@', '/']) && Indicator::read(cell, None).is_ok()
}
