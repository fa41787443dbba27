//! `tipoff lookup`

use std::io::{self, BufRead};

use serde_json::json;

use super::failure::{Done, Failure, Outcome};
use super::{Global, identity, output, whoami};
use crate::domain::{Indicator, Invalid, Kind};
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
    /// The kind that the values are of, such as `pdq`
    #[arg(long)]
    kind: Option<Kind>,
    /// The platform of handles that name none
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
}

impl Lookup {
    pub async fn run(&self, global: &Global) -> Outcome {
        let values = self.read()?;
        let readings: Vec<_> = values.iter().map(|value| self.readings(value)).collect();
        let keys: Vec<_> = readings.iter().flatten().flatten().map(key).collect();
        let mut results = identity::client(global)?.lookup(&keys).await?.into_iter();
        let mut done = Done::Whole;
        let mut rows = Vec::new();
        for (value, readings) in values.iter().zip(readings) {
            let answers = match readings {
                Ok(readings) => {
                    let answers = results.by_ref().take(readings.len());
                    told(answers.filter_map(|answer| answer.result).collect())
                }
                Err(Invalid { field, reason }) => {
                    let reason = reason.into_owned();
                    vec![Found::Unreadable(pb::UnreadableValue { field: field.into(), reason })]
                }
            };
            for found in answers {
                if matches!(found, Found::Unreadable(_)) {
                    done = Done::InPart;
                }
                if global.json {
                    output::json(&object(value, &found))?;
                } else {
                    rows.push(row(value, &found));
                }
            }
        }
        if !global.json {
            let header = ["VALUE", "KNOWN", "KIND", "VERDICT", "CONFIDENCE", "BY", "TLP"];
            output::line(&output::table(header, rows))?;
        }
        Ok(done)
    }

    fn readings(&self, value: &str) -> Result<Vec<Indicator>, Invalid> {
        let platform = self.platform.as_deref();
        match self.kind {
            Some(kind) => Ok(vec![Indicator::parse(kind, platform, value)?]),
            None => Indicator::readings(value, platform),
        }
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

/// What is known under any reading; where none is, that the likeliest is not.
fn told(answers: Vec<Found>) -> Vec<Found> {
    let is_known = |found: &Found| matches!(found, Found::Known(_));
    if answers.iter().any(is_known) {
        return answers.into_iter().filter(is_known).collect();
    }
    answers.into_iter().take(1).collect()
}

fn key(indicator: &Indicator) -> pb::IndicatorKey {
    pb::IndicatorKey {
        kind: pb::Kind::from(indicator.kind()).into(),
        platform: indicator.platform().map(ToString::to_string).unwrap_or_default(),
        value: indicator.value().to_owned(),
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
                verdict(&said),
                said.confidence.unwrap_or_default().to_string(),
                by(summary, &stands.author),
                super::subscribe::tlp(sharing.tlp()).to_owned(),
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
    indicator.map(|indicator| whoami::kind(indicator.kind())).unwrap_or_default()
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
