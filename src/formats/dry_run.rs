//! What a file would be read as: one line for each record.

use serde::Serialize;

use super::{Class, Record};
use crate::domain::Platform;

/// One line of `tipoff submit --dry-run --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DryRunLine {
    /// The file.
    pub file: String,
    /// The record, as [`Record::row`] counts.
    pub row: usize,
    /// `indicator`, `aggregate` or `neither`.
    pub class: &'static str,
    /// Of an indicator, its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Its platform, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Of an indicator, the canonical value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The cell or line as it stands in the file.
    pub raw: String,
    /// Of an aggregate, what was removed, such as `facebook_account`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// Of an aggregate, how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Why it is neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl DryRunLine {
    /// The line of a record.
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
            Class::Neither(why) => line.reason = Some(why.as_str().to_owned()),
            Class::Unreadable(invalid) => line.reason = Some(invalid.to_string()),
        }
        line
    }
}
