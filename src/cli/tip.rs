//! `tipoff tip`

mod indicators;
mod list;
mod respond;
mod send;
mod show;

use clap::Subcommand;
use serde_json::json;

use super::failure::{Completion, Failure, Outcome};
use super::{Global, identity, ids, output, text};
use crate::client::Client;
use crate::wire::pb;

/// Send tips and answer them
#[derive(Debug, Subcommand)]
pub enum Tip {
    /// Send a tip to other platforms or liaisons
    Send(send::Send),
    /// List the tips that you received or sent
    List(list::List),
    /// Show a tip: its state, entries and indicators
    Show(show::Show),
    /// Respond to a tip: change its state, send a message, add indicators
    Respond(respond::Respond),
    /// Withdraw a tip of yours, for all its recipients
    Withdraw {
        /// Id of the tip, or the beginning of it
        #[arg(value_name = "TIP")]
        id: String,
    },
}

impl Tip {
    pub async fn run(&self, global: &Global) -> Outcome {
        match self {
            Tip::Send(send) => send.run(global).await,
            Tip::List(list) => list.run(global).await,
            Tip::Show(show) => show.run(global).await,
            Tip::Respond(respond) => respond.run(global).await,
            Tip::Withdraw { id } => withdraw(id, global).await,
        }
    }
}

async fn withdraw(id: &str, global: &Global) -> Outcome {
    let client = identity::client(global)?;
    let tip_id = find(&client, id).await?;
    let withdrawn = client.withdraw_tip(&tip_id).await?;
    if global.json {
        output::json(&json!({
            "tip_id": tip_id,
            "sequence": withdrawn.sequence,
            "replayed": withdrawn.replayed,
        }))?;
        return Ok(Completion::Whole);
    }
    let before = if withdrawn.replayed { " (already withdrawn before)" } else { "" };
    let entry = text::entries(&[withdrawn.sequence]);
    output::line(&format!("tip {tip_id} is withdrawn, {entry}{before}"))?;
    Ok(Completion::Whole)
}

/// Resolves a tip id or its beginning among the tips that the caller sent or received.
async fn find(client: &Client, id_or_prefix: &str) -> Result<String, Failure> {
    let all = async {
        let mut ids: Vec<String> = Vec::new();
        for tip_box in [pb::TipBox::Received, pb::TipBox::Sent] {
            let page_size = 1_000;
            let request =
                pb::ListTipsRequest { r#box: tip_box.into(), page_size, ..Default::default() };
            ids.extend(client.tips(request).await?.into_iter().map(|tip| tip.id));
        }
        Ok(ids)
    };
    ids::resolve("tip", id_or_prefix, all).await
}
