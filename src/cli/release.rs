//! `tipoff release`

use serde_json::{Value, json};

use super::audience::AudienceFilterFlags;
use super::failure::{Completion, Failure, Outcome};
use super::filter::check_groups;
use super::values::{self, ReadAs, Reading};
use super::{Global, identity, output, request, text};
use crate::client::Client;
use crate::domain::Indicator;
use crate::wire::pb::{self, release_indicators_request::What};

/// Release your objects to liaisons, or retract a release
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A release covers the current version only: release a new version again if it should be \
                  visible too. The liaison is told when the release ends; tipoff audit accesses shows \
                  what it has read. The command can be repeated. Objects with TLP:RED or restricted \
                  labels cannot be released."
)]
pub struct Release {
    /// Values; `-` reads them from stdin, one per line
    #[arg(required_unless_present_any = ["submission", "campaign", "enforcements"], value_name = "VALUE|-")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
    /// All current assessments of this submission
    #[arg(long, value_name = "ID", conflicts_with_all = ["values", "campaign", "meant"])]
    submission: Option<String>,
    /// All your objects in this campaign: your contribution, your enforcements and the assessments
    /// that name it
    #[arg(long, value_name = "CAMPAIGN", conflicts_with_all = ["values", "meant"])]
    campaign: Option<String>,
    /// Id of an enforcement that you reported; may be repeated
    #[arg(
        long = "enforcement",
        value_name = "ID",
        conflicts_with_all = ["values", "meant", "campaign", "submission"]
    )]
    enforcements: Vec<String>,
    /// Liaison; may be repeated
    #[arg(long = "to", value_name = "LIAISON", required = true)]
    liaisons: Vec<String>,
    /// Legal basis, at most 500 characters. If it names the document of the liaison, tipoff audit
    /// accesses shows that document
    #[arg(long, value_name = "TEXT", required_unless_present = "retract")]
    basis: Option<String>,
    /// End of the release, such as 2027-01-31; default: no end
    #[arg(long, value_name = "TIME", value_parser = text::read_end)]
    until: Option<prost_types::Timestamp>,
    /// Retract the release
    #[arg(long, conflicts_with_all = ["basis", "until"])]
    retract: bool,
    #[command(flatten)]
    meant: AudienceFilterFlags,
}

/// The totals of the receipts of all requests.
#[derive(Default)]
struct ReleaseTotals {
    changed: u64,
    unchanged: u64,
    refused: u64,
    sequences: Vec<u64>,
    items: Vec<pb::ReleasedIndicator>,
}

impl ReleaseTotals {
    fn found_nothing(&self) -> bool {
        self.changed == 0 && self.unchanged == 0 && self.refused == 0
    }
}

/// The outcome of a value, or of one reading of it.
struct ReadingOutcome<'a> {
    value: &'a str,
    indicator: Option<&'a Indicator>,
    item: pb::ReleasedIndicator,
}

impl Release {
    pub async fn run(&self, global: &Global) -> Outcome {
        let selection = match (&self.submission, &self.campaign) {
            (Some(id), _) => Some(What::SubmissionId(id.clone())),
            (_, Some(campaign)) => Some(What::Campaign(campaign.clone())),
            _ => None,
        };
        let mut totals = ReleaseTotals::default();
        if !self.enforcements.is_empty() {
            let ids = self.enforcements.clone();
            let what = What::Enforcements(pb::EnforcementIds { ids });
            self.send(&identity::client(global)?, what, &mut totals).await?;
            let items = std::mem::take(&mut totals.items);
            let outcomes = self.enforcements.iter().zip(items);
            let outcomes: Vec<_> = outcomes
                .map(|(value, item)| ReadingOutcome { value, indicator: None, item })
                .collect();
            return self.print(&totals, &outcomes, global);
        }
        if let Some(what) = selection {
            self.send(&identity::client(global)?, what, &mut totals).await?;
            return self.print(&totals, &[], global);
        }
        let readings = self.read_as.read(&self.values)?;
        let client = identity::client(global)?;
        let all = values::keys(&readings);
        let bar = values::progress("releasing", all.len());
        for keys in all.chunks(values::PER_REQUEST) {
            let audience = self.meant.audience();
            let what = What::Indicators(pb::IndicatorKeys { keys: keys.to_vec(), audience });
            self.send(&client, what, &mut totals).await?;
            bar.inc(keys.len() as u64);
        }
        bar.finish_and_clear();
        if totals.found_nothing() {
            check_groups(self.meant.groups(), &client.who_am_i().await?)?;
        }
        let items = std::mem::take(&mut totals.items);
        let completion = self.print(&totals, &outcomes(&readings, items), global);
        values::none_readable(&readings).map_or(completion, Err)
    }

