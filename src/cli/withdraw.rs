//! `tipoff withdraw`

use serde_json::{Value, json};

use super::audience::AudienceFlags;
use super::failure::{Completion, Failure, Outcome};
use super::filter::check_groups;
use super::values::{self, ReadAs, Reading};
use super::{Global, identity, output, text};
use crate::domain::Indicator;
use crate::wire::pb;

/// Withdraw your assessments
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Everybody who could see them is told to drop them. If you have no assessment of any of \
                  the values, the exit code is 1, and if you have none of some of them, 5. Without \
                  --kind, a value is withdrawn as everything that it can be, such as a domain and the \
                  URL of its front page."
)]
pub struct Withdraw {
    /// Values; `-` reads them from stdin, one per line
    #[arg(required_unless_present = "submission", value_name = "VALUE|-")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
    /// All current assessments of this submission
    #[arg(long, value_name = "ID")]
    #[arg(conflicts_with_all = [
        "values", "kind", "platform", "groups", "partners", "everyone", "public"
    ])]
    submission: Option<String>,
    #[command(flatten)]
    audience: AudienceFlags,
}

/// The outcome of one reading of a value.
struct ReadingOutcome<'a> {
    value: &'a str,
    indicator: &'a Indicator,
    item: pb::WithdrawnIndicator,
}

/// The outcome of a value.
enum ValueOutcome<'a> {
    Withdrawn(ReadingOutcome<'a>),
    Unreadable { value: &'a str, field: String, reason: String },
}

impl ValueOutcome<'_> {
    fn is_withdrawn(&self) -> bool {
        matches!(self, ValueOutcome::Withdrawn(one) if !one.item.versions.is_empty())
    }
}

impl Withdraw {
    pub async fn run(&self, global: &Global) -> Outcome {
        if let Some(id) = &self.submission {
            let request =
                pb::WithdrawIndicatorsRequest { submission_id: id.clone(), ..Default::default() };
            let response = identity::client(global)?.withdraw(request).await?;
            print_total(&response, global)?;
            // A repeated withdrawal names the entries of the first.
            if response.withdrawn == 0 && response.sequences.is_empty() {
                let nothing = "nothing was withdrawn: this submission has no current assessment";
                return Err(Failure::failed(nothing));
            }
            return Ok(Completion::Whole);
        }
        let readings = self.read_as.read(&self.values)?;
        let client = identity::client(global)?;
        let keys = values::keys(&readings);
        let bar = values::progress("withdrawing", keys.len());
        let mut response = pb::WithdrawIndicatorsResponse::default();
        for keys in keys.chunks(values::PER_REQUEST) {
            let request = pb::WithdrawIndicatorsRequest {
                keys: keys.to_vec(),
                audience: self.audience.audience(),
                ..Default::default()
            };
            let part = client.withdraw(request).await?;
            bar.inc(keys.len() as u64);
            response.items.extend(part.items);
            response.withdrawn += part.withdrawn;
            response.sequences.extend(part.sequences);
        }
        bar.finish_and_clear();
        let outcomes = outcomes(&readings, &response.items);
        if global.json {
            for one in &outcomes {
                output::json(&object(one))?;
            }
        } else {
            let header = ["VALUE", "KIND", "WITHDRAWN"];
            output::line(&output::table(header, outcomes.iter().map(row)))?;
        }
        print_total(&response, global)?;
        if let Some(failure) = values::none_readable(&readings) {
            return Err(failure);
        }
        if response.withdrawn == 0 {
            check_groups(self.audience.groups(), &client.who_am_i().await?)?;
            let nothing = "nothing was withdrawn: you have no such assessment of these values";
            return Err(Failure::failed(nothing));
        }
        let is_whole = outcomes.iter().all(ValueOutcome::is_withdrawn);
        Ok(if is_whole { Completion::Whole } else { Completion::InPart })
    }
}

