//! Responding to tips: what senders and recipients add to them.

use std::collections::BTreeSet;

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
use crate::index::record::TipRecord;

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

impl Commands {
    /// Adds to a tip, once for one key, and gives where it stands since: in the recipient's thread, or
    /// for a sender who speaks to all, nowhere.
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

    /// What its author may add to a tip.
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
        let told: Vec<_> = match &thread {
            TipThread::All => tip.threads.iter().map(|thread| &thread.recipient).collect(),
            TipThread::Recipient(recipient) => vec![recipient, &tip.sender],
            // What is refused would tell the recipient something of the others.
            TipThread::RecipientToAll(_) => Vec::new(),
        };
        let (indicators, rejected) = self
            .reject_restricted(&view, caller, &told, request.indicators, request.rejected)
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

    /// What a party did, as the tip's: with who may see that, which is the other side.
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
        // A liaison is in no audience: it has the counts with the answer, and nowhere else.
        partners.retain(|partner| view.registry().role(partner) != Some(Role::Liaison));
        let audience = Audience::Named { groups: [].into(), partners };
        // Named partners alone: no marking is too narrow for that.
        let tlp = tip.tlp.min(Tlp::Amber);
        Ok((done, Sharing { tlp, audience, releases: Vec::new() }))
    }
}

/// Whom a response is for. An error tells nobody who else received the tip.
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

/// A liaison answers what it was sent, in its own thread, and with nothing that is a platform's to report.
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
