//! Nodes around the pure core: a journal in memory, indexes in memory, a settable clock.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tipoff::clock::Clock;
use tipoff::domain::cursor::EpochId;
use tipoff::domain::entry::AppendId;
use tipoff::domain::partner::{HourlyLimits, Partner, Role};
use tipoff::domain::purpose::PurposeKind;
use tipoff::domain::{Entry, PartnerId, Timestamp, Tlp};
use tipoff::error::Kind as Fault;
use tipoff::exchange::{Caller, Exchange, Follower, RandomIds, Seed, Settings};
use tipoff::index::Index;
use tipoff::journal::{
    self, Choose, Journal, Log, LogSettings, MemoryCursors, MemoryJournal, MemoryStream,
    StreamNode, TimeSource,
};
use tokio::runtime::Runtime;

use crate::campaigns::Campaigns;
use crate::cast::{FIRST_MEMBERS, definition, id};
use crate::history::MEMBERS;

const HOUR_MS: i64 = 3_600_000;
/// The liaison of the lane's histories.
pub const LIAISONS: [&str; 2] = ["la", "lb"];

/// A clock that stays where it was set.
#[derive(Debug)]
pub struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    #[allow(clippy::disallowed_methods)] // Nothing is measured here.
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// The journal of the nodes.
enum Shared {
    /// The whole journal of one node.
    Memory(Arc<MemoryJournal>),
    /// A stream, and the copy of each node.
    Stream(Arc<MemoryStream>, Vec<Arc<StreamNode>>),
}

/// One or several nodes, and the state that survives their restarts. Calls go to the current node.
pub struct World {
    runtime: Runtime,
    pub clock: Arc<SetClock>,
    shared: Shared,
    indexes: Vec<Arc<Index>>,
    settings: Settings,
    nodes: Vec<Option<Node>>,
    current: usize,
    pub campaigns: Campaigns,
}

struct Node {
    exchange: Arc<Exchange>,
    follower: Follower,
    log: Arc<Log>,
}

impl World {
    /// A node with a journal of its own.
    pub fn new() -> Self {
        let clock = Arc::new(SetClock(AtomicI64::new(1_700_000_000_000)));
        let journal = MemoryJournal::new(time_of(&clock));
        Self::start_new(clock, Shared::Memory(Arc::new(journal)), 1)
    }

    /// Nodes that share a stream. `choose` decides what the stream does.
    pub fn with_nodes(count: usize, choose: Choose) -> Self {
        let clock = Arc::new(SetClock(AtomicI64::new(1_700_000_000_000)));
        // More than a second would move the times of entries, and the model knows the nodes' clock alone.
        let stream = MemoryStream::new(900, choose);
        let nodes = (0..count).map(|_| stream.node(time_of(&clock), false)).collect();
        Self::start_new(clock, Shared::Stream(stream, nodes), count)
    }

