//! Moving the journal between backends: nothing is lost, whenever it is interrupted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/appends.rs"]
mod appends;
mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use appends::{batch, close, settings};
use support::clock::stopwatch;
use support::disk::copy;
use support::process::Process;
use support::{World, domain};
use tipoff::config::JournalBackend;
use tipoff::domain::Entry;
use tipoff::journal::{
    Backend, Journal, MigrateError, MigrationOutcome, OpenError, contents, migrate, open,
};
use tipoff::wire::pb;

const ENTRIES: u64 = 600;

/// Fills a journal, trims it, and returns its entries.
fn fill(backend: Backend, folder: &Path) -> Vec<Entry> {
    let journal = open(backend, settings(folder)).unwrap();
    for number in (1..=ENTRIES).step_by(2) {
        let stored = journal.append(&[batch(number, 5, 300), close(number)]);
        assert!(stored.iter().all(Result::is_ok));
    }
    journal.trim(41).unwrap();
    all(&*journal)
}

fn all(journal: &dyn Journal) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut next = journal.oldest();
    while next <= journal.head() {
        let read = journal.read(next, 100).unwrap();
        next += read.len() as u64;
        entries.extend(read);
    }
    entries
}

fn ignore(_: u64, _: u64) {}

#[test]
fn a_journal_moves_there_and_back_with_sequences_times_and_ids() {
    let folder = tempfile::tempdir().unwrap();
    let before = fill(Backend::Files, folder.path());
    assert_eq!(before[0].sequence, 41);
    for to in [Backend::Sled, Backend::Files] {
        let mut steps = Vec::new();
        let moved = migrate(to, &settings(folder.path()), &mut |done, all| steps.push((done, all)));
        assert_eq!(moved.unwrap(), MigrationOutcome::Copied(ENTRIES - 40));
        assert_eq!(steps.last().map(|(done, all)| done == all), Some(true), "{steps:?}");
        let found = contents(&settings(folder.path())).unwrap();
        assert_eq!((found.backend, found.oldest, found.head), (to, 41, ENTRIES));
        let journal = open(to, settings(folder.path())).unwrap();
        assert_eq!(all(&*journal), before);
        let known = journal.append(&[close(ENTRIES - 1)]).remove(0).unwrap();
        assert_eq!((known.sequence, known.repeated), (ENTRIES, true));
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(left, ["journal"], "nothing else is left");
    }
    let again = migrate(Backend::Files, &settings(folder.path()), &mut ignore).unwrap();
    assert_eq!(again, MigrationOutcome::Already);
}

#[test]
fn a_journal_in_use_and_a_folder_without_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = migrate(Backend::Sled, &settings(folder.path()), &mut ignore).unwrap_err();
    assert!(matches!(refused, MigrateError::Nothing(_)), "{refused}");
    let held_open = open(Backend::Files, settings(folder.path())).unwrap();
    held_open.append(&[close(1)]).remove(0).unwrap();
    let refused = migrate(Backend::Sled, &settings(folder.path()), &mut ignore).unwrap_err();
    assert!(matches!(refused, MigrateError::Open(OpenError::InUse(_))), "{refused}");
}

#[test]
fn a_damaged_journal_is_not_moved_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let before = fill(Backend::Files, folder.path());
    let journal = folder.path().join("journal");
    let mut files: Vec<_> =
        fs::read_dir(&journal).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    files.sort();
    let whole = fs::read(&files[1]).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&files[1], &damaged).unwrap();
    let refused = migrate(Backend::Sled, &settings(folder.path()), &mut ignore).unwrap_err();
    assert!(refused.to_string().contains("is damaged"), "{refused}");
    fs::write(&files[1], &whole).unwrap();
    // The copy of the failed try is started again.
    migrate(Backend::Sled, &settings(folder.path()), &mut ignore).unwrap();
    assert_eq!(all(&*open(Backend::Sled, settings(folder.path())).unwrap()), before);
}

