//! The follower: after a restart of the servers, and on a stream that is not what the copy was taken from.

use std::time::Duration;

use async_nats::jetstream;
use tipoff::journal::{ClusterState, JetStreamJournal, Journal, Refusal};

use crate::appends::close;
use crate::nats::Nats;
use crate::{append, eventually, open, operate, quick, refusal, sequences, state};

#[test]
fn the_follower_goes_on_after_a_restart_of_the_server() {
    let mut nats = Nats::start();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [writer, reader] = folders.each_ref().map(|folder| open(&nats, folder.path()));
    append(&writer, &[close(1), close(2)]);
    nats.restart(0);
    for node in [&writer, &reader] {
        eventually("it follows again", || state(node) == ClusterState::Following);
    }
    assert_eq!(sequences(&append(&writer, &[close(3), close(1)])), [3, 1]);
    eventually("the other node has it", || reader.head() == 3);
    assert_eq!(reader.read(1, 9).unwrap(), writer.read(1, 9).unwrap());
}

#[test]
fn a_node_without_its_copy_fetches_the_stream_again() {
    let nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&nats, folder.path());
    for number in 1..=30 {
        append(&journal, &[close(number)]);
    }
    journal.trim(11).unwrap();
    let entries = journal.read(11, 100).unwrap();
    drop(journal);
    std::fs::remove_dir_all(folder.path().join("journal")).unwrap();
    let journal = open(&nats, folder.path());
    assert_eq!((journal.oldest(), journal.head()), (11, 30), "it is complete when it opens");
    assert_eq!(journal.read(11, 100).unwrap(), entries);
}

#[test]
fn a_stream_that_lost_its_tail_is_noticed_by_id() {
    let mut nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&nats, folder.path());
    append(&journal, &[close(1), close(2)]);
    nats.kill(0);
    let (store, saved) = (nats.store(0), folder.path().join("saved"));
    copy(&store, &saved);
    nats.restart(0);
    eventually("it follows again", || state(&journal) == ClusterState::Following);
    append(&journal, &[close(3)]);

    // As after a power cut without a sync.
    nats.kill(0);
    std::fs::remove_dir_all(&store).unwrap();
    copy(&saved, &store);
    nats.restart(0);
    let diverged = |journal: &JetStreamJournal| match state(journal) {
        ClusterState::Refused(Refusal::Diverged { sequence, remote, .. }) => {
            Some((sequence, remote))
        }
        _ => None,
    };
    eventually("the shorter stream is refused", || diverged(&journal).is_some());
    assert_eq!(diverged(&journal).unwrap(), (3, "ends at 2".into()));
    assert!(journal.append(&[close(4)])[0].is_err());
    assert!(journal.check_writable().unwrap_err().to_string().contains("at sequence 3"));

    // Another node without a copy goes on with it.
    let other = tempfile::tempdir().unwrap();
    append(&open(&nats, other.path()), &[close(5), close(6)]);
    eventually("the other entry is refused by id", || {
        diverged(&journal).is_some_and(|(_, remote)| remote.starts_with("the message "))
    });
    assert_eq!(journal.head(), 3, "nothing of it is applied");
    drop(journal);
    let refused = refusal(quick(&nats, folder.path()));
    assert!(matches!(refused, Refusal::Diverged { sequence: 3, .. }), "{refused}");
}

#[test]
fn a_stream_that_is_gone_is_not_made_again_by_a_node_that_has_entries() {
    let nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&nats, folder.path());
    append(&journal, &[close(1)]);
    operate(async {
        jetstream::new(nats.client().await).delete_stream("TIPOFF").await.unwrap();
    });
    let is_gone = || {
        let state = state(&journal);
        matches!(state, ClusterState::Refused(Refusal::StreamGone { head: 1, .. }))
    };
    eventually("the node says that the stream is gone", is_gone);
    drop(journal);
    assert!(matches!(refusal(quick(&nats, folder.path())), Refusal::StreamGone { head: 1, .. }));
}

#[test]
fn a_copy_that_misses_trimmed_entries_is_refused() {
    let nats = Nats::start();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [node, behind] = folders.each_ref().map(|folder| open(&nats, folder.path()));
    append(&node, &[close(1)]);
    eventually("both have it", || behind.head() == 1);
    drop(behind);
    append(&node, &[close(2), close(3), close(4)]);
    node.trim(4).unwrap();
    let refused = refusal(quick(&nats, folders[1].path()));
    assert!(matches!(refused, Refusal::Trimmed { first: 4, head: 1, .. }), "{refused}");
}

#[test]
fn a_message_that_is_no_entry_stops_the_node_at_it() {
    let nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&nats, folder.path());
    append(&journal, &[close(1)]);
    operate(async {
        let context = jetstream::new(nats.client().await);
        context.publish("TIPOFF.entry", "hello".into()).await.unwrap().await.unwrap();
    });
    let is_refused = || match state(&journal) {
        ClusterState::Refused(Refusal::Message { sequence, .. }) => sequence == 2,
        _ => false,
    };
    eventually("the message is refused", is_refused);
    assert!(journal.append(&[close(3)])[0].is_err());
    assert_eq!(journal.head(), 1);
    // It is checked again and again, and stays refused.
    std::thread::sleep(Duration::from_secs(6));
    eventually("it stays refused", is_refused);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}
