//! `tipoff lookup`

use std::io::{self, BufRead};

use serde_json::json;

use super::failure::{Done, Failure, Outcome};
use super::{Global, identity, output, whoami};
use crate::wire::pb;
use pb::lookup_result::Result as Found;

/// Ask whether values are known
#[derive(Debug, clap::Args)]
pub struct Lookup {
    /// Values as people write them: domains, addresses, `platform:handle`, digests; `-` reads them
    /// from stdin, one a line
    #[arg(required = true, value_name = "VALUE")]
    values: Vec<String>,
}

impl Lookup {
    pub async fn run(&self, global: &Global) -> Outcome {
        let values = self.read()?;
        let keys: Vec<_> = values
            .iter()
            .map(|value| pb::IndicatorKey { value: value.clone(), ..pb::IndicatorKey::default() })
            .collect();
        let results = identity::client(global)?.lookup(&keys).await?;
        let mut done = Done::Whole;
        let mut rows = Vec::new();
        for (value, result) in values.iter().zip(results) {
            let Some(found) = result.result else { continue };
            if matches!(found, Found::Unreadable(_)) {
                done = Done::InPart;
            }
            if global.json {
                output::json(&object(value, &found))?;
            } else {
                rows.push(row(value, &found));
            }
        }
        if !global.json {
            let header = ["VALUE", "KNOWN", "VERDICT", "CONFIDENCE", "BY", "TLP"];
            output::line(&output::table(header, rows))?;
        }
        Ok(done)
    }

    fn read(&self) -> Result<Vec<String>, Failure> {
        if self.values != ["-"] {
            return Ok(self.values.clone());
        }
        let lines = io::stdin().lock().lines().collect::<Result<Vec<_>, _>>();
        let lines = lines.map_err(|error| Failure::usage(format!("cannot read stdin: {error}")))?;
        let values: Vec<_> = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
        if values.is_empty() { Err(Failure::usage("stdin holds no values")) } else { Ok(values) }
    }
}

fn row(value: &str, found: &Found) -> [String; 6] {
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
                verdict(&said),
                said.confidence.unwrap_or_default().to_string(),
                by(summary, &stands.author),
                super::subscribe::tlp(sharing.tlp()).to_owned(),
            ]
        }
        Found::Unknown(_) => [value.to_owned(), "no".into(), none(), none(), none(), none()],
        Found::Unreadable(why) => {
            let reason = format!("unreadable: {} {}", why.field, why.reason);
            [value.to_owned(), reason, none(), none(), none(), none()]
        }
    }
}

fn by(summary: &pb::IndicatorSummary, author: &str) -> String {
    match summary.authors.saturating_sub(1) {
        0 => author.to_owned(),
        others => format!("{author} and {others} more"),
    }
}

fn verdict(said: &pb::Assessment) -> String {
    whoami::name(said.verdict().as_str_name(), "VERDICT_")
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
                "kind": whoami::kind(indicator.kind()),
                "platform": indicator.platform,
                "value": indicator.value,
                "id": indicator.id,
                "disputed": summary.disputed,
                "authors": summary.authors,
                "author": stands.author,
                "verdict": verdict(&said),
                "confidence": said.confidence,
                "labels": said.labels,
                "tlp": super::subscribe::tlp(stands.sharing.unwrap_or_default().tlp()),
            })
        }
        Found::Unknown(unknown) => {
            let indicator = unknown.indicator.clone().unwrap_or_default();
            json!({
                "asked": value,
                "result": "unknown",
                "kind": whoami::kind(indicator.kind()),
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
