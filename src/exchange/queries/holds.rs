//! Lists of legal holds, and of the copies that they keep.

use crate::domain::accepted::AssessmentRecord;
use crate::domain::entry::HoldId;
use crate::domain::page::page_size;
use crate::domain::partner::Role;
use crate::domain::sharing::SharingView;
use crate::domain::{PartnerId, Position, Sharing};
use crate::error::Result;
use crate::exchange::core::Caller;
use crate::exchange::queries::Queries;
use crate::exchange::visibility::hold::LegalHold;
use crate::exchange::visibility::indicator::AssessmentView;

/// Copies on a page: each is a whole assessment.
const MAX_COPIES: usize = 250;

/// A page of holds, and behind which of them the next one begins; `None` on the last.
pub type HoldPage = (Vec<LegalHold>, Option<(PartnerId, HoldId)>);

impl Queries {
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
        let size = page_size(size);
        let now = self.core.clock.now();
        let mut holds: Vec<LegalHold> = Vec::new();
        for found in self.core.index.read()?.holds(of, behind) {
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
            holds.push(LegalHold { id, author, record: kept });
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
        let view = self.core.index.read()?;
        self.core.own_hold(&view, caller, hold)?;
        let size = page_size(size).min(MAX_COPIES);
        let mut copies = view.held_copies(caller.partner(), hold, behind, size + 1)?;
        let more = copies.len() > size;
        copies.truncate(size);
        let author = caller.partner();
        let whole = |current: AssessmentRecord| {
            let Sharing { tlp, audience, releases } = current.sharing.clone();
            let view = SharingView { tlp, audience, releases };
            AssessmentView { author: author.clone(), record: current, sharing: view }
        };
        Ok((copies.into_iter().map(whole).collect(), more))
    }
}
