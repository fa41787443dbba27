//! Taking tips, and what their senders and recipients add to them.
//!
//! What a tip comes to is decided in apply, by the order; what is refused here would be refused there
//! too, and costs no entry.

mod in_campaign;
mod lane;
mod list;
mod reading;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::in_campaign::{TipPart, indicators_of};
use self::lane::check_answer;
pub(super) use self::lane::{accessed_of_tip, is_ending, is_hidden, without_content};
pub use self::list::{TipQuery, TipsPage};
pub use self::reading::{TipDetailQuery, TipEntryView, TipIndicatorView, TipView};
use super::caller::reader;
use super::campaigns::campaign_visible;
use super::reactions::RequestReceipt;
use super::submit::refused;
use super::{Caller, Exchange, restricted};
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{
    Body, Rejection, RequestId, SubmissionId, TipIndicator, TipResponse, TipSent, TipThread,
    VoidReason,
};
use crate::domain::partner::Role;
use crate::domain::purpose::Purpose;
use crate::domain::sharing::{Audience, Community, Sharing};
use crate::domain::tip::{MOST_RECIPIENTS, TipState, Urgency};
use crate::domain::{CampaignId, IndicatorId, Invalid, PartnerId, Timestamp, TipId, Tlp};
use crate::error::Result;
use crate::index::record::TipRecord;
use crate::index::{Registry, View};

/// A tip as it was sent.
#[derive(Clone, Debug)]
pub struct TipRequest {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Who is to receive it.
    pub recipients: Vec<PartnerId>,
    /// What it is about, in a line.
    pub subject: Option<Box<str>>,
    /// What the caller tells.
    pub narrative: Box<str>,
    /// The indicators that could be read.
    pub indicators: Vec<TipIndicator>,
    /// Those that could not.
    pub rejected: Vec<Rejection>,
    /// How soon it has to be acted upon.
    pub urgency: Urgency,
    /// Until when the caller would like to hear.
    pub respond_by: Option<Timestamp>,
    /// What recipients may do with it; the caller's default where `None`.
    pub tlp: Option<Tlp>,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
    /// The caller's submission that it refers to.
    pub submission: Option<SubmissionId>,
}

/// What a party adds to a tip, as it was sent.
#[derive(Clone, Debug)]
pub struct ResponseRequest {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The tip.
    pub tip: TipId,
    /// Of the sender: the recipient that it is for; all of them where `None`.
    pub recipient: Option<PartnerId>,
    /// Of a recipient: whether the others are shown it too.
    pub to_all: bool,
    /// Where a recipient moves the tip.
    pub moves_to: Option<TipState>,
    /// What the caller says.
    pub message: Option<Box<str>>,
    /// The indicators that could be read.
    pub indicators: Vec<TipIndicator>,
    /// Those that could not.
    pub rejected: Vec<Rejection>,
    /// What the caller did.
    pub enforcement: Option<Enforcement>,
    /// Of a liaison, for what it reads and answers.
    pub purpose: Option<Purpose>,
}

impl Exchange {
    /// Takes a tip, once for one key, and gives its id.
    pub async fn send_tip(
        &self,
        caller: &Caller,
        request: TipRequest,
    ) -> Result<(TipId, RequestReceipt)> {
        if let Some(noted) = self.noted_before(caller, &request.request, request.digest).await? {
            return self.with_tip(noted).await;
        }
        let (key, digest) = (request.request.clone(), request.digest);
        let body = Body::TipSent(self.check_tip(caller, request).await?);
        let noted = self.note(caller, &key, digest, body).await?;
        self.with_tip(noted).await
    }

    /// A tip that its sender may send.
    async fn check_tip(&self, caller: &Caller, request: TipRequest) -> Result<TipSent> {
        let view = self.index.read()?;
        let mut recipients = request.recipients;
        recipients.sort_unstable();
        recipients.dedup();
        check_recipients(caller, &recipients, view.registry())?;
        let now = self.clock.now();
        if request.respond_by.is_some_and(|at| at <= now) {
            return Err(Invalid::new("respond_by", "is not in the future").into());
        }
        if let Some(submission) = &request.submission
            && view.submission(caller.partner(), submission)?.is_none()
        {
            return Err(Invalid::new("submission_id", "is no submission of yours").into());
        }
        if let Some(campaign) = request.campaign
            && !campaign_visible(&view, caller.partner(), campaign, now)?
        {
            return Err(Invalid::new("campaign", "is not a campaign that you see").into());
        }
        let told: Vec<_> = recipients.iter().collect();
        let (indicators, rejected) = self
            .hold_restricted(&view, caller, &told, request.indicators, request.rejected)
            .await?;
        Ok(TipSent {
            request: request.request,
            digest: request.digest,
            id: drawn(),
            recipients,
            subject: request.subject,
            narrative: request.narrative,
            indicators,
            rejected,
            urgency: request.urgency,
            respond_by: request.respond_by,
            tlp: request.tlp.unwrap_or_else(|| view.registry().default_tlp(caller.partner())),
            campaign: request.campaign,
            submission: request.submission,
        })
    }

