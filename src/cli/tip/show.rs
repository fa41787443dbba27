//! `tipoff tip show`

use serde_json::json;

use super::find;
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::purpose::PurposeFlags;
use crate::cli::{Global, identity, output, render, text};
use crate::wire::pb;

/// Show a tip: its state, entries and indicators
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Id of the tip, or the beginning of it
    #[arg(value_name = "TIP")]
    id: String,
    /// For the sender: only the thread of this recipient
    #[arg(long, value_name = "RECIPIENT")]
    to: Option<String>,
    #[command(flatten)]
    purpose: PurposeFlags,
}

impl Show {
    pub async fn run(&self, global: &Global) -> Outcome {
        let client = self.purpose.client(identity::client(global)?);
        let tip_id = find(&client, &self.id).await?;
        let response = client.tip(&tip_id, self.to.as_deref().unwrap_or_default()).await?;
        if global.json {
            let tip = response.tip.clone().unwrap_or_default();
            let mut object = render::tip::tip_object(&tip);
            object["narrative"] = tip.narrative.into();
            object["entries"] = response.entries.iter().map(render::tip::entry_object).collect();
            object["indicators"] = response.indicators.iter().map(indicator_object).collect();
            output::json(&object)?;
            return Ok(Completion::Whole);
        }
        print(&response)?;
        Ok(Completion::Whole)
    }
}

fn print(response: &pb::GetTipResponse) -> Result<(), Failure> {
    let tip = response.tip.clone().unwrap_or_default();
    if render::tip::has_own_subject(&tip) {
        output::line(&output::paint(output::BOLD, &render::tip::subject(&tip)))?;
    }
    let overdue = tip.threads.iter().any(|thread| thread.overdue);
    let facts = [
        ("tip", tip.id.clone()),
        ("from", tip.sender.clone()),
        ("sent", text::local_time(tip.sent_at.as_ref()).unwrap_or_default()),
        ("urgency", render::tip::urgency(&tip)),
        ("answer by", render::tip::answer_by(&tip, overdue)),
        ("marking", text::tlp(tip.tlp()).to_owned()),
        ("campaign", tip.campaign.clone()),
        ("submission", tip.submission_id.clone()),
    ];
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        output::line(&format!("{}  {fact}", output::paint(output::DIM, &format!("{name:<10}"))))?;
    }
    for thread in &tip.threads {
        let since = text::local_time(thread.changed_at.as_ref()).unwrap_or_default();
        let state = render::tip::state(thread.state());
        let overdue = if thread.overdue { "  OVERDUE" } else { "" };
        output::line(&format!("{:<10}  {state}, since {since}{overdue}", thread.recipient))?;
    }
    if !tip.narrative.is_empty() {
        output::line("")?;
        for line in tip.narrative.lines() {
            output::line(&text::one_line(line))?;
        }
    }
    let entries = response.entries.iter().filter(|entry| entry.action() != pb::TipAction::Sent);
    let entries: Vec<_> = entries.map(row).collect();
    if !entries.is_empty() {
        output::line("")?;
        output::line(&output::table(["WHEN", "WHO", "WHAT", "MESSAGE"], entries))?;
    }
    if !response.indicators.is_empty() {
        let row = |one: &pb::TipIndicator| {
            let indicator = one.indicator.clone().unwrap_or_default();
            let value = text::value(&indicator.platform, &indicator.value);
            [one.author.clone(), text::kind(indicator.kind()), value]
        };
        output::line("")?;
        let rows = response.indicators.iter().map(row);
        output::line(&output::table(["ADDED BY", "KIND", "INDICATOR"], rows))?;
    }
    Ok(())
}

fn row(entry: &pb::TipEntry) -> [String; 4] {
    [
        text::local_time(entry.accepted_at.as_ref()).unwrap_or_default(),
        render::tip::entry_author(entry),
        render::tip::entry_summary(entry),
        text::one_line(&entry.message),
    ]
}

fn indicator_object(one: &pb::TipIndicator) -> serde_json::Value {
    let indicator = one.indicator.clone().unwrap_or_default();
    json!({ "author": one.author, "indicator": render::tip::indicator_object(&indicator) })
}
