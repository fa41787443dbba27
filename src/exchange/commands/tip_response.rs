//! Responses to tips, by the sender or a recipient.

use std::collections::BTreeSet;

use crate::domain::accepted::TipRecord;
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{
    Body, Rejection, RequestId, TipIndicator, TipResponse, TipThread, VoidReason,
};
use crate::domain::partner::Role;
use crate::domain::purpose::Purpose;
use crate::domain::sharing::{Audience, Directory, Sharing};
use crate::domain::tip::TipState;
use crate::domain::{Invalid, PartnerId, TipId, Tlp};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commands::enforcement::reject_enforcement;
use crate::exchange::commands::tip::reject_restricted;
use crate::exchange::commit::{RequestReceipt, refused};
use crate::exchange::core::{Caller, Core, rights_of};
use crate::exchange::visibility::ReaderView;
use crate::index::View;

/// A request to respond to a tip.
#[derive(Clone, Debug)]
pub struct ResponseRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request. Distinguishes a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The tip.
    pub tip: TipId,
    /// From the sender: the recipient that the response is for. `None` for all recipients.
    pub recipient: Option<PartnerId>,
    /// From a recipient: whether the other recipients may see the response too.
    pub to_all_recipients: bool,
    /// From a recipient: the new state of its thread.
    pub new_state: Option<TipState>,
    /// The message.
    pub message: Option<Box<str>>,
    /// The valid indicators.
    pub indicators: Vec<TipIndicator>,
    /// The rejected indicators, each with the reason.
    pub rejected: Vec<Rejection>,
    /// An enforcement that the tip caused.
    pub enforcement: Option<Enforcement>,
    /// The purpose of a liaison.
    pub purpose: Option<Purpose>,
}

impl Commands {
    /// Responds to a tip. Idempotent by key. Returns the current state of the thread, and the receipt. The state is
    /// `None` for a response of the sender to all recipients.
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
        check_liaison_response(caller, &request)?;
        let thread = thread_of(caller, &tip, &request)?;
        let (author, response_thread) = (caller.clone(), thread.clone());
        let check = move |core: &Core| {
            check_response(core, &author, response_thread, request).map(Body::TipResponded)
        };
        let receipt = self.core.commit_checked(caller, (&key, digest), check).await?;
        let recipient = match &thread {
            TipThread::All => None,
            TipThread::Recipient(recipient) | TipThread::RecipientToAll(recipient) => {
                Some(recipient)
            }
        };
        let tip = self.core.own_tip(&self.core.index.read()?, caller, id)?;
        let thread = recipient.and_then(|recipient| tip.thread(recipient));
        Ok((thread.map(|thread| thread.state), receipt))
    }
}

