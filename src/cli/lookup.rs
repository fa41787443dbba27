//! `tipoff lookup`

use serde_json::json;

use super::failure::{Completion, Outcome};
use super::values::{self, ReadAs};
use super::{Global, identity, output, text};
use crate::domain::Invalid;
use crate::wire::pb;
use pb::lookup_result::Result as Found;

/// Look up values
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --kind, a value is looked up as everything that it can be: 64 hex digits are \
                  a SHA-256 digest and a PDQ hash."
)]
pub struct Lookup {
    /// Values: domains, URLs, `platform:handle`, digests; `-` reads them from stdin, one per line
    #[arg(required = true, value_name = "VALUE")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
}

impl Lookup {
    pub async fn run(&self, global: &Global) -> Outcome {
        let readings = self.read_as.read(&self.values)?;
        let keys = values::keys(&readings);
        let mut results = identity::client(global)?.lookup(&keys).await?.into_iter();
        let mut completion = Completion::Whole;
        let mut rows = Vec::new();
        for (value, readings) in readings {
            let answers = match readings {
                Ok(readings) => {
                    let answers = results.by_ref().take(readings.len());
                    let answers = answers.filter_map(|answer| answer.result).collect();
                    values::relevant_answers(answers, |found| matches!(found, Found::Known(_)))
                }
                Err(Invalid { field, reason }) => {
                    let reason = reason.into_owned();
                    vec![Found::Unreadable(pb::UnreadableValue { field: field.into(), reason })]
                }
            };
            for found in answers {
                if matches!(found, Found::Unreadable(_)) {
                    completion = Completion::InPart;
                }
                if global.json {
                    output::json(&object(&value, &found))?;
                } else {
                    rows.push(row(&value, &found));
                }
            }
        }
        if !global.json {
            let header = ["VALUE", "KNOWN", "KIND", "VERDICT", "CONFIDENCE", "BY", "TLP"];
            output::line(&output::table(header, rows))?;
        }
        Ok(completion)
    }
}

fn row(value: &str, found: &Found) -> [String; 7] {
    let none = String::new;
    match found {
        Found::Known(summary) => {
            let strongest = summary.strongest.clone().unwrap_or_default();
            let assessment = strongest.assessment.unwrap_or_default();
            let sharing = strongest.sharing.unwrap_or_default();
            let known = if summary.disputed { "disputed" } else { "yes" };
            [
                value.to_owned(),
                output::paint(output::BAD, known),
                kind(summary.indicator.as_ref()),
                text::verdict(&assessment),
                assessment.confidence.unwrap_or_default().to_string(),
                by(summary, &strongest.author),
                text::tlp(sharing.tlp()).to_owned(),
            ]
        }
        Found::Unknown(unknown) => {
            let kind = kind(unknown.indicator.as_ref());
            [value.to_owned(), "no".into(), kind, none(), none(), none(), none()]
        }
        Found::Unreadable(error) => {
            let reason = format!("unreadable: {} {}", error.field, error.reason);
            [value.to_owned(), reason, none(), none(), none(), none(), none()]
        }
    }
}

fn kind(indicator: Option<&pb::Indicator>) -> String {
    indicator.map(|indicator| text::kind(indicator.kind())).unwrap_or_default()
}

fn by(summary: &pb::IndicatorSummary, author: &str) -> String {
    match summary.authors.saturating_sub(1) {
        0 => author.to_owned(),
        others => format!("{author} and {others} more"),
    }
}

fn object(value: &str, found: &Found) -> serde_json::Value {
    match found {
        Found::Known(summary) => {
            let indicator = summary.indicator.clone().unwrap_or_default();
            let strongest = summary.strongest.clone().unwrap_or_default();
            let assessment = strongest.assessment.unwrap_or_default();
            json!({
                "asked": value,
                "result": "known",
                "kind": text::kind(indicator.kind()),
                "platform": indicator.platform,
                "value": indicator.value,
                "id": indicator.id,
                "disputed": summary.disputed,
                "authors": summary.authors,
                "author": strongest.author,
                "verdict": text::verdict(&assessment),
                "confidence": assessment.confidence,
                "labels": assessment.labels,
                "tlp": text::tlp(strongest.sharing.unwrap_or_default().tlp()),
            })
        }
        Found::Unknown(unknown) => {
            let indicator = unknown.indicator.clone().unwrap_or_default();
            json!({
                "asked": value,
                "result": "unknown",
                "kind": text::kind(indicator.kind()),
                "platform": indicator.platform,
                "value": indicator.value,
                "id": indicator.id,
            })
        }
        Found::Unreadable(error) => json!({
            "asked": value, "result": "unreadable", "field": error.field, "reason": error.reason,
        }),
    }
}
