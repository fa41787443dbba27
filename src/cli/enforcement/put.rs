//! `tipoff enforcement put`

use prost::Message;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::counts;
use crate::cli::audience::SharingFlags;
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::{Global, deeds, identity, output, request, words};
use crate::domain::Day;
use crate::domain::enforcement::{EnforcementCount, EnforcementMethod};
use crate::wire::enforcement::write_counts;
use crate::wire::pb;

/// Report what you did, or what another did
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The same with the same options is the same enforcement, so running it again counts \
                  nothing twice. To correct one, give its --id again with what holds now."
)]
pub struct Put {
    /// How many of what: `7 pages on facebook`, `about 30 accounts`
    #[arg(long = "count", required = true, value_name = "COUNT", value_parser = counts::read)]
    counts: Vec<EnforcementCount>,
    /// How many of them automated systems had disabled before: `2 pages on facebook`
    #[arg(long = "already-disabled", value_name = "COUNT", value_parser = counts::read)]
    disabled: Vec<EnforcementCount>,
    /// How you came to act: `proactive_automated`, `after_tip`, `after_investigation`
    #[arg(long)]
    method: Option<EnforcementMethod>,
    /// On which day, or from which on
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// Up to which day
    #[arg(long, value_name = "DAY", requires = "from")]
    until: Option<Day>,
    /// The campaign that it was done against, by its id
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
    /// The tip that caused it, by its id
    #[arg(long, value_name = "TIP")]
    tip: Option<String>,
    /// Anything else
    #[arg(long)]
    note: Option<String>,
    /// It was another who did it
    #[arg(long)]
    reported: bool,
    /// Your name for it; made of what is said where it is left out
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    sharing: SharingFlags,
}

impl Put {
    pub async fn run(self, global: &Global) -> Outcome {
        let asked = self.request()?;
        let client = identity::client(global)?;
        let sent = asked.enforcements[0].clone();
        let answer = client.report_enforcement(asked).await?;
        let item = answer.items.first().cloned().unwrap_or_default();
        if item.status() == pb::ItemStatus::Rejected {
            return Err(Failure::usage(format!("{} {}", item.field, item.reason)));
        }
        let status = words::name(item.status().as_str_name(), "ITEM_STATUS_");
        let version = item.version.as_ref().map(words::version);
        if global.json {
            output::json(&json!({
                "enforcement": sent.id,
                "status": status,
                "version": version,
                "replayed": answer.replayed,
            }))?;
        } else {
            let counts: Vec<_> = sent.counts.iter().map(deeds::count).collect();
            let before = if answer.replayed { " (reported before)" } else { "" };
            output::line(&format!(
                "{} {}: {}{before}",
                output::paint(output::GOOD, &status),
                sent.id,
                counts.join(", ")
            ))?;
        }
        Ok(Completion::Whole)
    }

    fn request(self) -> Result<pb::ReportEnforcementRequest, Failure> {
        let counts = counts::with_disabled(self.counts, &self.disabled).map_err(Failure::usage)?;
        let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let source = if self.reported {
            pb::EnforcementSource::Reported
        } else {
            pb::EnforcementSource::Own
        };
        let mut enforcement = pb::Enforcement {
            id: self.id.unwrap_or_default(),
            counts: write_counts(&counts),
            method: self.method.map(pb::EnforcementMethod::from).unwrap_or_default().into(),
            from: day(self.from),
            until: day(self.until),
            campaign: self.campaign.unwrap_or_default(),
            tip: self.tip.unwrap_or_default(),
            note: self.note.unwrap_or_default(),
            source: source.into(),
        };
        if enforcement.id.is_empty() {
            let digest = Sha256::new_with_prefix(enforcement.encode_to_vec());
            enforcement.id = request::id(digest, false);
        }
        let mut asked = pb::ReportEnforcementRequest {
            request_id: String::new(),
            sharing: self.sharing.sharing(),
            enforcements: vec![enforcement],
        };
        let digest = Sha256::new_with_prefix(asked.encode_to_vec());
        asked.request_id = request::id(digest, false);
        Ok(asked)
    }
}
