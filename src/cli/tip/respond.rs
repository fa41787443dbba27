//! `tipoff tip respond`

use clap::ValueEnum;
use serde_json::json;

use super::find;
use super::indicators::IndicatorFlags;
use crate::cli::enforcement::counts;
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::purpose::PurposeFlags;
use crate::cli::{Global, identity, output, platform, render, request, text};
use crate::domain::enforcement::{EnforcementCount, EnforcementMethod};
use crate::wire::enforcement::write_counts;
use crate::wire::pb;

/// Respond to a tip: change its state, send a message, add indicators
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A recipient can change the state of a tip. Its sender can only add to it, for one \
                  recipient with --to or for all of them. The other side sees the response \
                  immediately. Running the same command again sends nothing twice."
)]
pub struct Respond {
    /// Id of the tip, or the beginning of it
    #[arg(value_name = "TIP")]
    id: String,
    /// New state of the tip
    #[arg(long = "move", value_name = "STATE")]
    new_state: Option<State>,
    /// Message of at most 4,000 characters; required for declined and no-violation
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// For the sender: only this recipient sees the response; default: all of them
    #[arg(long, value_name = "RECIPIENT")]
    to: Option<String>,
    /// For a recipient: show the response, and who you are, to the other recipients too
    #[arg(long, conflicts_with = "to")]
    to_all: bool,
    #[command(flatten)]
    refers_to: IndicatorFlags,
    /// What you acted on: `7 pages on facebook`; may be repeated
    #[arg(long = "count", value_name = "COUNT", value_parser = counts::read)]
    counts: Vec<EnforcementCount>,
    /// How many of them automated systems had already disabled: `2 pages on facebook`
    #[arg(long = "already-disabled", value_name = "COUNT", value_parser = counts::read)]
    #[arg(requires = "counts")]
    already_disabled: Vec<EnforcementCount>,
    /// Why you acted: `proactive_automated`, `after_tip`, `after_investigation`
    #[arg(long, requires = "counts")]
    method: Option<EnforcementMethod>,
    /// A platform of these counts is new: its name is not misspelt
    #[arg(long, requires = "counts")]
    new_platform: bool,
    /// Idempotency key of this response; default: derived from its content
    #[arg(long, value_name = "KEY", conflicts_with = "again")]
    key: Option<String>,
    /// Send it as a new response even if the same was sent before
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    purpose: PurposeFlags,
}

/// The states that a recipient can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    /// You received it
    Acknowledged,
    /// You are investigating
    Investigating,
    /// You acted on it
    Actioned,
    /// Nothing in it violates your rules
    #[value(alias = "no_violation")]
    NoViolation,
    /// You decline to handle it
    Declined,
    /// You are monitoring for more
    Monitoring,
    /// You are done with it
    Closed,
}

impl From<State> for pb::TipState {
    fn from(state: State) -> Self {
        match state {
            State::Acknowledged => pb::TipState::Acknowledged,
            State::Investigating => pb::TipState::Investigating,
            State::Actioned => pb::TipState::Actioned,
            State::NoViolation => pb::TipState::NoViolation,
            State::Declined => pb::TipState::Declined,
            State::Monitoring => pb::TipState::Monitoring,
            State::Closed => pb::TipState::Closed,
        }
    }
}

impl Respond {
    /// The enforcement that the counts describe. `None` without counts.
    fn enforcement(&self) -> Result<Option<pb::Enforcement>, Failure> {
        if self.counts.is_empty() {
            return Ok(None);
        }
        let platforms =
            self.counts.iter().filter_map(|count| Some(count.platform.as_ref()?.as_str()));
        platform::check("--count", platforms, self.new_platform)?;
        let counts = counts::with_disabled(self.counts.clone(), &self.already_disabled);
        let method = self.method.unwrap_or(EnforcementMethod::AfterTip);
        Ok(Some(pb::Enforcement {
            counts: write_counts(&counts.map_err(Failure::usage)?),
            method: pb::EnforcementMethod::from(method).into(),
            ..pb::Enforcement::default()
        }))
    }

    pub async fn run(&self, global: &Global) -> Outcome {
        let indicators = self.refers_to.read()?;
        let client = self.purpose.client(identity::client(global)?);
        let mut request = pb::RespondToTipRequest {
            request_id: String::new(),
            tip_id: find(&client, &self.id).await?,
            state: self.new_state.map_or(pb::TipState::Unspecified, pb::TipState::from).into(),
            message: self.message.clone().unwrap_or_default(),
            indicators: indicators.keys.clone(),
            recipient: self.to.clone().unwrap_or_default(),
            to_all: self.to_all,
            enforcement: self.enforcement()?,
            purpose: None,
        };
        request.request_id = match &self.key {
            Some(key) => key.clone(),
            None => request::id_of(&request, self.again),
        };
        let tip_id = request.tip_id.clone();
        let response = client.respond_to_tip(request).await;
        let response = response.map_err(|error| Failure::of_write(error, self.again))?;
        let reasons = indicators.reasons(&response.rejected);
        if global.json {
            output::json(&json!({
                "tip_id": tip_id,
                "sequence": response.sequence,
                "accepted_at": text::time(response.accepted_at.as_ref()),
                "state": render::tip::state_or_null(response.state()),
                "indicators": response.counted,
                "rejected": reasons,
                "replayed": response.replayed,
            }))?;
        } else {
            indicators.print_rejected(&response.rejected)?;
            let outcome = match response.state() {
                // The tip may have moved on since.
                _ if response.replayed => {
                    let sent = text::local_time(response.accepted_at.as_ref()).unwrap_or_default();
                    format!(
                        "is unchanged: the same response was sent at {sent}. --again sends it once more"
                    )
                }
                pb::TipState::Unspecified => "is visible to every recipient".to_owned(),
                state => format!("is now {}", render::tip::state(state)),
            };
            output::line(&format!("tip {tip_id} {outcome}"))?;
        }
        Ok(if reasons.is_empty() { Completion::Whole } else { Completion::InPart })
    }
}
