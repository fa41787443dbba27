//! Legal holds: copies that the exchange keeps of a partner's objects, whatever becomes of them.

use super::selection::{Parts, Scope, Selection};
use super::submit::refused;
use super::{AssessmentView, Caller, Exchange};
use crate::domain::entry::{
    AppendId, Body, HoldAct, HoldChange, HoldId, HoldPlaced, LastPart, Outcome, Rejection,
    RequestId, VoidReason,
};
use crate::domain::partner::Role;
use crate::domain::sharing::SharingView;
use crate::domain::{PartnerId, Position, Sharing};
use crate::error::{Error, Kind, Result};
use crate::index::View;
use crate::index::record::{AssessmentRecord, HoldRecord};
use crate::journal::Append;

/// How many objects one entry holds. A larger hold becomes several.
const OBJECTS_AT_ONCE: usize = 500;
/// The most holds on a page, and the most copies.
const MOST: usize = 1_000;
const MOST_COPIES: usize = 250;
const DEFAULT: usize = 100;

/// A hold as it was asked for.
#[derive(Clone, Debug)]
pub struct HoldRequest {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// What is to be kept.
    pub selection: Selection,
    /// Why.
    pub reason: Box<str>,
}

/// A hold, as who asks may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// Its id.
    pub id: HoldId,
    /// Who placed it.
    pub author: PartnerId,
    /// When, until when, how much and why; the reason is there for its author alone.
    pub kept: HoldRecord,
}

/// A page of holds, and behind which of them the next one begins; `None` on the last.
pub type HoldPage = (Vec<LegalHold>, Option<(PartnerId, HoldId)>);

/// A hold that was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedHold {
    /// The hold.
    pub hold: LegalHold,
    /// Keys that could not be read.
    pub rejected: Vec<Rejection>,
    /// The entries that placed it.
    pub sequences: Vec<u64>,
    /// Whether it had been placed before.
    pub replayed: bool,
}

impl Exchange {
    /// Keeps copies of a caller's own current objects, once for one key.
    pub async fn place_hold(&self, caller: &Caller, request: HoldRequest) -> Result<PlacedHold> {
        let HoldRequest { request, digest, selection, reason } = request;
        let hold = HoldId::of(caller.partner(), &request);
        if let Some(last) = self.keyed_before(caller, &request, digest)? {
            return self.placed(caller, hold, last, true).await;
        }
        let selected =
            self.select(caller.partner(), &selection, Scope::Assessments, |_| None).await?;
        if selected.objects.is_empty() {
            let message = "there is nothing to keep: you say nothing of this at the moment";
            return Err(Error::new(Kind::NotFound, "nothing_to_hold", message));
        }
        let parts = Parts { request: &request, digest, selected, at_once: OBJECTS_AT_ONCE };
        let body = |objects, last| {
            let (request, reason) = (request.clone(), reason.clone());
            Body::HoldPlaced(HoldPlaced { hold, request, digest, last, reason, objects })
        };
        let (last, replayed) = self.append_parts(caller, parts, body).await?;
        self.placed(caller, hold, last, replayed).await
    }

    async fn placed(
        &self,
        caller: &Caller,
        hold: HoldId,
        last: u64,
        replayed: bool,
    ) -> Result<PlacedHold> {
        let logged = self.entry(last).await?;
        let Body::HoldPlaced(HoldPlaced { last: Some(part), .. }) = &logged.entry.body else {
            return Err(refused(&VoidReason::Conflicts(last)));
        };
        let LastPart { earlier, rejected, .. } = part.clone();
        let sequences = earlier.into_iter().chain([last]).collect();
        let hold = self.own_hold(&self.index.read()?, caller, hold)?;
        Ok(PlacedHold { hold, rejected, sequences, replayed })
    }

    /// Has a hold of a caller's last its whole time again from now on.
    pub async fn renew_hold(&self, caller: &Caller, hold: HoldId) -> Result<LegalHold> {
        self.change_hold(caller, hold, HoldAct::Renewed).await?;
        self.own_hold(&self.index.read()?, caller, hold)
    }

    /// Ends a hold of a caller's.
    pub async fn lift_hold(&self, caller: &Caller, hold: HoldId) -> Result<()> {
        self.change_hold(caller, hold, HoldAct::Lifted).await
    }

    async fn change_hold(&self, caller: &Caller, hold: HoldId, act: HoldAct) -> Result<()> {
        // The same for a hold that is another's and for none.
        self.own_hold(&self.index.read()?, caller, hold)?;
        let id = AppendId::derive(&[
            b"hold",
            caller.partner().as_str().as_bytes(),
            hold.as_bytes(),
            format!("{act:?}").as_bytes(),
            &self.index.checkpoint().to_be_bytes(),
        ]);
        let body = Body::HoldChange(HoldChange { hold, act });
        let stamp = self.append(Append::new(id, Some(caller.partner().clone()), body)).await?;
        match &*self.index.outcome(stamp.sequence).await? {
            Outcome::Taken(_) => Ok(()),
            Outcome::Void(reason) => Err(refused(reason)),
        }
    }

    /// The holds that have not ended, by author and id, and where the next page begins: a caller's own, and
    /// for an operator those of everybody, without why.
    pub fn list_holds(
        &self,
        caller: &Caller,
        behind: Option<&(PartnerId, HoldId)>,
        size: usize,
    ) -> Result<HoldPage> {
        let is_operator = caller.role() == Role::Operator;
        let of = (!is_operator).then(|| caller.partner());
        // A place that was made up leads nowhere else.
        let behind = behind.filter(|(author, _)| is_operator || author == caller.partner());
        let size = if size == 0 { DEFAULT } else { size.min(MOST) };
        let now = self.clock.now();
        let mut holds: Vec<LegalHold> = Vec::new();
        for found in self.index.read()?.holds(of, behind) {
            let (author, id, mut kept) = found?;
            if kept.has_ended(now) {
                continue;
            }
            if holds.len() == size {
                let next = holds.last().map(|last| (last.author.clone(), last.id));
                return Ok((holds, next));
            }
            if is_operator {
                kept.reason = "".into();
            }
            holds.push(LegalHold { id, author, kept });
        }
        Ok((holds, None))
    }

    /// The copies that a hold of the caller's keeps, by version, behind one of them; and whether there are
    /// more.
    pub fn list_held(
        &self,
        caller: &Caller,
        hold: HoldId,
        behind: Option<Position>,
        size: usize,
    ) -> Result<(Vec<AssessmentView>, bool)> {
        let view = self.index.read()?;
        self.own_hold(&view, caller, hold)?;
        let size = if size == 0 { DEFAULT } else { size.min(MOST_COPIES) };
        let mut copies = view.held(caller.partner(), hold, behind, size + 1)?;
        let more = copies.len() > size;
        copies.truncate(size);
        let author = caller.partner();
        let whole = |current: AssessmentRecord| {
            let Sharing { tlp, audience, releases } = current.sharing.clone();
            let view = SharingView { tlp, audience, releases };
            AssessmentView { author: author.clone(), current, view }
        };
        Ok((copies.into_iter().map(whole).collect(), more))
    }

    /// A hold of the caller's that has not ended.
    fn own_hold(&self, view: &View<'_>, caller: &Caller, id: HoldId) -> Result<LegalHold> {
        let kept = view.hold(caller.partner(), id)?;
        let kept = kept.filter(|kept| !kept.has_ended(self.clock.now()));
        let kept = kept.ok_or_else(|| refused(&VoidReason::HoldGone))?;
        Ok(LegalHold { id, author: caller.partner().clone(), kept })
    }
}
