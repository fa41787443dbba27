//! The end of a journal, which the next append continues.

use super::window::DedupWindow;
use crate::domain::entry::AppendId;
use crate::domain::{Entry, Timestamp};
use crate::journal::{
    Append, AppendError, AppendOutcome, JournalError, MAX_ENTRY_BYTES, Stamp, TimeSource, codec,
    damaged,
};

/// An entry as a backend writes it.
#[derive(Debug)]
pub struct Stamped<'a> {
    /// Its sequence and time.
    pub stamp: Stamp,
    /// The id under which it is stored once.
    pub id: AppendId,
    /// Its encoded bytes.
    pub bytes: &'a [u8],
}

/// The newest sequence and time, and the ids of the latest entries.
#[derive(Debug, Default)]
pub struct JournalEnd {
    /// The newest sequence; 0 when there is none.
    pub sequence: u64,
    /// Its time.
    pub time: Timestamp,
    /// The latest ids.
    pub window: DedupWindow,
}

/// What a batch of appends becomes: an outcome for each, should the write succeed, and what to write.
pub struct Plan<'a> {
    /// One for each append.
    pub outcomes: Vec<AppendOutcome>,
    /// The entries that are new.
    pub new: Vec<Stamped<'a>>,
}

impl Plan<'_> {
    /// The outcomes after the write failed: what was new is stored or not.
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
    /// Decides each append of a batch: a known id repeats its stamp, an entry that is too large is rejected, and the
    /// others follow the end.
    pub fn plan<'a>(&self, batch: &'a [Append], time: &TimeSource) -> Plan<'a> {
        let mut last = Stamp::new(self.sequence, self.time);
        let mut stamped = DedupWindow::default();
        let mut plan = Plan { outcomes: Vec::with_capacity(batch.len()), new: Vec::new() };
        for append in batch {
            let id = append.id();
            let outcome = match self.window.find(id).or_else(|| stamped.find(id)) {
                Some(known) => Ok(known),
                None if append.encoded().len() > MAX_ENTRY_BYTES => {
                    Err(AppendError::TooLarge { bytes: append.encoded().len() })
                }
                None => {
                    let time = time().max(last.time);
                    last = Stamp::new(last.sequence + 1, time);
                    stamped.insert(id, last);
                    plan.new.push(Stamped { stamp: last, id, bytes: append.encoded() });
                    Ok(last)
                }
            };
            plan.outcomes.push(outcome);
        }
        plan
    }

    /// Moves on to entries that were written.
    pub fn advance(&mut self, written: &[Stamped<'_>]) {
        for entry in written {
            self.observe(entry.id, entry.stamp);
        }
    }

    /// Moves on to one entry.
    pub fn observe(&mut self, id: AppendId, stamp: Stamp) {
        (self.sequence, self.time) = (stamp.sequence, stamp.time);
        self.window.insert(id, stamp);
    }

    /// Encodes entries that have their stamps, and checks that they continue this end. An empty journal takes any first
    /// sequence.
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

    /// Entries with their encoded bytes.
    pub fn stamped<'a>(entries: &[Entry], encoded: &'a [Vec<u8>]) -> Vec<Stamped<'a>> {
        let stamped = |(entry, bytes): (&Entry, &'a Vec<u8>)| Stamped {
            stamp: Stamp::new(entry.sequence, entry.time),
            id: entry.id,
            bytes,
        };
        entries.iter().zip(encoded).map(stamped).collect()
    }
}
