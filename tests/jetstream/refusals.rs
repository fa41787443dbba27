//! Servers and streams that a node refuses, by name.

use std::time::Duration;

use async_nats::jetstream;
use tipoff::journal::{ClusterState, JetStreamJournal, JetStreamSettings, Journal, Refusal};

use crate::appends::close;
use crate::nats::{Nats, NatsOptions};
use crate::{append, eventually, open, operate, quick, refusal, state};

#[test]
fn a_server_that_acknowledges_before_it_syncs_is_refused_unless_accepted() {
    let nats = Nats::with(NatsOptions { sync_interval: "2m", ..NatsOptions::default() });
    let folder = tempfile::tempdir().unwrap();
    let refused = refusal(quick(&nats, folder.path())).to_string();
    assert!(refused.contains("n0 acknowledges before it syncs"), "{refused}");

    let settings = JetStreamSettings { accept_unsafe: true, ..quick(&nats, folder.path()) };
    let journal = JetStreamJournal::open(settings).unwrap();
    append(&journal, &[close(1)]);
    let risks = journal.cluster().unwrap().borrow().accepted_risks.clone();
    assert_eq!(risks.len(), 1, "{risks:?}");
}

#[test]
fn servers_whose_settings_nobody_can_see_are_refused() {
    let nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    let settings = JetStreamSettings { system_credentials: None, ..quick(&nats, folder.path()) };
    let refused = refusal(settings).to_string();
    assert!(refused.contains("set jetstream.system_credentials"), "{refused}");
    // The node's own login sees no server.
    let mut settings = quick(&nats, folder.path());
    settings.system_credentials.clone_from(&settings.credentials);
    settings.connect_timeout = Duration::from_secs(4);
    let refused = refusal(settings).to_string();
    assert!(
        refused.contains("is jetstream.system_credentials a login of the system account"),
        "{refused}"
    );
}

#[test]
fn a_server_that_takes_small_messages_only_is_refused() {
    let nats = Nats::with(NatsOptions { max_payload: 1024 * 1024, ..NatsOptions::default() });
    let folder = tempfile::tempdir().unwrap();
    let refused = refusal(quick(&nats, folder.path())).to_string();
    assert!(refused.contains("n0 has max_payload = 1048576"), "{refused}");
}

#[test]
fn a_stream_that_somebody_changed_is_refused_until_it_is_changed_back() {
    let mut nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&nats, folder.path());
    append(&journal, &[close(1)]);
    let edit = |nats: &Nats, change: fn(&mut jetstream::stream::Config)| {
        operate(async {
            let context = jetstream::new(nats.client().await);
            let stream = context.get_stream("TIPOFF").await.unwrap();
            let mut config = stream.cached_info().config.clone();
            change(&mut config);
            context.update_stream(config).await.unwrap();
        });
    };
    edit(&nats, |config| {
        config.discard = jetstream::stream::DiscardPolicy::Old;
        config.max_age = Duration::from_secs(3_600);
    });
    // The settings are checked at each connection.
    nats.restart(0);
    let refused = || match state(&journal) {
        ClusterState::Refused(Refusal::ChangedStream { differences, .. }) => differences,
        _ => Vec::new(),
    };
    eventually("the change is refused", || !refused().is_empty());
    assert_eq!(refused(), ["discard is Old instead of New", "max_age is 3600s instead of 0ns"]);
    assert!(journal.append(&[close(2)])[0].is_err());
    edit(&nats, |config| {
        config.discard = jetstream::stream::DiscardPolicy::New;
        config.max_age = Duration::ZERO;
    });
    eventually("it is changed back", || state(&journal) == ClusterState::Following);
    append(&journal, &[close(2)]);
}

#[test]
fn servers_that_do_not_answer_are_named_with_the_reason() {
    let mut nats = Nats::start();
    nats.kill(0);
    let folder = tempfile::tempdir().unwrap();
    let settings = quick(&nats, folder.path());
    let settings = JetStreamSettings { connect_timeout: Duration::from_secs(2), ..settings };
    let refused = refusal(settings);
    assert!(matches!(refused, Refusal::Unreachable { .. }), "{refused}");
}

#[test]
fn a_full_stream_refuses_what_does_not_fit_and_keeps_what_it_has() {
    let nats = Nats::start();
    let folder = tempfile::tempdir().unwrap();
    let settings = JetStreamSettings { max_bytes: 30_000, ..quick(&nats, folder.path()) };
    let journal = JetStreamJournal::open(settings).unwrap();
    let outcomes: Vec<_> =
        (0..300).map(|number| journal.append(&[close(number)]).remove(0)).collect();
    let stored = outcomes.iter().take_while(|outcome| outcome.is_ok()).count();
    assert!((1..300).contains(&stored));
    let full = outcomes[stored].as_ref().unwrap_err();
    assert!(full.to_string().contains("maximum bytes exceeded"), "{full}");
    assert_eq!(journal.check().unwrap(), stored as u64);
}
