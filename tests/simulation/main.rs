//! Random histories around the pure core. After each of them every reader holds exactly what a query
//! gives it (convergence), and nothing tells of what is hidden (non-interference).
//!
//! `TIPOFF_HISTORIES` sets how many there are, and `TIPOFF_SEED` with which they begin. A seed that
//! fails prints the shortest history that still does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

mod cast;
mod hidden;
mod history;
mod interference;
mod model;
mod reader;
mod regressions;
mod run;
mod shrink;
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

/// Tries every seed on all cores, and shows the first that fails, shrunken.
fn every_seed(check: fn(&History, u64) -> Result<(), String>) {
    let (first, count) = (setting("TIPOFF_SEED", 0), setting("TIPOFF_HISTORIES", HISTORIES));
    let next = AtomicU64::new(first);
    let failed = std::thread::scope(|scope| {
        let try_seeds = || loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return None;
            }
            if shrink::holds(&History::of(seed), seed, check).is_err() {
                // The others stop too.
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
fn every_reader_ends_with_what_a_query_gives_it_and_is_given_nothing_it_may_not_see() {
    every_seed(|history, _| run::run(history, 0).map(|_| ()));
}

#[test]
fn nothing_that_is_hidden_from_a_partner_changes_anything_that_it_observes() {
    every_seed(interference::check);
    let compared = interference::HAD_SOMETHING.load(Ordering::Relaxed);
    eprintln!("{compared} of them had something to hide");
    assert!(compared * 3 > setting("TIPOFF_HISTORIES", HISTORIES), "{compared} show too little");
}
