//! `tipoff tip`

mod adding;
mod list;
mod respond;
mod send;
mod show;
pub(super) mod told;

use clap::Subcommand;
use serde_json::json;
use uuid::Uuid;

use super::failure::{Completion, Failure, Outcome};
use super::{Global, identity, output, words};
use crate::client::Client;
use crate::wire::pb;

/// The fewest characters by which a tip is named.
const LEAST_PREFIX: usize = 4;

/// Tip others off, and answer their tips
#[derive(Debug, Subcommand)]
pub enum Tip {
    /// Tip other platforms off, and liaisons
    Send(send::Send),
    /// What you received, or what you sent
    List(list::List),
    /// How a tip stands, what was added to it, and what it refers to
    Show(show::Show),
    /// Add to a tip: move it, say something, name what you found
    Respond(respond::Respond),
    /// Take a tip of yours back, for all its recipients
    Withdraw {
        /// The tip, by its id or the beginning of it
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
    let before = if withdrawn.replayed { " (it was before)" } else { "" };
    let entry = words::entries(&[withdrawn.sequence]);
    output::line(&format!("tip {tip_id} is withdrawn, {entry}{before}"))?;
    Ok(Completion::Whole)
}

/// The id of a tip that is named by the beginning of it: one that the caller sent or received.
async fn find(client: &Client, named: &str) -> Result<String, Failure> {
    if Uuid::parse_str(named).is_ok() {
        return Ok(named.to_owned());
    }
    let begins = named.to_ascii_lowercase();
    if begins.len() < LEAST_PREFIX || !begins.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        let message = format!("{named:?} is not a tip's id, nor the beginning of one");
        return Err(Failure::usage(message));
    }
    let mut found: Vec<String> = Vec::new();
    for of in [pb::TipBox::Received, pb::TipBox::Sent] {
        let request =
            pb::ListTipsRequest { r#box: of.into(), page_size: 1_000, ..Default::default() };
        let tips = client.tips(request).await?;
        found.extend(tips.into_iter().map(|tip| tip.id).filter(|id| id.starts_with(&begins)));
    }
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::failed(format!("you have no tip whose id begins with {named}"))),
        many => {
            Err(Failure::usage(format!("{} of your tips begin with {named}: say more", many.len())))
        }
    }
}
