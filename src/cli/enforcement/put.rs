//! `tipoff enforcement put`

use serde_json::json;

use super::{counts, repeats};
use crate::cli::audience::SharingFlags;
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::{Global, identity, output, platform, render, request, text};
use crate::domain::Day;
use crate::domain::enforcement::{EnforcementCount, EnforcementMethod};
use crate::wire::enforcement::write_counts;
use crate::wire::pb;

/// Report an enforcement of yours or of another
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Running the same command again counts nothing twice. To correct an enforcement, report \
                  it again with its --id, for the same audience: the new counts take the place of the old \
                  ones. The id is in the output of the first report. To withdraw one, use enforcement \
                  withdraw; to report the same again after that, pass --again."
)]
#[allow(clippy::struct_excessive_bools)] // Each is a flag: all combinations occur.
pub struct Put {
    /// Number and kind of assets: `7 pages on facebook`, `about 30 accounts`; may be repeated
    #[arg(long = "count", required = true, value_name = "COUNT", value_parser = counts::read)]
    counts: Vec<EnforcementCount>,
    /// How many of them automated systems had already disabled: `2 pages on facebook`
    #[arg(long = "already-disabled", value_name = "COUNT", value_parser = counts::read)]
    already_disabled: Vec<EnforcementCount>,
    /// Why you acted: `proactive_automated`, `after_tip`, `after_investigation`
    #[arg(long)]
    method: Option<EnforcementMethod>,
    /// Day of the enforcement, or its first day, such as 2026-11-24
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// Last day of the enforcement
    #[arg(long, value_name = "DAY", requires = "from")]
    until: Option<Day>,
    /// Id of the campaign that it was against
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
    /// Id of the tip that led to it
    #[arg(long, value_name = "TIP")]
    tip: Option<String>,
    /// Note on the enforcement
    #[arg(long)]
    note: Option<String>,
    /// Report it although the same was reported before, and withdrawn
    #[arg(long)]
    again: bool,
    /// It was done by somebody else
    #[arg(long)]
    reported: bool,
    /// Report it even if you reported the same number of these assets within a month
    #[arg(long)]
    as_well: bool,
    /// A platform of these counts is new: its name is not misspelt
    #[arg(long)]
    new_platform: bool,
    /// Your id for it; default: derived from its content
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    sharing: SharingFlags,
}

impl Put {
    pub async fn run(self, global: &Global) -> Outcome {
        let as_well = self.as_well;
        let platforms =
            self.counts.iter().filter_map(|count| Some(count.platform.as_ref()?.as_str()));
        platform::check("--count", platforms, self.new_platform)?;
        let is_reported = self.reported;
        let request = self.request()?;
        let client = identity::client(global)?;
        if !as_well {
            let own = client.who_am_i().await?.partner.unwrap_or_default();
            repeats::check(&client, &own.id, &request.enforcements).await?;
        }
        let sent = request.enforcements[0].clone();
        let response = client.report_enforcement(request).await?;
        let item = response.items.first().cloned().unwrap_or_default();
        if item.status() == pb::ItemStatus::Rejected {
            let failure =
                Failure::of_field("the enforcement was rejected", &item.field, &item.reason);
            // The counts name no platform of others, unless somebody else removed the assets.
            let is_of_others = item.field == "counts.platform" && !is_reported;
            return Err(if is_of_others {
                failure.with_advice("If somebody else did it, pass --reported")
            } else {
                failure
            });
        }
        let status = text::enum_name(item.status().as_str_name(), "ITEM_STATUS_");
        let version = item.version.as_ref().map(text::version);
        if global.json {
            output::json(&json!({
                "enforcement_id": sent.id,
                "status": status,
                "version": version,
                "replayed": response.replayed,
            }))?;
        } else {
            let counts: Vec<_> = sent.counts.iter().map(render::enforcement::count).collect();
            let before = if response.replayed { " (already reported before)" } else { "" };
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
        let counts =
            counts::with_disabled(self.counts, &self.already_disabled).map_err(Failure::usage)?;
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
            enforcement.id = request::id_of(&enforcement, false);
        }
        let mut request = pb::ReportEnforcementRequest {
            request_id: String::new(),
            sharing: self.sharing.sharing(),
            enforcements: vec![enforcement],
        };
        request.request_id = request::id_of(&request, self.again);
        Ok(request)
    }
}
