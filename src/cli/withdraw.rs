//! `tipoff withdraw`

use serde_json::{Value, json};

use super::audience::AudienceFlags;
use super::failure::{Completion, Outcome};
use super::values::{self, ReadAs, Reading};
use super::{Global, identity, output, words};
use crate::domain::Indicator;
use crate::wire::pb;

/// Take back what you said
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Whoever could see it is told to drop it. Taking back what is not there is no error, \
                  so the same command may be run again. A value whose kind is not said is taken back \
                  as everything that it can be, such as a domain and the address of its front page; \
                  --kind narrows that down."
)]
pub struct Withdraw {
    /// Values as people write them; `-` reads them from stdin, one a line
    #[arg(required_unless_present = "submission", value_name = "VALUE|-")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
    /// Everything that this submission brought and that still stands
    #[arg(long, value_name = "ID")]
    #[arg(conflicts_with_all = [
        "values", "kind", "platform", "groups", "partners", "everyone", "public"
    ])]
    submission: Option<String>,
    #[command(flatten)]
    audience: AudienceFlags,
}

/// What became of one reading of a value.
struct ReadingOutcome<'a> {
    value: &'a str,
    indicator: &'a Indicator,
    item: pb::WithdrawnIndicator,
}

/// What became of a value.
enum ValueOutcome<'a> {
    Taken(ReadingOutcome<'a>),
    Unreadable { value: &'a str, field: String, reason: String },
}

impl Withdraw {
    pub async fn run(&self, global: &Global) -> Outcome {
        if let Some(id) = &self.submission {
            let request =
                pb::WithdrawIndicatorsRequest { submission_id: id.clone(), ..Default::default() };
            let taken = identity::client(global)?.withdraw(request).await?;
            sum(&taken, global)?;
            return Ok(Completion::Whole);
        }
        let readings = self.read_as.read(&self.values)?;
        let client = identity::client(global)?;
        let keys = values::keys(&readings);
        let taken = if keys.is_empty() {
            pb::WithdrawIndicatorsResponse::default()
        } else {
            let audience = self.audience.audience();
            client
                .withdraw(pb::WithdrawIndicatorsRequest { keys, audience, ..Default::default() })
                .await?
        };
        let told = told(&readings, &taken.items);
        if global.json {
            for one in &told {
                output::json(&object(one))?;
            }
        } else {
            let header = ["VALUE", "KIND", "TAKEN BACK"];
            output::line(&output::table(header, told.iter().map(row)))?;
        }
        sum(&taken, global)?;
        let unreadable = told.iter().any(|one| matches!(one, ValueOutcome::Unreadable { .. }));
        Ok(if unreadable { Completion::InPart } else { Completion::Whole })
    }
}

/// What became of each value: under the readings that something was said of, or else the likeliest.
fn told<'a>(readings: &'a [Reading], items: &[pb::WithdrawnIndicator]) -> Vec<ValueOutcome<'a>> {
    let mut items = items.iter();
    let mut all = Vec::new();
    for (value, readings) in readings {
        match readings {
            Ok(readings) => {
                let of = readings.iter().zip(items.by_ref().cloned());
                let of =
                    of.map(|(indicator, item)| ReadingOutcome { value, indicator, item }).collect();
                let of = values::telling(of, |one: &ReadingOutcome| !one.item.versions.is_empty());
                all.extend(of.into_iter().map(|one| match one.item {
                    pb::WithdrawnIndicator { field, reason, .. } if !reason.is_empty() => {
                        ValueOutcome::Unreadable { value, field, reason }
                    }
                    _ => ValueOutcome::Taken(one),
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

fn row(told: &ValueOutcome) -> [String; 3] {
    match told {
        ValueOutcome::Taken(ReadingOutcome { value, indicator, item }) => {
            let what = match item.versions.len() {
                0 => "nothing: you say nothing of it".into(),
                versions => output::paint(output::GOOD, &words::count(versions as u64, "version")),
            };
            [(*value).to_owned(), indicator.kind().to_string(), what]
        }
        ValueOutcome::Unreadable { value, field, reason } => {
            [(*value).to_owned(), String::new(), format!("unreadable: {field} {reason}")]
        }
    }
}

fn object(told: &ValueOutcome) -> Value {
    match told {
        ValueOutcome::Taken(ReadingOutcome { value, indicator, item }) => json!({
            "asked": value,
            "result": if item.versions.is_empty() { "nothing" } else { "withdrawn" },
            "kind": indicator.kind().as_str(),
            "platform": indicator.platform().map(ToString::to_string).unwrap_or_default(),
            "value": indicator.value(),
            "id": indicator.id().to_string(),
            "versions": item.versions.iter().map(words::version).collect::<Vec<_>>(),
        }),
        ValueOutcome::Unreadable { value, field, reason } => json!({
            "asked": value, "result": "unreadable", "field": field, "reason": reason,
        }),
    }
}

fn sum(taken: &pb::WithdrawIndicatorsResponse, global: &Global) -> Result<(), super::Failure> {
    if global.json {
        return output::json(&json!({
            "withdrawn": taken.withdrawn, "sequences": taken.sequences,
        }));
    }
    let versions = words::count(taken.withdrawn, "version");
    let Some(first) = taken.sequences.first() else {
        return output::line(&format!("{versions} taken back"));
    };
    output::line(&format!("{versions} taken back, by {}", words::entries(&taken.sequences)))?;
    output::line(&format!("who has been told: tipoff audit deliveries {first}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_readings_of_a_value_those_that_something_was_said_of_are_told() {
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
        let objects: Vec<_> = told(&readings, &items).iter().map(object).collect();
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
