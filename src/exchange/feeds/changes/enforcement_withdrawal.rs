//! Withdrawals of enforcements.

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::EnforcementWithdrawal;
use crate::domain::sharing::NO_RELEASE_EXPIRED;
use crate::domain::{Position, may_see};
use crate::error::Result;
use crate::exchange::feeds::changes::Input;
use crate::exchange::feeds::event::{FeedEvent, Removal, RemovalReason, RemovedObject};

/// The enforcements that an entry withdrew and that the reader may have received: it could see them immediately before the
/// entry, and its filter matches them. The clock ends no release here: the reader may hold what was released to it.
pub fn changes(input: &Input<'_>, withdrawal: &EnforcementWithdrawal) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let Some(author) = entry.author.as_ref().filter(|_| input.may_hold_versions()) else {
        return Ok(None);
    };
    let Some(reader_before) = input.reader_before() else { return Ok(None) };
    let mut removals = Vec::new();
    for (index, target) in (0u32..).zip(&withdrawal.targets) {
        let item = Position::new(entry.sequence, index);
        if input.was_delivered(item) {
            continue;
        }
        let Some(ended) = input.view.withdrawn_enforcement(item)? else { continue };
        let version = ended.version;
        if may_see(&reader_before, &ended.sharing, author, version, NO_RELEASE_EXPIRED)
            && input.visibility.matches_enforcement(input.view, ended.campaign, input.now)?
        {
            removals.push(Removal {
                position: FeedPosition::after_item(item),
                version,
                object: RemovedObject::Enforcement(target.id.clone()),
                author: author.clone(),
                reason: RemovalReason::Withdrawn,
            });
        }
    }
    Ok((!removals.is_empty()).then_some(FeedEvent::Removals(removals)))
}
