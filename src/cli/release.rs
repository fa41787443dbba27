//! `tipoff release`

use prost::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::audience::AudienceFilterFlags;
use super::failure::{Completion, Failure, Outcome};
use super::values::{self, ReadAs, Reading};
use super::{Global, identity, output, request, words};
use crate::client::Client;
use crate::domain::Indicator;
use crate::wire::pb::{self, release_indicators_request::What};

/// The most values of one request.
const VALUES: usize = 1_000;

/// Release what you said to liaisons, or no longer
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A release is of what you say now: what takes its place is released anew, or not. A \
                  liaison that holds it is told when the release ends, and tipoff audit accesses shows \
                  you what it read. The same command may be run again: what stands already changes \
                  nothing. TLP:RED and restricted labels are released to nobody."
)]
pub struct Release {
    /// Values as people write them; `-` reads them from stdin, one a line
    #[arg(required_unless_present_any = ["submission", "campaign", "enforcements"], value_name = "VALUE|-")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
    /// Everything that this submission brought and that still stands
    #[arg(long, value_name = "ID", conflicts_with_all = ["values", "campaign", "meant"])]
    submission: Option<String>,
    /// Everything of yours in this campaign: what you say of it, what you did against it, and the
    /// assessments that name it
    #[arg(long, value_name = "CAMPAIGN", conflicts_with_all = ["values", "meant"])]
    campaign: Option<String>,
    /// What you did, by the id under which you reported it; may be given again
    #[arg(
        long = "enforcement",
        value_name = "ID",
        conflicts_with_all = ["values", "meant", "campaign", "submission"]
    )]
    enforcements: Vec<String>,
    /// A liaison
    #[arg(long = "to", value_name = "LIAISON", required = true)]
    liaisons: Vec<String>,
    /// On what ground, at most 500 characters. Name the paper that the liaison rests on, and you see it
    /// in audit accesses
    #[arg(long, value_name = "TEXT", required_unless_present = "retract")]
    basis: Option<String>,
    /// Until when, such as 2027-01-31; with no end when left out
    #[arg(long, value_name = "TIME", value_parser = words::read_time)]
    until: Option<prost_types::Timestamp>,
    /// Release it no longer
    #[arg(long, conflicts_with_all = ["basis", "until"])]
    retract: bool,
    #[command(flatten)]
    meant: AudienceFilterFlags,
}

/// What all requests together came to.
#[derive(Default)]
struct ReleaseTotals {
    changed: u64,
    unchanged: u64,
    refused: u64,
    sequences: Vec<u64>,
    items: Vec<pb::ReleasedIndicator>,
}

/// What became of a value, or of one reading of it.
struct ReadingOutcome<'a> {
    value: &'a str,
    indicator: Option<&'a Indicator>,
    item: pb::ReleasedIndicator,
}

impl Release {
    pub async fn run(&self, global: &Global) -> Outcome {
        let whole = match (&self.submission, &self.campaign) {
            (Some(id), _) => Some(What::SubmissionId(id.clone())),
            (_, Some(campaign)) => Some(What::Campaign(campaign.clone())),
            _ => None,
        };
        let mut sum = ReleaseTotals::default();
        if !self.enforcements.is_empty() {
            let ids = self.enforcements.clone();
            let what = What::Enforcements(pb::EnforcementIds { ids });
            self.send(&identity::client(global)?, what, &mut sum).await?;
            let items = std::mem::take(&mut sum.items);
            let told = self.enforcements.iter().zip(items);
            let told: Vec<_> =
                told.map(|(value, item)| ReadingOutcome { value, indicator: None, item }).collect();
            return self.tell(&sum, &told, global);
        }
        if let Some(what) = whole {
            self.send(&identity::client(global)?, what, &mut sum).await?;
            return self.tell(&sum, &[], global);
        }
        let readings = self.read_as.read(&self.values)?;
        let client = identity::client(global)?;
        for keys in values::keys(&readings).chunks(VALUES) {
            let (keys, audience) = (keys.to_vec(), self.meant.audience());
            let what = What::Indicators(pb::IndicatorKeys { keys, audience });
            self.send(&client, what, &mut sum).await?;
        }
        let items = std::mem::take(&mut sum.items);
        self.tell(&sum, &told(&readings, items), global)
    }

    async fn send(
        &self,
        client: &Client,
        what: What,
        sum: &mut ReleaseTotals,
    ) -> Result<(), Failure> {
        let mut request = pb::ReleaseIndicatorsRequest {
            request_id: String::new(),
            what: Some(what),
            liaisons: self.liaisons.clone(),
            basis: self.basis.clone().unwrap_or_default(),
            until: self.until,
            retract: self.retract,
        };
        // Each run is a request of its own: what was released, taken back and released again is not the
        // same as the first time. Nothing is done twice, since what stands already changes nothing.
        let digest = Sha256::new_with_prefix(request.encode_to_vec());
        request.request_id = request::id(digest, true);
        let answer = client.release(request).await?;
        sum.changed += answer.changed;
        sum.unchanged += answer.unchanged;
        sum.refused += answer.refused;
        sum.sequences.extend(answer.sequences);
        sum.items.extend(answer.items);
        Ok(())
    }

