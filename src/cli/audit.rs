//! `tipoff audit`

mod accesses;

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::{Completion, Outcome};
use super::{Global, identity, output, words};
use crate::client::Deliveries;
use crate::wire::pb;

/// Who was told what
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Who has been told that what you said ended: which subscriptions have acknowledged past it
    #[command(
        after_help = "Counts the subscriptions that the exchange keeps, of partners who could see \
                            it and asked for it just before it ended. A reader without one may hold it \
                            still."
    )]
    Deliveries {
        /// The entry that ended it, as withdraw prints it
        #[arg(value_name = "SEQUENCE", value_parser = clap::value_parser!(u64).range(1..))]
        sequence: u64,
    },
    /// What liaisons were given of what you said, the newest first
    #[command(
        after_help = "The reference of a liaison's purpose is there where the basis of your own release \
                            to it named that. What you no longer say is named by its id alone."
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
        let told = deliveries.iter().filter(|one| one.acknowledged).count();
        if global.json {
            for one in &deliveries {
                output::json(&object(one))?;
            }
            output::json(&json!({
                "sequence": sequence,
                "ended": ended.iter().map(words::version).collect::<Vec<_>>(),
                "subscriptions": deliveries.len(),
                "acknowledged": told,
            }))?;
            return Ok(Completion::Whole);
        }
        if !deliveries.is_empty() {
            output::line(&table(&deliveries))?;
        }
        let told = match deliveries.len() {
            0 => "no subscription was to be told".into(),
            all => format!("{told} of {} told", words::count(all as u64, "subscription")),
        };
        let ended = words::count(ended.len() as u64, "version");
        output::line(&format!("entry {sequence} ended {ended} of yours; {told}"))?;
        Ok(Completion::Whole)
    }
}

/// Who was to be told, and who has been.
pub fn table(deliveries: &[pb::Delivery]) -> String {
    let header = ["PARTNER", "SUBSCRIPTION", "VERSIONS", "TOLD", "LAST ACKNOWLEDGED"];
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
        words::time(one.acknowledged_at.as_ref()).unwrap_or_else(|| "never".into()),
    ]
}

fn object(one: &pb::Delivery) -> Value {
    json!({
        "partner": one.partner,
        "subscription": one.subscription,
        "removals": one.removals,
        "acknowledged": one.acknowledged,
        "acknowledged_at": words::time(one.acknowledged_at.as_ref()),
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
        let told = pb::Delivery {
            acknowledged: true,
            acknowledged_at: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            ..one
        };
        assert_eq!(row(&told)[3..], ["yes", "1970-01-01T00:00:00Z"]);
        assert_eq!(object(&told)["acknowledged"], true);
    }
}
