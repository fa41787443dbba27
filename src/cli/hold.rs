//! `tipoff hold`

use std::collections::BTreeMap;

use clap::Subcommand;
use prost::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::failure::{Completion, Failure, Outcome};
use super::values::{self, ReadAs};
use super::{Global, identity, output, request, words};
use crate::wire::pb::{self, place_hold_request::What};

/// Keep copies of what you said, whatever becomes of it: legal holds
#[derive(Debug, Subcommand)]
pub enum Hold {
    /// Have copies kept for 90 days
    Place(Place),
    /// Your holds; for an operator those of everybody, without what they keep
    List {
        /// What each keeps, too
        #[arg(long)]
        content: bool,
    },
    /// Have a hold last 90 days from now
    Renew {
        /// The hold, as list prints it
        id: String,
    },
    /// End a hold: its copies go
    Lift {
        /// The hold, as list prints it
        id: String,
    },
}

/// Have copies kept for 90 days
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What is copied is what you say now. You alone see the copies; the operator sees that \
                  there is a hold, and not why. The same values for the same reason are the same hold, \
                  however often the command is run."
)]
pub struct Place {
    /// Values as people write them, at most 1,000; `-` reads them from stdin, one a line
    #[arg(required_unless_present = "submission", value_name = "VALUE|-")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
    /// Everything that this submission brought and that still stands
    #[arg(long, value_name = "ID", conflicts_with_all = ["values", "kind", "platform"])]
    submission: Option<String>,
    /// Why, at most 500 characters
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Place another hold, though the same was placed before
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
                    let until = words::time(hold.until.as_ref()).unwrap_or_default();
                    output::line(&format!("hold {id} lasts until {until}"))?;
                }
                Ok(Completion::Whole)
            }
            Hold::Lift { id } => {
                identity::client(global)?.lift_hold(id).await?;
                if global.json {
                    output::json(&json!({ "lifted": id }))?;
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
        let mut wrong: Vec<(String, &str, String)> = Vec::new();
        let mut asked = Vec::new();
        let what = if let Some(id) = &self.submission {
            What::SubmissionId(id.clone())
        } else {
            let readings = self.read_as.read(&self.values)?;
            for (value, readings) in &readings {
                match readings {
                    Ok(readings) => asked.extend(readings.iter().map(|_| value.clone())),
                    Err(invalid) => wrong.push((value.clone(), "unreadable", invalid.to_string())),
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
        let digest = Sha256::new_with_prefix(request.encode_to_vec());
        request.request_id = request::id(digest, self.again);
        let placed = identity::client(global)?.place_hold(request).await?;
        let hold = placed.hold.unwrap_or_default();
        wrong.extend(not_kept(&asked, &placed.rejected));
        for (value, result, reason) in &wrong {
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
            let before = if placed.replayed { " (placed before)" } else { "" };
            let objects = words::count(hold.objects, "object");
            let until = words::time(hold.until.as_ref()).unwrap_or_default();
            output::line(&format!("hold {} keeps {objects} until {until}{before}", hold.id))?;
        }
        Ok(if wrong.is_empty() { Completion::Whole } else { Completion::InPart })
    }
}

/// The values of which nothing is kept, under none of their readings.
fn not_kept(asked: &[String], rejected: &[pb::ItemReceipt]) -> Vec<(String, &'static str, String)> {
    let why = |at: usize| rejected.iter().find(|one| one.index as usize == at);
    let mut values: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for (at, value) in asked.iter().enumerate() {
        let why = why(at).map(|one| one.reason.as_str());
        let reason = values.entry(value).or_insert(why);
        *reason = reason.and(why);
    }
    let kept_none = values.into_iter().filter_map(|(value, why)| Some((value, why?)));
    kept_none.map(|(value, why)| (value.to_owned(), "not kept", why.to_owned())).collect()
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
        for copy in client.held(&hold.id).await? {
            if global.json {
                output::json(&copied(hold, &copy))?;
            } else {
                let of = copy.indicator.clone().unwrap_or_default();
                let version = copy.version.as_ref().map(words::version).unwrap_or_default();
                let value = words::value(&of.platform, &of.value);
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
    let time = |time: &Option<prost_types::Timestamp>| words::time(time.as_ref());
    [
        hold.id.clone(),
        hold.author.clone(),
        time(&hold.placed_at).unwrap_or_default(),
        time(&hold.until).unwrap_or_default(),
        hold.objects.to_string(),
        words::one_line(&hold.reason),
    ]
}

fn object(hold: &pb::Hold) -> Value {
    json!({
        "hold": hold.id,
        "author": hold.author,
        "placed_at": words::time(hold.placed_at.as_ref()),
        "until": words::time(hold.until.as_ref()),
        "objects": hold.objects,
        "reason": hold.reason,
    })
}

fn copied(hold: &pb::Hold, copy: &pb::VisibleAssessment) -> Value {
    let indicator = copy.indicator.clone().unwrap_or_default();
    let said = copy.assessment.clone().unwrap_or_default();
    json!({
        "held_by": hold.id,
        "version": copy.version.as_ref().map(words::version),
        "accepted_at": words::time(copy.accepted_at.as_ref()),
        "kind": words::kind(indicator.kind()),
        "platform": indicator.platform,
        "held_value": indicator.value,
        "id": indicator.id,
        "verdict": words::verdict(&said),
        "confidence": said.confidence,
        "labels": said.labels,
        "note": said.note,
        "raw": copy.raw,
    })
}
