//! `tipoff show`

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::failure::{Completion, Failure, Outcome};
use super::values::{self, ReadAs};
use super::{Global, identity, numbers, output, render, text};
use crate::client::{Client, ClientError};
use crate::domain::Indicator;
use crate::wire::pb;

/// Tips that are fetched at the same time.
const CONCURRENT_TIPS: usize = 8;

/// Show all that you may see of one value
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Shows every current assessment with its version and note, and what was reported about it: \
                  sightings, feedback, and your tips that name it."
)]
pub struct Show {
    /// Value: a domain, a URL, `platform:handle`, a digest
    #[arg(value_name = "VALUE")]
    value: String,
    #[command(flatten)]
    read_as: ReadAs,
    /// How many of your newest received tips, and of your newest sent tips, are searched for the value
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = numbers::within::<u32>(0..=1_000))]
    tips: u32,
}

/// What is known of one reading of the value.
struct ReadingDetails {
    indicator: Indicator,
    /// `None` if nobody shares it with the caller.
    known: Option<pb::GetIndicatorResponse>,
    tips: Vec<pb::Tip>,
}

impl Show {
    pub async fn run(&self, global: &Global) -> Outcome {
        let readings = self.read_as.read(std::slice::from_ref(&self.value))?;
        let client = identity::client(global)?;
        if let Some(failure) = values::none_readable(&readings) {
            return Err(failure);
        }
        let mut found = Vec::new();
        for indicator in readings.into_iter().filter_map(|(_, readings)| readings.ok()).flatten() {
            found.push(find(&client, indicator).await?);
        }
        let tips = self.recent_tips(&client).await?;
        for one in &mut found {
            one.add_tips(&tips);
        }
        let found =
            values::relevant_answers(found, |one| one.known.is_some() || !one.tips.is_empty());
        for one in &found {
            if global.json {
                output::json(&one.object())?;
            } else {
                one.print()?;
            }
        }
        Ok(Completion::Whole)
    }

