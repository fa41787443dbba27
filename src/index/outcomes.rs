//! What entries came to: the latest in memory, and those who wait for theirs.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::domain::entry::Outcome;

/// How many outcomes are kept in memory. Readers that are further back find them on disk.
const KEPT: usize = 4_096;

/// Outcomes of the latest entries, in order.
#[derive(Debug)]
pub struct Outcomes {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The last entry whose outcome was published.
    last: u64,
    /// The outcomes up to `last`, without a gap.
    recent: VecDeque<Arc<Outcome>>,
    waiting: HashMap<u64, Vec<oneshot::Sender<Arc<Outcome>>>>,
}

/// An outcome, and one who waits for it.
#[derive(Debug)]
pub struct Answer {
    waiting: oneshot::Sender<Arc<Outcome>>,
    outcome: Arc<Outcome>,
}

impl Answer {
    /// Tells it. Whoever waited may have gone: its deadline passed, or its connection broke.
    pub fn tell(self) {
        let _ = self.waiting.send(self.outcome);
    }
}

/// Where the outcome of an entry is to be had.
#[derive(Debug)]
pub enum OutcomeLookup {
    /// Here.
    Recent(Arc<Outcome>),
    /// On disk: it is older than what is kept here.
    Stored,
    /// It is not there yet, and comes over this.
    Waiting(oneshot::Receiver<Arc<Outcome>>),
}

impl Outcomes {
    /// Outcomes behind an entry.
    pub fn new(last: u64) -> Self {
        let inner = Inner { last, recent: VecDeque::new(), waiting: HashMap::new() };
        Self { inner: Mutex::new(inner) }
    }

    /// Takes the outcomes of entries that were applied, and gives back who waits for them: to be told
    /// once everything else of the entries can be seen.
    pub fn publish(&self, last: u64, finished: Vec<(u64, Arc<Outcome>)>) -> Vec<Answer> {
        let mut answers = Vec::new();
        let mut inner = self.lock();
        let published = std::mem::replace(&mut inner.last, last);
        // An index that was opened again may have applied some of them for a second time.
        for (sequence, outcome) in finished.into_iter().filter(|one| one.0 > published) {
            let waiting = inner.waiting.remove(&sequence).into_iter().flatten();
            answers
                .extend(waiting.map(|waiting| Answer { waiting, outcome: Arc::clone(&outcome) }));
            if inner.recent.len() == KEPT {
                inner.recent.pop_front();
            }
            inner.recent.push_back(outcome);
        }
        answers
    }

    /// Finds the outcome of an entry.
    pub fn find(&self, sequence: u64) -> OutcomeLookup {
        let mut inner = self.lock();
        if sequence > inner.last {
            let (sender, receiver) = oneshot::channel();
            inner.waiting.entry(sequence).or_default().push(sender);
            return OutcomeLookup::Waiting(receiver);
        }
        let back = usize::try_from(inner.last - sequence).unwrap_or(usize::MAX);
        match inner.recent.len().checked_sub(back.saturating_add(1)) {
            Some(at) => OutcomeLookup::Recent(Arc::clone(&inner.recent[at])),
            None => OutcomeLookup::Stored,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
