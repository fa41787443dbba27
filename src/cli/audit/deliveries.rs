//! `tipoff audit deliveries`

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::super::failure::{Completion, Failure, Outcome};
use super::super::{Global, identity, output, text};
use crate::client::ClientError;
use crate::wire::pb;

/// The most entries that one range may name.
const MAX_ENTRIES: u64 = 100_000;

/// Entries to ask about.
#[derive(Debug, clap::Args)]
pub struct Deliveries {
    /// Journal entries that ended your objects, as withdraw prints them: 17, or 17-29 for all of yours in between
    #[arg(required = true, value_name = "ENTRY", value_parser = entries)]
    entries: Vec<RangeInclusive<u64>>,
}

/// Who received what several entries ended.
#[derive(Debug, Default)]
struct DeliverySummary {
    sequences: Vec<u64>,
    ended: Vec<pb::Version>,
    /// By partner and name of the subscription.
    subscriptions: BTreeMap<(String, String), pb::Delivery>,
}

impl Deliveries {
    pub async fn run(&self, global: &Global) -> Outcome {
        let summary = self.fetch(global).await?;
        let deliveries: Vec<_> = summary.subscriptions.into_values().collect();
        let acknowledged = deliveries.iter().filter(|one| one.acknowledged).count();
        if global.json {
            for one in &deliveries {
                output::json(&object(one))?;
            }
            output::json(&json!({
                "sequences": summary.sequences,
                "ended": summary.ended.iter().map(text::version).collect::<Vec<_>>(),
                "subscriptions": deliveries.len(),
                "acknowledged": acknowledged,
            }))?;
            return Ok(Completion::Whole);
        }
        if !deliveries.is_empty() {
            output::line(&table(&deliveries))?;
        }
        let outcome = match deliveries.len() {
            0 => "no subscription needed to receive it".into(),
            all => {
                format!("received by {acknowledged} of {}", text::count(all as u64, "subscription"))
            }
        };
        let ended = text::count(summary.ended.len() as u64, "version");
        let entries = text::entries(&summary.sequences);
        output::line(&format!("{entries} ended {ended} of yours; {outcome}"))?;
        Ok(Completion::Whole)
    }

    async fn fetch(&self, global: &Global) -> Result<DeliverySummary, Failure> {
        let client = identity::client(global)?;
        let all: u64 = self.entries.iter().map(|range| range.end() - range.start() + 1).sum();
        let progress = output::progress("entries", usize::try_from(all).unwrap_or(usize::MAX));
        let mut summary = DeliverySummary::default();
        for range in &self.entries {
            for sequence in range.clone() {
                match client.list_deliveries(sequence).await {
                    Ok(one) => summary.add(sequence, one.ended, one.deliveries),
                    // Between two entries of a withdrawal are those of others.
                    Err(ClientError::NotFound(_)) => {}
                    Err(error) => return Err(error.into()),
                }
                progress.inc(1);
            }
        }
        progress.finish_and_clear();
        if summary.sequences.is_empty() {
            return Err(Failure::failed("none of these entries ended an object of yours"));
        }
        Ok(summary)
    }
}

impl DeliverySummary {
    fn add(&mut self, sequence: u64, ended: Vec<pb::Version>, deliveries: Vec<pb::Delivery>) {
        self.sequences.push(sequence);
        self.ended.extend(ended);
        for one in deliveries {
            let key = (one.partner.clone(), one.subscription.clone());
            match self.subscriptions.get_mut(&key) {
                Some(sum) => {
                    sum.removals = sum.removals.saturating_add(one.removals);
                    sum.acknowledged &= one.acknowledged;
                }
                None => {
                    self.subscriptions.insert(key, one);
                }
            }
        }
    }
}

/// Parses `17` or `17-29`.
fn entries(text: &str) -> Result<RangeInclusive<u64>, String> {
    let number = |text: &str| text.parse().ok().filter(|number: &u64| *number > 0);
    let range = match text.split_once('-') {
        None => number(text).map(|one| one..=one),
        Some((first, last)) => number(first).zip(number(last)).map(|(first, last)| first..=last),
    };
    let range = range.filter(|range| !range.is_empty());
    let range = range.ok_or("is not an entry, such as 17, or a range, such as 17-29")?;
    if range.end() - range.start() >= MAX_ENTRIES {
        return Err(format!("names more than {MAX_ENTRIES} entries"));
    }
    Ok(range)
}

/// A table of subscriptions, and whether each has acknowledged.
pub fn table(deliveries: &[pb::Delivery]) -> String {
    let header = ["PARTNER", "SUBSCRIPTION", "VERSIONS", "RECEIVED", "LAST ACKNOWLEDGED"];
    output::table(header, deliveries.iter().map(row))
}

fn row(one: &pb::Delivery) -> [String; 5] {
    [
        one.partner.clone(),
        one.subscription.clone(),
        one.removals.to_string(),
        if one.acknowledged {
            output::paint(output::GOOD, "yes")
        } else {
            output::paint(output::BAD, "not yet")
        },
        text::local_time(one.acknowledged_at.as_ref()).unwrap_or_else(|| "never".into()),
    ]
}

fn object(one: &pb::Delivery) -> Value {
    json!({
        "partner": one.partner,
        "subscription": one.subscription,
        "removals": one.removals,
        "acknowledged": one.acknowledged,
        "acknowledged_at": text::time(one.acknowledged_at.as_ref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_or_a_range_of_entries_is_read() {
        assert_eq!(entries("17"), Ok(17..=17));
        assert_eq!(entries("17-29"), Ok(17..=29));
        for bad in ["", "0", "29-17", "1-200000", "-3", "a", "1-2-3"] {
            assert!(entries(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_subscription_has_received_several_entries_if_it_acknowledged_each() {
        let one = |acknowledged, removals| pb::Delivery {
            partner: "facegraph".into(),
            subscription: "desk".into(),
            removals,
            acknowledged,
            ..Default::default()
        };
        let mut summary = DeliverySummary::default();
        summary.add(17, Vec::new(), vec![one(true, 2)]);
        summary.add(19, Vec::new(), vec![one(false, 3)]);
        let sum: Vec<_> = summary.subscriptions.values().collect();
        assert_eq!(sum, [&one(false, 5)]);
        assert_eq!(summary.sequences, [17, 19]);
    }

    #[test]
    fn a_subscription_that_has_not_acknowledged_is_shown_as_such() {
        let one = pb::Delivery {
            partner: "facegraph".into(),
            subscription: "blocklist".into(),
            removals: 2,
            ..Default::default()
        };
        assert_eq!(row(&one), ["facegraph", "blocklist", "2", "not yet", "never"]);
        let acknowledged = pb::Delivery {
            acknowledged: true,
            acknowledged_at: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            ..one
        };
        assert_eq!(row(&acknowledged)[3..], ["yes", "1970-01-01T00:00:00Z"]);
        assert_eq!(object(&acknowledged)["acknowledged"], true);
    }
}
