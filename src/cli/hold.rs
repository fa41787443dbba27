//! `tipoff hold`

use std::collections::BTreeMap;

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::{Completion, Failure, Outcome};
use super::values::{self, ReadAs};
use super::{Global, identity, output, request, text};
use crate::client::ClientError;
use crate::wire::pb::{self, place_hold_request::What};

/// Keep copies of your assessments (legal holds)
#[derive(Debug, Subcommand)]
pub enum Hold {
    /// Place a hold: copies are kept for 90 days
    Place(Place),
    /// List your holds; operators see all holds, without their content
    List {
        /// Show the copies of each hold too
        #[arg(long)]
        content: bool,
    },
    /// Renew a hold for 90 days from now
    Renew {
        /// Id of the hold, as list prints it
        id: String,
    },
    /// End a hold and delete its copies
    Lift {
        /// Id of the hold, as list prints it
        id: String,
    },
}

/// Place a hold: copies are kept for 90 days
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Your current assessments are copied. Only you can see the copies; the operator sees \
                  that there is a hold, but not its reason. Running the same command again places no \
                  second hold."
)]
pub struct Place {
    /// Values, at most 1,000; `-` reads them from stdin, one per line
    #[arg(required_unless_present = "submission", value_name = "VALUE|-")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
    /// All current assessments of this submission
    #[arg(long, value_name = "ID", conflicts_with_all = ["values", "kind", "platform"])]
    submission: Option<String>,
    /// Reason, at most 500 characters
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Place a new hold even if the same was placed before
    #[arg(long)]
    again: bool,
}

impl Hold {
    pub async fn run(&self, global: &Global) -> Outcome {
        match self {
            Hold::Place(place) => place.run(global).await,
            Hold::List { content } => list(*content, global).await,
            Hold::Renew { id } => {
                let hold = identity::client(global)?.renew_hold(id).await?;
                if global.json {
                    output::json(&object(&hold))?;
                } else {
                    let until = text::local_time(hold.until.as_ref()).unwrap_or_default();
                    output::line(&format!("hold {id} lasts until {until}"))?;
                }
                Ok(Completion::Whole)
            }
            Hold::Lift { id } => {
                identity::client(global)?.lift_hold(id).await?;
                if global.json {
                    output::json(&json!({ "hold_id": id, "lifted": true }))?;
                } else {
                    output::line(&format!("hold {id} has ended"))?;
                }
                Ok(Completion::Whole)
            }
        }
    }
}

impl Place {
    async fn run(&self, global: &Global) -> Outcome {
        let mut failures: Vec<(String, &str, String)> = Vec::new();
        let mut values = Vec::new();
        let what = if let Some(id) = &self.submission {
            What::SubmissionId(id.clone())
        } else {
            let readings = self.read_as.read(&self.values)?;
            for (value, readings) in &readings {
                match readings {
                    Ok(readings) => values.extend(readings.iter().map(|_| value.clone())),
                    Err(invalid) => {
                        failures.push((value.clone(), "unreadable", invalid.to_string()));
                    }
                }
            }
            let keys = values::keys(&readings);
            if keys.is_empty() {
                return Err(Failure::usage("none of the values can be read"));
            }
            What::Indicators(pb::IndicatorKeys { keys, audience: None })
        };
        let reason = self.reason.clone();
        let mut request =
            pb::PlaceHoldRequest { request_id: String::new(), what: Some(what), reason };
        request.request_id = request::id_of(&request, self.again);
        let placed = identity::client(global)?.place_hold(request).await;
        let placed = placed.map_err(|error| match error {
            // Without --submission, what was not found is an object, not a name.
            ClientError::NotFound(_) if self.submission.is_none() => Failure::failed(error),
            error => error.into(),
        })?;
        let hold = placed.hold.unwrap_or_default();
        failures.extend(not_copied(&values, &placed.rejected));
        for (value, result, reason) in &failures {
            if global.json {
                output::json(&json!({ "asked": value, "result": result, "reason": reason }))?;
            } else {
                output::line(&format!("{result}  {value}: {reason}"))?;
            }
        }
        if global.json {
            let mut object = object(&hold);
            object["replayed"] = placed.replayed.into();
            output::json(&object)?;
        } else {
            let before = if placed.replayed { " (already placed before)" } else { "" };
            let objects = text::count(hold.objects, "object");
            let until = text::local_time(hold.until.as_ref()).unwrap_or_default();
            output::line(&format!("hold {} keeps {objects} until {until}{before}", hold.id))?;
        }
        Ok(if failures.is_empty() { Completion::Whole } else { Completion::InPart })
    }
}