/// Checks a request against the tip, and builds the response.
fn check_response(
    core: &Core,
    caller: &Caller,
    thread: TipThread,
    request: ResponseRequest,
) -> Result<TipResponse> {
    let view = core.index.read()?;
    let tip = core.own_tip(&view, caller, request.tip)?;
    if let Some(to) = request.new_state
        && to.needs_message()
        && request.message.is_none()
    {
        let reason = format!("is missing: tell the other side why the thread is {to}");
        return Err(Invalid::new("message", reason).into());
    }
    let readers: Vec<_> = match &thread {
        TipThread::All => tip.threads.iter().map(|thread| &thread.recipient).collect(),
        TipThread::Recipient(recipient) => vec![recipient, &tip.sender],
        // With the other recipients in this list, a rejection would reveal something about them. Without readers,
        // every restricted indicator is rejected.
        TipThread::RecipientToAll(_) => Vec::new(),
    };
    let (indicators, rejected) =
        reject_restricted(core, &view, caller, &readers, (request.indicators, request.rejected))?;
    let enforcement = request
        .enforcement
        .map(|reported| response_enforcement(core, &view, caller, &tip, &thread, reported));
    let enforcement = enforcement.transpose()?;
    let has_content = request.new_state.is_some() || request.message.is_some();
    if !has_content && indicators.is_empty() && enforcement.is_none() {
        let reason = match rejected.first() {
            Some(first) => {
                format!("is missing, and every indicator was rejected: {}", first.invalid)
            }
            None => {
                "is missing, and the response has no new state, indicators or counts".to_owned()
            }
        };
        return Err(Invalid::new("message", reason).into());
    }
    let response = TipResponse {
        request: request.request,
        digest: request.digest,
        tip: tip.id,
        thread,
        new_state: request.new_state,
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
    core: &Core,
    view: &View<'_>,
    caller: &Caller,
    tip: &TipRecord,
    thread: &TipThread,
    mut enforcement: Enforcement,
) -> Result<(Enforcement, Sharing)> {
    let author = rights_of(view.registry(), caller.partner())?;
    let author_view = ReaderView::new(view, &author, core.clock.now());
    enforcement.tip = Some(*tip.id.as_bytes());
    if enforcement.campaign.is_none() {
        enforcement.campaign = match tip.campaign {
            Some(campaign) if author_view.sees_campaign(campaign)? => Some(campaign),
            _ => None,
        };
    }
    if let Some(invalid) = reject_enforcement(author_view, &enforcement)? {
        let field = format!("enforcement.{}", invalid.field);
        return Err(Invalid::new(field, invalid.reason).into());
    }
    let mut partners: BTreeSet<_> = match thread {
        TipThread::All => tip.threads.iter().map(|thread| thread.recipient.clone()).collect(),
        TipThread::Recipient(recipient) if *recipient != author.id => [recipient.clone()].into(),
        TipThread::Recipient(_) | TipThread::RecipientToAll(_) => [tip.sender.clone()].into(),
    };
    // A liaison is in no audience. It may see the counts in the response only.
    partners.retain(|partner| view.registry().role(partner) != Some(Role::Liaison));
    let audience = Audience::Named { groups: [].into(), partners };
    // An audience of named partners, which every marking allows.
    let tlp = tip.tlp.min(Tlp::Amber);
    Ok((enforcement, Sharing { tlp, audience, releases: Vec::new() }))
}

/// The thread of a response. Errors do not reveal other recipients.
fn thread_of(caller: &Caller, tip: &TipRecord, request: &ResponseRequest) -> Result<TipThread> {
    let invalid = |field: &'static str, reason: &'static str| Invalid::new(field, reason).into();
    let me = caller.partner();
    if tip.sender != *me {
        if request.recipient.as_ref().is_some_and(|named| named != me) {
            return Err(invalid("recipient", "is for the tip's sender to name"));
        }
        let thread = if request.to_all_recipients {
            TipThread::RecipientToAll
        } else {
            TipThread::Recipient
        };
        return Ok(thread(me.clone()));
    }
    if request.new_state.is_some() {
        return Err(invalid(
            "state",
            "can be changed by recipients only: a sender can withdraw the tip",
        ));
    }
    match &request.recipient {
        None => Ok(TipThread::All),
        Some(_) if request.to_all_recipients => {
            Err(invalid("to_all", "cannot be combined with a named recipient"))
        }
        Some(named) if tip.thread(named).is_some() => Ok(TipThread::Recipient(named.clone())),
        Some(_) => Err(invalid("recipient", "is no recipient of the tip")),
    }
}

/// Rejects a response of a liaison that reports an enforcement, or goes to the other recipients.
fn check_liaison_response(caller: &Caller, request: &ResponseRequest) -> Result<()> {
    if caller.role() != Role::Liaison {
        return Ok(());
    }
    let invalid = |field, reason| Err(Invalid::new(field, reason).into());
    if request.enforcement.is_some() {
        return invalid(
            "enforcement",
            "can be reported by platforms only: describe it in the message",
        );
    }
    if request.to_all_recipients {
        return invalid("to_all", "is for members: a liaison answers in its own thread");
    }
    Ok(())
}
