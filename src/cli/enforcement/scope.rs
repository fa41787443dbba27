//! What an enforcement report covers, and how its totals are grouped.

use std::collections::BTreeMap;

use crate::domain::Day;
use crate::domain::enforcement::totals::{Key, Sum, Totals};

/// What a report covers, and its totals.
#[derive(Debug)]
pub struct ReportScope {
    /// The requested period.
    pub period: (Option<Day>, Option<Day>),
    /// The requested partners. Empty: all.
    pub partners: Vec<String>,
    /// The requested campaign.
    pub campaign: Option<String>,
    /// Names of campaigns, by id.
    pub names: BTreeMap<String, String>,
    /// The totals.
    pub totals: Totals,
}

/// A way to group totals: its name, and the group of a row.
pub type Grouping = (&'static str, fn(&ReportScope, &Key) -> String);

/// All groupings.
pub const GROUPINGS: [Grouping; 6] = [
    ("campaign", |reported, key| {
        let id = key.campaign.map(|id| id.to_string());
        id.map(|id| reported.campaign_name(&id)).unwrap_or_default()
    }),
    ("partner", |_, key| key.author.to_string()),
    ("platform", |_, key| key.platform.as_ref().map(ToString::to_string).unwrap_or_default()),
    ("asset", |_, key| key.asset.to_string()),
    ("method", |_, key| key.method.map(|method| method.to_string()).unwrap_or_default()),
    ("month", |_, key| key.month.clone()),
];

impl ReportScope {
    /// The name of a campaign with its id, or the id alone.
    pub fn campaign_name(&self, id: &str) -> String {
        match self.names.get(id) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_owned(),
        }
    }
}

/// A sum as people read it.
pub fn format_count(sum: Sum) -> String {
    let about = if sum.approximate { "about " } else { "" };
    format!("{about}{}", sum.count)
}
