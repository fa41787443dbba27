//! How each record of a file would be read.

use serde::Serialize;

use super::{Class, Details, Record};
use crate::domain::Platform;
use crate::domain::assessment::{Involvement, Severity, Technique, Verdict};
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
    /// The role of an indicator in the abuse. Absent for a harmless one that has no role of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub involvement: Option<&'static str>,
    /// The techniques that an indicator was used for, separated by blanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technique: Option<String>,
    /// The harm labels of an indicator.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The confidence in an indicator, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u32>,
    /// The severity of an indicator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<&'static str>,
    /// The end of an indicator's validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// The stable id of an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Handles that an account had before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_handles: Vec<String>,
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
            labels: Vec::new(),
            confidence: None,
            severity: None,
            valid_until: None,
            account_id: None,
            former_handles: Vec::new(),
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
                line.assess(details, verdict);
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

    fn assess(&mut self, details: &Details, verdict: Verdict) {
        let verdict = details.verdict.unwrap_or(verdict);
        let is_accused = verdict != Verdict::NonMalicious;
        let involvement = details.involvement.or(is_accused.then_some(Involvement::DEFAULT));
        self.verdict = Some(verdict.as_str());
        self.involvement = involvement.map(Involvement::as_str);
        self.technique = techniques(details);
        self.labels.clone_from(&details.labels);
        self.confidence = details.confidence;
        self.severity = details.severity.map(Severity::as_str);
        self.valid_until = details.valid_until.map(|until| until.to_string());
        self.account_id.clone_from(&details.account_id);
        self.former_handles.clone_from(&details.former_handles);
        self.tlp = details.tlp;
    }
}

fn techniques(details: &Details) -> Option<String> {
    let all: Vec<_> = details.techniques.iter().map(Technique::as_str).collect();
    (!all.is_empty()).then(|| all.join(" "))
}
