//! `tipoff tip send`

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use super::indicators::{self, IndicatorFlags};
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::{Global, identity, output, request, text};
use crate::domain::sharing::Tlp;
use crate::wire::pb;

/// Characters of a narrative that become the subject, if none is given.
const DEFAULT_SUBJECT_CHARS: usize = 60;

/// Send a tip to other platforms or liaisons
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each recipient answers separately and does not see the others. Running the same \
                  command again sends nothing twice."
)]
pub struct Send {
    /// Text of the tip, at most 4,000 characters; `-` reads it from stdin
    #[arg(value_name = "NARRATIVE|-", required_unless_present = "narrative_file")]
    narrative: Option<String>,
    /// File with the text of the tip
    #[arg(long, value_name = "FILE", conflicts_with = "narrative")]
    narrative_file: Option<PathBuf>,
    /// Member or liaison that receives it; may be repeated. For a liaison this is a release of the
    /// tip until it closes the tip or you withdraw it
    #[arg(long = "to", value_name = "PARTNER", required = true)]
    to: Vec<String>,
    /// Subject line; default: the beginning of the narrative
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// Urgency
    #[arg(long, value_name = "URGENCY", default_value = "routine")]
    urgency: Urgency,
    /// When you need an answer, such as 2026-11-24T12:00:00Z; a day such as 2026-11-24 means its end in UTC
    #[arg(long, value_name = "TIME", value_parser = text::read_end)]
    respond_by: Option<prost_types::Timestamp>,
    /// TLP marking: RED, AMBER+STRICT, AMBER, GREEN, CLEAR
    #[arg(long, value_name = "TLP")]
    tlp: Option<Tlp>,
    /// Id of the campaign that it belongs to
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
    /// Id of a submission of yours that it refers to
    #[arg(long, value_name = "ID")]
    submission: Option<String>,
    #[command(flatten)]
    refers_to: IndicatorFlags,
    /// Idempotency key of this tip; default: derived from its content
    #[arg(long, value_name = "KEY", conflicts_with = "again")]
    key: Option<String>,
    /// Send it as a new tip even if the same was sent before
    #[arg(long)]
    again: bool,
}

/// How soon a tip needs action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Urgency {
    /// Normal work queue
    Routine,
    /// Before other work
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

/// The beginning of a narrative, cut between words: the subject of a tip that was given none, for the recipient's list.
fn beginning(narrative: &str) -> String {
    let line = narrative.lines().next().unwrap_or_default();
    let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((limit, _)) = words.char_indices().nth(DEFAULT_SUBJECT_CHARS) else { return words };
    let kept = words.get(..limit).unwrap_or_default();
    format!("{}…", kept.rsplit_once(' ').map_or(kept, |(whole, _)| whole))
}

impl Send {
    pub async fn run(&self, global: &Global) -> Outcome {
        let narrative = self.narrative()?;
        let indicators = self.refers_to.read()?;
        let mut request = pb::SendTipRequest {
            request_id: String::new(),
            recipients: self.to.clone(),
            subject: self.subject.clone().unwrap_or_else(|| beginning(&narrative)),
            narrative,
            indicators: indicators.keys.clone(),
            urgency: pb::TipUrgency::from(self.urgency).into(),
            respond_by: self.respond_by,
            tlp: self.tlp.map_or(pb::Tlp::Unspecified, pb::Tlp::from).into(),
            campaign: self.campaign.clone().unwrap_or_default(),
            submission_id: self.submission.clone().unwrap_or_default(),
        };
        request.request_id = match &self.key {
            Some(key) => key.clone(),
            None => request::id_of(&request, self.again),
        };
        let sent = identity::client(global)?.send_tip(request).await;
        let sent = sent.map_err(|error| Failure::of_write(error, self.again))?;
        let reasons = indicators.reasons(&sent.rejected);
        if global.json {
            output::json(&json!({
                "tip_id": sent.tip_id,
                "sequence": sent.sequence,
                "accepted_at": text::time(sent.accepted_at.as_ref()),
                "indicators": sent.counted,
                "rejected": reasons,
                "replayed": sent.replayed,
            }))?;
        } else {
            indicators.print_rejected(&sent.rejected)?;
            let before = if sent.replayed {
                " (already sent: this is the earlier receipt; --again sends it as a new tip)"
            } else {
                ""
            };
            let count = text::count(sent.counted.into(), "indicator");
            let to = self.to.join(", ");
            let by = text::local_time(self.respond_by.as_ref());
            let by = by.map(|by| format!(", to be answered by {by}")).unwrap_or_default();
            output::line(&format!("tip {} sent to {to} with {count}{by}{before}", sent.tip_id))?;
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
            return Err(Failure::usage("the narrative and --file cannot both read stdin"));
        }
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("cannot read {}: {error}", file.display()))
        };
        let bytes = indicators::read(&file).map_err(|error| unreadable(&error))?;
        let text = String::from_utf8(bytes).map_err(|error| unreadable(&error))?;
        Ok(text.trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_the_beginning_of_the_narrative_cut_between_words() {
        assert_eq!(beginning("A  network\nof pages"), "A network");
        assert_eq!(beginning(""), "");
        let long = "We removed 14 accounts of one network; you may have more of it on your side.";
        assert_eq!(beginning(long), "We removed 14 accounts of one network; you may have more of…");
        assert_eq!(beginning(&"é".repeat(90)), format!("{}…", "é".repeat(60)));
    }
}
