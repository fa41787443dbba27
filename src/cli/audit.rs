//! `tipoff audit`

mod accesses;

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::{Completion, Outcome};
use super::{Global, identity, output, text};
use crate::client::Deliveries;
use crate::wire::pb;

/// Show who received what
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Show which subscriptions have received a withdrawal or another end of your objects
    #[command(
        after_help = "Lists the durable subscriptions of partners who could see the object and \
                      whose filter matched it just before it ended. A reader without a durable \
                      subscription may still have it."
    )]
    Deliveries {
        /// Journal entry that ended it, as withdraw prints it
        #[arg(value_name = "SEQUENCE", value_parser = clap::value_parser!(u64).range(1..))]
        sequence: u64,
    },
    /// Show which of your objects liaisons have accessed, newest first
    #[command(
        after_help = "The reference of the liaison's purpose is shown if the basis of your release named \
                      it. For an object that you no longer share only the id is shown."
    )]
    Accesses(accesses::Accesses),
}

impl Audit {
    pub async fn run(&self, global: &Global) -> Outcome {
        let sequence = match self {
            Audit::Accesses(accesses) => return accesses.run(global).await,
            Audit::Deliveries { sequence } => sequence,
        };
        let Deliveries { ended, deliveries } =
            identity::client(global)?.list_deliveries(*sequence).await?;
        let acknowledged = deliveries.iter().filter(|one| one.acknowledged).count();
        if global.json {
            for one in &deliveries {
                output::json(&object(one))?;
            }
            output::json(&json!({
                "sequence": sequence,
                "ended": ended.iter().map(text::version).collect::<Vec<_>>(),
                "subscriptions": deliveries.len(),
                "acknowledged": acknowledged,
            }))?;
            return Ok(Completion::Whole);
        }
        if !deliveries.is_empty() {
            output::line(&table(&deliveries))?;
        }
        let summary = match deliveries.len() {
            0 => "no subscription needed to receive it".into(),
            all => {
                format!("received by {acknowledged} of {}", text::count(all as u64, "subscription"))
            }
        };
        let ended = text::count(ended.len() as u64, "version");
        output::line(&format!("entry {sequence} ended {ended} of yours; {summary}"))?;
        Ok(Completion::Whole)
    }
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
        text::when(one.acknowledged_at.as_ref()).unwrap_or_else(|| "never".into()),
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
