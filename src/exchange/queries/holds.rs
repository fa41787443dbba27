//! Lists of legal holds, and of the copies in them.

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

/// The most copies on a page. Each is a whole assessment.
const MAX_COPIES: usize = 250;

/// A page of holds, and the hold after which the next page starts; `None` on the last page.
pub type HoldPage = (Vec<LegalHold>, Option<(PartnerId, HoldId)>);

impl Queries {
    /// A page of the holds that have not ended, ordered by author and id. A partner gets its own holds. An operator
    /// gets all holds, without their reasons.
    pub fn list_holds(
        &self,
        caller: &Caller,
        after: Option<&(PartnerId, HoldId)>,
        size: usize,
    ) -> Result<HoldPage> {
        let is_operator = caller.role() == Role::Operator;
        let only_author = (!is_operator).then(|| caller.partner());
        // A forged page token must not lead to holds of another author.
        let after = after.filter(|(author, _)| is_operator || author == caller.partner());
        let size = page_size(size);
        let now = self.core.clock.now();
        let mut holds: Vec<LegalHold> = Vec::new();
        for found in self.core.index.read()?.holds(only_author, after) {
            let (author, id, mut record) = found?;
            if record.has_ended(now) {
                continue;
            }
            if holds.len() == size {
                let next = holds.last().map(|last| (last.author.clone(), last.id));
                return Ok((holds, next));
            }
            if is_operator {
                record.reason = "".into();
            }
            holds.push(LegalHold { id, author, record });
        }
        Ok((holds, None))
    }

    /// A page of the copies in a hold of the caller, ordered by version, after a version; and whether there are
    /// more.
    pub fn list_held_objects(
        &self,
        caller: &Caller,
        hold: HoldId,
        after: Option<Position>,
        size: usize,
    ) -> Result<(Vec<AssessmentView>, bool)> {
        let view = self.core.index.read()?;
        self.core.own_hold(&view, caller, hold)?;
        let size = page_size(size).min(MAX_COPIES);
        let mut copies = view.held_copies(caller.partner(), hold, after, size + 1)?;
        let more = copies.len() > size;
        copies.truncate(size);
        let author = caller.partner();
        let unredacted = |record: AssessmentRecord| {
            let Sharing { tlp, audience, releases } = record.sharing.clone();
            let sharing = SharingView { tlp, audience, releases };
            AssessmentView { author: author.clone(), record, sharing }
        };
        Ok((copies.into_iter().map(unredacted).collect(), more))
    }
}
