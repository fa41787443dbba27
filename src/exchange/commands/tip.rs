//! Sending tips.
//!
//! Apply has the last word, because it knows the order of entries. Requests that are rejected here would be void there.
//! Rejecting them early saves an entry.

use std::collections::BTreeMap;

use crate::domain::entry::{
    Body, Rejection, RequestId, SubmissionId, TipIndicator, TipSent, VoidReason,
};
use crate::domain::partner::Role;
use crate::domain::sharing::Directory;
use crate::domain::tip::{MAX_RECIPIENTS, Urgency};
use crate::domain::{CampaignId, IndicatorId, Invalid, PartnerId, Timestamp, TipId, Tlp};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commit::{RequestReceipt, refused};
use crate::exchange::core::{Caller, Core, rights_of};
use crate::exchange::visibility::campaign::campaign_visible;
use crate::exchange::visibility::{ReaderView, restricted};
use crate::index::{Registry, View};

/// A request to send a tip.
#[derive(Clone, Debug)]
pub struct TipRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request. Distinguishes a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The recipients.
    pub recipients: Vec<PartnerId>,
    /// The subject, one line.
    pub subject: Option<Box<str>>,
    /// The narrative.
    pub narrative: Box<str>,
    /// The valid indicators.
    pub indicators: Vec<TipIndicator>,
    /// The rejected indicators, each with the reason.
    pub rejected: Vec<Rejection>,
    /// The urgency.
    pub urgency: Urgency,
    /// The time by which the sender asks for a response.
    pub respond_by: Option<Timestamp>,
    /// The marking. `None` for the sender's default.
    pub tlp: Option<Tlp>,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
    /// The caller's submission that it refers to.
    pub submission: Option<SubmissionId>,
}

impl Commands {
    /// Sends a tip, and returns its id. Idempotent by key.
    pub async fn send_tip(
        &self,
        caller: &Caller,
        request: TipRequest,
    ) -> Result<(TipId, RequestReceipt)> {
        let (key, digest, sender) = (request.request.clone(), request.digest, caller.clone());
        let check = move |core: &Core| check_tip(core, &sender, request).map(Body::TipSent);
        let receipt = self.core.commit_checked(caller, (&key, digest), check).await?;
        self.with_tip_id(receipt).await
    }

    /// Adds the id of the tip to a receipt.
    async fn with_tip_id(&self, receipt: RequestReceipt) -> Result<(TipId, RequestReceipt)> {
        match &self.core.entry(receipt.sequence).await?.entry.body {
            Body::TipSent(tip) => Ok((tip.id, receipt)),
            _ => Err(refused(&VoidReason::Conflicts(receipt.sequence))),
        }
    }
}

/// Checks a request against what the sender may see, and builds the tip.
fn check_tip(core: &Core, caller: &Caller, request: TipRequest) -> Result<TipSent> {
    let view = core.index.read()?;
    let mut recipients = request.recipients;
    recipients.sort_unstable();
    recipients.dedup();
    check_recipients(caller, &recipients, view.registry())?;
    let now = core.clock.now();
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
    let readers: Vec<_> = recipients.iter().collect();
    let (indicators, rejected) =
        reject_restricted(core, &view, caller, &readers, (request.indicators, request.rejected))?;
    Ok(TipSent {
        request: request.request,
        digest: request.digest,
        id: core.random_tip_id(),
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

/// Rejects restricted indicators, unless all `readers` may hold restricted objects. Without readers, rejects them
/// too. Sets [`TipIndicator::restricted`] on the accepted indicators.
pub(super) fn reject_restricted(
    core: &Core,
    view: &View<'_>,
    caller: &Caller,
    readers: &[&PartnerId],
    (indicators, mut rejected): (Vec<TipIndicator>, Vec<Rejection>),
) -> Result<(Vec<TipIndicator>, Vec<Rejection>)> {
    let reader = rights_of(view.registry(), caller.partner())?;
    let reader_view = ReaderView::new(view, &reader, core.clock.now());
    let all_may_hold = restricted::may_hold(view.registry(), readers);
    let mut cache: BTreeMap<IndicatorId, bool> = BTreeMap::new();
    let mut accepted = Vec::with_capacity(indicators.len());
    for indicator in indicators {
        let is_restricted = if let Some(cached) = cache.get(&indicator.id) {
            *cached
        } else {
            let known = reader_view.indicator(indicator.id)?;
            let is_restricted = known.is_some_and(|known| {
                let mut assessments = known.assessments.iter().map(|view| &view.record.assessment);
                assessments.any(restricted::is_restricted)
            });
            cache.insert(indicator.id, is_restricted);
            is_restricted
        };
        if is_restricted && !all_may_hold {
            let reason = "is under a restricted label: it goes to nobody outside the group \
                          entitled to hold it";
            let invalid = Invalid::new("indicator", reason);
            rejected.push(Rejection { index: indicator.index, invalid });
        } else {
            accepted.push(TipIndicator { restricted: is_restricted, ..indicator });
        }
    }
    rejected.sort_by_key(|rejection| rejection.index);
    Ok((accepted, rejected))
}

fn check_recipients(caller: &Caller, recipients: &[PartnerId], registry: &Registry) -> Result<()> {
    let invalid = |reason: String| Err(Invalid::new("recipients", reason).into());
    if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
        let count = recipients.len();
        return invalid(format!("has {count} partners, and may have 1 to {MAX_RECIPIENTS}"));
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
