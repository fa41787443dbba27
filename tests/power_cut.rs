//! Power cuts: what was acknowledged is on the disk, and not only in the kernel's memory.
//!
//! The journal lies on ext4 on a loop device. A child process appends, and records outside of it
//! what was acknowledged. The test stops the child, copies the image of the disk at that moment,
//! and opens the copy. Whatever was not synced to the disk is missing in the copy. The negative
//! control skips the fdatasync, and has to lose entries: otherwise the test proves nothing.
//!
//! Needs root, for the mounts. `TIPOFF_POWER_CUT_ROUNDS` sets the number of rounds (default 5).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/disk.rs"]
mod disk;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use disk::{LoopDisk, can_mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tipoff::clock::{Clock, SystemClock};
use tipoff::domain::PartnerId;
use tipoff::domain::entry::{AppendId, Body, Close, SubmissionId};
use tipoff::domain::list::ShrinkPolicy;
use tipoff::journal::{Append, Backend, Durability, LocalSettings, Log, LogSettings, open};

const CHILD: &str = "TIPOFF_POWER_CUT_CHILD";
const NOTES: &str = "TIPOFF_POWER_CUT_NOTES";
const CONTROL: &str = "TIPOFF_POWER_CUT_CONTROL";
const BACKEND: &str = "TIPOFF_POWER_CUT_BACKEND";

fn settings(folder: &Path, durability: Durability) -> LocalSettings {
    LocalSettings {
        durability,
        min_free_bytes: 0,
        // Small segments, so that the power is cut during a rollover.
        file_bytes: 1024 * 1024,
        ..LocalSettings::new(folder, Arc::new(|| SystemClock.now()))
    }
}

fn append(number: u64) -> Append {
    let body = Body::SubmissionClosed(Close {
        partner: PartnerId::from_stored("birdsite"),
        // Of many lengths, some of them over several pages.
        submission: SubmissionId::from_stored(
            &"s".repeat(usize::try_from(number % 37).unwrap() * 270),
        ),
        batches: None,
        policy: ShrinkPolicy::default(),
    });
    Append::new(AppendId::derive(&[&number.to_be_bytes()]), None, body)
}

/// Not a test by itself: the child process of the others.
#[test]
fn child_that_appends_until_it_is_stopped() {
    let (Ok(folder), Ok(notes)) = (std::env::var(CHILD), std::env::var(NOTES)) else { return };
    let durability = match std::env::var(CONTROL) {
        Ok(_) => Durability::NoSync,
        Err(_) => Durability::Fsync,
    };
    let backend = Backend::of_name(&std::env::var(BACKEND).unwrap()).unwrap();
    let journal = open(backend, settings(Path::new(&folder), durability)).unwrap();
    let begin = journal.head();
    // Chained rounds would fill the disk, and trimming has to survive power cuts as well.
    journal.trim(begin.saturating_sub(200)).unwrap();
    let log = Arc::new(Log::start(journal, LogSettings::default()).unwrap());
    let notes = OpenOptions::new().create(true).append(true).open(notes).unwrap();
    let notes = Arc::new(Mutex::new(notes));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let tasks = (0..8u64).map(|task| {
            let (log, notes) = (Arc::clone(&log), Arc::clone(&notes));
            tokio::spawn(async move {
                for number in 0..1_500 {
                    let id = (begin << 24) + (number << 3) + task;
                    let sequence = log.append(append(id)).await.unwrap().sequence;
                    writeln!(notes.lock().unwrap(), "{sequence}").unwrap();
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        // Waits to be stopped, and exits if its parent is gone.
        tokio::time::sleep(Duration::from_secs(30)).await;
    });
}

/// One round: runs the child on the disk, cuts the power, and returns the image at that moment and
/// what was acknowledged.
fn cut(
    backend: Backend,
    folder: &Path,
    round: u32,
    image: &Path,
    durability: Durability,
) -> (PathBuf, Vec<u64>) {
    let disk = LoopDisk::mount(image, &folder.join(format!("disk-{round}")));
    let notes = folder.join(format!("notes-{round}"));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["child_that_appends_until_it_is_stopped", "--exact", "--nocapture"])
        .env(CHILD, disk.at.join("journal"))
        .env(NOTES, &notes)
        .env(BACKEND, backend.name())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if durability == Durability::NoSync {
        command.env(CONTROL, "1");
    }
    let mut child = command.spawn().unwrap();
    // Counted from the first acknowledgement: the time until then depends on the machine.
    for _ in 0..200 {
        if fs::metadata(&notes).is_ok_and(|notes| notes.len() > 0) {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_millis(200 + u64::from(round % 5) * 130));
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    let after = folder.join(format!("image-{round}"));
    fs::copy(&disk.image, &after).unwrap();
    let notes = fs::read_to_string(&notes).unwrap_or_default();
    let whole_lines = notes.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let acknowledged = whole_lines.lines().map(|line| line.parse().unwrap()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    (after, acknowledged)
}

/// How many acknowledged entries are missing in an image; all if it does not open.
fn lost(
    backend: Backend,
    folder: &Path,
    round: u32,
    image: &Path,
    acknowledged: &[u64],
) -> (usize, String) {
    let disk = LoopDisk::mount(image, &folder.join(format!("after-{round}")));
    let opened = open(backend, settings(&disk.at.join("journal"), Durability::Fsync));
    match opened.and_then(|journal| Ok(journal.check().map(|_| journal.head())?)) {
        Ok(head) => {
            (acknowledged.iter().filter(|sequence| **sequence > head).count(), String::new())
        }
        Err(error) => (acknowledged.len(), error.to_string()),
    }
}

#[test]
fn nothing_acknowledged_is_lost_in_a_power_cut_with_sled() {
    nothing_acknowledged_is_lost(Backend::Sled);
}

#[test]
fn nothing_acknowledged_is_lost_in_a_power_cut_with_files() {
    nothing_acknowledged_is_lost(Backend::Files);
}

#[test]
fn without_the_fdatasync_acknowledged_entries_are_lost_with_sled() {
    acknowledged_entries_are_lost_without_the_fdatasync(Backend::Sled);
}

#[test]
fn without_the_fdatasync_acknowledged_entries_are_lost_with_files() {
    acknowledged_entries_are_lost_without_the_fdatasync(Backend::Files);
}

fn nothing_acknowledged_is_lost(backend: Backend) {
    if !can_mount("power cuts") {
        return;
    }
    let rounds =
        std::env::var("TIPOFF_POWER_CUT_ROUNDS").map_or(5, |rounds| rounds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut image = folder.path().join("image");
    LoopDisk::make(&image, "384M");
    let mut total = 0;
    for round in 0..rounds {
        // Chained: each round continues with the disk of the last cut.
        let (after, acknowledged) = cut(backend, folder.path(), round, &image, Durability::Fsync);
        let (lost, why) = lost(backend, folder.path(), round, &after, &acknowledged);
        let count = acknowledged.len();
        assert_eq!(
            lost, 0,
            "round {round}: of {count} acknowledged entries {lost} are gone: {why}"
        );
        assert!(count > 0, "round {round}: nothing was acknowledged");
        total += count;
        fs::remove_file(&image).unwrap();
        image = after;
    }
    eprintln!("{backend}: {rounds} power cuts, {total} entries acknowledged, none lost");
}

fn acknowledged_entries_are_lost_without_the_fdatasync(backend: Backend) {
    if !can_mount("the negative control of the power cuts") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut gone = 0;
    for round in 0..5 {
        let image = folder.path().join(format!("control-{round}"));
        LoopDisk::make(&image, "384M");
        let durability = Durability::NoSync;
        let (after, acknowledged) = cut(backend, folder.path(), round, &image, durability);
        assert!(!acknowledged.is_empty());
        gone = lost(backend, folder.path(), round, &after, &acknowledged).0;
        if gone > 0 {
            break;
        }
    }
    assert!(gone > 0, "nothing was lost without the fdatasync: these power cuts prove nothing");
    eprintln!(
        "{backend}: without the fdatasync {gone} acknowledged entries are lost, as they should be"
    );
}
