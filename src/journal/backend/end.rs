//! The end of a journal, from which the next append continues.

use super::window::DedupWindow;
use crate::domain::entry::AppendId;
use crate::domain::{Entry, Timestamp};
use crate::journal::{
    Append, AppendError, AppendOutcome, JournalError, MAX_ENTRY_BYTES, Stamp, TimeSource, codec,
    damaged,
};

/// An entry as a backend stores it.
#[derive(Debug)]
pub struct Stamped<'a> {
    /// Its sequence and time.
    pub stamp: Stamp,
    /// The idempotency key.
    pub id: AppendId,
    /// The encoded entry.
    pub bytes: &'a [u8],
}

/// The newest sequence and time, and the recent ids.
#[derive(Debug, Default)]
pub struct JournalEnd {
    /// The newest sequence; 0 if there is none.
    pub sequence: u64,
    /// Its time.
    pub time: Timestamp,
    /// The recent ids.
    pub window: DedupWindow,
}

/// What a batch of appends becomes if its write succeeds.
pub struct Plan<'a> {
    /// One outcome per append.
    pub outcomes: Vec<AppendOutcome>,
    /// The entries to write.
    pub new: Vec<Stamped<'a>>,
}

impl Plan<'_> {
    /// The outcomes if the write failed: the new entries may be stored or not.
    pub fn unknown(self, reason: &str) -> Vec<AppendOutcome> {
        let Some(first) = self.new.first() else { return self.outcomes };
        let is_new = |stamp: &Stamp| stamp.sequence >= first.stamp.sequence;
        let outcomes = self.outcomes.into_iter().map(|outcome| match outcome {
            Ok(stamp) if is_new(&stamp) => Err(AppendError::Unknown(reason.to_owned())),
            other => other,
        });
        outcomes.collect()
    }
}

impl JournalEnd {
    /// Plans a batch. A known id repeats its stamp, an entry that is too large is rejected, and the
    /// others continue the journal.
    pub fn plan<'a>(&self, batch: &'a [Append], time: &TimeSource) -> Plan<'a> {
        let mut last = Stamp::new(self.sequence, self.time);
        let mut batch_ids = DedupWindow::default();
        let mut plan = Plan { outcomes: Vec::with_capacity(batch.len()), new: Vec::new() };
        for append in batch {
            let id = append.id();
            let outcome = match self.window.find(id).or_else(|| batch_ids.find(id)) {
                Some(known) => Ok(known),
                None if append.encoded().len() > MAX_ENTRY_BYTES => {
                    Err(AppendError::TooLarge { bytes: append.encoded().len() })
                }
                None => {
                    let time = time().max(last.time);
                    last = Stamp::new(last.sequence + 1, time);
                    batch_ids.insert(id, last);
                    plan.new.push(Stamped { stamp: last, id, bytes: append.encoded() });
                    Ok(last)
                }
            };
            plan.outcomes.push(outcome);
        }
        plan
    }

    /// Advances past entries that were written.
    pub fn advance(&mut self, written: &[Stamped<'_>]) {
        for entry in written {
            self.observe(entry.id, entry.stamp);
        }
    }

    /// Advances past one entry.
    pub fn observe(&mut self, id: AppendId, stamp: Stamp) {
        (self.sequence, self.time) = (stamp.sequence, stamp.time);
        self.window.insert(id, stamp);
    }

    /// Encodes entries that already have stamps, and checks that they continue the journal. An empty
    /// journal accepts any first sequence.
    pub fn encode(&self, entries: &[Entry]) -> Result<Vec<Vec<u8>>, JournalError> {
        let mut last = (self.sequence, self.time);
        let mut encoded = Vec::with_capacity(entries.len());
        for entry in entries {
            if last.0 > 0 && entry.sequence != last.0 + 1 || entry.sequence == 0 {
                return Err(JournalError::OutOfOrder { expected: last.0 + 1, got: entry.sequence });
            }
            if entry.time < last.1 {
                return Err(damaged(entry.sequence, "its time is before its predecessor's"));
            }
            let bytes = codec::encode_entry(entry.id, entry.author.as_ref(), &entry.body);
            if bytes.len() > MAX_ENTRY_BYTES {
                return Err(damaged(entry.sequence, format!("it has {} bytes", bytes.len())));
            }
            last = (entry.sequence, entry.time);
            encoded.push(bytes);
        }
        Ok(encoded)
    }

    /// Combines entries with their encoded bytes.
    pub fn stamped<'a>(entries: &[Entry], encoded: &'a [Vec<u8>]) -> Vec<Stamped<'a>> {
        let stamped = |(entry, bytes): (&Entry, &'a Vec<u8>)| Stamped {
            stamp: Stamp::new(entry.sequence, entry.time),
            id: entry.id,
            bytes,
        };
        entries.iter().zip(encoded).map(stamped).collect()
    }
}
