//! Histories on several nodes that share a stream. The stream reorders, duplicates and loses what the nodes send and
//! what it answers; each node is behind by another number of entries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tipoff::domain::Timestamp;
use tipoff::domain::entry::{AppendId, Body};
use tipoff::error::Kind;
use tipoff::journal::{Append, Choose, Journal, MemoryStream};

use crate::cast::id;
use crate::history::{AudienceBits, History, Op, SubmittedItem};
use crate::run::Run;
use crate::world::World;

const NODES: usize = 3;
/// Histories on several nodes: each runs the sweeps of all of them.
pub const HISTORIES: u64 = 2_000;

/// Messages among which the stream in memory stores an id once.
const DEDUP_MESSAGES: u64 = 32;

/// Moves to a node that was not the last one's.
static MOVES: AtomicU64 = AtomicU64::new(0);

fn choose(seed: u64) -> Choose {
    let mut random = StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    Box::new(move |bound| random.random_range(0..bound.max(1)))
}

/// Runs a history on three nodes. Returns all that a partner observed, and the journal, as text.
fn run(history: &History, seed: u64) -> Result<String, String> {
    let random = &mut StdRng::seed_from_u64(seed);
    let world = World::with_nodes(NODES, choose(seed));
    let mut run = Run::on(world, history.readers.clone(), 0);
    for step in &history.steps {
        spread(&mut run, random);
        if random.random_ratio(1, 40) {
            run.disconnect();
            run.world.lose_disk();
        }
        run.step(history, step)?;
        if matches!(step.1, Op::Wait { .. }) {
            sweep_elsewhere(&mut run)?;
        }
    }
    spread(&mut run, random);
    run.end()?;
    check_nodes(&mut run)?;
    Ok(format!("{:#?}\n{:#?}", run.trace, run.world.entries(0)))
}

/// Gives each node a part of what is new, and sends the next calls to one that has everything: its client has seen
/// all answers so far, and says so with `read_after`.
fn spread(run: &mut Run, random: &mut StdRng) {
    let head = run.world.head();
    for node in 0..NODES {
        if random.random_ratio(1, 3) {
            run.world.deliver(node, random.random_range(0..=head));
        }
    }
    if random.random_ratio(1, 2) {
        MOVES.fetch_add(1, Ordering::Relaxed);
        run.disconnect();
        let node = random.random_range(0..NODES);
        run.world.deliver(node, head);
        run.world.go_to(node);
    }
}

/// Every node runs its sweeps, also one that does not know that another has run them.
fn sweep_elsewhere(run: &mut Run) -> Result<(), String> {
    run.disconnect();
    for _ in 0..NODES {
        let node = (run.world.current() + 1) % NODES;
        run.world.go_to(node);
        let exchange = run.world.exchange().clone();
        let swept = run.world.drive(async move { exchange.sweeps.expire_due().await });
        match swept {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), Kind::Unknown | Kind::Unavailable) => {
                run.world.restart(false);
            }
            Err(error) => return Err(format!("a sweep of node {node} fails: {error}")),
        }
    }
    let head = run.world.head();
    run.world.deliver(run.world.current(), head);
    Ok(())
}

/// Checks that all nodes hold the same, and that time goes forward.
fn check_nodes(run: &mut Run) -> Result<(), String> {
    let head = run.world.head();
    (0..NODES).for_each(|node| run.world.deliver(node, head));
    let digests = run.world.digests();
    if digests.iter().any(|digest| *digest != digests[0]) {
        return Err(format!("the indexes differ: {digests:?}"));
    }
    let entries = run.world.entries(0);
    if (1..NODES).any(|node| run.world.entries(node) != entries) {
        return Err("the copies differ".into());
    }
    let mut swept = BTreeMap::new();
    for entry in &entries {
        let Body::Expiry(expiry) = &entry.body else { continue };
        let key = (expiry.ends, expiry.sequence);
        let last = swept.insert(key, entry.sequence).filter(|_| !expiry.versions.is_empty());
        // A stream knows an id for a while only.
        if last.is_some_and(|last| entry.sequence - last <= DEDUP_MESSAGES) {
            return Err(format!(
                "two nodes wrote one expiry: entries {last:?} and {}",
                entry.sequence
            ));
        }
    }
    match entries.windows(2).find(|two| two[1].time < two[0].time) {
        Some(two) => Err(format!("time goes back at entry {}", two[1].sequence)),
        None => Ok(()),
    }
}