#[test]
fn a_copy_that_may_be_unfinished_is_neither_used_as_the_journal_nor_removed() {
    for backend in Backend::ALL {
        let folder = tempfile::tempdir().unwrap();
        let before = fill(backend, folder.path());
        let (journal, copy) =
            (folder.path().join("journal"), folder.path().join("journal.migrating"));
        fs::rename(&journal, &copy).unwrap();
        let is_refused = |error: &OpenError| matches!(error, OpenError::OnlyCopy(_));
        for to in Backend::ALL {
            assert!(is_refused(&open(to, settings(folder.path())).unwrap_err()));
            let refused = migrate(to, &settings(folder.path()), &mut ignore).unwrap_err();
            assert!(
                matches!(&refused, MigrateError::Open(error) if is_refused(error)),
                "{refused}"
            );
        }
        let refused = contents(&settings(folder.path())).unwrap_err();
        assert!(
            refused.to_string().contains("journal.migrating may be an unfinished copy"),
            "{refused}"
        );
        fs::rename(&copy, &journal).unwrap();
        assert_eq!(all(&*open(backend, settings(folder.path())).unwrap()), before);
    }
}

/// Tests run as root, as in a container: only root can give a file to another user.
#[test]
fn another_user_than_the_journals_does_not_move_it() {
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    fill(Backend::Files, folder.path());
    let journal = folder.path().join("journal");
    if std::os::unix::fs::chown(&journal, Some(NOBODY), None).is_err() {
        return;
    }
    let refused = migrate(Backend::Sled, &settings(folder.path()), &mut ignore).unwrap_err();
    assert!(refused.to_string().contains("the user with the id 65534"), "{refused}");
    assert_eq!(contents(&settings(folder.path())).unwrap().backend, Backend::Files);
}

/// A migrated journal with the old one beside it, as the last steps of a migration leave it.
fn moved(from: Backend, to: Backend) -> (tempfile::TempDir, Vec<Entry>) {
    let folder = tempfile::tempdir().unwrap();
    let before = fill(from, folder.path());
    let (journal, old) = (folder.path().join("journal"), folder.path().join("journal.migrated"));
    let aside = folder.path().join("aside");
    copy(&journal, &aside);
    migrate(to, &settings(folder.path()), &mut ignore).unwrap();
    fs::rename(aside, old).unwrap();
    (folder, before)
}

fn other(backend: Backend) -> Backend {
    if backend == Backend::Sled { Backend::Files } else { Backend::Sled }
}

fn assert_only_journal_is_left(folder: &Path) {
    let left: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["journal"]);
}

#[test]
fn interrupted_between_its_two_renames_a_start_is_refused_and_the_command_finishes_it() {
    for to in Backend::ALL {
        // The command may name the backend that the journal just left: the migration is finished,
        // and then reversed.
        for target in Backend::ALL {
            let (folder, before) = moved(other(to), to);
            let at = |name: &str| folder.path().join(name);
            fs::rename(at("journal"), at("journal.migrating")).unwrap();
            for backend in Backend::ALL {
                let refused = open(backend, settings(folder.path())).unwrap_err();
                assert!(matches!(refused, OpenError::Interrupted(_)), "{refused}");
                assert!(refused.to_string().contains("tipoff journal migrate"), "{refused}");
            }
            let finished = migrate(target, &settings(folder.path()), &mut ignore).unwrap();
            let expected = if target == to {
                MigrationOutcome::Finished
            } else {
                MigrationOutcome::Copied(ENTRIES - 40)
            };
            assert_eq!(finished, expected);
            assert_eq!(all(&*open(target, settings(folder.path())).unwrap()), before);
            assert_only_journal_is_left(folder.path());
        }
    }
}

#[test]
fn interrupted_while_the_old_journal_is_removed_a_node_works_and_the_command_removes_the_rest() {
    for to in Backend::ALL {
        let (folder, mut before) = moved(other(to), to);
        let journal = open(to, settings(folder.path())).unwrap();
        assert!(journal.append(&[close(999_999)])[0].is_ok());
        before = [before, vec![journal.read(ENTRIES + 1, 1).unwrap().remove(0)]].concat();
        drop(journal);
        migrate(other(to), &settings(folder.path()), &mut ignore).unwrap();
        assert_eq!(all(&*open(other(to), settings(folder.path())).unwrap()), before);
        assert_only_journal_is_left(folder.path());
    }
}

#[test]
fn an_old_journal_that_is_the_only_one_is_not_removed() {
    let (folder, _) = moved(Backend::Files, Backend::Sled);
    fs::remove_dir_all(folder.path().join("journal")).unwrap();
    let refused = migrate(Backend::Sled, &settings(folder.path()), &mut ignore).unwrap_err();
    assert!(matches!(refused, MigrateError::Nothing(_)), "{refused}");
    assert!(folder.path().join("journal.migrated/mark").exists());
}