/// The values of which no reading was copied, with a reason. `values` has one element per reading, and the rejections
/// have its indexes.
fn not_copied(
    values: &[String],
    rejected: &[pb::ItemReceipt],
) -> Vec<(String, &'static str, String)> {
    let rejection = |index: usize| rejected.iter().find(|one| one.index as usize == index);
    // A value has a reason only if all of its readings were rejected.
    let mut reasons: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for (index, value) in values.iter().enumerate() {
        let reading_reason = rejection(index).map(|rejection| rejection.reason.as_str());
        let reason = reasons.entry(value).or_insert(reading_reason);
        *reason = reason.and(reading_reason);
    }
    let failed = reasons.into_iter().filter_map(|(value, reason)| Some((value, reason?)));
    failed.map(|(value, reason)| (value.to_owned(), "not kept", reason.to_owned())).collect()
}

async fn list(content: bool, global: &Global) -> Outcome {
    let client = identity::client(global)?;
    let holds = client.holds().await?;
    if !global.json && !holds.is_empty() {
        let header = ["HOLD", "AUTHOR", "PLACED", "UNTIL", "OBJECTS", "REASON"];
        output::line(&output::table(header, holds.iter().map(row)))?;
    }
    for hold in &holds {
        if global.json {
            output::json(&object(hold))?;
        }
        if !content {
            continue;
        }
        for copy in client.held_objects(&hold.id).await? {
            if global.json {
                output::json(&copy_object(hold, &copy))?;
            } else {
                let indicator = copy.indicator.clone().unwrap_or_default();
                let version = copy.version.as_ref().map(text::version).unwrap_or_default();
                let value = text::value(&indicator.platform, &indicator.value);
                output::line(&format!("{}  {version:<10} {value}", hold.id))?;
            }
        }
    }
    if !global.json && holds.is_empty() {
        output::line("no holds")?;
    }
    Ok(Completion::Whole)
}

fn row(hold: &pb::Hold) -> [String; 6] {
    let time = |time: &Option<prost_types::Timestamp>| text::time(time.as_ref());
    [
        hold.id.clone(),
        hold.author.clone(),
        time(&hold.placed_at).unwrap_or_default(),
        time(&hold.until).unwrap_or_default(),
        hold.objects.to_string(),
        text::one_line(&hold.reason),
    ]
}

fn object(hold: &pb::Hold) -> Value {
    json!({
        "hold_id": hold.id,
        "author": hold.author,
        "placed_at": text::time(hold.placed_at.as_ref()),
        "until": text::time(hold.until.as_ref()),
        "objects": hold.objects,
        "reason": hold.reason,
    })
}

fn copy_object(hold: &pb::Hold, copy: &pb::VisibleAssessment) -> Value {
    let indicator = copy.indicator.clone().unwrap_or_default();
    let assessment = copy.assessment.clone().unwrap_or_default();
    json!({
        "held_by": hold.id,
        "version": copy.version.as_ref().map(text::version),
        "accepted_at": text::time(copy.accepted_at.as_ref()),
        "kind": text::kind(indicator.kind()),
        "platform": indicator.platform,
        "held_value": indicator.value,
        "indicator_id": indicator.id,
        "verdict": text::verdict(&assessment),
        "confidence": assessment.confidence,
        "labels": assessment.labels,
        "note": assessment.note,
        "raw": copy.raw,
    })
}
