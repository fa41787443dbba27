//! `tipoff lookup`

use serde_json::json;

use super::failure::{Completion, Outcome};
use super::values::{self, ReadAs};
use super::{Global, identity, output, words};
use crate::domain::Invalid;
use crate::wire::pb;
use pb::lookup_result::Result as Found;

/// Ask whether values are known
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A value whose kind is not said is asked for as everything that it can be: 64 \
                        hex digits are a SHA-256 digest and a PDQ hash."
)]
pub struct Lookup {
    /// Values as people write them: domains, addresses, `platform:handle`, digests; `-` reads them
    /// from stdin, one a line
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
        let mut done = Completion::Whole;
        let mut rows = Vec::new();
        for (value, readings) in readings {
            let answers = match readings {
                Ok(readings) => {
                    let answers = results.by_ref().take(readings.len());
                    let answers = answers.filter_map(|answer| answer.result).collect();
                    values::telling(answers, |found| matches!(found, Found::Known(_)))
                }
                Err(Invalid { field, reason }) => {
                    let reason = reason.into_owned();
                    vec![Found::Unreadable(pb::UnreadableValue { field: field.into(), reason })]
                }
            };
            for found in answers {
                if matches!(found, Found::Unreadable(_)) {
                    done = Completion::InPart;
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
        Ok(done)
    }
}

fn row(value: &str, found: &Found) -> [String; 7] {
    let none = String::new;
    match found {
        Found::Known(summary) => {
            let stands = summary.strongest.clone().unwrap_or_default();
            let said = stands.assessment.unwrap_or_default();
            let sharing = stands.sharing.unwrap_or_default();
            let known = if summary.disputed { "disputed" } else { "yes" };
            [
                value.to_owned(),
                output::paint(output::BAD, known),
                kind(summary.indicator.as_ref()),
                words::verdict(&said),
                said.confidence.unwrap_or_default().to_string(),
                by(summary, &stands.author),
                words::tlp(sharing.tlp()).to_owned(),
            ]
        }
        Found::Unknown(unknown) => {
            let kind = kind(unknown.indicator.as_ref());
            [value.to_owned(), "no".into(), kind, none(), none(), none(), none()]
        }
        Found::Unreadable(why) => {
            let reason = format!("unreadable: {} {}", why.field, why.reason);
            [value.to_owned(), reason, none(), none(), none(), none(), none()]
        }
    }
}

fn kind(indicator: Option<&pb::Indicator>) -> String {
    indicator.map(|indicator| words::kind(indicator.kind())).unwrap_or_default()
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
            let stands = summary.strongest.clone().unwrap_or_default();
            let said = stands.assessment.unwrap_or_default();
            json!({
                "asked": value,
                "result": "known",
                "kind": words::kind(indicator.kind()),
                "platform": indicator.platform,
                "value": indicator.value,
                "id": indicator.id,
                "disputed": summary.disputed,
                "authors": summary.authors,
                "author": stands.author,
                "verdict": words::verdict(&said),
                "confidence": said.confidence,
                "labels": said.labels,
                "tlp": words::tlp(stands.sharing.unwrap_or_default().tlp()),
            })
        }
        Found::Unknown(unknown) => {
            let indicator = unknown.indicator.clone().unwrap_or_default();
            json!({
                "asked": value,
                "result": "unknown",
                "kind": words::kind(indicator.kind()),
                "platform": indicator.platform,
                "value": indicator.value,
                "id": indicator.id,
            })
        }
        Found::Unreadable(why) => json!({
            "asked": value, "result": "unreadable", "field": why.field, "reason": why.reason,
        }),
    }
}
