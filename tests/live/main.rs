//! The properties of the simulator on the real server, with fewer histories: over mutual TLS, with
//! SIGKILLs between and during the steps, and sometimes an index that has to be rebuilt.
//!
//! `TIPOFF_LIVE_HISTORIES` sets the number of histories per test, and `TIPOFF_SEED` the first seed.
//! A seed that fails prints its history. The seed determines when the exchange is killed, but not
//! what it was doing at that moment. So it may take several runs to reproduce a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

#[path = "../simulation/campaign_ops.rs"]
mod campaign_ops;
#[path = "../simulation/cast.rs"]
mod cast;
mod exchange;
mod follower;
#[path = "../simulation/hidden.rs"]
mod hidden;
#[path = "../simulation/history.rs"]
mod history;
mod ledger;
#[path = "../simulation/model.rs"]
mod model;
mod plan;
mod queries;
mod run;
#[path = "../support/mod.rs"]
mod support;
#[path = "../simulation/tip_ops.rs"]
mod tip_ops;
#[path = "../simulation/trace.rs"]
mod trace;
mod walker;
mod words;

use std::time::Duration;

use futures_util::{StreamExt, stream};
use hidden::Hidden;
use plan::Plan;
use run::{Outcome, run};
use trace::difference;

const CONVERGENCE_HISTORIES: usize = 12;
const INTERFERENCE_HISTORIES: usize = 8;
/// Histories that a test runs concurrently. They wait for disks and clocks most of the time.
const CONCURRENT_HISTORIES: usize = 3;
/// A history takes a few seconds. One that takes this long hangs.
const HISTORY_TIMEOUT: Duration = Duration::from_secs(120);

fn setting<T: std::str::FromStr<Err: std::fmt::Debug>>(name: &str, default: T) -> T {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Checks seeds, and panics with the first one that fails.
async fn every<C>(
    seeds: impl Iterator<Item = u64>,
    histories: usize,
    plan: fn(u64) -> Plan,
    check: impl Fn(u64, Plan) -> C,
) where
    C: Future<Output = Result<Outcome, String>> + Send + 'static,
{
    let seeds = seeds.take(setting("TIPOFF_LIVE_HISTORIES", histories));
    let checked = seeds.map(|seed| {
        let check = tokio::spawn(check(seed, plan(seed)));
        async move { (seed, check.await.unwrap_or_else(|panic| Err(panic.to_string()))) }
    });
    let mut checked = stream::iter(checked).buffer_unordered(CONCURRENT_HISTORIES);
    let mut all = Outcome::default();
    let mut count = 0;
    while let Some((seed, outcome)) = checked.next().await {
        match outcome {
            Ok(outcome) => {
                all.kills += outcome.kills;
                all.cut_off += outcome.cut_off;
                all.received += outcome.received;
            }
            Err(why) => panic!("seed {seed}: {why}\n{}", plan(seed)),
        }
        count += 1;
    }
    let Outcome { kills, cut_off, received, .. } = all;
    eprintln!(
        "{count} histories, {kills} kills, {cut_off} of them within a call, {received} items received"
    );
    assert!(count == 1 || kills > 0 && cut_off > 0 && received > 0, "that proves little");
}

async fn observed(plan: &Plan, observer: u8) -> Result<Outcome, String> {
    let running = tokio::time::timeout(HISTORY_TIMEOUT, Box::pin(run(plan, observer)));
    running.await.map_err(|_| "the history did not end in time".to_owned())?
}

/// Expiry would differ between the two runs.
fn timeless(seed: u64) -> Plan {
    Plan::of(seed).timeless()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reader_ends_with_what_a_snapshot_returns_whenever_the_exchange_was_killed() {
    let seeds = setting("TIPOFF_SEED", 0)..;
    every(
        seeds,
        CONVERGENCE_HISTORIES,
        Plan::of,
        |_, plan| async move { observed(&plan, 0).await },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_objects_change_nothing_that_a_partner_observes_whenever_the_exchange_was_killed() {
    // Only seeds where something is hidden from a partner with a reader.
    let seeds = (setting("TIPOFF_SEED", 0)..).filter(|seed| {
        let history = timeless(*seed).history;
        let from = Hidden::of(&history, *seed).map(|hidden| hidden.from);
        history.readers.iter().any(|reader| Some(reader.partner) == from)
    });
    every(seeds, INTERFERENCE_HISTORIES, timeless, |seed, with| async move {
        let Hidden { step, from, without } = Hidden::of(&with.history, seed).unwrap();
        let without = with.of_history(without);
        let (with, without) = tokio::try_join!(observed(&with, from), observed(&without, from))?;
        match difference(&with.trace, &without.trace) {
            None => Ok(with),
            Some(differs) => {
                Err(format!("step {step} is hidden from partner {from}, who observes {differs}"))
            }
        }
    })
    .await;
}
