//! A journal on real JetStream servers: what becomes of appends, of the local copy and of a changed stream.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod appending;
#[path = "../support/appends.rs"]
mod appends;
mod continuity;
mod copies;
#[path = "../support/nats.rs"]
mod nats;
mod node;
mod refusals;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use appends::settings;
use nats::Nats;
use tipoff::journal::{
    Append, ClusterState, JetStreamJournal, JetStreamSettings, Journal, OpenError, Refusal, Stamp,
};

/// Opens the journal of a node whose data is in `folder`. Tests do not wait long for servers.
fn open(nats: &Nats, folder: &Path) -> JetStreamJournal {
    JetStreamJournal::open(quick(nats, folder)).unwrap()
}

fn quick(nats: &Nats, folder: &Path) -> JetStreamSettings {
    JetStreamSettings { ack_timeout: Duration::from_secs(1), ..nats.settings(settings(folder)) }
}

/// Why a node with these settings does not start.
fn refusal(settings: JetStreamSettings) -> Refusal {
    match JetStreamJournal::open(settings) {
        Err(OpenError::JetStream(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn append(journal: &dyn Journal, batch: &[Append]) -> Vec<Stamp> {
    journal.append(batch).into_iter().map(Result::unwrap).collect()
}

fn sequences(stamps: &[Stamp]) -> Vec<u64> {
    stamps.iter().map(|stamp| stamp.sequence).collect()
}

fn state(journal: &dyn Journal) -> ClusterState {
    journal.cluster().unwrap().borrow().state.clone()
}

/// Waits until something holds, for 20 s.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("not within 20 s: {what}");
}

/// Runs a future that talks to the servers as an operator does.
fn operate<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}
