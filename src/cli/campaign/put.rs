//! `tipoff campaign put`

use serde_json::json;

use crate::cli::audience::SharingFlags;
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::{Global, identity, numbers, output, request, text};
use crate::wire::pb;

/// Create a campaign, or replace your contribution to one
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without an ID it creates a campaign and prints its id. With an ID it replaces your \
                  whole contribution to that campaign for the same audience. Running the same command \
                  again creates nothing twice."
)]
pub struct Put {
    /// Id of the campaign; omit it to create one
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Name of the campaign
    #[arg(long)]
    name: String,
    /// Description of the campaign
    #[arg(long)]
    description: Option<String>,
    /// Actor that you attribute it to
    #[arg(long)]
    actor: Option<String>,
    /// Country of the actor, as a code such as GB
    #[arg(long, value_name = "CC")]
    country: Option<String>,
    /// Confidence of the attribution, 0 to 100
    #[arg(long, value_name = "PERCENT", value_parser = numbers::within::<u32>(0..=100))]
    confidence: Option<u32>,
    /// Basis of the attribution
    #[arg(long)]
    basis: Option<String>,
    /// Technique: a kill-chain procedure such as 0.9.4, or DISARM such as T0090; may be repeated
    #[arg(long = "technique", value_name = "T")]
    techniques: Vec<String>,
    /// Target of the campaign; may be repeated
    #[arg(long = "target", value_name = "TEXT")]
    targets: Vec<String>,
    /// Link to a report; may be repeated
    #[arg(long = "reference", value_name = "URL")]
    references: Vec<String>,
    /// Create another campaign even if the same was created before
    #[arg(long, conflicts_with = "id")]
    again: bool,
    #[command(flatten)]
    sharing: SharingFlags,
}

impl Put {
    pub async fn run(self, global: &Global) -> Outcome {
        let again = self.again;
        let is_new = self.id.is_none();
        let request = self.request();
        let response = identity::client(global)?.put_campaign(request).await;
        let response = response.map_err(|error| Failure::of_write(error, again))?;
        let status = text::enum_name(response.status().as_str_name(), "ITEM_STATUS_");
        let version = response.version.as_ref().map(text::version);
        if global.json {
            output::json(&json!({
                "campaign_id": response.campaign_id,
                "status": status,
                "version": version,
                "replayed": response.replayed,
            }))?;
        } else {
            let outcome = match (is_new, response.replayed) {
                (true, true) => "already created before: --again creates another",
                (true, false) => "created",
                (false, _) => status.as_str(),
            };
            let outcome = output::paint(output::GOOD, outcome);
            output::line(&format!("campaign {} {outcome}", response.campaign_id))?;
        }
        Ok(Completion::Whole)
    }

    fn request(self) -> pb::PutCampaignRequest {
        let has_actor = self.actor.is_some() || self.country.is_some();
        let has_grounds = self.confidence.is_some() || self.basis.is_some();
        let attribution = (has_actor || has_grounds).then(|| pb::Attribution {
            actor: self.actor.unwrap_or_default(),
            country: self.country.unwrap_or_default(),
            confidence: self.confidence,
            basis: self.basis.unwrap_or_default(),
        });
        let contribution = pb::Contribution {
            name: self.name,
            description: self.description.unwrap_or_default(),
            attribution,
            techniques: self.techniques,
            targets: self.targets,
            references: self.references,
        };
        let mut request = pb::PutCampaignRequest {
            request_id: String::new(),
            campaign_id: self.id.unwrap_or_default(),
            contribution: Some(contribution),
            sharing: self.sharing.sharing(),
        };
        request.request_id = request::id_of(&request, self.again);
        request
    }
}
