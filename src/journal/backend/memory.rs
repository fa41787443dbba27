//! The reference backend, in memory, with a hook for faults.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::window::Window;
use crate::journal::{Append, AppendError, Journal, JournalError, Stamp, TimeSource, codec};
use crate::domain::{Entry, Timestamp};

/// What becomes of one append, for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is stored, and the answer is `Rejected`.
    Rejected,
    /// Nothing is stored, and the answer is `Unknown`.
    Lost,
    /// It is stored, and the answer is `Unknown`.
    StoredButUnanswered,
}

/// A journal in memory: it lasts as long as the value does.
pub struct MemoryJournal {
    inner: Mutex<Inner>,
    time: TimeSource,
}

#[derive(Default)]
struct Inner {
    /// The stored bytes, decoded at each read as a backend on disk does.
    entries: VecDeque<(Timestamp, bytes::Bytes)>,
    /// The sequence of the first of them.
    oldest: u64,
    window: Window,
    faults: VecDeque<Fault>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new(time: TimeSource) -> Self {
        Self { inner: Mutex::new(Inner { oldest: 1, ..Inner::default() }), time }
    }

    /// Lets the next append that has no fault yet end so.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal").field("head", &self.head()).finish_non_exhaustive()
    }
}

impl Journal for MemoryJournal {
    fn append(&self, batch: &[Append]) -> Result<Vec<Stamp>, AppendError> {
        let mut inner = self.lock();
        let fault = inner.faults.pop_front();
        match fault {
            Some(Fault::Rejected) => return Err(AppendError::Rejected("as injected".into())),
            Some(Fault::Lost) => return Err(AppendError::Unknown("as injected".into())),
            Some(Fault::StoredButUnanswered) | None => {}
        }
        let mut stamps = Vec::with_capacity(batch.len());
        for append in batch {
            let stamp = inner.window.find(append.id()).unwrap_or_else(|| {
                let sequence = inner.oldest + inner.entries.len() as u64;
                let last = inner.entries.back().map_or(Timestamp::default(), |(time, _)| *time);
                let stamp = Stamp { sequence, time: (self.time)().max(last), repeated: false };
                inner.entries.push_back((stamp.time, append.encoded().clone()));
                inner.window.insert(append.id(), stamp);
                stamp
            });
            stamps.push(stamp);
        }
        match fault {
            None => Ok(stamps),
            Some(_) => Err(AppendError::Unknown("as injected".into())),
        }
    }

    fn read(&self, from: u64, most: usize) -> Result<Vec<Entry>, JournalError> {
        let inner = self.lock();
        let oldest = inner.oldest;
        if from < oldest {
            return Err(JournalError::Trimmed { asked: from, oldest });
        }
        let skipped = usize::try_from(from - oldest).unwrap_or(usize::MAX);
        let read = inner.entries.iter().skip(skipped).take(most).zip(from..);
        read.map(|((time, bytes), sequence)| {
            codec::decode_entry(sequence, *time, bytes)
                .map_err(|error| crate::journal::damaged(sequence, error.to_string()))
        })
        .collect()
    }

    fn head(&self) -> u64 {
        let inner = self.lock();
        inner.oldest + inner.entries.len() as u64 - 1
    }

    fn oldest(&self) -> u64 {
        self.lock().oldest
    }

    fn trim(&self, before: u64) -> Result<(), JournalError> {
        let mut inner = self.lock();
        while inner.oldest < before && inner.entries.len() > 1 {
            inner.entries.pop_front();
            inner.oldest += 1;
        }
        Ok(())
    }
}
