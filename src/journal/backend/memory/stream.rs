//! A stream in memory that several nodes share, for simulations: what a JetStream cluster may do to its clients.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use super::MemoryJournal;
use crate::domain::entry::AppendId;
use crate::domain::{Entry, Timestamp};
use crate::journal::backend::jetstream::frame::{Frame, Kind};
use crate::journal::{
    Append, AppendError, AppendOutcome, Journal, JournalError, MAX_ENTRY_BYTES, Stamp, TimeSource,
};

/// Messages among which an id is stored once. Much fewer than in a real stream, so that ids outlive it.
const DEDUP_MESSAGES: usize = 32;

/// Chooses a number below a bound. It decides all that the stream may do differently, so a simulation that
/// chooses by a seed can be repeated.
pub type Choose = Box<dyn FnMut(u32) -> u32 + Send>;

/// A stream. Its nodes see its messages when they are told to.
pub struct MemoryStream {
    inner: Mutex<Inner>,
}

/// A pause of a stream.
pub struct StreamPause<'a> {
    _inner: MutexGuard<'a, Inner>,
}

struct Inner {
    messages: Vec<Message>,
    choose: Choose,
    /// How far the clock of the stream's leader is from that of the nodes, in milliseconds.
    leader_ahead: i64,
    /// How far a leader's clock may be ahead or behind.
    max_skew: i64,
}

/// A stored message. Its sequence is its place.
struct Message {
    id: AppendId,
    /// The time of the leader that stored it.
    time: Timestamp,
    payload: Bytes,
}

/// A node's view of a stream: a copy that ends somewhere before the stream's head.
pub struct StreamNode {
    stream: Arc<MemoryStream>,
    copy: MemoryJournal,
    time: TimeSource,
    /// Whether appends reach the stream and are answered, all of them.
    is_reliable: bool,
}

impl MemoryStream {
    /// An empty stream. The clocks of its leaders differ from those of its nodes by up to `max_skew` milliseconds.
    pub fn new(max_skew: u32, choose: Choose) -> Arc<Self> {
        let max_skew = i64::from(max_skew);
        let inner = Inner { messages: Vec::new(), choose, leader_ahead: 0, max_skew };
        Arc::new(Self { inner: Mutex::new(inner) })
    }

    /// A node with an empty copy. `time` is its clock.
    pub fn node(self: &Arc<Self>, time: TimeSource, is_reliable: bool) -> Arc<StreamNode> {
        let copy = MemoryJournal::new(Arc::clone(&time));
        Arc::new(StreamNode { stream: Arc::clone(self), copy, time, is_reliable })
    }

    /// Keeps appends waiting until the guard is dropped, so that how threads run does not decide what is sent before
    /// the first answer comes.
    pub fn pause(&self) -> StreamPause<'_> {
        StreamPause { _inner: self.lock() }
    }

    /// The sequence of the newest message; 0 if there is none.
    pub fn head(&self) -> u64 {
        self.lock().messages.len() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether something happens that happens once in `times`.
    fn happens(&mut self, times: u32) -> bool {
        (self.choose)(times) == 0
    }

    /// Stores a message, unless its id was stored lately. Returns its sequence, and whether it was.
    fn publish(&mut self, id: AppendId, now: Timestamp, payload: Bytes) -> (u64, bool) {
        let before = self.messages.len().saturating_sub(DEDUP_MESSAGES);
        let recent = &self.messages[before..];
        if let Some(at) = recent.iter().position(|message| message.id == id) {
            return ((before + at) as u64 + 1, true);
        }
        if self.happens(8) {
            // Another leader, whose clock is ahead or behind.
            let range = u32::try_from(2 * self.max_skew + 1).unwrap_or(1);
            self.leader_ahead = i64::from((self.choose)(range)) - self.max_skew;
        }
        let time = Timestamp::from_millis(now.as_millis().saturating_add(self.leader_ahead));
        self.messages.push(Message { id, time, payload });
        (self.messages.len() as u64, false)
    }
}

