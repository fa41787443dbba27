//! The local copy is no journal of its own, until it is migrated.

use tipoff::journal::{
    Backend, JetStreamJournal, JetStreamSettings, Journal, MigrateError, MigrationOutcome,
    OpenError, Source, contents, migrate, migrate_to_stream, open as open_local,
};

use crate::appends::{close, settings};
use crate::nats::Nats;
use crate::{append, eventually, open, quick};

#[test]
fn a_copy_is_refused_as_a_journal_until_it_is_migrated() {
    for to in Backend::ALL {
        let nats = Nats::start();
        let folder = tempfile::tempdir().unwrap();
        let journal = open(&nats, folder.path());
        append(&journal, &[close(1), close(2)]);
        let entries = journal.read(1, 9).unwrap();
        drop(journal);

        let found = contents(&settings(folder.path())).unwrap();
        assert_eq!((found.copy_of.as_deref(), found.head), (Some("TIPOFF"), 2));
        for backend in Backend::ALL {
            let refused = open_local(backend, settings(folder.path())).unwrap_err();
            assert!(matches!(refused, OpenError::Copy { .. }), "{refused}");
            assert!(refused.to_string().contains("stream TIPOFF"), "{refused}");
        }
        let outcome = migrate(to, &settings(folder.path()), &mut |_, _| {}).unwrap();
        let expected = match to {
            Backend::Sled => MigrationOutcome::Detached,
            Backend::Files => MigrationOutcome::Copied(2),
        };
        assert_eq!(outcome, expected);
        let own = open_local(to, settings(folder.path())).unwrap();
        assert_eq!(own.read(1, 9).unwrap(), entries);
        drop(own);
        let refused = JetStreamJournal::open(quick(&nats, folder.path())).unwrap_err();
        assert!(matches!(refused, OpenError::NoCopy { .. }), "{refused}");
    }
}

#[test]
fn a_journal_is_put_into_a_stream_and_goes_on_after_an_interruption() {
    for from in Backend::ALL {
        let nats = Nats::start();
        let folder = tempfile::tempdir().unwrap();
        let own = open_local(from, settings(folder.path())).unwrap();
        for number in 1..=300 {
            append(&*own, &[close(number)]);
        }
        own.trim(101).unwrap();
        let entries = own.read(101, 1_000).unwrap();
        // As if it was interrupted after some of them.
        let interrupted = tempfile::tempdir().unwrap();
        open(&nats, interrupted.path()).put(&entries[..50]).unwrap();
        drop(own);

        let jetstream = quick(&nats, folder.path());
        let outcome = migrate_to_stream(Source::Own, &jetstream, &mut |_, _| {}).unwrap();
        assert_eq!(outcome, MigrationOutcome::Copied(200));
        let again = migrate_to_stream(Source::Own, &jetstream, &mut |_, _| {}).unwrap();
        assert_eq!(again, MigrationOutcome::Already);
        let node = open(&nats, folder.path());
        assert_eq!((node.oldest(), node.head()), (101, 300));
        assert_eq!(node.read(101, 1_000).unwrap(), entries);
        assert_eq!(append(&node, &[close(301)])[0].sequence, 301);
        let other = tempfile::tempdir().unwrap();
        assert_eq!(open(&nats, other.path()).read(101, 200).unwrap(), entries);
    }
}

#[test]
fn the_stream_of_another_journal_is_left_as_it_is() {
    let nats = Nats::start();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    append(&open(&nats, folders[0].path()), &[close(1)]);
    let own = open_local(Backend::Sled, settings(folders[1].path())).unwrap();
    append(&*own, &[close(2), close(3)]);
    drop(own);
    let settings = quick(&nats, folders[1].path());
    let refused = migrate_to_stream(Source::Own, &settings, &mut |_, _| {});
    assert!(matches!(refused, Err(MigrateError::OtherJournal(1))), "{refused:?}");
    assert_eq!(open(&nats, folders[0].path()).head(), 1);
    let refused = migrate_to_stream(Source::Copy, &settings, &mut |_, _| {});
    assert!(matches!(refused, Err(MigrateError::NoCopy(_))), "{refused:?}");
}

#[test]
fn a_stream_that_its_servers_lost_is_made_again_from_the_most_advanced_copy() {
    let mut nats = Nats::start();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = folders.each_ref().map(|folder| open(&nats, folder.path()));
    append(&nodes[0], &[close(1), close(2)]);
    eventually("both have them", || nodes[1].head() == 2);
    let [ahead, behind] = nodes;
    drop(behind);
    append(&ahead, &[close(3)]);
    let entries = ahead.read(1, 9).unwrap();
    drop(ahead);
    nats.kill(0);
    std::fs::remove_dir_all(nats.store(0)).unwrap();
    nats.restart(0);

    let settings = quick(&nats, folders[0].path());
    let recovered = migrate_to_stream(Source::Copy, &settings, &mut |_, _| {}).unwrap();
    assert_eq!(recovered, MigrationOutcome::Copied(3));
    let refused = migrate_to_stream(Source::Copy, &quick(&nats, folders[1].path()), &mut |_, _| {});
    assert!(
        matches!(refused, Err(MigrateError::StreamAhead { stream: 3, journal: 2 })),
        "{refused:?}"
    );
    for folder in &folders {
        assert_eq!(open(&nats, folder.path()).read(1, 9).unwrap(), entries);
    }
}

#[test]
fn a_copy_of_another_stream_or_in_another_backend_is_refused() {
    let nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    append(&open(&nats, folder.path()), &[close(1)]);
    let other = JetStreamSettings { stream: "OTHER".into(), ..quick(&nats, folder.path()) };
    let refused = JetStreamJournal::open(other).unwrap_err();
    assert!(matches!(refused, OpenError::OtherStream { .. }), "{refused}");
    let files = JetStreamSettings { copy: Backend::Files, ..quick(&nats, folder.path()) };
    let refused = JetStreamJournal::open(files).unwrap_err();
    assert!(matches!(refused, OpenError::OtherCopy { .. }), "{refused}");
}

#[test]
fn a_copy_is_free_as_soon_as_its_journal_is_closed() {
    let nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    for number in 0..5 {
        let journal = open(&nats, folder.path());
        assert_eq!(append(&journal, &[close(number)])[0].sequence, number + 1);
    }
}
