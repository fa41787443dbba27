//! `tipoff tip show`

use serde_json::json;

use super::{find, told};
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::purpose::PurposeFlags;
use crate::cli::{Global, identity, output, words};
use crate::wire::pb;

/// How a tip stands, what was added to it, and what it refers to
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The tip, by its id or the beginning of it
    #[arg(value_name = "TIP")]
    id: String,
    /// As the sender: only the thread of this recipient
    #[arg(long, value_name = "RECIPIENT")]
    to: Option<String>,
    #[command(flatten)]
    purpose: PurposeFlags,
}

impl Show {
    pub async fn run(&self, global: &Global) -> Outcome {
        let client = self.purpose.client(identity::client(global)?);
        let tip_id = find(&client, &self.id).await?;
        let shown = client.tip(&tip_id, self.to.as_deref().unwrap_or_default()).await?;
        if global.json {
            let tip = shown.tip.clone().unwrap_or_default();
            let mut object = told::tip_object(&tip);
            object["narrative"] = tip.narrative.into();
            object["entries"] = shown.entries.iter().map(told::entry_object).collect();
            object["indicators"] = shown.indicators.iter().map(indicator_object).collect();
            output::json(&object)?;
            return Ok(Completion::Whole);
        }
        print(&shown)?;
        Ok(Completion::Whole)
    }
}

fn print(shown: &pb::GetTipResponse) -> Result<(), Failure> {
    let tip = shown.tip.clone().unwrap_or_default();
    output::line(&output::paint(output::BOLD, &told::about(&tip)))?;
    let overdue = tip.threads.iter().any(|thread| thread.overdue);
    let facts = [
        ("tip", tip.id.clone()),
        ("from", tip.sender.clone()),
        ("sent", words::time(tip.sent_at.as_ref()).unwrap_or_default()),
        ("urgency", told::urgency(&tip)),
        ("answer by", told::answer_by(&tip, overdue)),
        ("marking", words::tlp(tip.tlp()).to_owned()),
        ("campaign", tip.campaign.clone()),
        ("submission", tip.submission_id.clone()),
    ];
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        output::line(&format!("{}  {fact}", output::paint(output::DIM, &format!("{name:<10}"))))?;
    }
    for thread in &tip.threads {
        let since = words::time(thread.changed_at.as_ref()).unwrap_or_default();
        let state = told::state(thread.state());
        let overdue = if thread.overdue { "  OVERDUE" } else { "" };
        output::line(&format!("{:<10}  {state}, since {since}{overdue}", thread.recipient))?;
    }
    if !tip.narrative.is_empty() {
        output::line("")?;
        for line in tip.narrative.lines() {
            output::line(&words::one_line(line))?;
        }
    }
    let added = shown.entries.iter().filter(|entry| entry.action() != pb::TipAction::Sent);
    let added: Vec<_> = added.map(row).collect();
    if !added.is_empty() {
        output::line("")?;
        output::line(&output::table(["WHEN", "WHO", "WHAT", "SAYS"], added))?;
    }
    if !shown.indicators.is_empty() {
        let row = |one: &pb::TipIndicator| {
            let indicator = one.indicator.clone().unwrap_or_default();
            let value = words::value(&indicator.platform, &indicator.value);
            [one.author.clone(), words::kind(indicator.kind()), value]
        };
        output::line("")?;
        let rows = shown.indicators.iter().map(row);
        output::line(&output::table(["ADDED BY", "KIND", "INDICATOR"], rows))?;
    }
    Ok(())
}

fn row(entry: &pb::TipEntry) -> [String; 4] {
    [
        words::time(entry.accepted_at.as_ref()).unwrap_or_default(),
        told::author(entry),
        told::what(entry),
        words::one_line(&entry.message),
    ]
}

fn indicator_object(one: &pb::TipIndicator) -> serde_json::Value {
    let indicator = one.indicator.clone().unwrap_or_default();
    json!({ "author": one.author, "indicator": told::indicator_object(&indicator) })
}
