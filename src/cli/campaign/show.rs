//! `tipoff campaign show`

use serde_json::{Value, json};

use super::graph::{self, Format};
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::{Global, identity, ids, output, render, text};
use crate::client::Client;
use crate::wire::pb;

/// Show everything that you may see of a campaign
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Id of the campaign, or the beginning of it
    #[arg(value_name = "ID")]
    id: String,
    /// Show its indicators too
    #[arg(long)]
    indicators: bool,
    /// Show its timeline too
    #[arg(long)]
    timeline: bool,
    /// Print only a graph of which indicators were submitted, tipped or seen together
    #[arg(long, conflicts_with_all = ["indicators", "timeline"])]
    graph: Option<Format>,
}

/// The parts of a campaign that were requested.
struct CampaignDetails {
    campaign: pb::GetCampaignResponse,
    indicators: Option<Vec<pb::VisibleAssessment>>,
    timeline: Option<Vec<pb::TimelineEvent>>,
}

impl Show {
    pub async fn run(self, global: &Global) -> Outcome {
        let client = identity::client(global)?;
        let all = async {
            Ok(client.campaigns().await?.into_iter().map(|campaign| campaign.id).collect())
        };
        let id = ids::resolve("campaign", &self.id, all).await?;
        let clusters = self.graph.is_some();
        let request = pb::GetCampaignRequest { id, clusters, ..Default::default() };
        let campaign = client.campaign(request).await?;
        if let Some(format) = self.graph {
            let clusters = campaign.clusters.unwrap_or_default();
            match format {
                Format::Dot => output::line(graph::dot(&clusters).trim_end())?,
                Format::Json => output::json(&graph::json(&clusters))?,
            }
            if clusters.cut {
                output::remark("truncated: the campaign has more than this graph");
            }
            return Ok(Completion::Whole);
        }
        let details = self.read(&client, campaign).await?;
        if global.json {
            output::json(&details.object())?;
        } else {
            details.print()?;
        }
        Ok(Completion::Whole)
    }

    async fn read(
        &self,
        client: &Client,
        campaign: pb::GetCampaignResponse,
    ) -> Result<CampaignDetails, Failure> {
        let mut details = CampaignDetails { campaign, indicators: None, timeline: None };
        if self.indicators {
            details.indicators = Some(client.campaign_indicators(&self.id).await?);
        }
        if self.timeline {
            details.timeline = Some(client.campaign_timeline(&self.id).await?);
        }
        Ok(details)
    }
}

impl CampaignDetails {
    fn print(&self) -> Result<(), Failure> {
        let pb::GetCampaignResponse { id, contributions, omitted, numbers, .. } = &self.campaign;
        output::line(&output::paint(output::BOLD, &format!("campaign {id}")))?;
        for one in contributions {
            print_contribution(one)?;
        }
        if *omitted > 0 {
            output::line(&format!("{omitted} older contributions are not shown"))?;
        }
        let numbers = numbers.clone().unwrap_or_default();
        let more = if numbers.indicators_cut { " or more" } else { "" };
        let tips = match numbers.tips {
            0 => String::new(),
            tips => format!("; {} that you sent or received", text::count(tips, "tip")),
        };
        output::line(&format!(
            "\n{}{more}, {}, by {}{tips}",
            text::count(numbers.indicators, "indicator"),
            text::count(numbers.enforcements, "enforcement"),
            text::count(numbers.authors.into(), "partner"),
        ))?;
        if !numbers.totals.is_empty() {
            print_totals(&numbers.totals)?;
        }
        if let Some(indicators) = &self.indicators {
            print_indicators(indicators)?;
        }
        if let Some(timeline) = &self.timeline {
            print_timeline(timeline)?;
        }
        Ok(())
    }

    fn object(&self) -> Value {
        let pb::GetCampaignResponse { id, contributions, omitted, numbers, .. } = &self.campaign;
        let numbers = numbers.clone().unwrap_or_default();
        let totals = numbers.totals.iter().map(|total| {
            json!({
                "source": render::enforcement::source(total.source()),
                "platform": total.platform,
                "asset": render::enforcement::asset(total.asset()),
                "count": total.count,
                "already_disabled": total.already_disabled,
                "approximate": total.approximate,
            })
        });
        let mut object = json!({
            "campaign_id": id,
            "contributions": contributions.iter().map(render::campaign::object).collect::<Vec<_>>(),
            "omitted": omitted,
            "indicators_total": numbers.indicators,
            "indicators_cut": numbers.indicators_cut,
            "authors": numbers.authors,
            "enforcements": numbers.enforcements,
            "enforcements_cut": numbers.enforcements_cut,
            "tips": numbers.tips,
            "totals": totals.collect::<Vec<_>>(),
        });
        if let Some(indicators) = &self.indicators {
            object["indicators"] = indicators.iter().map(indicator_object).collect();
        }
        if let Some(timeline) = &self.timeline {
            object["timeline"] = timeline.iter().map(event_object).collect();
        }
        object
    }
}

fn print_totals(totals: &[pb::EnforcementTotal]) -> Result<(), Failure> {
    let rows = totals.iter().map(|total| {
        let about = if total.approximate { "about " } else { "" };
        [
            render::enforcement::source(total.source()),
            total.platform.clone(),
            render::enforcement::asset(total.asset()),
            format!("{about}{}", total.count),
            total.already_disabled.to_string(),
        ]
    });
    let header = ["BY", "PLATFORM", "ASSET", "COUNT", "DISABLED BEFORE"];
    output::line(&format!("\n{}", output::table(header, rows)))
}

