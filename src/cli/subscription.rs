//! `tipoff subscription list` and `tipoff subscription delete`

use clap::Subcommand;
use serde_json::json;

use super::failure::{Completion, Outcome};
use super::{Global, filter, identity, output, text};
use crate::wire::pb;

/// List and delete your durable subscriptions
#[derive(Debug, Subcommand)]
pub enum Subscription {
    /// List your subscriptions, with how far behind each is
    List,
    /// Delete a subscription, with its cursor
    #[command(
        after_help = "Its reader is disconnected. Subscribing with the same name again creates a new one."
    )]
    Delete {
        /// Name of the subscription
        name: String,
    },
}

impl Subscription {
    pub async fn run(&self, global: &Global) -> Outcome {
        let client = identity::client(global)?;
        match self {
            Subscription::List => list(&client.subscriptions().await?, global),
            Subscription::Delete { name } => {
                client.delete_subscription(name).await?;
                if global.json {
                    output::json(&json!({ "name": name, "deleted": true }))?;
                } else {
                    output::line(&format!("deleted {name}"))?;
                }
                Ok(Completion::Whole)
            }
        }
    }
}

fn list(subscriptions: &[pb::SubscriptionStatus], global: &Global) -> Outcome {
    if global.json {
        for one in subscriptions {
            output::json(&object(one))?;
        }
    } else if subscriptions.is_empty() {
        output::line("no subscriptions: create one with tipoff subscribe --name")?;
    } else {
        output::line(&table(subscriptions))?;
    }
    Ok(Completion::Whole)
}

/// A table of subscriptions, with how far behind each is.
pub fn table(subscriptions: &[pb::SubscriptionStatus]) -> String {
    let header = ["NAME", "BEHIND", "CONNECTED", "ACKNOWLEDGED", "CREATED", "FILTER"];
    output::table(header, subscriptions.iter().map(row))
}

fn row(one: &pb::SubscriptionStatus) -> [String; 6] {
    let never = || "never".to_owned();
    [
        one.name.clone(),
        match one.lag_entries {
            0 => "nothing".into(),
            1 => "1 entry".into(),
            entries => format!("{entries} entries"),
        },
        if one.connected { "yes" } else { "no" }.into(),
        text::local_time(one.acknowledged_at.as_ref()).unwrap_or_else(never),
        text::local_time(one.created_at.as_ref()).unwrap_or_default(),
        filter::describe(&one.filter.clone().unwrap_or_default()),
    ]
}

fn object(one: &pb::SubscriptionStatus) -> serde_json::Value {
    let filter = one.filter.clone().unwrap_or_default();
    json!({
        "name": one.name,
        "lag_entries": one.lag_entries,
        "connected": one.connected,
        "acknowledged_at": text::time(one.acknowledged_at.as_ref()),
        "created_at": text::time(one.created_at.as_ref()),
        "cursor": one.cursor.as_ref().map(text::cursor),
        "filter": {
            "kinds": filter.kinds().map(text::kind).collect::<Vec<_>>(),
            "platforms": filter.platforms,
            "labels": filter.labels,
            "groups": filter.groups,
            "authors": filter.authors,
            "min_confidence": filter.min_confidence,
            "campaigns": filter.campaigns,
            "verdicts": text::enum_names(filter.verdicts().map(|one| one.as_str_name()), "VERDICT_"),
            "involvements":
                text::enum_names(filter.involvements().map(|one| one.as_str_name()), "INVOLVEMENT_"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_shown_with_its_lag_and_its_filter() {
        let filter = pb::Filter { kinds: vec![pb::Kind::Domain.into()], ..pb::Filter::default() };
        let one = pb::SubscriptionStatus {
            name: "blocklist".into(),
            filter: Some(filter),
            lag_entries: 1,
            connected: true,
            ..Default::default()
        };
        assert_eq!(row(&one), ["blocklist", "1 entry", "yes", "never", "", "kind domain"]);
        let object = object(&one);
        assert_eq!(object["filter"]["kinds"], json!(["domain"]));
        assert_eq!((&object["lag_entries"], &object["acknowledged_at"]), (&json!(1), &json!(null)));
    }
}
