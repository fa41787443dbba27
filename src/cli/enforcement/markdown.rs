//! The enforcement report as a Markdown transparency report.

use super::scope::{GROUPINGS, ReportScope, format_count};
use crate::cli::text;
use crate::domain::enforcement::totals::SourceTotals;

/// The rest of a table header after its first column.
const TABLE_HEADER: &str = " assets | disabled before |\n|---|---:|---:|\n";

/// The report as Markdown.
pub fn of(reported: &ReportScope) -> String {
    let totals = &reported.totals;
    let mut text = String::from("# Transparency report\n\n");
    text += &scope(reported);
    text += "\n## Enforcements by the partners themselves\n\n";
    text += &part(reported, &totals.own, "enforcement");
    text += "\n## Removals by others, as reported by partners\n\n";
    text += "These removals were not done by the partner that reports them. They are not part of the \
             numbers above. Do not add them: the same removal may already be included there.\n\n";
    text += &part(reported, &totals.reported, "report");
    text += "\n## How this was counted\n\n\
             - Each enforcement counts once, with the newest report of its author.\n\
             - An enforcement of several days counts in full if one of them is in the period, in the \
             month of its first day. Without a day it counts on the day on which it was reported.\n\
             - \"Disabled before\" is the number of assets that automated systems had already disabled.\n\
             - \"About\" marks sums that contain an approximate number.\n";
    text
}

/// The sentence that says what the report covers.
fn scope(reported: &ReportScope) -> String {
    let period = match reported.period {
        (None, None) => "All reported enforcements of any date".to_owned(),
        (Some(from), None) => format!("Enforcements from {from} on"),
        (None, Some(until)) => format!("Enforcements up to {until}"),
        (Some(from), Some(until)) => format!("Enforcements from {from} to {until}"),
    };
    let campaign = reported.campaign.as_ref();
    let campaign =
        campaign.map(|id| format!(", against the campaign {}", plain(&reported.campaign_name(id))));
    let partners = match reported.partners.as_slice() {
        [] => ", by all partners whose reports are visible".to_owned(),
        partners => format!(", by {}", plain(&partners.join(", "))),
    };
    let days = match reported.totals.days {
        None => "There is nothing to report.\n".to_owned(),
        Some((first, last)) => format!("The first is of {first}, the last of {last}.\n"),
    };
    format!("{period}{}{partners}. {days}", campaign.unwrap_or_default())
}

fn part(reported: &ReportScope, part: &SourceTotals, one: &str) -> String {
    if part.enforcements == 0 {
        return "None.\n".into();
    }
    let sum = part.sum();
    let mut text = format!(
        "{}, {} assets in all, {} of them disabled before.\n",
        text::count(part.enforcements as u64, one),
        format_count(sum),
        sum.already_disabled
    );
    for (name, group_of) in GROUPINGS {
        let sums = part.by(|key| group_of(reported, key));
        // Skip a grouping for which no value is known.
        if sums.keys().all(String::is_empty) {
            continue;
        }
        let header = [&format!("\n### By {name}\n\n| {name} |"), TABLE_HEADER];
        text.extend(header);
        for (what, sum) in sums {
            let what = if what.is_empty() { "unknown".into() } else { plain(&what) };
            let (count, before) = (format_count(sum), sum.already_disabled.to_string());
            text.extend(["| ", &what, " | ", &count, " | ", &before, " |\n"]);
        }
    }
    text
}

/// Escapes a partner's text, so that it cannot create cells, markup or links.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text::one_line(text).chars() {
        if "\\`*_{}[]<>()#+!|~".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::enforcement::totals::{CountedEnforcement, totals};
    use crate::domain::enforcement::{
        AssetKind, Enforcement, EnforcementCount, EnforcementId, EnforcementMethod,
        EnforcementSource,
    };
    use crate::domain::{CampaignId, PartnerId, Platform, Position, Timestamp};

    fn reported() -> ReportScope {
        let campaign = CampaignId::from_bytes([7; 16]);
        let count = |asset, count, already_disabled| EnforcementCount {
            already_disabled,
            ..EnforcementCount::new(asset, Some(Platform::from_stored("facebook")), count)
        };
        let own = Enforcement {
            id: EnforcementId::from_stored("1"),
            counts: vec![count(AssetKind::Page, 7, 2), count(AssetKind::Account, 5, 0)],
            method: Some(EnforcementMethod::AfterTip),
            from: Some("2019-08-19".parse().unwrap()),
            until: None,
            campaign: Some(campaign),
            tip: None,
            note: None,
            source: EnforcementSource::Own,
        };
        let other = Enforcement {
            id: EnforcementId::from_stored("2"),
            method: None,
            source: EnforcementSource::Reported,
            ..own.clone()
        };
        let given = |enforcement| CountedEnforcement {
            author: PartnerId::from_stored("facegraph"),
            position: Position::new(4, 0),
            accepted: Timestamp::default(),
            enforcement,
        };
        ReportScope {
            period: (Some("2019-08-01".parse().unwrap()), None),
            partners: Vec::new(),
            campaign: Some(campaign.to_string()),
            names: [(campaign.to_string(), "Hong | Kong".to_owned())].into(),
            totals: totals(&[given(own), given(other)]),
        }
    }

    #[test]
    fn a_report_says_what_it_covers_and_keeps_removals_by_others_apart() {
        let text = of(&reported());
        for line in [
            "# Transparency report",
            "## Enforcements by the partners themselves",
            "1 enforcement, 12 assets in all, 2 of them disabled before.",
            "| page | 7 | 2 |",
            "| after\\_tip | 12 | 2 |",
            "| 2019-08 | 12 | 2 |",
            "## Removals by others, as reported by partners",
            "1 report, 12 assets in all, 2 of them disabled before.",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
        assert!(
            text.contains("Enforcements from 2019-08-01 on, against the campaign Hong \\| Kong")
        );
        assert!(!text.contains("24"), "the two parts are never added up");
    }

    #[test]
    fn a_report_of_nothing_says_so() {
        let nothing = ReportScope { totals: totals(&[]), ..reported() };
        assert!(of(&nothing).contains("There is nothing to report."));
    }
}
