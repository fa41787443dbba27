//! Random histories around the pure core. After each history, every reader holds exactly what a
//! query returns (convergence), and nothing reveals hidden objects (non-interference).
//!
//! `TIPOFF_HISTORIES` sets the number of histories, and `TIPOFF_SEED` the first seed. A seed that
//! fails prints the shortest history that still fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

mod campaign_ops;
mod campaigns;
mod cast;
mod hidden;
mod history;
mod interference;
mod lane;
mod lane_history;
mod lane_tips;
mod liaison;
mod model;
mod nodes;
mod reader;
mod regressions;
mod restored;
mod run;
mod shrink;
mod tip_ops;
mod tips;
mod trace;
mod trimmed;
mod words;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use history::History;

const HISTORIES: u64 = 10_000;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Checks every seed on all cores. Panics with the first that fails, shrunken.
fn check_seeds(check: fn(&History, u64) -> Result<(), String>) {
    check_seeds_by_default(HISTORIES, check);
}

/// The same, with another default for the number of histories.
fn check_seeds_by_default(histories: u64, check: fn(&History, u64) -> Result<(), String>) {
    let (first, count) = (setting("TIPOFF_SEED", 0), setting("TIPOFF_HISTORIES", histories));
    let next = AtomicU64::new(first);
    let failed = std::thread::scope(|scope| {
        let try_seeds = || loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return None;
            }
            if shrink::holds(&History::of(seed), seed, check).is_err() {
                // Stops the other threads.
                next.store(first + count, Ordering::Relaxed);
                return Some(seed);
            }
        };
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let tried: Vec<_> = (0..cores).map(|_| scope.spawn(try_seeds)).collect();
        tried.into_iter().filter_map(|thread| thread.join().unwrap()).min()
    });
    if let Some(seed) = failed {
        shrink::show(&History::of(seed), seed, check);
    }
    eprintln!("{count} histories from seed {first}");
}

#[test]
fn every_reader_ends_with_what_a_query_returns_and_receives_nothing_it_may_not_see() {
    check_seeds(|history, _| run::run(history, 0).map(|_| ()));
    let reopened = tips::REOPENED.load(Ordering::Relaxed);
    let moves = tips::MOVES_IN_CAMPAIGNS.load(Ordering::Relaxed);
    eprintln!("{reopened} tips were reopened, campaigns showed {moves} moves");
    let withdrawn = run::lists::WITHDRAWN.load(Ordering::Relaxed);
    let held = run::lists::HELD_BY_OTHER_LISTS.load(Ordering::Relaxed);
    eprintln!("closes withdrew {withdrawn} values, and other lists held {held}");
    assert!(held > 0, "no value of a list was held by another one");
    assert!(
        withdrawn * 20 > setting("TIPOFF_HISTORIES", HISTORIES),
        "{withdrawn} withdrawals of lists prove too little"
    );
    assert!(moves * 10 > setting("TIPOFF_HISTORIES", HISTORIES), "{moves} moves prove too little");
    assert!(
        reopened * 100 > setting("TIPOFF_HISTORIES", HISTORIES),
        "{reopened} reopened tips prove too little"
    );
}

#[test]
fn hidden_objects_change_nothing_that_a_partner_observes() {
    check_seeds(interference::check);
    let compared = interference::COMPARED.load(Ordering::Relaxed);
    eprintln!("{compared} of them had a hidden object");
    assert!(
        compared * 3 > setting("TIPOFF_HISTORIES", HISTORIES),
        "{compared} comparisons prove too little"
    );
    let linked = run::queries::LINKED_ACCOUNTS.load(Ordering::Relaxed);
    eprintln!("observers saw {linked} links between accounts");
    assert!(linked > compared, "{linked} links between accounts prove too little");
}

/// The lane is added to histories that other tests simulate already.
const LANE_HISTORIES: u64 = 2_000;

#[test]
fn a_liaison_ends_with_what_was_released_to_it_and_each_author_sees_its_accesses() {
    check_seeds_by_default(LANE_HISTORIES, lane::converges);
}

#[test]
fn releases_change_nothing_that_other_partners_observe() {
    check_seeds_by_default(LANE_HISTORIES, lane::interference::check);
    let compared = lane::interference::COMPARED.load(Ordering::Relaxed);
    eprintln!("{compared} of them had a hidden object");
    assert!(
        compared * 2 > setting("TIPOFF_HISTORIES", LANE_HISTORIES),
        "{compared} comparisons prove too little"
    );
}

#[test]
fn a_version_retracted_during_a_liaisons_snapshot_is_not_delivered() {
    assert_eq!(lane::interference::retracted_meanwhile(), [true, false]);
}
