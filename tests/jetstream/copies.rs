//! The local copy is no journal of its own, until it is migrated.

use tipoff::journal::{
    Backend, JetStreamJournal, JetStreamSettings, Journal, MigrationOutcome, OpenError, contents,
    migrate, open as open_local,
};

use crate::appends::{close, settings};
use crate::nats::Nats;
use crate::{append, open, quick};

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