    fn start_new(clock: Arc<SetClock>, shared: Shared, count: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let indexes = (0..count).map(|_| Arc::new(Index::in_memory().unwrap())).collect();
        let nodes = (0..count).map(|_| None).collect();
        let campaigns = Campaigns::default();
        let counter = AtomicU64::new(0);
        let next = move || {
            let number = counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            *AppendId::derive(&[b"random", &number]).as_bytes()
        };
        let settings = Settings { random_ids: RandomIds::from_fn(next), ..Settings::default() };
        let mut world =
            Self { runtime, shared, clock, indexes, settings, nodes, current: 0, campaigns };
        for node in 0..count {
            world.start(node);
        }
        // A stream may lose a part of it.
        while let Err(error) = {
            let exchange = Arc::clone(world.exchange());
            world.drive(exchange.commands.seed(seed()))
        } {
            assert!(matches!(error.kind(), Fault::Unknown | Fault::Unavailable), "{error}");
        }
        world
    }

    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.nodes[self.current].as_ref().unwrap().exchange
    }

    /// The node that gets the calls.
    pub fn current(&self) -> usize {
        self.current
    }

    /// Sends the next calls to another node, as it is: it may be behind.
    pub fn go_to(&mut self, node: usize) {
        self.current = node;
    }

    /// Sends the next calls to the next node, up to date. It changes nothing if there is one node.
    ///
    /// The node that failed starts again. That waits for what it had queued, so that a seed decides all.
    pub fn fail_over(&mut self) {
        let next = (self.current + 1) % self.nodes.len();
        if next != self.current {
            self.restart(false);
            self.deliver(next, self.head());
            self.go_to(next);
        }
    }

    /// Gives a node what the stream holds up to a sequence. The node applies it.
    pub fn deliver(&mut self, node: usize, until: u64) {
        if let Shared::Stream(_, copies) = &self.shared {
            copies[node].deliver(until).unwrap();
            // The log publishes the head on a thread of its own, and the follower reads up to it.
            let Node { follower, log, .. } = self.nodes[node].as_mut().unwrap();
            let (mut head, reached) = (log.watch(), copies[node].head());
            self.runtime.block_on(head.wait_for(|head| *head >= reached)).unwrap();
            follower.catch_up(|_| ControlFlow::Continue(())).unwrap();
        }
    }

    /// The newest sequence of the journal, which nodes may not have yet.
    pub fn head(&self) -> u64 {
        match &self.shared {
            Shared::Memory(journal) => journal.head(),
            Shared::Stream(stream, _) => stream.head(),
        }
    }

    fn journal(&self, node: usize) -> Arc<dyn Journal> {
        match &self.shared {
            Shared::Memory(journal) => Arc::clone(journal) as _,
            Shared::Stream(_, copies) => Arc::clone(&copies[node]) as _,
        }
    }

    /// The digest of each index.
    pub fn digests(&self) -> Vec<u32> {
        self.indexes.iter().map(|index| index.read().unwrap().digest().unwrap()).collect()
    }

    /// The entries of a node, with their times.
    pub fn entries(&self, node: usize) -> Vec<Entry> {
        self.journal(node).read(1, usize::MAX).unwrap()
    }

    /// Stops the current node and starts it again, with its index or with the journal only.
    pub fn restart(&mut self, rebuild: bool) {
        let at = self.current;
        self.stop(at);
        if rebuild {
            let before = self.digests()[at];
            self.indexes[at] = Arc::new(Index::in_memory().unwrap());
            self.start(at);
            assert_eq!(self.digests()[at], before, "two indexes of one journal differ");
        } else {
            self.start(at);
        }
    }

    /// Starts the current node without its index and without its copy of the stream. It has everything again.
    pub fn lose_disk(&mut self) {
        let at = self.current;
        self.stop(at);
        let (before, head) = (self.digests()[at], self.journal(at).head());
        if let Shared::Stream(stream, copies) = &mut self.shared {
            copies[at] = stream.node(time_of(&self.clock), false);
            copies[at].deliver(head).unwrap();
        }
        self.indexes[at] = Arc::new(Index::in_memory().unwrap());
        self.start(at);
        assert_eq!(self.digests()[at], before, "a copy that was fetched again differs");
    }

    /// Stops a node. With a stream, waits for what calls that ended early have left behind: blocking reads and queued
    /// appends.
    fn stop(&mut self, node: usize) {
        let Node { exchange, follower, log } = self.nodes[node].take().unwrap();
        drop((exchange, follower));
        let mut spins = 0;
        while matches!(self.shared, Shared::Stream(..)) && Arc::strong_count(&log) > 1 {
            std::thread::yield_now();
            spins += 1;
            assert!(spins < 100_000_000, "somebody keeps a stopped node");
        }
    }

    fn start(&mut self, node: usize) {
        // How many appends are grouped depends on threads: with one each, a seed decides all.
        let settings = match self.shared {
            Shared::Memory(_) => LogSettings::default(),
            Shared::Stream(..) => LogSettings { group: 1, ..LogSettings::default() },
        };
        let log = Arc::new(Log::start(self.journal(node), settings).unwrap());
        let mut follower =
            Follower::new(Arc::clone(&log), Arc::clone(&self.indexes[node])).unwrap();
        follower.catch_up(|_| ControlFlow::Continue(())).unwrap();
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let index = Arc::clone(&self.indexes[node]);
        let cursors = Arc::new(MemoryCursors::default());
        let settings = self.settings.clone();
        let exchange = Exchange::new(Arc::clone(&log), index, cursors, clock, settings);
        self.nodes[node] = Some(Node { exchange: Arc::new(exchange), follower, log });
    }

    /// Begins an epoch of the journal, as each start of a real node does.
    pub fn begin_epoch(&mut self, number: u8) {
        let exchange = Arc::clone(self.exchange());
        self.drive(exchange.begin_epoch(EpochId([number; 8]))).unwrap();
        // No receipt waits for apply.
        let follower = &mut self.nodes[self.current].as_mut().unwrap().follower;
        follower.catch_up(|_| ControlFlow::Continue(())).unwrap();
    }

    /// A copy of the journal.
    pub fn copy(&self) -> MemoryJournal {
        let copy = MemoryJournal::new(time_of(&self.clock));
        copy.put(&self.entries(self.current)).unwrap();
        copy
    }

    /// Starts on a copy of the journal.
    pub fn put_back(&mut self, copy: MemoryJournal) {
        self.nodes[0] = None;
        self.shared = Shared::Memory(Arc::new(copy));
        self.indexes[0] = Arc::new(Index::in_memory().unwrap());
        self.start(0);
    }

    /// Runs a call to its end while the follower applies entries.
    pub fn drive<T>(&mut self, call: impl Future<Output = T>) -> T {
        let Node { follower, log, .. } = self.nodes[self.current].as_mut().unwrap();
        self.runtime.block_on(async {
            // Without a budget of operations and without answers meanwhile, all that a call begins is queued before the
            // first answer comes.
            let call = tokio::task::unconstrained(call);
            tokio::pin!(call);
            let mut call = std::future::poll_fn(|context| {
                let _paused = match &self.shared {
                    Shared::Memory(_) => None,
                    Shared::Stream(stream, _) => Some(stream.pause()),
                };
                call.as_mut().poll(context)
            });
            let mut head = log.watch();
            loop {
                follower.catch_up(|_| ControlFlow::Continue(())).unwrap();
                tokio::select! {
                    biased;
                    done = &mut call => return done,
                    changed = head.changed() => changed.unwrap(),
                }
            }
        })
    }

    /// Runs a read.
    pub fn read<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }

    /// Removes every entry except the newest.
    pub fn trim(&self) {
        let journal = self.journal(self.current);
        journal.trim(journal.head()).unwrap();
    }

    /// A fault of the next append. A stream has faults of its own.
    pub fn inject(&self, which: u8) {
        if let Shared::Memory(journal) = &self.shared {
            journal.inject(match which {
                0 => journal::Fault::Rejected,
                1 => journal::Fault::Lost,
                _ => journal::Fault::StoredButUnanswered,
            });
        }
    }

    pub fn wait(&mut self, hours: u16) {
        self.clock.0.fetch_add(i64::from(hours) * HOUR_MS, Ordering::Relaxed);
    }

    pub fn hours_ago(&self, hours: u16) -> Timestamp {
        Timestamp::from_millis(self.clock.now().as_millis() - i64::from(hours) * HOUR_MS)
    }

    pub fn in_hours(&self, hours: u16) -> Timestamp {
        self.clock.now().plus(Duration::from_secs(u64::from(hours) * 3_600))
    }

    pub fn caller(&self, partner: u8) -> Result<Caller, tipoff::error::Error> {
        self.exchange().admit(&id(partner))
    }

    pub fn operator(&self) -> Caller {
        self.exchange().admit(&PartnerId::from_stored("operator")).unwrap()
    }
}

fn time_of(clock: &Arc<SetClock>) -> TimeSource {
    let clock = Arc::clone(clock);
    Arc::new(move || clock.now())
}

fn seed() -> Seed {
    let partner = |id: PartnerId, role| Partner {
        name: id.to_string(),
        id,
        role,
        platforms: Vec::new(),
        jurisdiction: None,
        default_group: None,
        default_tlp: Tlp::Amber,
        purposes: Vec::new(),
        referrals_off: false,
        limits: HourlyLimits::default(),
    };
    let mut partners: Vec<_> = (0..5u8)
        .map(|at| partner(id(at), if at < MEMBERS { Role::Member } else { Role::Observer }))
        .collect();
    partners.push(partner(PartnerId::from_stored("operator"), Role::Operator));
    partners.extend(LIAISONS.map(|id| Partner {
        jurisdiction: Some("GB".into()),
        purposes: PurposeKind::ALL.to_vec(),
        ..partner(PartnerId::from_stored(id), Role::Liaison)
    }));
    let groups = (0u8..).zip(FIRST_MEMBERS).map(|(which, members)| definition(which, members));
    let groups = groups.collect();
    Seed { partners, groups }
}
