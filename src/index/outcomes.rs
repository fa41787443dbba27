//! Outcomes of recent entries, cached in memory, and the requests that wait for theirs.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::domain::entry::Outcome;

/// Outcomes kept in memory. Older ones are read from disk.
const RECENT_OUTCOMES: usize = 4_096;

/// Cache of recent outcomes, in journal order.
#[derive(Debug)]
pub struct Outcomes {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The last published sequence.
    last: u64,
    /// The outcomes up to `last`, without a gap.
    recent: VecDeque<Arc<Outcome>>,
    waiting: HashMap<u64, Vec<oneshot::Sender<Arc<Outcome>>>>,
}

/// A request that waits for an outcome, with the outcome.
#[derive(Debug)]
pub struct Waiter {
    sender: oneshot::Sender<Arc<Outcome>>,
    outcome: Arc<Outcome>,
}

impl Waiter {
    /// Sends the outcome. The receiver may be gone: its deadline passed or its connection broke.
    pub fn notify(self) {
        let _ = self.sender.send(self.outcome);
    }
}

/// Where the outcome of an entry is.
#[derive(Debug)]
pub enum OutcomeLookup {
    /// In the cache.
    Recent(Arc<Outcome>),
    /// On disk: it is older than the cache.
    Stored,
    /// Not there yet. It arrives through the channel.
    Waiting(oneshot::Receiver<Arc<Outcome>>),
}

impl Outcomes {
    /// An empty cache after entry `last`.
    pub fn new(last: u64) -> Self {
        let inner = Inner { last, recent: VecDeque::new(), waiting: HashMap::new() };
        Self { inner: Mutex::new(inner) }
    }

    /// Adds outcomes of applied entries. Returns the waiting requests; notify them once everything else
    /// of the entries is visible.
    pub fn publish(&self, last: u64, outcomes: Vec<(u64, Arc<Outcome>)>) -> Vec<Waiter> {
        let mut waiters = Vec::new();
        let mut inner = self.lock();
        let published = std::mem::replace(&mut inner.last, last);
        // A reopened index may apply entries for a second time.
        for (sequence, outcome) in outcomes.into_iter().filter(|one| one.0 > published) {
            let waiting = inner.waiting.remove(&sequence).into_iter().flatten();
            waiters.extend(waiting.map(|sender| Waiter { sender, outcome: Arc::clone(&outcome) }));
            if inner.recent.len() == RECENT_OUTCOMES {
                inner.recent.pop_front();
            }
            inner.recent.push_back(outcome);
        }
        waiters
    }

    /// Looks up the outcome of an entry.
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