fn print_indicators(indicators: &[pb::VisibleAssessment]) -> Result<(), Failure> {
    let rows = indicators.iter().map(|one| {
        let indicator = one.indicator.clone().unwrap_or_default();
        let assessment = one.assessment.clone().unwrap_or_default();
        [
            one.version.as_ref().map(text::version).unwrap_or_default(),
            one.author.clone(),
            text::verdict(&assessment),
            text::kind(indicator.kind()),
            text::value(&indicator.platform, &indicator.value),
        ]
    });
    let header = ["VERSION", "AUTHOR", "VERDICT", "KIND", "VALUE"];
    output::line(&format!("\n{}", output::table(header, rows)))
}

fn print_timeline(timeline: &[pb::TimelineEvent]) -> Result<(), Failure> {
    let rows = timeline.iter().map(|event| {
        let when = text::local_time(event.at.as_ref()).unwrap_or_default();
        let by = if event.author.is_empty() { "the exchange" } else { &event.author };
        [when, by.to_owned(), event_text(event)]
    });
    let header = ["WHEN", "BY", "WHAT"];
    output::line(&format!("\n{}", output::table(header, rows)))
}

fn print_contribution(one: &pb::VisibleContribution) -> Result<(), Failure> {
    let contribution = one.contribution.clone().unwrap_or_default();
    let founder = if one.founds { ", who created it" } else { "" };
    output::line(&format!(
        "\n{}  {} {}{founder}",
        output::paint(output::BOLD, &text::one_line(&contribution.name)),
        output::paint(output::DIM, &text::local_time(one.accepted_at.as_ref()).unwrap_or_default()),
        one.author
    ))?;
    let by = contribution.attribution.unwrap_or_default();
    let references: Vec<_> =
        contribution.references.iter().map(|url| text::one_line(url)).collect();
    let targets: Vec<_> = contribution.targets.iter().map(|text| text::one_line(text)).collect();
    let lines = [
        ("description", text::one_line(&contribution.description)),
        ("attributed to", render::campaign::attribution(&by)),
        ("basis", text::one_line(&by.basis)),
        ("techniques", contribution.techniques.join(", ")),
        ("targets", targets.join("; ")),
        ("references", references.join(" ")),
    ];
    for (name, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        output::line(&format!("  {name:<17} {text}"))?;
    }
    Ok(())
}

fn event_text(event: &pb::TimelineEvent) -> String {
    use pb::timeline_event::Event;
    match &event.event {
        None => String::new(),
        Some(Event::Contribution(contribution)) => {
            let action = if contribution.founds { "creates the campaign" } else { "contributes" };
            format!("{action}: {}", text::one_line(&contribution.name))
        }
        Some(Event::Indicators(day)) => {
            let counts = [
                (day.submitted, "submitted"),
                (day.first_seen, "first seen"),
                (day.last_seen, "last seen"),
            ];
            let counts = counts.iter().filter(|(count, _)| *count > 0);
            let counts: Vec<_> = counts
                .map(|(count, what)| format!("{} {what}", text::count(*count, "indicator")))
                .collect();
            counts.join(", ")
        }
        Some(Event::Sighting(sighting)) => {
            let indicator = sighting.indicator.clone().unwrap_or_default();
            let value = text::value(&indicator.platform, &indicator.value);
            format!("saw {value} {}", text::count(sighting.count, "time"))
        }
        Some(Event::Enforcement(enforcement)) => {
            let enforcement = enforcement.enforcement.clone().unwrap_or_default();
            let counts: Vec<_> =
                enforcement.counts.iter().map(render::enforcement::count).collect();
            let is_reported = enforcement.source() == pb::EnforcementSource::Reported;
            let action = if is_reported { "reports removals" } else { "acted" };
            format!("{action}: {}", counts.join(", "))
        }
        Some(Event::Tip(step)) => render::tip::step(step),
    }
}

fn indicator_object(visible: &pb::VisibleAssessment) -> Value {
    let indicator = visible.indicator.clone().unwrap_or_default();
    let assessment = visible.assessment.clone().unwrap_or_default();
    json!({
        "version": visible.version.as_ref().map(text::version),
        "author": visible.author,
        "kind": text::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "indicator_id": indicator.id,
        "verdict": text::verdict(&assessment),
        "confidence": assessment.confidence,
    })
}

fn event_object(event: &pb::TimelineEvent) -> Value {
    use pb::timeline_event::Event;
    let (kind, object) = match &event.event {
        None => ("", Value::Null),
        Some(Event::Contribution(contribution)) => {
            ("contribution", json!({ "founds": contribution.founds, "name": contribution.name }))
        }
        Some(Event::Indicators(day)) => (
            "indicators",
            json!({
                "submitted": day.submitted,
                "first_seen": day.first_seen,
                "last_seen": day.last_seen,
            }),
        ),
        Some(Event::Sighting(sighting)) => {
            let indicator = sighting.indicator.clone().unwrap_or_default();
            (
                "sighting",
                json!({ "indicator_id": indicator.id, "value": indicator.value, "count": sighting.count }),
            )
        }
        Some(Event::Enforcement(enforcement)) => {
            ("enforcement", render::enforcement::object(enforcement))
        }
        Some(Event::Tip(step)) => ("tip", render::tip::step_object(step)),
    };
    let at = text::time(event.at.as_ref());
    json!({ "at": at, "author": event.author, "event": kind, (kind): object })
}
