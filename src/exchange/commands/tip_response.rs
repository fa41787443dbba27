//! Responses to tips, by the sender or a recipient.

use std::collections::BTreeSet;

use crate::domain::accepted::TipRecord;
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{
    Body, Rejection, RequestId, TipIndicator, TipResponse, TipThread, VoidReason,
};
use crate::domain::partner::Role;
use crate::domain::purpose::Purpose;
use crate::domain::sharing::{Audience, Community, Sharing};
use crate::domain::tip::TipState;
use crate::domain::{Invalid, PartnerId, TipId, Tlp};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commands::enforcement::refuses_enforcement;
use crate::exchange::commit::{RequestReceipt, refused};
use crate::exchange::core::{Caller, reader};
use crate::exchange::visibility::ReaderView;
use crate::index::View;

/// A request to respond to a tip.
#[derive(Clone, Debug)]
pub struct ResponseRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request: tells a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The tip.
    pub tip: TipId,
    /// From the sender: the recipient it is for. `None` for all.
    pub recipient: Option<PartnerId>,
    /// From a recipient: whether the other recipients see it too.
    pub to_all: bool,
    /// From a recipient: the new state of its thread.
    pub moves_to: Option<TipState>,
    /// The message.
    pub message: Option<Box<str>>,
    /// The valid indicators.
    pub indicators: Vec<TipIndicator>,
    /// The others, and why.
    pub rejected: Vec<Rejection>,
    /// An enforcement that the tip caused.
    pub enforcement: Option<Enforcement>,
    /// The purpose of a liaison.
    pub purpose: Option<Purpose>,
}

impl Commands {
    /// Responds to a tip. Idempotent by key. Returns the state of the thread after it; `None` for a response of the
    /// sender to all.
    pub async fn respond_to_tip(
        &self,
        caller: &Caller,
        request: ResponseRequest,
    ) -> Result<(Option<TipState>, RequestReceipt)> {
        if !self.core.may_read_tips(caller, request.purpose.as_ref())? {
            return Err(refused(&VoidReason::TipUnknown));
        }
        let (id, key, digest) = (request.tip, request.request.clone(), request.digest);
        let tip = self.core.own_tip(&self.core.index.read()?, caller, id)?;
        check_answer(caller, &request)?;
        let thread = thread_of(caller, &tip, &request)?;
        let before = self.core.find_receipt(caller, &key, digest).await?;
        let noted = if let Some(noted) = before {
            noted
        } else {
            let response = self.check_response(caller, thread.clone(), request).await?;
            self.core.commit_for_receipt(caller, &key, digest, Body::TipResponded(response)).await?
        };
        let of = match &thread {
            TipThread::All => None,
            TipThread::Recipient(recipient) | TipThread::RecipientToAll(recipient) => {
                Some(recipient)
            }
        };
        let tip = self.core.own_tip(&self.core.index.read()?, caller, id)?;
        Ok((of.and_then(|of| tip.thread(of)).map(|thread| thread.state), noted))
    }

    /// Checks a request against the tip, and builds the response.
    async fn check_response(
        &self,
        caller: &Caller,
        thread: TipThread,
        request: ResponseRequest,
    ) -> Result<TipResponse> {
        let view = self.core.index.read()?;
        let tip = self.core.own_tip(&view, caller, request.tip)?;
        if let Some(to) = request.moves_to
            && to.needs_message()
            && request.message.is_none()
        {
            let reason = format!("is missing: the other side is to know why it is {to}");
            return Err(Invalid::new("message", reason).into());
        }
        let readers: Vec<_> = match &thread {
            TipThread::All => tip.threads.iter().map(|thread| &thread.recipient).collect(),
            TipThread::Recipient(recipient) => vec![recipient, &tip.sender],
            // A rejection would reveal something about the other recipients.
            TipThread::RecipientToAll(_) => Vec::new(),
        };
        let (indicators, rejected) = self
            .reject_restricted(&view, caller, &readers, request.indicators, request.rejected)
            .await?;
        let enforcement = request
            .enforcement
            .map(|done| self.response_enforcement(&view, caller, &tip, &thread, done));
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
            new_state: request.moves_to,
            message: request.message,
            indicators,
            rejected,
            enforcement,
        };
        tip.decide(caller.partner(), &response).map_err(|void| refused(&void))?;
        Ok(response)
    }

    /// The enforcement of a response, shared with the other side of the tip.
    fn response_enforcement(
        &self,
        view: &View<'_>,
        caller: &Caller,
        tip: &TipRecord,
        thread: &TipThread,
        mut done: Enforcement,
    ) -> Result<(Enforcement, Sharing)> {
        let me = reader(view.registry(), caller.partner())?;
        let seen = ReaderView::new(view, &me, self.core.clock.now());
        done.tip = Some(*tip.id.as_bytes());
        if done.campaign.is_none() {
            done.campaign = match tip.campaign {
                Some(campaign) if seen.sees_campaign(campaign)? => Some(campaign),
                _ => None,
            };
        }
        if let Some(invalid) = refuses_enforcement(seen, &done)? {
            let field = format!("enforcement.{}", invalid.field);
            return Err(Invalid::new(field, invalid.reason).into());
        }
        let mut partners: BTreeSet<_> = match thread {
            TipThread::All => tip.threads.iter().map(|one| one.recipient.clone()).collect(),
            TipThread::Recipient(recipient) if *recipient != me.id => [recipient.clone()].into(),
            TipThread::Recipient(_) | TipThread::RecipientToAll(_) => [tip.sender.clone()].into(),
        };
        // A liaison is in no audience. It sees the counts with the response only.
        partners.retain(|partner| view.registry().role(partner) != Some(Role::Liaison));
        let audience = Audience::Named { groups: [].into(), partners };
        // Named partners only, which every marking allows.
        let tlp = tip.tlp.min(Tlp::Amber);
        Ok((done, Sharing { tlp, audience, releases: Vec::new() }))
    }
}

/// The thread of a response. Errors do not reveal other recipients.
fn thread_of(caller: &Caller, tip: &TipRecord, request: &ResponseRequest) -> Result<TipThread> {
    let invalid = |field: &'static str, reason: &'static str| Invalid::new(field, reason).into();
    let me = caller.partner();
    if tip.sender != *me {
        if request.recipient.as_ref().is_some_and(|named| named != me) {
            return Err(invalid("recipient", "is for the tip's sender to name"));
        }
        let thread = if request.to_all { TipThread::RecipientToAll } else { TipThread::Recipient };
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
        Some(named) if tip.thread(named).is_some() => Ok(TipThread::Recipient(named.clone())),
        Some(_) => Err(invalid("recipient", "is no recipient of the tip")),
    }
}

/// Checks that a liaison responds in its own thread, and reports no enforcement.
pub(in crate::exchange) fn check_answer(caller: &Caller, request: &ResponseRequest) -> Result<()> {
    if caller.role() != Role::Liaison {
        return Ok(());
    }
    let invalid = |field, reason| Err(Invalid::new(field, reason).into());
    if request.enforcement.is_some() {
        return invalid("enforcement", "is a platform's to report: say it in the message");
    }
    if request.to_all {
        return invalid("to_all", "is for members: a liaison answers in its own thread");
    }
    Ok(())
}
