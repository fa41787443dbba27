//! How each record of a file would be read.

use serde::Serialize;

use super::{Class, Record};
use crate::domain::Platform;

/// One line of `tipoff submit --dry-run --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DryRunLine {
    /// The file.
    pub file: String,
    /// The row, as in [`Record::row`].
    pub row: usize,
    /// `indicator`, `aggregate` or `neither`.
    pub class: &'static str,
    /// Kind of an indicator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Platform, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Canonical value of an indicator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The cell or line as written in the file.
    pub raw: String,
    /// Asset of an aggregate, such as `facebook_account`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// Count of an aggregate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Why it is neither, or unreadable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl DryRunLine {
    /// The dry-run line of a record.
    pub fn of(file: &str, record: &Record) -> Self {
        let mut line = Self {
            file: file.to_owned(),
            row: record.row,
            class: "neither",
            kind: None,
            platform: None,
            value: None,
            raw: record.raw.clone(),
            asset: None,
            count: None,
            reason: None,
        };
        match &record.class {
            Class::Indicator(indicator) => {
                line.class = "indicator";
                line.kind = Some(indicator.kind().as_str());
                line.platform = indicator.platform().map(Platform::as_str).map(str::to_owned);
                line.value = Some(indicator.value().to_owned());
            }
            Class::Aggregate(count) => {
                line.class = "aggregate";
                line.platform = (!count.platforms.is_empty()).then(|| count.platforms.join("+"));
                line.asset = Some(count.kind());
                line.count = Some(count.count);
            }
            Class::Neither(reason) => line.reason = Some(reason.as_str().to_owned()),
            Class::Unreadable(invalid) => line.reason = Some(invalid.to_string()),
        }
        line
    }
}