    fn tell(&self, sum: &ReleaseTotals, told: &[ReadingOutcome], global: &Global) -> Outcome {
        let what = if self.retract { "retracted" } else { "released" };
        if global.json {
            for one in told {
                output::json(&object(one, what))?;
            }
            output::json(&json!({
                what: sum.changed,
                "unchanged": sum.unchanged,
                "refused": sum.refused,
                "liaisons": self.liaisons,
                "sequences": sum.sequences,
            }))?;
        } else {
            if !told.is_empty() {
                let header = ["VALUE", "KIND", if self.retract { "RETRACTED" } else { "RELEASED" }];
                output::line(&output::table(header, told.iter().map(row)))?;
            }
            let versions = words::count(sum.changed, "version");
            let to = if self.retract { "from" } else { "to" };
            let mut parts = vec![format!("{versions} {what} {to} {}", self.liaisons.join(", "))];
            if sum.unchanged > 0 {
                parts.push(format!("{} so already", sum.unchanged));
            }
            if sum.refused > 0 {
                let why = "TLP:RED, a restricted label, or as many liaisons as fit";
                parts.push(format!("{} refused ({why})", sum.refused));
            }
            output::line(&parts.join(", "))?;
            if let (true, Some(first)) = (self.retract, sum.sequences.first()) {
                output::line(&format!("who has been told: tipoff audit deliveries {first}"))?;
            }
        }
        let wrong = sum.refused > 0 || told.iter().any(|one| !one.item.reason.is_empty());
        Ok(if wrong { Completion::InPart } else { Completion::Whole })
    }
}

/// What became of each value: under the readings that came to something, or else the likeliest.
fn told(readings: &[Reading], items: Vec<pb::ReleasedIndicator>) -> Vec<ReadingOutcome<'_>> {
    let mut items = items.into_iter();
    let mut all = Vec::new();
    for (value, readings) in readings {
        match readings {
            Ok(readings) => {
                let of = readings.iter().zip(items.by_ref());
                let of = of.map(|(indicator, item)| ReadingOutcome {
                    value,
                    indicator: Some(indicator),
                    item,
                });
                let came_to_something = |one: &ReadingOutcome| {
                    !one.item.versions.is_empty() || !one.item.reason.is_empty()
                };
                all.extend(values::telling(of.collect(), came_to_something));
            }
            Err(invalid) => {
                let (field, reason) = (invalid.field.to_string(), invalid.reason.to_string());
                let item = pb::ReleasedIndicator { versions: Vec::new(), field, reason };
                all.push(ReadingOutcome { value, indicator: None, item });
            }
        }
    }
    all
}

fn row(told: &ReadingOutcome) -> [String; 3] {
    let pb::ReleasedIndicator { versions, field, reason } = &told.item;
    let what = match (versions.len(), reason.is_empty()) {
        (0, true) => "nothing: you say nothing of it, or it was not released".into(),
        (0, false) => format!("refused: {field} {reason}"),
        (count, true) => output::paint(output::GOOD, &words::count(count as u64, "version")),
        (count, false) => {
            format!("{}; refused: {field} {reason}", words::count(count as u64, "version"))
        }
    };
    let kind = told.indicator.map(|indicator| indicator.kind().to_string());
    [told.value.to_owned(), kind.unwrap_or_default(), what]
}

fn object(told: &ReadingOutcome, what: &str) -> Value {
    let pb::ReleasedIndicator { versions, field, reason } = &told.item;
    let result = match (versions.is_empty(), reason.is_empty()) {
        (false, _) => what,
        (true, false) => "refused",
        (true, true) => "nothing",
    };
    let mut object = json!({
        "asked": told.value,
        "result": result,
        "versions": versions.iter().map(words::version).collect::<Vec<_>>(),
    });
    if let Some(indicator) = told.indicator {
        object["kind"] = indicator.kind().as_str().into();
        object["value"] = indicator.value().into();
        object["id"] = indicator.id().to_string().into();
    }
    if !reason.is_empty() {
        object["field"] = field.as_str().into();
        object["reason"] = reason.as_str().into();
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_readings_of_a_value_those_that_came_to_something_are_told() {
        let digits = "0123456789abcdef".repeat(4);
        let values = [digits, "just words".to_owned(), "a.example".to_owned()];
        let readings = ReadAs::default().read(&values).unwrap();
        let keys = values::keys(&readings);
        let items = keys.iter().map(|key| match key.kind() {
            pb::Kind::Pdq => pb::ReleasedIndicator {
                versions: vec![pb::Version { sequence: 3, index: 0 }],
                ..Default::default()
            },
            _ => pb::ReleasedIndicator::default(),
        });
        let told = told(&readings, items.collect());
        let results: Vec<_> = told.iter().map(|one| object(one, "released")).collect();
        let results: Vec<_> = results.iter().map(|one| (&one["result"], &one["kind"])).collect();
        assert_eq!(
            results,
            [
                (&json!("released"), &json!("pdq")),
                (&json!("refused"), &Value::Null),
                (&json!("nothing"), &json!("domain"))
            ]
        );
    }
}