/// The outcome of each value: of the readings that matched an assessment, or of the most likely
/// one.
fn outcomes<'a>(
    readings: &'a [Reading],
    items: &[pb::WithdrawnIndicator],
) -> Vec<ValueOutcome<'a>> {
    let mut items = items.iter();
    let mut all = Vec::new();
    for (value, readings) in readings {
        match readings {
            Ok(readings) => {
                let pairs = readings.iter().zip(items.by_ref().cloned());
                let outcomes = pairs
                    .map(|(indicator, item)| ReadingOutcome { value, indicator, item })
                    .collect();
                let outcomes = values::relevant_answers(outcomes, |one: &ReadingOutcome| {
                    !one.item.versions.is_empty()
                });
                all.extend(outcomes.into_iter().map(|one| match one.item {
                    pb::WithdrawnIndicator { field, reason, .. } if !reason.is_empty() => {
                        ValueOutcome::Unreadable { value, field, reason }
                    }
                    _ => ValueOutcome::Withdrawn(one),
                }));
            }
            Err(invalid) => all.push(ValueOutcome::Unreadable {
                value,
                field: invalid.field.to_string(),
                reason: invalid.reason.to_string(),
            }),
        }
    }
    all
}

fn row(outcome: &ValueOutcome) -> [String; 3] {
    match outcome {
        ValueOutcome::Withdrawn(ReadingOutcome { value, indicator, item }) => {
            let withdrawn = match item.versions.len() {
                0 => "nothing: you have no assessment of it".into(),
                versions => output::paint(output::GOOD, &text::count(versions as u64, "version")),
            };
            [(*value).to_owned(), indicator.kind().to_string(), withdrawn]
        }
        ValueOutcome::Unreadable { value, field, reason } => {
            [(*value).to_owned(), String::new(), format!("unreadable: {field} {reason}")]
        }
    }
}

fn object(outcome: &ValueOutcome) -> Value {
    match outcome {
        ValueOutcome::Withdrawn(ReadingOutcome { value, indicator, item }) => json!({
            "asked": value,
            "result": if item.versions.is_empty() { "nothing" } else { "withdrawn" },
            "kind": indicator.kind().as_str(),
            "platform": indicator.platform().map(ToString::to_string).unwrap_or_default(),
            "value": indicator.value(),
            "indicator_id": indicator.id().to_string(),
            "versions": item.versions.iter().map(text::version).collect::<Vec<_>>(),
        }),
        ValueOutcome::Unreadable { value, field, reason } => json!({
            "asked": value, "result": "unreadable", "field": field, "reason": reason,
        }),
    }
}

fn print_total(response: &pb::WithdrawIndicatorsResponse, global: &Global) -> Result<(), Failure> {
    if global.json {
        return output::json(&json!({
            "withdrawn": response.withdrawn, "sequences": response.sequences,
        }));
    }
    let versions = text::count(response.withdrawn, "version");
    let Some(range) = text::entry_range(&response.sequences) else {
        return output::line(&format!("{versions} withdrawn"));
    };
    output::line(&format!("{versions} withdrawn, by {}", text::entries(&response.sequences)))?;
    output::hint(&format!("check who received the withdrawal: tipoff audit deliveries {range}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_readings_that_match_an_assessment_are_listed() {
        let digits = "0123456789abcdef".repeat(4);
        let values = [digits, "just words".to_owned(), "a.example".to_owned()];
        let read_as = ReadAs::default();
        let readings = read_as.read(&values).unwrap();
        let keys = values::keys(&readings);
        let items: Vec<_> = keys
            .iter()
            .map(|key| {
                let version = pb::Version { sequence: 3, index: 0 };
                let versions = if key.kind() == pb::Kind::Pdq { vec![version] } else { vec![] };
                pb::WithdrawnIndicator { versions, ..Default::default() }
            })
            .collect();
        let objects: Vec<_> = outcomes(&readings, &items).iter().map(object).collect();
        let results: Vec<_> =
            objects.iter().map(|one| (one["result"].as_str().unwrap(), &one["kind"])).collect();
        assert_eq!(
            results,
            [
                ("withdrawn", &json!("pdq")),
                ("unreadable", &Value::Null),
                ("nothing", &json!("domain"))
            ]
        );
        assert_eq!(objects[0]["versions"], json!(["3.0"]));
    }
}