pub fn converges(history: &History, seed: u64) -> Result<(), String> {
    run(history, seed).map(|_| ())
}

#[test]
fn on_three_nodes_every_reader_ends_with_what_a_query_returns_and_all_indexes_are_the_same() {
    crate::check_seeds_by_default(HISTORIES, converges);
    let moves = MOVES.load(Ordering::Relaxed);
    eprintln!("clients moved to another node {moves} times");
    assert!(
        moves > crate::setting("TIPOFF_HISTORIES", HISTORIES),
        "{moves} moves prove too little"
    );
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..100 {
        let history = History::of(seed);
        let traces = [(); 2].map(|()| run(&history, seed).unwrap());
        let differs = traces[0].lines().zip(traces[1].lines()).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(traces[0].len(), traces[1].len(), "seed {seed}");
        assert!(traces[0].len() > 100, "seed {seed} shows nothing");
    }
}

#[test]
fn a_leader_whose_clock_goes_back_leaves_times_in_order_and_the_same_on_each_node() {
    let at = |ms| Arc::new(move || Timestamp::from_millis(ms)) as _;
    for seed in 0..300 {
        // Leaders are up to a minute apart, and the nodes as well.
        let stream = MemoryStream::new(60_000, choose(seed));
        let random = &mut StdRng::seed_from_u64(seed);
        let start = 1_700_000_000_000_i64;
        let nodes = [0, -60_000, 60_000].map(|skew| stream.node(at(start + skew), true));
        for number in 0..40_u8 {
            let body = Body::PartnerResumed(id(number % 5));
            let append_id = AppendId::derive(&[&[number]]);
            let append = Append::new(append_id, None, body);
            let stamp = nodes[random.random_range(0..3)].append(&[append])[0].clone().unwrap();
            assert_eq!(stamp.sequence, u64::from(number) + 1);
        }
        let copies = nodes.map(|node| {
            node.deliver(stream.head()).unwrap();
            node.read(1, 100).unwrap()
        });
        assert!(copies[0].len() == 40 && copies[0] == copies[1] && copies[1] == copies[2]);
        assert!(copies[0].is_sorted_by_key(|entry| entry.time), "seed {seed}");
    }
}

fn submission(to: AudienceBits, confidence: u8) -> Op {
    let item =
        SubmittedItem { value: 0, confidence, hours: None, restricted: false, campaign: None };
    Op::Submit { author: 0, to, replaces: None, list: None, items: vec![item] }
}

/// Two nodes that decide without knowing of one another.
fn two_nodes(seed: u64) -> Run {
    let mut run = Run::on(World::with_nodes(NODES, choose(seed)), Vec::new(), 0);
    let head = run.world.head();
    (0..NODES).for_each(|node| run.world.deliver(node, head));
    run.world.go_to(0);
    run
}

#[test]
fn of_two_nodes_that_store_the_same_key_one_stores_it() {
    for seed in 0..200 {
        let mut run = two_nodes(seed);
        let everyone = || submission(AudienceBits::Everyone, 20);
        let first = run.submit(1, &everyone()).unwrap().batch.unwrap();
        run.world.go_to(1);
        let again = run.submit(1, &everyone()).unwrap().batch.unwrap();
        assert_eq!((first.sequence, &first.items), (again.sequence, &again.items), "seed {seed}");
        check_nodes(&mut run).unwrap();
    }
}

#[test]
fn of_two_nodes_that_take_conflicting_requests_the_order_decides() {
    for seed in 0..200 {
        // The operator suspends the author on one node, while it submits on another.
        let mut run = two_nodes(seed);
        run.run_ops(&[Op::Suspend { partner: 0, compromised_hours: None }]).unwrap();
        run.world.go_to((run.world.current() + 1) % NODES);
        let refused = run.submit(1, &submission(AudienceBits::Everyone, 20)).unwrap_err();
        assert_eq!(refused.label(), "partner_suspended", "seed {seed}");
        check_nodes(&mut run).unwrap();
    }
}
