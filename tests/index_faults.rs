//! The index on a disk that is full for a while: it recovers without a restart, and answers stay
//! correct.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/appends.rs"]
mod appends;
#[path = "support/disk.rs"]
mod disk;

use std::sync::Arc;
use std::time::Duration;

use appends::{numbered_batch, settings};
use disk::Tmpfs;
use tipoff::domain::entry::Outcome;
use tipoff::exchange::Follower;
use tipoff::index::{Applier, Index, IndexState, JournalEnds};
use tipoff::journal::{FileJournal, Log, LogSettings};
use tokio_util::sync::CancellationToken;

const WITHIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_for_a_while_stops_nothing_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let small = Tmpfs::mount(&folder.path().join("small"), "24m");
    let journal = FileJournal::open(settings(folder.path())).unwrap();
    let log = Arc::new(Log::start(Arc::new(journal), LogSettings::default()).unwrap());
    let ends = JournalEnds { head: 0, entry: &|_| None };
    let index = Arc::new(Index::open(&small.at.join("index"), 1 << 20, ends).unwrap());
    let follower = Follower::new(Arc::clone(&log), Arc::clone(&index)).unwrap();
    let (stop, runtime) = (CancellationToken::new(), tokio::runtime::Handle::current());
    let stopped = stop.clone();
    let following = std::thread::spawn(move || follower.run(&runtime, &stopped));

    let first = log.append(numbered_batch(1, 1, 100, 100)).await.unwrap();
    assert!(matches!(&*index.outcome(first.sequence).await.unwrap(), Outcome::Applied(_)));
    let ballast = small.at.join("ballast");
    let free = || nix::sys::statvfs::statvfs(&small.at).unwrap();
    let bytes = free().blocks_available() * free().fragment_size() - 256 * 1024;
    std::fs::write(&ballast, vec![1; usize::try_from(bytes).unwrap()]).unwrap();

    // Each submission is durable in the journal, and waits for its receipt.
    let mut waiting = Vec::new();
    for number in 2..=60 {
        let batch = numbered_batch(number.into(), number, 100, 100);
        let stamp = log.append(batch).await.unwrap();
        let index = Arc::clone(&index);
        waiting.push(tokio::spawn(async move { index.outcome(stamp.sequence).await }));
    }
    let mut state = index.watch_state();
    let failed = state.wait_for(|state| matches!(state, IndexState::Reopening { .. }));
    let failed = tokio::time::timeout(WITHIN, failed).await.unwrap().unwrap().clone();
    let IndexState::Reopening { reason } = failed else { panic!("it is ready") };
    assert!(reason.contains("make room on the disk"), "{reason}");
    // The index is reopened repeatedly, and may find room for a few entries each time.
    let refused = async {
        loop {
            match index.read() {
                Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                Err(refused) => break refused,
            }
        }
    };
    let refused = tokio::time::timeout(WITHIN, refused).await.unwrap();
    assert_eq!(refused.label(), "index_reopening");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(index.checkpoint() < 60, "the disk is full still");

    std::fs::remove_file(&ballast).unwrap();
    for outcome in waiting {
        let outcome = tokio::time::timeout(WITHIN, outcome).await.unwrap().unwrap().unwrap();
        assert!(matches!(&*outcome, Outcome::Applied(items) if items.len() == 100));
    }
    assert_eq!((index.checkpoint(), state.borrow().clone()), (60, IndexState::Ready));
    let whole = Arc::new(Index::in_memory().unwrap());
    let entries: Vec<_> = log.read_blocking(1, 60).unwrap();
    let entries = entries.iter().map(|logged| &logged.entry);
    Applier::new(Arc::clone(&whole)).unwrap().apply(entries).unwrap();
    let digest = |index: &Index| index.read().unwrap().digest().unwrap();
    assert_eq!(digest(&index), digest(&whole));
    stop.cancel();
    following.join().unwrap().unwrap();
}