    async fn send(
        &self,
        client: &Client,
        what: What,
        totals: &mut ReleaseTotals,
    ) -> Result<(), Failure> {
        let mut request = pb::ReleaseIndicatorsRequest {
            request_id: String::new(),
            what: Some(what),
            liaisons: self.liaisons.clone(),
            basis: self.basis.clone().unwrap_or_default(),
            until: self.until,
            retract: self.retract,
        };
        // Each run is a new request: after release, retract and release again, the third must not
        // be answered with the receipt of the first. Repeating is safe anyway, since an existing
        // release stays unchanged.
        request.request_id = request::id_of(&request, true);
        let response = client.release(request).await?;
        totals.changed += response.changed;
        totals.unchanged += response.unchanged;
        totals.refused += response.refused;
        totals.sequences.extend(response.sequences);
        totals.items.extend(response.items);
        Ok(())
    }

    fn print(
        &self,
        totals: &ReleaseTotals,
        outcomes: &[ReadingOutcome],
        global: &Global,
    ) -> Outcome {
        let action = if self.retract { "retracted" } else { "released" };
        if global.json {
            for outcome in outcomes {
                output::json(&object(outcome, action))?;
            }
            output::json(&json!({
                action: totals.changed,
                "unchanged": totals.unchanged,
                "refused": totals.refused,
                "liaisons": self.liaisons,
                "sequences": totals.sequences,
            }))?;
        } else {
            if !outcomes.is_empty() {
                let header = ["VALUE", "KIND", if self.retract { "RETRACTED" } else { "RELEASED" }];
                output::line(&output::table(header, outcomes.iter().map(row)))?;
            }
            let versions = text::count(totals.changed, "version");
            let to = if self.retract { "from" } else { "to" };
            let mut parts = vec![format!("{versions} {action} {to} {}", self.liaisons.join(", "))];
            if totals.unchanged > 0 {
                parts.push(format!("{} unchanged", totals.unchanged));
            }
            if totals.refused > 0 {
                let reason = "TLP:RED, a restricted label, or too many liaisons";
                parts.push(format!("{} refused ({reason})", totals.refused));
            }
            output::line(&parts.join(", "))?;
            if let (true, Some(range)) = (self.retract, text::entry_range(&totals.sequences)) {
                output::hint(&format!(
                    "check who received the retraction: tipoff audit deliveries {range}"
                ))?;
            }
        }
        if totals.found_nothing() {
            let nothing = if self.retract {
                "nothing was retracted: no such object of yours is released to these liaisons"
            } else {
                "nothing was released: you have no such object"
            };
            return Err(Failure::failed(nothing));
        }
        let in_part = totals.refused > 0
            || outcomes
                .iter()
                .any(|one| one.item.versions.is_empty() || !one.item.reason.is_empty());
        Ok(if in_part { Completion::InPart } else { Completion::Whole })
    }
}

/// The outcome of each value: of the readings that matched something, or of the most likely one.
fn outcomes(readings: &[Reading], items: Vec<pb::ReleasedIndicator>) -> Vec<ReadingOutcome<'_>> {
    let mut items = items.into_iter();
    let mut all = Vec::new();
    for (value, readings) in readings {
        match readings {
            Ok(readings) => {
                let pairs = readings.iter().zip(items.by_ref());
                let outcomes = pairs.map(|(indicator, item)| ReadingOutcome {
                    value,
                    indicator: Some(indicator),
                    item,
                });
                let is_match = |outcome: &ReadingOutcome| {
                    !outcome.item.versions.is_empty() || !outcome.item.reason.is_empty()
                };
                all.extend(values::relevant_answers(outcomes.collect(), is_match));
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

fn row(outcome: &ReadingOutcome) -> [String; 3] {
    let pb::ReleasedIndicator { versions, field, reason } = &outcome.item;
    let result = match (versions.len(), reason.is_empty()) {
        (0, true) => "nothing".into(),
        (0, false) => format!("refused: {field} {reason}"),
        (count, true) => output::paint(output::GOOD, &text::count(count as u64, "version")),
        (count, false) => {
            format!("{}; refused: {field} {reason}", text::count(count as u64, "version"))
        }
    };
    let kind = outcome.indicator.map(|indicator| indicator.kind().to_string());
    [outcome.value.to_owned(), kind.unwrap_or_default(), result]
}

fn object(outcome: &ReadingOutcome, action: &str) -> Value {
    let pb::ReleasedIndicator { versions, field, reason } = &outcome.item;
    let result = match (versions.is_empty(), reason.is_empty()) {
        (false, _) => action,
        (true, false) => "refused",
        (true, true) => "nothing",
    };
    let mut object = json!({
        "asked": outcome.value,
        "result": result,
        "versions": versions.iter().map(text::version).collect::<Vec<_>>(),
    });
    if let Some(indicator) = outcome.indicator {
        object["kind"] = indicator.kind().as_str().into();
        object["platform"] =
            indicator.platform().map(ToString::to_string).unwrap_or_default().into();
        object["value"] = indicator.value().into();
        object["indicator_id"] = indicator.id().to_string().into();
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
    fn only_readings_that_match_something_are_listed() {
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
        let outcomes = outcomes(&readings, items.collect());
        let results: Vec<_> = outcomes.iter().map(|one| object(one, "released")).collect();
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
