//! How each record of a file would be read.

use serde::Serialize;

use super::{Class, Details, Record};
use crate::domain::Platform;
use crate::domain::assessment::{Involvement, Technique, Verdict};
use crate::domain::sharing::Tlp;

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
    /// Whether the count of an aggregate is approximate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approximate: Option<bool>,
    /// Verdict on an indicator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<&'static str>,
    /// The role of an indicator in the abuse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub involvement: Option<&'static str>,
    /// The techniques that an indicator was used for, separated by blanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technique: Option<String>,
    /// The marking of an indicator, if it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
    /// Why it is neither, or unreadable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it looks like an indicator and cannot be read.
    #[serde(skip)]
    pub is_unreadable: bool,
}

impl DryRunLine {
    /// The dry-run line of a record. `verdict` is the one of values that have none.
    pub fn of(file: &str, record: &Record, verdict: Verdict) -> Self {
        let details = &record.details;
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
            approximate: None,
            verdict: None,
            involvement: None,
            technique: None,
            tlp: None,
            reason: None,
            is_unreadable: matches!(record.class, Class::Unreadable(_)),
        };
        match &record.class {
            Class::Indicator(indicator) => {
                line.class = "indicator";
                line.kind = Some(indicator.kind().as_str());
                line.platform = indicator.platform().map(Platform::as_str).map(str::to_owned);
                line.value = Some(indicator.value().to_owned());
                line.verdict = Some(details.verdict.unwrap_or(verdict).as_str());
                line.involvement =
                    Some(details.involvement.unwrap_or(Involvement::DEFAULT).as_str());
                line.technique = techniques(details);
                line.tlp = details.tlp;
            }
            Class::Aggregate(count) => {
                line.class = "aggregate";
                line.platform = (!count.platforms.is_empty()).then(|| count.platforms.join("+"));
                line.asset = Some(count.kind());
                line.count = Some(count.count);
                line.approximate = Some(count.approximate);
            }
            Class::Neither(reason) => line.reason = Some(reason.as_str().to_owned()),
            Class::Unreadable(invalid) => line.reason = Some(invalid.to_string()),
        }
        line
    }
}

fn techniques(details: &Details) -> Option<String> {
    let all: Vec<_> = details.techniques.iter().map(Technique::as_str).collect();
    (!all.is_empty()).then(|| all.join(" "))
}