    /// Adds to a tip, once for one key, and gives where it stands since: in the recipient's thread, or
    /// for a sender who speaks to all, nowhere.
    pub async fn respond_to_tip(
        &self,
        caller: &Caller,
        request: ResponseRequest,
    ) -> Result<(Option<TipState>, RequestReceipt)> {
        if !self.gives_tips(caller, request.purpose.as_ref())? {
            return Err(refused(&VoidReason::TipUnknown));
        }
        let (id, key, digest) = (request.tip, request.request.clone(), request.digest);
        let tip = tip_of(&self.index.read()?, caller, id)?;
        check_answer(caller, &request)?;
        let thread = thread_of(caller, &tip, &request)?;
        let before = self.noted_before(caller, &key, digest).await?;
        let noted = if let Some(noted) = before {
            noted
        } else {
            let response = self.check_response(caller, thread.clone(), request).await?;
            self.note(caller, &key, digest, Body::TipResponded(response)).await?
        };
        let of = match &thread {
            TipThread::All => None,
            TipThread::Of(recipient) | TipThread::Shown(recipient) => Some(recipient),
        };
        let tip = tip_of(&self.index.read()?, caller, id)?;
        Ok((of.and_then(|of| tip.thread(of)).map(|thread| thread.state), noted))
    }

    /// What its author may add to a tip.
    async fn check_response(
        &self,
        caller: &Caller,
        thread: TipThread,
        request: ResponseRequest,
    ) -> Result<TipResponse> {
        let view = self.index.read()?;
        let tip = tip_of(&view, caller, request.tip)?;
        if let Some(to) = request.moves_to
            && to.needs_message()
            && request.message.is_none()
        {
            let reason = format!("is missing: the other side is to know why it is {to}");
            return Err(Invalid::new("message", reason).into());
        }
        let told: Vec<_> = match &thread {
            TipThread::All => tip.threads.iter().map(|thread| &thread.recipient).collect(),
            TipThread::Of(recipient) => vec![recipient, &tip.sender],
            // What is refused would tell the recipient something of the others.
            TipThread::Shown(_) => Vec::new(),
        };
        let (indicators, rejected) = self
            .hold_restricted(&view, caller, &told, request.indicators, request.rejected)
            .await?;
        let enforcement =
            request.enforcement.map(|done| self.done_after(&view, caller, &tip, &thread, done));
        let enforcement = enforcement.transpose()?;
        let says = request.moves_to.is_some() || request.message.is_some();
        if !says && indicators.is_empty() && enforcement.is_none() {
            let reason = match rejected.first() {
                Some(first) => format!("is missing, and no indicator counts: {}", first.invalid),
                None => "is missing, and so are a move, indicators and counts".to_owned(),
            };
            return Err(Invalid::new("message", reason).into());
        }
        let response = TipResponse {
            request: request.request,
            digest: request.digest,
            tip: tip.id,
            thread,
            moves_to: request.moves_to,
            message: request.message,
            indicators,
            rejected,
            enforcement,
        };
        tip.decide(caller.partner(), &response).map_err(|void| refused(&void))?;
        Ok(response)
    }

    /// What a party did, as the tip's: with who may see that, which is the other side.
    fn done_after(
        &self,
        view: &View<'_>,
        caller: &Caller,
        tip: &TipRecord,
        thread: &TipThread,
        mut done: Enforcement,
    ) -> Result<(Enforcement, Sharing)> {
        let me = reader(view.registry(), caller.partner())?;
        done.tip = Some(*tip.id.as_bytes());
        if done.campaign.is_none() {
            done.campaign = match tip.campaign {
                Some(campaign) if self.sees_campaign(view, &me, campaign)? => Some(campaign),
                _ => None,
            };
        }
        if let Some(invalid) = self.refuses_enforcement(view, &me, &done)? {
            let field = format!("enforcement.{}", invalid.field);
            return Err(Invalid::new(field, invalid.reason).into());
        }
        let mut partners: BTreeSet<_> = match thread {
            TipThread::All => tip.threads.iter().map(|one| one.recipient.clone()).collect(),
            TipThread::Of(recipient) if *recipient != me.id => [recipient.clone()].into(),
            TipThread::Of(_) | TipThread::Shown(_) => [tip.sender.clone()].into(),
        };
        // A liaison is in no audience: it has the counts with the answer, and nowhere else.
        partners.retain(|partner| view.registry().role(partner) != Some(Role::Liaison));
        let audience = Audience::Named { groups: [].into(), partners };
        // Named partners alone: no marking is too narrow for that.
        let tlp = tip.tlp.min(Tlp::Amber);
        Ok((done, Sharing { tlp, audience, releases: Vec::new() }))
    }