impl StreamNode {
    /// Stores the messages up to a sequence in the copy.
    pub fn deliver(&self, until: u64) -> Result<(), JournalError> {
        self.store(&self.stream.lock(), until)
    }

    fn store(&self, stream: &Inner, until: u64) -> Result<(), JournalError> {
        let head = self.copy.head();
        let mut predecessor = match head {
            0 => Timestamp::default(),
            head => self.copy.read(head, 1)?.first().map_or_else(Timestamp::default, |it| it.time),
        };
        for (sequence, message) in (1..=until).zip(&stream.messages) {
            if sequence <= head {
                continue;
            }
            let frame = Frame::decode(message.payload.clone()).map_err(JournalError::Storage)?;
            predecessor = frame.entry_time(message.time, predecessor);
            self.copy.put(&[Stamp::new(sequence, predecessor).decode(&frame.entry)?])?;
        }
        Ok(())
    }

    /// What becomes of one message: its sequence and whether it was stored before, or nothing that the node knows.
    fn send(&self, stream: &mut Inner, append: &Append) -> Option<(u64, bool)> {
        let time = (self.time)();
        let frame = Frame { kind: Kind::Append, time, entry: append.encoded().clone() };
        let payload = frame.encode();
        if self.is_reliable {
            return Some(stream.publish(append.id(), time, payload));
        }
        if stream.happens(20) {
            return None;
        }
        let mut answer = stream.publish(append.id(), time, payload.clone());
        if stream.happens(10) {
            // The acknowledgement came late, and the client has published it again.
            answer = stream.publish(append.id(), time, payload);
        }
        (!stream.happens(20)).then_some(answer)
    }
}

impl Journal for StreamNode {
    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        let stream = &mut *self.stream.lock();
        let injected = |text: &str| format!("{text}, as a test has it");
        if !self.is_reliable && stream.happens(50) {
            let refused = AppendError::Rejected(injected("no quorum"));
            return batch.iter().map(|_| Err(refused.clone())).collect();
        }
        // Messages that are in flight together may be stored in another order.
        let mut order: Vec<usize> = (0..batch.len()).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, (stream.choose)(u32::try_from(at + 1).unwrap_or(1)) as usize);
        }
        let mut answers = vec![None; batch.len()];
        for at in order {
            if batch[at].encoded().len() <= MAX_ENTRY_BYTES {
                answers[at] = self.send(stream, &batch[at]);
            }
        }
        let until = answers.iter().flatten().map(|(sequence, _)| *sequence).max();
        let stored = until.map_or(Ok(()), |until| self.store(stream, until));
        let outcome = |(append, answer): (&Append, &Option<(u64, bool)>)| {
            let bytes = append.encoded().len();
            if bytes > MAX_ENTRY_BYTES {
                return Err(AppendError::TooLarge { bytes });
            }
            let (sequence, repeated) = answer
                .filter(|_| stored.is_ok())
                .ok_or_else(|| AppendError::Unknown(injected("no acknowledgement")))?;
            let entries = self.copy.read(sequence, 1);
            let entry = entries.ok().and_then(|mut entries| entries.pop());
            let time = entry.map(|entry| entry.time);
            let time = time.ok_or_else(|| AppendError::Unknown(injected("no entry")))?;
            Ok(Stamp { repeated, ..Stamp::new(sequence, time) })
        };
        batch.iter().zip(&answers).map(outcome).collect()
    }

    fn put(&self, entries: &[Entry]) -> Result<(), JournalError> {
        self.copy.put(entries)
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.copy.read(from, limit)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.copy.watch()
    }

    fn oldest(&self) -> u64 {
        self.copy.oldest()
    }

    fn trim(&self, before: u64) -> Result<(), JournalError> {
        self.copy.trim(before)
    }
}

impl fmt::Debug for MemoryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStream").field("head", &self.head()).finish_non_exhaustive()
    }
}

impl fmt::Debug for StreamPause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamPause")
    }
}

impl fmt::Debug for StreamNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamNode").field("copy", &self.copy).finish_non_exhaustive()
    }
}
