//! `tipoff audit accesses`

use serde_json::{Value, json};

use super::super::failure::{Completion, Outcome};
use super::super::{Global, identity, output, words};
use crate::wire::pb;

/// Which accesses
#[derive(Debug, clap::Args)]
pub struct Accesses {
    /// Those of this liaison alone
    #[arg(long, value_name = "LIAISON")]
    liaison: Option<String>,
    /// Those at or after this time
    #[arg(long, value_name = "TIME", value_parser = words::read_time)]
    since: Option<prost_types::Timestamp>,
}

impl Accesses {
    pub async fn run(&self, global: &Global) -> Outcome {
        let client = identity::client(global)?;
        let accesses = client.accesses(self.liaison.as_deref(), self.since).await?;
        if global.json {
            for one in &accesses {
                output::json(&object(one))?;
            }
            return Ok(Completion::Whole);
        }
        if accesses.is_empty() {
            output::line("no accesses")?;
            return Ok(Completion::Whole);
        }
        let header = ["WHEN", "LIAISON", "HOW", "PURPOSE", "REFERENCE", "VERSION", "WHAT"];
        output::line(&output::table(header, accesses.iter().flat_map(rows)))?;
        Ok(Completion::Whole)
    }
}

fn rows(access: &pb::Access) -> impl Iterator<Item = [String; 7]> {
    access.objects.iter().map(|object| {
        let what = what(object);
        [
            words::time(access.accessed_at.as_ref()).unwrap_or_default(),
            access.liaison.clone(),
            way(access),
            purpose(access),
            words::one_line(&access.reference),
            object.version.as_ref().map(words::version).unwrap_or_default(),
            what,
        ]
    })
}

fn what(object: &pb::AccessedObject) -> String {
    match object {
        pb::AccessedObject { indicator: Some(of), .. } => words::value(&of.platform, &of.value),
        pb::AccessedObject { campaign_id, .. } if !campaign_id.is_empty() => {
            format!("campaign {campaign_id}")
        }
        pb::AccessedObject { enforcement_id, .. } if !enforcement_id.is_empty() => {
            format!("enforcement {enforcement_id}")
        }
        pb::AccessedObject { tip_id, .. } if !tip_id.is_empty() => format!("tip {tip_id}"),
        pb::AccessedObject { indicator_id, .. } if !indicator_id.is_empty() => {
            format!("indicator {indicator_id}")
        }
        _ => "no longer said".to_owned(),
    }
}

fn way(access: &pb::Access) -> String {
    words::name(access.way().as_str_name(), "ACCESS_WAY_")
}

fn purpose(access: &pb::Access) -> String {
    words::name(access.purpose().as_str_name(), "PURPOSE_KIND_")
}

fn object(access: &pb::Access) -> Value {
    let objects = access.objects.iter().map(|object| {
        let of = object.indicator.clone().unwrap_or_default();
        json!({
            "version": object.version.as_ref().map(words::version),
            "id": object.indicator_id,
            "tip_id": object.tip_id,
            "kind": object.indicator.as_ref().map(|of| words::kind(of.kind())),
            "platform": of.platform,
            "accessed_value": of.value,
            "campaign": object.campaign_id,
            "enforcement": object.enforcement_id,
        })
    });
    json!({
        "liaison": access.liaison,
        "accessed_at": words::time(access.accessed_at.as_ref()),
        "way": way(access),
        "purpose": purpose(access),
        "reference": access.reference,
        "sequence": access.sequence,
        "objects": objects.collect::<Vec<_>>(),
    })
}
