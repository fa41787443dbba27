//! `tipoff tip send`

use std::path::PathBuf;

use clap::ValueEnum;
use prost::Message;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::adding::{self, IndicatorFlags};
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::{Global, identity, output, request, words};
use crate::domain::sharing::Tlp;
use crate::wire::pb;

/// Tip other platforms off, and liaisons
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each recipient answers by itself, and does not learn of the others. The same tip with \
                  the same options is sent once, however often the command is run."
)]
pub struct Send {
    /// What you tell, at most 4,000 characters; `-` reads it from stdin
    #[arg(value_name = "NARRATIVE|-", required_unless_present = "narrative_file")]
    narrative: Option<String>,
    /// A file with what you tell
    #[arg(long, value_name = "FILE", conflicts_with = "narrative")]
    narrative_file: Option<PathBuf>,
    /// A member or a liaison that receives it. To a liaison it is a release of the tip, until that one
    /// closes it or you withdraw it
    #[arg(long = "to", value_name = "PARTNER", required = true)]
    to: Vec<String>,
    /// What it is about, in a line
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// How soon it has to be acted upon
    #[arg(long, value_name = "URGENCY", default_value = "routine")]
    urgency: Urgency,
    /// Until when you would like to hear, such as 2026-11-24 or 2026-11-24T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = words::read_time)]
    respond_by: Option<prost_types::Timestamp>,
    /// What recipients may do with it: RED, AMBER+STRICT, AMBER, GREEN, CLEAR
    #[arg(long, value_name = "TLP")]
    tlp: Option<Tlp>,
    /// The id of the campaign that it belongs to
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
    /// A submission of yours that it refers to
    #[arg(long, value_name = "ID")]
    submission: Option<String>,
    #[command(flatten)]
    refers_to: IndicatorFlags,
    /// The id of this request, under which it is sent once; worked out of the rest when left out
    #[arg(long, value_name = "KEY", conflicts_with = "again")]
    key: Option<String>,
    /// Send it as a new tip, though the same was sent before
    #[arg(long)]
    again: bool,
}

/// How soon a tip has to be acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Urgency {
    /// In the course of things
    Routine,
    /// Before other things
    Priority,
    /// Somebody is about to be harmed
    #[value(alias = "imminent_harm")]
    ImminentHarm,
}

impl From<Urgency> for pb::TipUrgency {
    fn from(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Routine => pb::TipUrgency::Routine,
            Urgency::Priority => pb::TipUrgency::Priority,
            Urgency::ImminentHarm => pb::TipUrgency::ImminentHarm,
        }
    }
}

impl Send {
    pub async fn run(&self, global: &Global) -> Outcome {
        let narrative = self.narrative()?;
        let adding = self.refers_to.read()?;
        let mut request = pb::SendTipRequest {
            request_id: String::new(),
            recipients: self.to.clone(),
            subject: self.subject.clone().unwrap_or_default(),
            narrative,
            indicators: adding.keys.clone(),
            urgency: pb::TipUrgency::from(self.urgency).into(),
            respond_by: self.respond_by,
            tlp: self.tlp.map_or(pb::Tlp::Unspecified, pb::Tlp::from).into(),
            campaign: self.campaign.clone().unwrap_or_default(),
            submission_id: self.submission.clone().unwrap_or_default(),
        };
        request.request_id = match &self.key {
            Some(key) => key.clone(),
            None => request::id(Sha256::new_with_prefix(request.encode_to_vec()), self.again),
        };
        let sent = identity::client(global)?.send_tip(request).await;
        let sent =
            sent.map_err(|error| if self.again { Failure::of_anew(error) } else { error.into() })?;
        let reasons = adding.reasons(&sent.rejected);
        if global.json {
            output::json(&json!({
                "tip_id": sent.tip_id,
                "sequence": sent.sequence,
                "accepted_at": words::time(sent.accepted_at.as_ref()),
                "indicators": sent.counted,
                "rejected": reasons,
                "replayed": sent.replayed,
            }))?;
        } else {
            adding.tell_rejected(&sent.rejected)?;
            let before = if sent.replayed {
                " (sent before: this is the receipt of that time; --again sends it anew)"
            } else {
                ""
            };
            let with = words::count(sent.counted.into(), "indicator");
            let to = self.to.join(", ");
            output::line(&format!("tip {} sent to {to}, with {with}{before}", sent.tip_id))?;
        }
        Ok(if reasons.is_empty() { Completion::Whole } else { Completion::InPart })
    }

    fn narrative(&self) -> Result<String, Failure> {
        let file = match (&self.narrative_file, self.narrative.as_deref()) {
            (Some(file), _) => file.clone(),
            (None, Some("-")) => PathBuf::from("-"),
            (None, text) => return Ok(text.unwrap_or_default().to_owned()),
        };
        if file.as_os_str() == "-" && self.refers_to.take_stdin() {
            return Err(Failure::usage("the narrative and --file cannot both be on stdin"));
        }
        let cannot = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("cannot read {}: {error}", file.display()))
        };
        let bytes = adding::read(&file).map_err(|error| cannot(&error))?;
        let text = String::from_utf8(bytes).map_err(|error| cannot(&error))?;
        Ok(text.trim_end().to_owned())
    }
}
