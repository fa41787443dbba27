//! Outcomes of appends, on one node and on several.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use tipoff::domain::Timestamp;
use tipoff::domain::entry::Body;
use tipoff::journal::{
    Append, AppendError, ClusterState, JetStreamJournal, JetStreamSettings, Journal, LocalSettings,
};

use crate::appends::{batch, close, settings};
use crate::nats::Nats;
use crate::{append, eventually, open, quick, sequences, state};

#[test]
fn two_nodes_hold_the_same_entries_with_the_same_times() {
    let nats = Nats::start();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    // Their clocks are far apart, and one is in the future.
    let far = |now: i64, at: usize| {
        let time = std::sync::Arc::new(move || Timestamp::from_millis(now));
        let local = LocalSettings { time, ..settings(folders[at].path()) };
        JetStreamJournal::open(nats.settings(local)).unwrap()
    };
    let nodes = [far(1_000, 0), far(9_000_000_000_000, 1)];
    scope(|scope| {
        for (at, node) in nodes.iter().enumerate() {
            scope.spawn(move || {
                for number in 0..40 {
                    append(
                        node,
                        &[close(number * 2 + at as u64), batch(number * 2 + at as u64, 3, 50)],
                    );
                }
            });
        }
    });
    eventually("both copies are complete", || nodes.iter().all(|node| node.head() == 160));
    let entries = nodes.each_ref().map(|node| node.read(1, 1_000).unwrap());
    assert_eq!(entries[0].len(), 160);
    assert_eq!(entries[0], entries[1]);
    let times: Vec<_> = entries[0].iter().map(|entry| entry.time).collect();
    assert!(times.is_sorted());
    assert!(times.last().unwrap().as_millis() < 9_000_000_000_000, "a wrong clock is bounded");
}

#[test]
fn an_id_that_another_node_stored_is_answered_with_its_position() {
    let nats = Nats::start();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = folders.each_ref().map(|folder| open(&nats, folder.path()));
    append(&nodes[0], &[close(1), close(2)]);
    let again = append(&nodes[1], &[close(2), close(3)]);
    let placed: Vec<_> = again.iter().map(|stamp| (stamp.sequence, stamp.repeated)).collect();
    assert_eq!(placed, [(2, true), (3, false)]);
}

#[test]
fn an_append_whose_acknowledgement_is_late_is_stored_once() {
    let nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&nats, folder.path());
    append(&journal, &[close(1)]);
    nats.pause(0);
    let stamps = scope(|scope| {
        let appended = scope.spawn(|| append(&journal, &[close(2), close(3)]));
        // Several tries time out meanwhile.
        sleep(Duration::from_millis(2_500));
        nats.resume(0);
        appended.join().unwrap()
    });
    assert_eq!(sequences(&stamps), [2, 3]);
    assert_eq!(journal.read(1, 9).unwrap().len(), 3);
}

/// Two nodes draw an id for the same request. Both lose their first acknowledgement.
#[test]
fn of_two_different_entries_under_one_id_only_the_stored_one_counts_as_new() {
    let nats = Nats::start();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = folders.each_ref().map(|folder| open(&nats, folder.path()));
    append(&nodes[0], &[close(1)]);
    let different = |drawn: u64| {
        let encoded = close(drawn).encoded().clone();
        [Append::with_id(close(2).id(), &encoded).unwrap()]
    };
    nats.pause(0);
    let stamps = scope(|scope| {
        let appends = [0, 1].map(|at| {
            let node = &nodes[at];
            scope.spawn(move || append(node, &different(10 + at as u64)).remove(0))
        });
        sleep(Duration::from_millis(2_500));
        nats.resume(0);
        appends.map(|append| append.join().unwrap())
    });
    assert_eq!(stamps.map(|stamp| stamp.sequence), [2, 2]);
    eventually("both copies have it", || nodes.iter().all(|node| node.head() == 2));
    let stored = nodes[0].read(2, 1).unwrap();
    assert_eq!(stored, nodes[1].read(2, 1).unwrap());
    let Body::SubmissionClosed(stored) = &stored[0].body else { panic!("{stored:?}") };
    for (at, stamp) in stamps.iter().enumerate() {
        let is_own = stored.submission.as_str() == format!("s{}", 10 + at);
        assert_eq!(stamp.repeated, !is_own, "node {at}");
    }
}

