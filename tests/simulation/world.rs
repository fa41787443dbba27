//! A node around the pure core: a journal in memory, an index in memory, a settable clock.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tipoff::clock::Clock;
use tipoff::domain::cursor::EpochId;
use tipoff::domain::partner::{HourlyLimits, Partner, Role};
use tipoff::domain::purpose::PurposeKind;
use tipoff::domain::{PartnerId, Timestamp, Tlp};
use tipoff::exchange::{Caller, Exchange, Follower, Seed, Settings};
use tipoff::index::Index;
use tipoff::journal::{Fault, Journal, Log, LogSettings, MemoryCursors, MemoryJournal};
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

/// The node, and the state that survives its restarts.
pub struct World {
    runtime: Runtime,
    pub clock: Arc<SetClock>,
    journal: Arc<MemoryJournal>,
    index: Arc<Index>,
    node: Option<Node>,
    pub campaigns: Campaigns,
}

struct Node {
    exchange: Arc<Exchange>,
    follower: Follower,
    log: Arc<Log>,
}

impl World {
    pub fn new() -> Self {
        let clock = Arc::new(SetClock(AtomicI64::new(1_700_000_000_000)));
        let time = Arc::clone(&clock);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut world = Self {
            runtime,
            journal: Arc::new(MemoryJournal::new(Arc::new(move || time.now()))),
            clock,
            index: Arc::new(Index::in_memory().unwrap()),
            node: None,
            campaigns: Campaigns::default(),
        };
        world.start();
        let exchange = Arc::clone(world.exchange());
        world.drive(exchange.commands.seed(seed())).unwrap();
        world
    }

    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.node.as_ref().unwrap().exchange
    }

    /// Stops the node and starts it again, with its index or with the journal only.
    pub fn restart(&mut self, rebuild: bool) {
        self.node = None;
        if rebuild {
            let before = self.index.read().unwrap().digest().unwrap();
            self.index = Arc::new(Index::in_memory().unwrap());
            self.start();
            assert_eq!(
                self.index.read().unwrap().digest().unwrap(),
                before,
                "two indexes of one journal differ"
            );
        } else {
            self.start();
        }
    }

    fn start(&mut self) {
        let journal: Arc<dyn Journal> = Arc::clone(&self.journal) as _;
        let log = Arc::new(Log::start(journal, LogSettings::default()).unwrap());
        let mut follower = Follower::new(Arc::clone(&log), Arc::clone(&self.index)).unwrap();
        follower.catch_up(|_| ControlFlow::Continue(())).unwrap();
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let index = Arc::clone(&self.index);
        let cursors = Arc::new(MemoryCursors::default());
        let settings = Settings::default();
        let exchange = Exchange::new(Arc::clone(&log), index, cursors, clock, settings);
        self.node = Some(Node { exchange: Arc::new(exchange), follower, log });
    }

    /// Begins an epoch of the journal, as each start of a real node does.
    pub fn begin_epoch(&mut self, number: u8) {
        let exchange = Arc::clone(self.exchange());
        self.drive(exchange.begin_epoch(EpochId([number; 8]))).unwrap();
        // No receipt waits for apply.
        let follower = &mut self.node.as_mut().unwrap().follower;
        follower.catch_up(|_| ControlFlow::Continue(())).unwrap();
    }

    /// A copy of the journal.
    pub fn copy(&self) -> MemoryJournal {
        let time = Arc::clone(&self.clock);
        let copy = MemoryJournal::new(Arc::new(move || time.now()));
        copy.put(&self.journal.read(1, usize::MAX).unwrap()).unwrap();
        copy
    }

    /// Starts on a copy of the journal.
    pub fn put_back(&mut self, copy: MemoryJournal) {
        self.node = None;
        (self.journal, self.index) = (Arc::new(copy), Arc::new(Index::in_memory().unwrap()));
        self.start();
    }

    /// Runs a call to its end while the follower applies entries.
    pub fn drive<T>(&mut self, call: impl Future<Output = T>) -> T {
        let Node { follower, log, .. } = self.node.as_mut().unwrap();
        self.runtime.block_on(async {
            tokio::pin!(call);
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
        self.journal.trim(self.journal.head()).unwrap();
    }

    pub fn inject(&self, which: u8) {
        self.journal.inject(match which {
            0 => Fault::Rejected,
            1 => Fault::Lost,
            _ => Fault::StoredButUnanswered,
        });
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
