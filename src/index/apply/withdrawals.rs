//! Records when authors withdrew assessments, so that a value that is sent again is named in the receipt.

use super::Applier;
use crate::domain::entry::{Outcome, WithdrawalSweep};
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::Result;
use crate::index::keys::lists;
use crate::index::record::{WithdrawalRecord, decode, encode};
use crate::index::store::Slice;

impl Applier {
    /// Records when an author withdrew the assessment that was stored under `key`, and by which target.
    pub(super) fn record_withdrawal(
        &mut self,
        key: &[u8],
        author: &PartnerId,
        at: Timestamp,
        by: Position,
    ) {
        self.put(lists::has_withdrawn(author), Vec::new());
        let withdrawn = lists::withdrawn(key);
        self.put(lists::withdrawn_by(by), encode(&withdrawn));
        self.put(withdrawn, WithdrawalRecord { at, by }.encode());
    }

    /// When the author withdrew its last assessment under `key`, if it did. Deletes the record: the value is current
    /// again.
    pub(super) fn take_withdrawn(&mut self, key: &[u8]) -> Result<Option<Timestamp>> {
        let key = lists::withdrawn(key);
        let Some(stored) = self.read(&key)? else { return Ok(None) };
        let WithdrawalRecord { at, by } = WithdrawalRecord::decode(&stored)?;
        self.remove(key);
        self.remove(lists::withdrawn_by(by));
        Ok(Some(at))
    }

    /// Deletes records of withdrawals past their retention.
    pub(super) fn withdrawal_sweep(&mut self, sweep: &WithdrawalSweep) -> Result<Outcome> {
        for target in &sweep.targets {
            let by = lists::withdrawn_by(*target);
            // The value may have been sent again meanwhile.
            let Some(stored) = self.read(&by)? else { continue };
            let withdrawn: &[u8] = decode(&stored, "the key of a withdrawal")?;
            self.remove(Slice::from(withdrawn));
            self.remove(by);
        }
        Ok(Outcome::Applied(Vec::new()))
    }
}
