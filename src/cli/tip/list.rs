//! `tipoff tip list`

use clap::ValueEnum;

use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::purpose::PurposeFlags;
use crate::cli::tip::send::Urgency;
use crate::cli::{Global, identity, numbers, output, render, text};
use crate::client::Client;
use crate::wire::pb;

/// List the tips that you received or sent
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Newest first; with --overdue, the longest overdue first. A tip that you sent to several \
                  recipients has one row per recipient."
)]
pub struct List {
    /// List the tips that you sent
    #[arg(long)]
    sent: bool,
    /// List the tips that you received (default)
    #[arg(long, conflicts_with = "sent")]
    received: bool,
    /// Only tips in this state
    #[arg(long = "state", value_name = "STATE")]
    states: Vec<State>,
    /// Only tips of this urgency
    #[arg(long = "urgency", value_name = "URGENCY")]
    urgencies: Vec<Urgency>,
    /// Only tips whose answer is overdue
    #[arg(long)]
    overdue: bool,
    /// Only tips to or from this partner
    #[arg(long, value_name = "PARTNER")]
    with: Option<String>,
    /// Only tips of this campaign
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
    /// Maximum number of tips
    #[arg(long, value_name = "N", value_parser = numbers::at_least::<u32>(1))]
    limit: Option<u32>,
    #[command(flatten)]
    purpose: PurposeFlags,
}

/// The state of a tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Sent,
    Acknowledged,
    Investigating,
    Actioned,
    #[value(alias = "no_violation")]
    NoViolation,
    Declined,
    Monitoring,
    Closed,
    Withdrawn,
}

impl From<State> for pb::TipState {
    fn from(state: State) -> Self {
        match state {
            State::Sent => pb::TipState::Sent,
            State::Acknowledged => pb::TipState::Acknowledged,
            State::Investigating => pb::TipState::Investigating,
            State::Actioned => pb::TipState::Actioned,
            State::NoViolation => pb::TipState::NoViolation,
            State::Declined => pb::TipState::Declined,
            State::Monitoring => pb::TipState::Monitoring,
            State::Closed => pb::TipState::Closed,
            State::Withdrawn => pb::TipState::Withdrawn,
        }
    }
}

impl List {
    pub async fn run(&self, global: &Global) -> Outcome {
        let tips = self.fetch(&self.purpose.client(identity::client(global)?)).await?;
        if global.json {
            for tip in &tips {
                output::json(&render::tip::tip_object(tip))?;
            }
            return Ok(Completion::Whole);
        }
        let with = if self.sent { "TO" } else { "FROM" };
        let header = ["TIP", with, "STATE", "URGENCY", "ANSWER BY", "SENT", "ABOUT"];
        output::line(&output::table(header, tips.iter().map(|tip| self.row(tip))))?;
        Ok(Completion::Whole)
    }

    async fn fetch(&self, client: &Client) -> Result<Vec<pb::Tip>, Failure> {
        let tip_box = if self.sent { pb::TipBox::Sent } else { pb::TipBox::Received };
        let states = self.states.iter().map(|state| pb::TipState::from(*state).into());
        let urgencies = self.urgencies.iter().map(|one| pb::TipUrgency::from(*one).into());
        let mut request = pb::ListTipsRequest {
            r#box: tip_box.into(),
            states: states.collect(),
            urgencies: urgencies.collect(),
            overdue: self.overdue,
            partner: self.with.clone().unwrap_or_default(),
            campaign: self.campaign.clone().unwrap_or_default(),
            page_size: 1_000,
            page_token: String::new(),
            purpose: None,
        };
        let max_tips = self.limit.map_or(usize::MAX, |limit| limit as usize);
        let mut tips = Vec::new();
        loop {
            let remaining = u32::try_from(max_tips - tips.len()).unwrap_or(u32::MAX);
            request.page_size = remaining.min(1_000);
            let page = client.tips_page(request.clone()).await?;
            tips.extend(page.tips);
            if page.next_page_token.is_empty() || tips.len() >= max_tips {
                return Ok(tips);
            }
            request.page_token = page.next_page_token;
        }
    }

    fn row(&self, tip: &pb::Tip) -> [String; 7] {
        let thread = tip.threads.first().cloned().unwrap_or_default();
        let with = if self.sent { &thread.recipient } else { &tip.sender };
        [
            render::tip::short_id(&tip.id),
            with.clone(),
            render::tip::state(thread.state()),
            render::tip::urgency(tip),
            render::tip::answer_by(tip, thread.overdue),
            text::local_time(tip.sent_at.as_ref()).unwrap_or_default(),
            render::tip::subject(tip),
        ]
    }
}
