//! `tipoff campaign show`

use serde_json::{Value, json};

use super::graph::{self, Format};
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::tip::told;
use crate::cli::{Global, deeds, identity, output, words};
use crate::client::Client;
use crate::wire::pb;

/// Everything that you may see of one
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The campaign
    #[arg(value_name = "ID")]
    id: String,
    /// Its indicators too
    #[arg(long)]
    indicators: bool,
    /// What happened, in order
    #[arg(long)]
    timeline: bool,
    /// Print which indicators were submitted, tipped or seen together, as a graph, and nothing else
    #[arg(long, conflicts_with_all = ["indicators", "timeline"])]
    graph: Option<Format>,
}

/// What there is to show, as far as it was asked for.
struct CampaignDetails {
    campaign: pb::GetCampaignResponse,
    indicators: Option<Vec<pb::VisibleAssessment>>,
    timeline: Option<Vec<pb::TimelineEvent>>,
}

impl Show {
    pub async fn run(self, global: &Global) -> Outcome {
        let client = identity::client(global)?;
        let (id, clusters) = (self.id.clone(), self.graph.is_some());
        let asked = pb::GetCampaignRequest { id, clusters, ..Default::default() };
        let campaign = client.campaign(asked).await?;
        if let Some(format) = self.graph {
            let clusters = campaign.clusters.unwrap_or_default();
            match format {
                Format::Dot => output::line(graph::dot(&clusters).trim_end())?,
                Format::Json => output::json(&graph::json(&clusters))?,
            }
            if clusters.cut {
                output::remark("cut: there is more than is shown");
            }
            return Ok(Completion::Whole);
        }
        let shown = self.read(&client, campaign).await?;
        if global.json {
            output::json(&shown.object())?;
        } else {
            shown.tell()?;
        }
        Ok(Completion::Whole)
    }

    async fn read(
        &self,
        client: &Client,
        campaign: pb::GetCampaignResponse,
    ) -> Result<CampaignDetails, Failure> {
        let mut shown = CampaignDetails { campaign, indicators: None, timeline: None };
        if self.indicators {
            shown.indicators = Some(client.campaign_indicators(&self.id).await?);
        }
        if self.timeline {
            shown.timeline = Some(client.campaign_timeline(&self.id).await?);
        }
        Ok(shown)
    }
}

impl CampaignDetails {
    fn tell(&self) -> Result<(), Failure> {
        let pb::GetCampaignResponse { id, contributions, omitted, numbers, .. } = &self.campaign;
        output::line(&output::paint(output::BOLD, &format!("campaign {id}")))?;
        for one in contributions {
            tell_contribution(one)?;
        }
        if *omitted > 0 {
            output::line(&format!("{omitted} older contributions are not shown"))?;
        }
        let numbers = numbers.clone().unwrap_or_default();
        let more = if numbers.indicators_cut { " or more" } else { "" };
        let tips = match numbers.tips {
            0 => String::new(),
            tips => format!("; {} that you sent or received", words::count(tips, "tip")),
        };
        output::line(&format!(
            "\n{}{more}, {}, by {}{tips}",
            words::count(numbers.indicators, "indicator"),
            words::count(numbers.enforcements, "enforcement"),
            words::count(numbers.authors.into(), "partner"),
        ))?;
        if !numbers.totals.is_empty() {
            let rows = numbers.totals.iter().map(|total| {
                let about = if total.approximate { "about " } else { "" };
                [
                    deeds::source(total.source()),
                    total.platform.clone(),
                    deeds::asset(total.asset()),
                    format!("{about}{}", total.count),
                    total.already_disabled.to_string(),
                ]
            });
            let header = ["DEED", "PLATFORM", "ASSET", "COUNT", "DISABLED BEFORE"];
            output::line(&format!("\n{}", output::table(header, rows)))?;
        }
        if let Some(indicators) = &self.indicators {
            let rows = indicators.iter().map(|one| {
                let indicator = one.indicator.clone().unwrap_or_default();
                let said = one.assessment.clone().unwrap_or_default();
                [
                    one.version.as_ref().map(words::version).unwrap_or_default(),
                    one.author.clone(),
                    words::verdict(&said),
                    words::kind(indicator.kind()),
                    words::value(&indicator.platform, &indicator.value),
                ]
            });
            let header = ["VERSION", "AUTHOR", "VERDICT", "KIND", "VALUE"];
            output::line(&format!("\n{}", output::table(header, rows)))?;
        }
        if let Some(timeline) = &self.timeline {
            let rows = timeline.iter().map(|event| {
                let when = words::time(event.at.as_ref()).unwrap_or_default();
                let by = if event.author.is_empty() { "the exchange" } else { &event.author };
                [when, by.to_owned(), happened(event)]
            });
            let header = ["WHEN", "BY", "WHAT"];
            output::line(&format!("\n{}", output::table(header, rows)))?;
        }
        Ok(())
    }

