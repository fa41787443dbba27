//! `tipoff campaign list`

use serde_json::json;

use crate::cli::failure::{Completion, Outcome};
use crate::cli::{Global, deeds, identity, output, words};

pub async fn run(global: &Global) -> Outcome {
    let campaigns = identity::client(global)?.campaigns().await?;
    if global.json {
        for one in &campaigns {
            let newest = one.newest.as_ref().map(deeds::said);
            output::json(&json!({
                "campaign": one.id,
                "contributions": one.contributions,
                "newest": newest,
            }))?;
        }
        return Ok(Completion::Whole);
    }
    if campaigns.is_empty() {
        output::line("no campaign is shared with you")?;
        return Ok(Completion::Whole);
    }
    let rows = campaigns.into_iter().map(|one| {
        let newest = one.newest.unwrap_or_default();
        let said = newest.contribution.unwrap_or_default();
        let by = said.attribution.as_ref().map(deeds::attribution).unwrap_or_default();
        let when = words::time(newest.accepted_at.as_ref()).unwrap_or_default();
        let contributions = one.contributions.to_string();
        [one.id, words::one_line(&said.name), newest.author, by, contributions, when]
    });
    let header = ["CAMPAIGN", "NAME", "NEWEST BY", "ATTRIBUTED TO", "CONTRIBUTIONS", "NEWEST"];
    output::line(&output::table(header, rows))?;
    Ok(Completion::Whole)
}
