//! `tipoff audit accesses`

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::super::failure::{Completion, Outcome};
use super::super::{Global, identity, numbers, output, text};
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
    /// Only this many accesses, the newest
    #[arg(long, value_name = "N", value_parser = numbers::at_least::<u32>(1))]
    limit: Option<u32>,
    /// Count accesses instead of listing them: by liaison, purpose, day (in UTC), or several of them
    #[arg(long, value_name = "KEY", value_enum, value_delimiter = ',')]
    by: Vec<Key>,
}

/// What accesses are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Key {
    /// The liaison
    Liaison,
    /// The kind of purpose, and its reference
    Purpose,
    /// The day, in UTC
    Day,
}

/// Accesses with the same keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sum {
    accesses: u64,
    objects: u64,
    last: Option<prost_types::Timestamp>,
}

impl Accesses {
    pub async fn run(&self, global: &Global) -> Outcome {
        let client = identity::client(global)?;
        let mut accesses = client.accesses(self.liaison.as_deref(), self.since).await?;
        accesses.truncate(self.limit.map_or(usize::MAX, |limit| limit as usize));
        if !self.by.is_empty() {
            return self.print_sums(&accesses, global);
        }
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

impl Accesses {
    fn print_sums(&self, accesses: &[pb::Access], global: &Global) -> Outcome {
        let sums = sums(&self.by, accesses);
        if global.json {
            for (keys, sum) in &sums {
                let mut object = json!({
                    "accesses": sum.accesses,
                    "objects": sum.objects,
                    "last_accessed_at": text::time(sum.last.as_ref()),
                });
                for (key, value) in self.by.iter().zip(keys) {
                    object[key.name()] = value.clone().into();
                }
                output::json(&object)?;
            }
            return Ok(Completion::Whole);
        }
        let heads: Vec<_> = self.by.iter().map(|key| key.name().to_uppercase()).collect();
        let header = heads.iter().map(String::as_str).chain(["ACCESSES", "OBJECTS", "LAST"]);
        let rows = sums.into_iter().map(|(keys, sum)| {
            let last = text::local_time(sum.last.as_ref()).unwrap_or_default();
            [keys, vec![sum.accesses.to_string(), sum.objects.to_string(), last]].concat()
        });
        output::line(&output::table_of(&header.collect::<Vec<_>>(), rows.collect()))?;
        Ok(Completion::Whole)
    }
}

/// The sums of accesses by the values of the keys, in order.
fn sums(by: &[Key], accesses: &[pb::Access]) -> BTreeMap<Vec<String>, Sum> {
    let mut sums: BTreeMap<Vec<String>, Sum> = BTreeMap::new();
    for access in accesses {
        let sum = sums.entry(by.iter().map(|key| key.of(access)).collect()).or_default();
        sum.accesses += 1;
        sum.objects += access.objects.len() as u64;
        // The newest is first.
        sum.last = sum.last.or(access.accessed_at);
    }
    sums
}

impl Key {
    fn name(self) -> &'static str {
        match self {
            Key::Liaison => "liaison",
            Key::Purpose => "purpose",
            Key::Day => "day",
        }
    }

    fn of(self, access: &pb::Access) -> String {
        match self {
            Key::Liaison => access.liaison.clone(),
            Key::Purpose => format!("{} {}", purpose(access), text::one_line(&access.reference))
                .trim_end()
                .to_owned(),
            Key::Day => {
                let at = access.accessed_at.unwrap_or_default();
                text::day(at.seconds.saturating_mul(1_000))
            }
        }
    }
}

fn rows(access: &pb::Access) -> impl Iterator<Item = [String; 7]> {
    access.objects.iter().map(|object| {
        [
            text::local_time(access.accessed_at.as_ref()).unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accesses_are_counted_by_the_keys_that_were_asked_for() {
        let access = |liaison: &str, day: i64, objects| pb::Access {
            liaison: liaison.into(),
            accessed_at: Some(prost_types::Timestamp { seconds: day * 86_400, nanos: 0 }),
            objects: vec![pb::AccessedObject::default(); objects],
            purpose: pb::PurposeKind::Warrant.into(),
            reference: "W-17".into(),
            ..Default::default()
        };
        let accesses = [access("a", 2, 1), access("b", 2, 3), access("a", 1, 2)];
        let shown = |by: &[Key]| {
            let sums = sums(by, &accesses).into_iter();
            sums.map(|(keys, sum)| (keys.join(" "), sum.accesses, sum.objects)).collect::<Vec<_>>()
        };
        let row = |keys: &str, accesses, objects| (keys.to_owned(), accesses, objects);
        assert_eq!(shown(&[Key::Liaison]), [row("a", 2, 3), row("b", 1, 3)]);
        let by_day = [row("1970-01-02", 1, 2), row("1970-01-03", 2, 4)];
        assert_eq!(shown(&[Key::Day]), by_day);
        let both = [row("warrant W-17 a", 2, 3), row("warrant W-17 b", 1, 3)];
        assert_eq!(shown(&[Key::Purpose, Key::Liaison]), both);
    }
}