    fn object(&self) -> Value {
        let pb::GetCampaignResponse { id, contributions, omitted, numbers, .. } = &self.campaign;
        let numbers = numbers.clone().unwrap_or_default();
        let totals = numbers.totals.iter().map(|total| {
            json!({
                "source": deeds::source(total.source()),
                "platform": total.platform,
                "asset": deeds::asset(total.asset()),
                "count": total.count,
                "already_disabled": total.already_disabled,
                "approximate": total.approximate,
            })
        });
        let mut object = json!({
            "campaign": id,
            "contributions": contributions.iter().map(deeds::said).collect::<Vec<_>>(),
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

fn tell_contribution(one: &pb::VisibleContribution) -> Result<(), Failure> {
    let said = one.contribution.clone().unwrap_or_default();
    let founds = if one.founds { ", who founded it" } else { "" };
    output::line(&format!(
        "\n{}  {} {}{founds}",
        output::paint(output::BOLD, &words::one_line(&said.name)),
        output::paint(output::DIM, &words::time(one.accepted_at.as_ref()).unwrap_or_default()),
        one.author
    ))?;
    let by = said.attribution.unwrap_or_default();
    let references: Vec<_> = said.references.iter().map(|url| words::one_line(url)).collect();
    let targets: Vec<_> = said.targets.iter().map(|text| words::one_line(text)).collect();
    let lines = [
        ("what", words::one_line(&said.description)),
        ("attributed to", deeds::attribution(&by)),
        ("on the ground of", words::one_line(&by.basis)),
        ("techniques", said.techniques.join(", ")),
        ("targets", targets.join("; ")),
        ("references", references.join(" ")),
    ];
    for (name, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        output::line(&format!("  {name:<17} {text}"))?;
    }
    Ok(())
}

fn happened(event: &pb::TimelineEvent) -> String {
    use pb::timeline_event::Event;
    match &event.event {
        None => String::new(),
        Some(Event::Contribution(made)) => {
            let what = if made.founds { "founds the campaign" } else { "says what it is" };
            format!("{what}: {}", words::one_line(&made.name))
        }
        Some(Event::Indicators(on)) => {
            let counts = [
                (on.submitted, "submitted"),
                (on.first_seen, "first seen"),
                (on.last_seen, "last seen"),
            ];
            let counts = counts.iter().filter(|(count, _)| *count > 0);
            let counts: Vec<_> = counts
                .map(|(count, what)| format!("{} {what}", words::count(*count, "indicator")))
                .collect();
            counts.join(", ")
        }
        Some(Event::Sighting(seen)) => {
            let indicator = seen.indicator.clone().unwrap_or_default();
            let value = words::value(&indicator.platform, &indicator.value);
            format!("saw {value} {}", words::count(seen.count, "time"))
        }
        Some(Event::Enforcement(done)) => {
            let done = done.enforcement.clone().unwrap_or_default();
            let counts: Vec<_> = done.counts.iter().map(deeds::count).collect();
            let reports = done.source() == pb::EnforcementSource::Reported;
            let what = if reports { "reports removals" } else { "acted" };
            format!("{what}: {}", counts.join(", "))
        }
        Some(Event::Tip(step)) => told::step(step),
    }
}

fn indicator_object(one: &pb::VisibleAssessment) -> Value {
    let indicator = one.indicator.clone().unwrap_or_default();
    let said = one.assessment.clone().unwrap_or_default();
    json!({
        "version": one.version.as_ref().map(words::version),
        "author": one.author,
        "kind": words::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "id": indicator.id,
        "verdict": words::verdict(&said),
        "confidence": said.confidence,
    })
}

fn event_object(event: &pb::TimelineEvent) -> Value {
    use pb::timeline_event::Event;
    let (what, object) = match &event.event {
        None => ("", Value::Null),
        Some(Event::Contribution(made)) => {
            ("contribution", json!({ "founds": made.founds, "name": made.name }))
        }
        Some(Event::Indicators(on)) => (
            "indicators",
            json!({
                "submitted": on.submitted,
                "first_seen": on.first_seen,
                "last_seen": on.last_seen,
            }),
        ),
        Some(Event::Sighting(seen)) => {
            let indicator = seen.indicator.clone().unwrap_or_default();
            (
                "sighting",
                json!({ "id": indicator.id, "value": indicator.value, "count": seen.count }),
            )
        }
        Some(Event::Enforcement(done)) => ("enforcement", deeds::done(done)),
        Some(Event::Tip(step)) => ("tip", told::step_object(step)),
    };
    let at = words::time(event.at.as_ref());
    json!({ "at": at, "author": event.author, "event": what, (what): object })
}
