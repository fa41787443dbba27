//! `tipoff tip respond`

use clap::ValueEnum;
use prost::Message;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::adding::IndicatorFlags;
use super::{find, told};
use crate::cli::enforcement::counts;
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::purpose::PurposeFlags;
use crate::cli::{Global, identity, output, request, words};
use crate::domain::enforcement::{EnforcementCount, EnforcementMethod};
use crate::wire::enforcement::write_counts;
use crate::wire::pb;

/// Add to a tip: move it, say something, name what you found
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Recipients move a tip; its sender adds to it, to one recipient with --to or to all of \
                  them. What you add reaches the other side at once. The same answer with the same \
                  options is given once, however often the command is run."
)]
pub struct Respond {
    /// The tip, by its id or the beginning of it
    #[arg(value_name = "TIP")]
    id: String,
    /// Where you move it
    #[arg(long = "move", value_name = "STATE")]
    moves_to: Option<State>,
    /// What you say, at most 4,000 characters; a move to declined and to no-violation says why
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// As the sender: the recipient that it is for; all of them when left out
    #[arg(long, value_name = "RECIPIENT")]
    to: Option<String>,
    /// As a recipient: show it to the other recipients too, and with it who you are
    #[arg(long, conflicts_with = "to")]
    to_all: bool,
    #[command(flatten)]
    refers_to: IndicatorFlags,
    /// How many of what you acted upon: `7 pages on facebook`
    #[arg(long = "count", value_name = "COUNT", value_parser = counts::read)]
    counts: Vec<EnforcementCount>,
    /// How many of them automated systems had disabled before: `2 pages on facebook`
    #[arg(long = "already-disabled", value_name = "COUNT", value_parser = counts::read)]
    #[arg(requires = "counts")]
    disabled: Vec<EnforcementCount>,
    /// How you came to act: `proactive_automated`, `after_tip`, `after_investigation`
    #[arg(long, requires = "counts")]
    method: Option<EnforcementMethod>,
    /// The id of this request, under which it is given once; worked out of the rest when left out
    #[arg(long, value_name = "KEY", conflicts_with = "again")]
    key: Option<String>,
    /// Give it as a new answer, though the same was given before
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    purpose: PurposeFlags,
}

/// Where a recipient moves a tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    /// You took it up
    Acknowledged,
    /// You look into it
    Investigating,
    /// You acted upon it
    Actioned,
    /// Nothing in it breaks your rules
    #[value(alias = "no_violation")]
    NoViolation,
    /// You do not take it up
    Declined,
    /// You watch for what may still come
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
    /// What was done, by the counts; `None` where none are given.
    fn enforcement(&self) -> Result<Option<pb::Enforcement>, Failure> {
        if self.counts.is_empty() {
            return Ok(None);
        }
        let counts = counts::with_disabled(self.counts.clone(), &self.disabled);
        let method = self.method.unwrap_or(EnforcementMethod::AfterTip);
        Ok(Some(pb::Enforcement {
            counts: write_counts(&counts.map_err(Failure::usage)?),
            method: pb::EnforcementMethod::from(method).into(),
            ..pb::Enforcement::default()
        }))
    }

    pub async fn run(&self, global: &Global) -> Outcome {
        let adding = self.refers_to.read()?;
        let client = self.purpose.client(identity::client(global)?);
        let mut request = pb::RespondToTipRequest {
            request_id: String::new(),
            tip_id: find(&client, &self.id).await?,
            state: self.moves_to.map_or(pb::TipState::Unspecified, pb::TipState::from).into(),
            message: self.message.clone().unwrap_or_default(),
            indicators: adding.keys.clone(),
            recipient: self.to.clone().unwrap_or_default(),
            to_all: self.to_all,
            enforcement: self.enforcement()?,
            purpose: None,
        };
        request.request_id = match &self.key {
            Some(key) => key.clone(),
            None => request::id(Sha256::new_with_prefix(request.encode_to_vec()), self.again),
        };
        let tip_id = request.tip_id.clone();
        let given = client.respond_to_tip(request).await;
        let given = given
            .map_err(|error| if self.again { Failure::of_anew(error) } else { error.into() })?;
        let reasons = adding.reasons(&given.rejected);
        if global.json {
            output::json(&json!({
                "tip_id": tip_id,
                "sequence": given.sequence,
                "accepted_at": words::time(given.accepted_at.as_ref()),
                "state": told::state_or_null(given.state()),
                "indicators": given.counted,
                "rejected": reasons,
                "replayed": given.replayed,
            }))?;
        } else {
            adding.tell_rejected(&given.rejected)?;
            let before = if given.replayed {
                " (given before: this is the receipt of that time; --again gives it anew)"
            } else {
                ""
            };
            let stands = match given.state() {
                pb::TipState::Unspecified => "reaches every recipient".to_owned(),
                state => format!("stands at {}", told::state(state)),
            };
            output::line(&format!("tip {tip_id} {stands}{before}"))?;
        }
        Ok(if reasons.is_empty() { Completion::Whole } else { Completion::InPart })
    }
}