    /// The newest tips of both boxes, each once, with all their indicators.
    async fn recent_tips(&self, client: &Client) -> Result<Vec<pb::GetTipResponse>, ClientError> {
        let mut ids: Vec<String> = Vec::new();
        if self.tips > 0 {
            for tip_box in [pb::TipBox::Received, pb::TipBox::Sent] {
                let request = pb::ListTipsRequest {
                    r#box: tip_box.into(),
                    page_size: self.tips,
                    ..Default::default()
                };
                ids.extend(client.tips_page(request).await?.tips.into_iter().map(|tip| tip.id));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        let whole = |id: String| async move { client.tip(&id, "").await };
        stream::iter(ids).map(whole).buffered(CONCURRENT_TIPS).try_collect().await
    }
}

async fn find(client: &Client, indicator: Indicator) -> Result<ReadingDetails, ClientError> {
    let known = match client.indicator(values::key(&indicator)).await {
        Ok(known) => Some(known),
        Err(ClientError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    Ok(ReadingDetails { indicator, known, tips: Vec::new() })
}

impl ReadingDetails {
    /// Adds the tips that name the value, oldest first.
    fn add_tips(&mut self, tips: &[pb::GetTipResponse]) {
        let id = self.indicator.id().to_string();
        let names_it =
            |one: &pb::TipIndicator| one.indicator.as_ref().is_some_and(|one| one.id == id);
        let naming = tips.iter().filter(|tip| tip.indicators.iter().any(names_it));
        self.tips = naming.filter_map(|tip| tip.tip.clone()).collect();
        self.tips.sort_by_key(|tip| tip.sent_at.map(|at| (at.seconds, at.nanos)));
    }

    fn object(&self) -> Value {
        let known = self.known.clone().unwrap_or_default();
        let summary = known.summary.unwrap_or_default();
        json!({
            "result": if self.known.is_some() { "known" } else { "unknown" },
            "kind": self.indicator.kind().to_string(),
            "platform": self.indicator.platform().map(ToString::to_string).unwrap_or_default(),
            "value": self.indicator.value(),
            "indicator_id": self.indicator.id().to_string(),
            "disputed": summary.disputed,
            "authors": summary.authors,
            "assessments": known.assessments.into_iter().map(|one| render::feed::item_object(&item(one))).collect::<Vec<_>>(),
            "assessments_omitted": known.omitted,
            "seen_count": known.seen_count,
            "sightings": known.sightings.iter().map(render::feed::sighting_object).collect::<Vec<_>>(),
            "feedback": known.feedback.iter().map(render::feed::feedback_object).collect::<Vec<_>>(),
            "tips": self.tips.iter().map(render::tip::tip_object).collect::<Vec<_>>(),
        })
    }

    fn print(&self) -> Result<(), Failure> {
        let kind = self.indicator.kind();
        let heading = format!("{} ({kind})", values::display(&self.indicator));
        output::line(&output::paint(output::BOLD, &heading))?;
        match &self.known {
            Some(known) => print_known(known)?,
            None => output::line("unknown: nobody shares an assessment of it with you")?,
        }
        if !self.tips.is_empty() {
            output::line("\nTips")?;
            let header = ["TIP", "FROM", "SENT", "URGENCY", "ABOUT"];
            output::line(&output::table(header, self.tips.iter().map(tip_row)))?;
        }
        Ok(())
    }
}

fn print_known(known: &pb::GetIndicatorResponse) -> Result<(), Failure> {
    let summary = known.summary.clone().unwrap_or_default();
    let authors = text::count(u64::from(summary.authors), "partner");
    let disputed = if summary.disputed { ", who disagree" } else { "" };
    output::line(&format!("assessed by {authors}{disputed}"))?;
    if known.omitted > 0 {
        let older = text::count(u64::from(known.omitted), "older assessment");
        output::line(&format!("{older} not shown"))?;
    }
    for one in &known.assessments {
        output::line("")?;
        print_assessment(one)?;
    }
    if known.seen_count > 0 {
        output::line(&format!("\nSeen {}", text::count(known.seen_count, "time")))?;
        let header = ["WHEN", "BY", "COUNT", "FIRST SEEN", "LAST SEEN"];
        output::line(&output::table(header, known.sightings.iter().map(sighting_row)))?;
    }
    if !known.feedback.is_empty() {
        output::line("\nFeedback")?;
        let header = ["WHEN", "BY", "ON", "OPINION", "NOTE"];
        output::line(&output::table(header, known.feedback.iter().map(feedback_row)))?;
    }
    Ok(())
}

fn print_assessment(one: &pb::VisibleAssessment) -> Result<(), Failure> {
    let assessment = one.assessment.clone().unwrap_or_default();
    let sharing = one.sharing.clone().unwrap_or_default();
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let when =
        |time: &Option<prost_types::Timestamp>| text::local_time(time.as_ref()).unwrap_or_default();
    let version = one.version.as_ref().map(text::version).unwrap_or_default();
    let severity = text::enum_name(assessment.severity().as_str_name(), "SEVERITY_");
    let facts = [
        ("by", format!("{}, {}, version {version}", one.author, when(&one.accepted_at))),
        ("verdict", text::verdict_and_role(&assessment)),
        ("confidence", number(assessment.confidence)),
        ("severity", if severity == "unspecified" { String::new() } else { severity }),
        ("labels", assessment.labels.join(", ")),
        ("techniques", assessment.techniques.join(", ")),
        ("first seen", when(&assessment.first_seen)),
        ("last seen", when(&assessment.last_seen)),
        ("valid until", when(&assessment.valid_until)),
        ("campaign", assessment.campaign.clone()),
        ("account id", text::one_line(&assessment.account_id)),
        ("formerly", text::one_line(&assessment.former_handles.join(", "))),
        ("written as", text::one_line(&one.raw)),
        ("TLP", text::tlp(sharing.tlp()).to_owned()),
        ("shared with", audience(&sharing)),
        ("note", text::one_line(&assessment.note)),
        ("references", text::one_line(&assessment.references.join(" "))),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        let name = output::paint(output::DIM, &format!("{name:<11}"));
        output::line(&format!("  {name}  {value}"))?;
    }
    Ok(())
}

fn audience(sharing: &pb::Sharing) -> String {
    use pb::sharing::Audience;
    let mut names = match &sharing.audience {
        Some(Audience::Named(named)) => [named.groups.clone(), named.partners.clone()].concat(),
        Some(Audience::Everyone(_)) => vec!["everyone".into()],
        Some(Audience::Public(_)) => vec!["the public".into()],
        None => Vec::new(),
    };
    names.extend(sharing.releases.iter().map(|release| format!("{} (released)", release.liaison)));
    names.join(", ")
}

fn sighting_row(one: &pb::VisibleSighting) -> [String; 5] {
    let when =
        |time: &Option<prost_types::Timestamp>| text::local_time(time.as_ref()).unwrap_or_default();
    [
        when(&one.accepted_at),
        one.author.clone(),
        one.count.to_string(),
        when(&one.first_seen),
        when(&one.last_seen),
    ]
}

fn feedback_row(one: &pb::VisibleFeedback) -> [String; 5] {
    [
        text::local_time(one.accepted_at.as_ref()).unwrap_or_default(),
        one.author.clone(),
        one.about.as_ref().map(text::version).unwrap_or_default(),
        render::feed::opinion(one.opinion()),
        text::one_line(&one.note),
    ]
}

fn tip_row(tip: &pb::Tip) -> [String; 5] {
    [
        render::tip::short_id(&tip.id),
        tip.sender.clone(),
        text::local_time(tip.sent_at.as_ref()).unwrap_or_default(),
        render::tip::urgency(tip),
        render::tip::subject(tip),
    ]
}

/// An assessment as the item with which a feed announced it, so that JSON has the same fields.
fn item(one: pb::VisibleAssessment) -> pb::FeedItem {
    pb::FeedItem {
        version: one.version,
        author: one.author,
        accepted_at: one.accepted_at,
        indicator: one.indicator,
        assessment: one.assessment,
        sharing: one.sharing,
        raw: one.raw,
        ..Default::default()
    }
}