    /// In how many threads an answer is overdue.
    pub fn overdue_tips(&self) -> Result<u64> {
        self.index.read()?.overdue_tips(self.clock.now())
    }

    async fn with_tip(&self, noted: RequestReceipt) -> Result<(TipId, RequestReceipt)> {
        match &self.entry(noted.sequence).await?.entry.body {
            Body::TipSent(sent) => Ok((sent.id, noted)),
            _ => Err(refused(&VoidReason::Conflicts(noted.sequence))),
        }
    }

    /// Rejects what is under a restricted label, unless somebody is told and everybody who is may hold it.
    async fn hold_restricted(
        &self,
        view: &View<'_>,
        caller: &Caller,
        told: &[&PartnerId],
        indicators: Vec<TipIndicator>,
        mut rejected: Vec<Rejection>,
    ) -> Result<(Vec<TipIndicator>, Vec<Rejection>)> {
        let reader = reader(view.registry(), caller.partner())?;
        let all_may_hold = restricted::may_hold(view.registry(), told);
        let mut restricted: BTreeMap<IndicatorId, bool> = BTreeMap::new();
        let mut held = Vec::with_capacity(indicators.len());
        for one in indicators {
            let is_restricted = if let Some(known) = restricted.get(&one.id) {
                *known
            } else {
                // Many of them: others get their turn.
                tokio::task::yield_now().await;
                let known = self.known_to(view, &reader, one.id)?;
                let is_restricted = known.is_some_and(|known| {
                    let mut said = known.assessments.iter().map(|s| &s.current.assessment);
                    said.any(restricted::is_restricted)
                });
                restricted.insert(one.id, is_restricted);
                is_restricted
            };
            if is_restricted && !all_may_hold {
                let reason = "is under a restricted label: it goes to nobody outside the group \
                              entitled to hold it";
                let invalid = Invalid::new("indicator", reason);
                rejected.push(Rejection { index: one.index, invalid });
            } else {
                held.push(TipIndicator { restricted: is_restricted, ..one });
            }
        }
        rejected.sort_by_key(|one| one.index);
        Ok((held, rejected))
    }
}

/// A tip that a caller sent or received; for any other there is none.
fn tip_of(view: &View<'_>, caller: &Caller, id: TipId) -> Result<TipRecord> {
    let tip = view.tip(id)?.filter(|tip| tip.concerns(caller.partner()));
    tip.ok_or_else(|| refused(&VoidReason::TipUnknown))
}

/// Draws the id of a tip.
pub(super) fn drawn() -> TipId {
    TipId::new(uuid::Builder::from_random_bytes(rand::random()).into_uuid())
}

/// Whom a response is for. An error tells nobody who else received the tip.
fn thread_of(caller: &Caller, tip: &TipRecord, request: &ResponseRequest) -> Result<TipThread> {
    let invalid = |field: &'static str, reason: &'static str| Invalid::new(field, reason).into();
    let me = caller.partner();
    if tip.sender != *me {
        if request.recipient.as_ref().is_some_and(|named| named != me) {
            return Err(invalid("recipient", "is for the tip's sender to name"));
        }
        let thread = if request.to_all { TipThread::Shown } else { TipThread::Of };
        return Ok(thread(me.clone()));
    }
    if request.moves_to.is_some() {
        return Err(invalid("state", "is moved by recipients: a sender withdraws the tip"));
    }
    match &request.recipient {
        None => Ok(TipThread::All),
        Some(_) if request.to_all => {
            Err(invalid("to_all", "and a recipient that is named exclude one another"))
        }
        Some(named) if tip.thread(named).is_some() => Ok(TipThread::Of(named.clone())),
        Some(_) => Err(invalid("recipient", "is no recipient of the tip")),
    }
}

fn check_recipients(caller: &Caller, recipients: &[PartnerId], registry: &Registry) -> Result<()> {
    let invalid = |reason: String| Err(Invalid::new("recipients", reason).into());
    if recipients.is_empty() || recipients.len() > MOST_RECIPIENTS {
        let count = recipients.len();
        return invalid(format!("has {count} partners, and may have 1 to {MOST_RECIPIENTS}"));
    }
    for recipient in recipients {
        if recipient == caller.partner() {
            return invalid("names yourself: a tip goes to others".to_owned());
        }
        match registry.role(recipient) {
            Some(Role::Member | Role::Liaison) => {}
            Some(Role::Observer) => {
                let reason = "is an observer: a tip goes to members and liaisons";
                return invalid(format!("`{recipient}` {reason}"));
            }
            Some(Role::Operator) => {
                return invalid(format!("`{recipient}` runs the exchange and receives nothing"));
            }
            None => return invalid(format!("there is no partner `{recipient}`")),
        }
    }
    Ok(())
}
