//! `tipoff campaign list`

use serde_json::json;

use crate::cli::failure::{Completion, Outcome};
use crate::cli::{Global, identity, output, render, text};

pub async fn run(global: &Global) -> Outcome {
    let campaigns = identity::client(global)?.campaigns().await?;
    if global.json {
        for one in &campaigns {
            let newest = one.newest.as_ref().map(render::campaign::object);
            output::json(&json!({
                "campaign_id": one.id,
                "contributions": one.contributions,
                "newest": newest,
            }))?;
        }
        return Ok(Completion::Whole);
    }
    if campaigns.is_empty() {
        output::line("no campaigns are shared with you")?;
        return Ok(Completion::Whole);
    }
    let rows = campaigns.into_iter().map(|one| {
        let newest = one.newest.unwrap_or_default();
        let contribution = newest.contribution.unwrap_or_default();
        let attribution = contribution
            .attribution
            .as_ref()
            .map(render::campaign::attribution)
            .unwrap_or_default();
        let when = text::local_time(newest.accepted_at.as_ref()).unwrap_or_default();
        let contributions = one.contributions.to_string();
        [
            one.id,
            text::one_line(&contribution.name),
            newest.author,
            attribution,
            contributions,
            when,
        ]
    });
    let header = ["CAMPAIGN", "NAME", "NEWEST BY", "ATTRIBUTED TO", "CONTRIBUTIONS", "NEWEST"];
    output::line(&output::table(header, rows))?;
    Ok(Completion::Whole)
}
