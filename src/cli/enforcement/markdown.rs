//! A transparency report that could be published.

use super::report::{ReportScope, TOLD_APART, shown};
use crate::cli::words;
use crate::domain::enforcement::totals::Part;

/// How the header of a table goes on.
const TABLE: &str = " assets | disabled before |\n|---|---:|---:|\n";

/// The report, as Markdown.
pub fn of(reported: &ReportScope) -> String {
    let totals = &reported.totals;
    let mut text = String::from("# Transparency report\n\n");
    text += &scope(reported);
    text += "\n## What partners did themselves\n\n";
    text += &part(reported, &totals.own, "enforcement");
    text += "\n## What others did, as partners report it\n\n";
    text += "These are removals by somebody else than the partner that reports them. They are not part of \
             the numbers above, and must not be added to them: the same removal may be there already.\n\n";
    text += &part(reported, &totals.reported, "report");
    text += "\n## How this was counted\n\n\
             - Each enforcement counts once, by the newest word of its author on it.\n\
             - One that took several days counts whole where one of them is in the period, and under the \
             month of its first. Without a day of its own it counts on the day on which it was reported.\n\
             - \"Disabled before\" says how many of the assets automated systems had disabled before.\n\
             - \"About\" stands before numbers of which at least one is not exact.\n";
    text
}

/// What the report is over.
fn scope(reported: &ReportScope) -> String {
    let period = match reported.period {
        (None, None) => "Everything that was reported, whenever it was done".to_owned(),
        (Some(from), None) => format!("What was done from {from} on"),
        (None, Some(until)) => format!("What was done up to {until}"),
        (Some(from), Some(until)) => format!("What was done from {from} to {until}"),
    };
    let campaign = reported.campaign.as_ref();
    let campaign =
        campaign.map(|id| format!(", against the campaign {}", plain(&reported.campaign_name(id))));
    let partners = match reported.partners.as_slice() {
        [] => ", by all partners whose reports could be read".to_owned(),
        partners => format!(", by {}", plain(&partners.join(", "))),
    };
    let days = match reported.totals.days {
        None => "There is nothing to report.\n".to_owned(),
        Some((first, last)) => format!("The first of it is of {first}, the last of {last}.\n"),
    };
    format!("{period}{}{partners}. {days}", campaign.unwrap_or_default())
}

fn part(reported: &ReportScope, part: &Part, one: &str) -> String {
    if part.deeds == 0 {
        return "None.\n".into();
    }
    let sum = part.sum();
    let mut text = format!(
        "{}, {} assets in all, {} of them disabled before.\n",
        words::count(part.deeds as u64, one),
        shown(sum),
        sum.already_disabled
    );
    for (name, of) in TOLD_APART {
        let sums = part.by(|key| of(reported, key));
        // A table of nothing but what is not said tells nothing.
        if sums.keys().all(String::is_empty) {
            continue;
        }
        let header = [&format!("\n### By {name}\n\n| {name} |"), TABLE];
        text.extend(header);
        for (what, sum) in sums {
            let what = if what.is_empty() { "not said".into() } else { plain(&what) };
            let (count, before) = (shown(sum), sum.already_disabled.to_string());
            text.extend(["| ", &what, " | ", &count, " | ", &before, " |\n"]);
        }
    }
    text
}

/// Somebody's text in a table: it makes no cells, no markup and no links of its own.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in words::one_line(text).chars() {
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
    fn a_report_says_what_it_is_over_and_keeps_what_others_did_apart() {
        let text = of(&reported());
        for line in [
            "# Transparency report",
            "## What partners did themselves",
            "1 enforcement, 12 assets in all, 2 of them disabled before.",
            "| page | 7 | 2 |",
            "| after\\_tip | 12 | 2 |",
            "| 2019-08 | 12 | 2 |",
            "## What others did, as partners report it",
            "1 report, 12 assets in all, 2 of them disabled before.",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
        assert!(
            text.contains("What was done from 2019-08-01 on, against the campaign Hong \\| Kong")
        );
        assert!(!text.contains("24"), "nothing is added up over the two");
    }

    #[test]
    fn a_report_of_nothing_says_so() {
        let nothing = ReportScope { totals: totals(&[]), ..reported() };
        assert!(of(&nothing).contains("There is nothing to report."));
    }
}