#[test]
fn an_empty_journal_moves_too_whenever_it_is_interrupted() {
    for to in Backend::ALL {
        let folder = tempfile::tempdir().unwrap();
        drop(open(other(to), settings(folder.path())).unwrap());
        if to == Backend::Files {
            migrate(to, &settings(folder.path()), &mut ignore).unwrap();
            // Renamed into place, with the old one not yet removed.
            fs::create_dir(folder.path().join("journal.migrated")).unwrap();
            let finished = migrate(to, &settings(folder.path()), &mut ignore).unwrap();
            assert_eq!(finished, MigrationOutcome::Finished);
        }
        assert_eq!(open(to, settings(folder.path())).unwrap().head(), 0);
    }
}

fn tipoff(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tipoff"));
    command.args(["journal"]).args(arguments).arg("--data").arg(folder);
    // No configuration file: every key has its default.
    command.current_dir(folder).output().unwrap()
}

#[test]
fn a_migration_that_is_killed_at_any_moment_loses_nothing() {
    const ROUNDS: u32 = 24;
    let folder = tempfile::tempdir().unwrap();
    let before = fill(Backend::Files, folder.path());
    // The kills are spread over the time that a whole migration takes here.
    let start = stopwatch();
    for to in [Backend::Sled, Backend::Files] {
        assert!(tipoff(&["migrate", "--to", to.name()], folder.path()).status.success());
    }
    let whole = start.elapsed() / 2;
    let (mut to, mut killed) = (Backend::Sled, 0);
    for round in 0..ROUNDS {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tipoff"))
            .args(["journal", "migrate", "--to", to.name(), "--data"])
            .arg(folder.path())
            .current_dir(folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole * round / ROUNDS);
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        if round % 3 == 2 {
            let output = tipoff(&["migrate", "--to", to.name()], folder.path());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(all(&*open(to, settings(folder.path())).unwrap()), before);
            to = other(to);
        }
    }
    assert!(killed > 5, "only {killed} were killed");
}

#[test]
fn the_command_prints_what_it_did_and_which_setting_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let missing = tipoff(&["show"], folder.path());
    assert_eq!(missing.status.code(), Some(2));
    fill(Backend::Files, folder.path());
    let shown = tipoff(&["show"], folder.path());
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("backend  files") && shown.contains("newest   600"), "{shown}");
    let moved = tipoff(&["migrate", "--to", "sled"], folder.path());
    let (output, hint) =
        (String::from_utf8(moved.stdout).unwrap(), String::from_utf8(moved.stderr).unwrap());
    assert!(output.contains("copied and compared 560 entries"), "{output}");
    assert!(hint.contains("storage.journal = \"sled\""), "{hint}");
    let again = tipoff(&["migrate", "--to", "sled"], folder.path());
    assert!(String::from_utf8(again.stdout).unwrap().contains("nothing was changed"));
    assert_eq!(tipoff(&["migrate", "--to", "paper"], folder.path()).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_continues_after_its_journal_moved() {
    let mut world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    let client = exchange.client(&world, "birdsite");
    let submit = |number, value: &str| support::batch("s", number, None, vec![domain(value)]);
    client.submit(submit(1, "before.example")).await.unwrap();
    assert!(exchange.terminate().success());

    let data = world.config.storage.data.clone();
    let moved = tipoff(&["migrate", "--to", "files"], &data);
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    let (status, log) = Process::prepare(&world).run_to_end();
    assert_eq!(status.code(), Some(2), "the configuration still says sled: {log}");
    let command = format!("tipoff journal migrate --to sled --data {}", data.display());
    assert!(log.contains(&command), "{log}");
    let missing = tipoff(&["migrate", "--to", "sled", "--config", "no-such.toml"], &data);
    assert_eq!(missing.status.code(), Some(2), "a mistyped name is no folder of its own");

    world.config.storage.journal = JournalBackend::Files;
    let mut exchange = Process::prepare(&world);
    exchange.start();
    let client = exchange.client(&world, "birdsite");
    let key = pb::IndicatorKey { value: "before.example".into(), ..pb::IndicatorKey::default() };
    assert_eq!(client.indicator(key).await.unwrap().assessments.len(), 1);
    assert_eq!(client.submit(submit(2, "after.example")).await.unwrap().number, 2);
    assert!(!exchange.log().contains("rebuilt"), "{}", exchange.log());
}
