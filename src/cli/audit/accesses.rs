//! `tipoff audit accesses`

use serde_json::{Value, json};

use super::super::failure::{Completion, Outcome};
use super::super::{Global, identity, output, text};
use crate::wire::pb;

/// Filters for accesses.
#[derive(Debug, clap::Args)]
pub struct Accesses {
    /// Only accesses of this liaison
    #[arg(long, value_name = "LIAISON")]
    liaison: Option<String>,
    /// Only accesses at or after this time
    #[arg(long, value_name = "TIME", value_parser = text::read_time)]
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
        [
            text::when(access.accessed_at.as_ref()).unwrap_or_default(),
            access.liaison.clone(),
            way(access),
            purpose(access),
            text::one_line(&access.reference),
            object.version.as_ref().map(text::version).unwrap_or_default(),
            object_name(object),
        ]
    })
}

fn object_name(object: &pb::AccessedObject) -> String {
    match object {
        pb::AccessedObject { indicator: Some(indicator), .. } => {
            text::value(&indicator.platform, &indicator.value)
        }
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
        _ => "no longer shared".to_owned(),
    }
}

fn way(access: &pb::Access) -> String {
    text::enum_name(access.way().as_str_name(), "ACCESS_WAY_")
}

fn purpose(access: &pb::Access) -> String {
    text::enum_name(access.purpose().as_str_name(), "PURPOSE_KIND_")
}

fn object(access: &pb::Access) -> Value {
    let objects = access.objects.iter().map(|object| {
        let indicator = object.indicator.clone().unwrap_or_default();
        json!({
            "version": object.version.as_ref().map(text::version),
            "indicator_id": object.indicator_id,
            "tip_id": object.tip_id,
            "kind": object.indicator.as_ref().map(|indicator| text::kind(indicator.kind())),
            "platform": indicator.platform,
            "accessed_value": indicator.value,
            "campaign_id": object.campaign_id,
            "enforcement_id": object.enforcement_id,
        })
    });
    json!({
        "liaison": access.liaison,
        "accessed_at": text::time(access.accessed_at.as_ref()),
        "way": way(access),
        "purpose": purpose(access),
        "reference": access.reference,
        "sequence": access.sequence,
        "objects": objects.collect::<Vec<_>>(),
    })
}
