//! `tipoff enforcement withdraw`

use serde_json::json;

use crate::cli::audience::AudienceFlags;
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::filter::check_groups;
use crate::cli::{Global, identity, output, text};
use crate::wire::pb;

/// Withdraw enforcements that you reported
#[derive(Debug, clap::Args)]
#[command(
    after_help = "No total counts them any more, and everybody who could see them is told to drop them. The \
                  counts in an answer to a tip stay in that answer. To correct an enforcement, report it again \
                  with the same --id instead. If you have no enforcement with any of the ids, the exit code is \
                  1, and if you have none with some of them, 5."
)]
pub struct Withdraw {
    /// Ids of your enforcements, as `enforcement put` prints them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    audience: AudienceFlags,
}

impl Withdraw {
    pub async fn run(self, global: &Global) -> Outcome {
        let request = pb::WithdrawEnforcementsRequest {
            ids: self.ids.clone(),
            audience: self.audience.audience(),
        };
        let client = identity::client(global)?;
        let response = client.withdraw_enforcements(request).await?;
        if response.withdrawn == 0 {
            check_groups(self.audience.groups(), &client.who_am_i().await?)?;
            return Err(Failure::failed(
                "nothing was withdrawn: you have no enforcement with these ids",
            ));
        }
        for (id, item) in self.ids.iter().zip(&response.items) {
            if global.json {
                output::json(&json!({
                    "enforcement_id": id,
                    "result": if item.versions.is_empty() { "nothing" } else { "withdrawn" },
                    "versions": item.versions.iter().map(text::version).collect::<Vec<_>>(),
                }))?;
            } else if item.versions.is_empty() {
                output::line(&format!("{id}: you have no such enforcement"))?;
            } else {
                output::line(&format!("{} {id}", output::paint(output::GOOD, "withdrawn")))?;
            }
        }
        if global.json {
            output::json(&json!({
                "withdrawn": response.withdrawn, "sequences": response.sequences,
            }))?;
        }
        let is_whole = response.items.iter().all(|item| !item.versions.is_empty());
        Ok(if is_whole { Completion::Whole } else { Completion::InPart })
    }
}
