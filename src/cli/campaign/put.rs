//! `tipoff campaign put`

use prost::Message;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::cli::audience::SharingFlags;
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::{Global, identity, output, request, words};
use crate::wire::pb;

/// Found a campaign, or say what one is
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without an ID it founds a campaign, and prints the id that it has from then on. With one \
                  it says what you hold that campaign to be: all of it, in place of what you said to the \
                  same audience before. The same with the same options is the same, so running it again \
                  founds nothing twice."
)]
pub struct Put {
    /// The campaign; left out, one is founded
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// What you call it
    #[arg(long)]
    name: String,
    /// What it is
    #[arg(long)]
    description: Option<String>,
    /// Who you think is behind it
    #[arg(long)]
    actor: Option<String>,
    /// From which country, as a code such as GB
    #[arg(long, value_name = "CC")]
    country: Option<String>,
    /// How sure you are of that, 0 to 100
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    confidence: Option<u32>,
    /// On what ground
    #[arg(long)]
    basis: Option<String>,
    /// A technique, as a kill-chain procedure such as 0.9.4 or DISARM such as T0090
    #[arg(long = "technique", value_name = "T")]
    techniques: Vec<String>,
    /// Whom or what it is aimed at
    #[arg(long = "target", value_name = "TEXT")]
    targets: Vec<String>,
    /// Where more is told
    #[arg(long = "reference", value_name = "URL")]
    references: Vec<String>,
    /// Found another, though the same was founded before
    #[arg(long, conflicts_with = "id")]
    again: bool,
    #[command(flatten)]
    sharing: SharingFlags,
}

impl Put {
    pub async fn run(self, global: &Global) -> Outcome {
        let again = self.again;
        let founds = self.id.is_none();
        let asked = self.request();
        let answer = identity::client(global)?.put_campaign(asked).await;
        let answer =
            answer.map_err(|error| if again { Failure::of_anew(error) } else { error.into() })?;
        let status = words::name(answer.status().as_str_name(), "ITEM_STATUS_");
        let version = answer.version.as_ref().map(words::version);
        if global.json {
            output::json(&json!({
                "campaign": answer.campaign_id,
                "status": status,
                "version": version,
                "replayed": answer.replayed,
            }))?;
        } else {
            let what = match (founds, answer.replayed) {
                (true, true) => "founded before: --again founds another",
                (true, false) => "founded",
                (false, _) => status.as_str(),
            };
            let what = output::paint(output::GOOD, what);
            output::line(&format!("campaign {} {what}", answer.campaign_id))?;
        }
        Ok(Completion::Whole)
    }

    fn request(self) -> pb::PutCampaignRequest {
        let says_who = self.actor.is_some() || self.country.is_some();
        let says_more = self.confidence.is_some() || self.basis.is_some();
        let attribution = (says_who || says_more).then(|| pb::Attribution {
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
        let mut asked = pb::PutCampaignRequest {
            request_id: String::new(),
            campaign_id: self.id.unwrap_or_default(),
            contribution: Some(contribution),
            sharing: self.sharing.sharing(),
        };
        let digest = Sha256::new_with_prefix(asked.encode_to_vec());
        asked.request_id = request::id(digest, self.again);
        asked
    }
}