#[test]
fn an_append_without_an_answer_is_unknown_and_the_same_one_is_stored_once() {
    let nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    let settings = quick(&nats, folder.path());
    let settings = JetStreamSettings { append_timeout: Duration::from_secs(2), ..settings };
    let journal = JetStreamJournal::open(settings).unwrap();
    append(&journal, &[close(1)]);
    nats.pause(0);
    let outcome = journal.append(&[close(2)]).remove(0);
    assert!(matches!(outcome, Err(AppendError::Unknown(_))), "{outcome:?}");
    eventually("the node notices", || matches!(state(&journal), ClusterState::Connecting(_)));
    // Now it does not even try.
    let outcome = journal.append(&[close(3)]).remove(0);
    assert!(matches!(outcome, Err(AppendError::Rejected(_))), "{outcome:?}");
    nats.resume(0);
    eventually("it follows again", || state(&journal) == ClusterState::Following);
    let stamps = append(&journal, &[close(2), close(3)]);
    assert_eq!(sequences(&stamps), [2, 3]);
    assert_eq!(journal.read(1, 9).unwrap().len(), 3);
}

#[test]
fn a_cluster_takes_appends_while_one_of_its_servers_is_killed() {
    let mut nats = Nats::cluster();
    let folder = tempfile::tempdir().unwrap();
    let journal = JetStreamJournal::open(nats.settings(settings(folder.path()))).unwrap();
    let (journal, stop) = (&journal, AtomicBool::new(false));
    let stored = scope(|scope| {
        let stop = &stop;
        let client = scope.spawn(move || {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                // A client repeats what was not stored, or may be.
                while journal.append(&[close(number)])[0].is_err() {}
            }
            number
        });
        sleep(Duration::from_millis(500));
        for at in [0, 1] {
            nats.kill(at);
            sleep(Duration::from_secs(3));
            nats.restart(at);
            sleep(Duration::from_secs(2));
        }
        stop.store(true, Ordering::Relaxed);
        client.join().unwrap()
    });
    let entries = journal.check().unwrap();
    assert_eq!(entries, stored, "each is stored once");
}

#[test]
fn without_a_quorum_appends_fail_fast_and_the_head_is_not_confirmed() {
    let mut nats = Nats::cluster();
    let folder = tempfile::tempdir().unwrap();
    let settings = quick(&nats, folder.path());
    let settings = JetStreamSettings { append_timeout: Duration::from_secs(2), ..settings };
    let journal = JetStreamJournal::open(settings).unwrap();
    append(&journal, &[close(1)]);
    let confirmed = || journal.cluster().unwrap().borrow().confirmed.unwrap();
    eventually("the head is confirmed", || confirmed().head == 1);
    nats.kill(1);
    nats.kill(2);
    // Until the leader has missed the others for a while, the outcome is unknown.
    let is_rejected = || matches!(journal.append(&[close(2)])[0], Err(AppendError::Rejected(_)));
    eventually("appends are rejected", is_rejected);
    // A server without a leader rejects them before the node has missed its confirmations, and a leader counts those
    // that it heard of within five seconds.
    let is_confirmed = || {
        let before = confirmed().at;
        sleep(Duration::from_secs(3));
        confirmed().at != before
    };
    eventually("the head is not confirmed any more", || !is_confirmed());
    eventually("the node does not follow", || journal.check_writable().is_err());
    assert_eq!(journal.read(1, 9).unwrap().len(), 1, "reads are answered by the copy");
    nats.restart(1);
    eventually("the quorum is back", || state(&journal) == ClusterState::Following);
    assert_eq!(sequences(&append(&journal, &[close(2)])), [2]);
}
