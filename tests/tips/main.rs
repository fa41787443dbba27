//! Tips over the real exchange: each recipient has its own thread.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod privacy;
mod reopening;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use support::clock::SetClock;
use support::tips::{field, key, move_to, reply, sent, state, tip, tip_events, values, walk};
use support::{World, soon};
use tipoff::client::{ClientError, FeedEvent, FeedStart};
use tipoff::wire::pb::{self, TipState};

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_is_answered_step_by_step_and_both_sides_see_each_step_immediately() {
    let world = World::new();
    let node = world.start().await;
    let (sender, recipient) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let mut feeds =
        [sender.subscribe(FeedStart::Now, None), recipient.subscribe(FeedStart::Now, None)];
    for feed in &mut feeds {
        support::feed::subscribed(feed).await;
    }
    let request = pb::SendTipRequest {
        subject: "a network".into(),
        indicators: vec![key("a[.]example"), key("just words"), key("b.example")],
        urgency: pb::TipUrgency::Priority.into(),
        ..tip("t1", &["facegraph"])
    };
    let given = sender.send_tip(request.clone()).await.unwrap();
    assert_eq!((given.counted, given.rejected.len(), given.rejected[0].index), (2, 1, 1));
    assert!(!given.replayed);
    let again = sender.send_tip(request.clone()).await.unwrap();
    assert_eq!((&again.tip_id, again.replayed), (&given.tip_id, true));
    let other = pb::SendTipRequest { subject: "another".into(), ..request };
    assert!(matches!(sender.send_tip(other).await, Err(ClientError::Conflict(_))));

    let states = [TipState::Acknowledged, TipState::Investigating, TipState::Actioned];
    walk(&recipient, &given.tip_id, &states).await;
    for feed in &mut feeds {
        let mut seen = Vec::new();
        for _ in 0..4 {
            let FeedEvent::Tip(event) = soon(feed.next_event()).await.unwrap().unwrap() else {
                panic!("a tip")
            };
            let (tip, entry) = (event.tip.unwrap(), event.entry.unwrap());
            assert_eq!(
                (tip.subject.as_str(), tip.urgency()),
                ("a network", pb::TipUrgency::Priority)
            );
            assert_eq!(tip.threads.len(), 1);
            seen.push((state(&tip, "facegraph"), entry.message, entry.indicators.len()));
        }
        assert_eq!(seen[0].0, TipState::Sent);
        assert_eq!(
            (seen[0].1.as_str(), seen[0].2),
            ("a network of accounts that post the same", 2)
        );
        assert_eq!(seen[1..].iter().map(|step| step.0).collect::<Vec<_>>(), states);
        assert_eq!(seen[3].1, "to TIP_STATE_ACTIONED");
    }
    let shown = sender.tip(&given.tip_id, "").await.unwrap();
    assert_eq!(shown.entries.len(), 4);
    assert_eq!(values(&shown.indicators), ["a.example", "b.example"].map(String::from).into());
    let moves = &shown.entries[3].moves;
    assert_eq!((moves[0].from(), moves[0].to()), (TipState::Investigating, TipState::Actioned));
    // A tip contains values, but is no assessment of them.
    let known = recipient.lookup(&[key("a.example")]).await.unwrap();
    assert!(matches!(known[0].result, Some(pb::lookup_result::Result::Unknown(_))));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_move_names_the_state_of_the_tip_and_the_allowed_moves() {
    let world = World::new();
    let node = world.start().await;
    let (sender, recipient) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let id = sender.send_tip(tip("t1", &["facegraph"])).await.unwrap().tip_id;
    let refused = recipient.respond_to_tip(move_to("r1", &id, TipState::Closed)).await;
    let Err(ClientError::Precondition(message)) = refused else { panic!("{refused:?}") };
    assert!(message.contains("the tip is sent") && message.contains("acknowledged"), "{message}");
    let silent = pb::RespondToTipRequest {
        message: String::new(),
        ..move_to("r2", &id, TipState::Declined)
    };
    assert_eq!(field(recipient.respond_to_tip(silent).await).0, "message");
    let nothing = reply("r3", &id, " ");
    assert_eq!(field(recipient.respond_to_tip(nothing).await).0, "message");
    let by_sender = move_to("r4", &id, TipState::Acknowledged);
    assert_eq!(field(sender.respond_to_tip(by_sender).await).0, "state");
    walk(&recipient, &id, &[TipState::Declined]).await;
    // A message is allowed in every state, by either side, and does not move the tip.
    let responded = recipient.respond_to_tip(reply("r5", &id, "not ours")).await.unwrap();
    assert_eq!(responded.state(), TipState::Declined);
    let responded = sender.respond_to_tip(reply("r5", &id, "whose then?")).await.unwrap();
    assert_eq!(responded.state(), TipState::Unspecified, "it is for all");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_fields_of_a_tip_are_named() {
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    for (recipients, says) in [
        (vec![], "1 to 50"),
        (vec!["birdsite"], "yourself"),
        (vec!["watcher"], "`watcher` is an observer"),
        (vec!["exchange-ops"], "`exchange-ops` runs the exchange"),
        (vec!["facegraph", "nobody"], "no partner `nobody`"),
    ] {
        let (field, reason) = field(sender.send_tip(tip("t1", &recipients)).await);
        assert!(field == "recipients" && reason.contains(says), "{field} {reason}");
    }
    let past = Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 });
    let late = pb::SendTipRequest { respond_by: past, ..tip("t1", &["facegraph"]) };
    assert_eq!(field(sender.send_tip(late).await).0, "respond_by");
    let of_nothing = pb::SendTipRequest { submission_id: "s".into(), ..tip("t1", &["facegraph"]) };
    assert_eq!(field(sender.send_tip(of_nothing).await).0, "submission_id");
    let no_words = pb::SendTipRequest { narrative: String::new(), ..tip("t1", &["facegraph"]) };
    assert_eq!(field(sender.send_tip(no_words).await).0, "narrative");
    let no_token = pb::ListTipsRequest { page_token: "?".into(), ..Default::default() };
    assert_eq!(field(sender.tips_page(no_token).await).0, "page_token");
    assert!(sent(&sender).await.is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_is_overdue_once_the_clock_has_passed_and_until_it_is_answered() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let (sender, recipient) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let due = |seconds| {
        let now = tipoff::clock::Clock::now(&*clock).as_millis() / 1_000;
        Some(prost_types::Timestamp { seconds: now + seconds, nanos: 0 })
    };
    let mut ids = Vec::new();
    for (request, seconds) in [("later", 7_200), ("soon", 3_600), ("never", 0)] {
        let respond_by = if seconds == 0 { None } else { due(seconds) };
        let request = pb::SendTipRequest { respond_by, ..tip(request, &["facegraph"]) };
        ids.push(sender.send_tip(request).await.unwrap().tip_id);
    }
    let overdue = async |of: pb::TipBox, client: &tipoff::client::Client| {
        let request = pb::ListTipsRequest {
            r#box: of.into(),
            overdue: true,
            page_size: 1,
            ..Default::default()
        };
        let tips = client.tips(request).await.unwrap();
        assert!(tips.iter().all(|tip| tip.threads[0].overdue));
        tips.into_iter().map(|tip| tip.id).collect::<Vec<_>>()
    };
    assert!(overdue(pb::TipBox::Received, &recipient).await.is_empty());
    clock.advance(Duration::from_secs(3 * 3_600));
    let both = vec![ids[1].clone(), ids[0].clone()];
    assert_eq!(overdue(pb::TipBox::Received, &recipient).await, both, "sorted by due time");
    assert_eq!(overdue(pb::TipBox::Sent, &sender).await, both);
    assert_eq!(node.exchange.queries.overdue_tips().unwrap(), 2);
    walk(&recipient, &ids[1], &[TipState::Investigating]).await;
    assert_eq!(node.exchange.queries.overdue_tips().unwrap(), 2, "it is not answered yet");
    walk(&recipient, &ids[1], &[TipState::Monitoring]).await;
    assert_eq!(overdue(pb::TipBox::Received, &recipient).await, [ids[0].clone()]);
    sender.withdraw_tip(&ids[0]).await.unwrap();
    assert_eq!(node.exchange.queries.overdue_tips().unwrap(), 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_with_a_thousand_indicators_and_fifty_recipients_is_read_page_by_page() {
    use std::fmt::Write;
    let mut partners = support::PARTNERS.to_owned();
    let names: Vec<String> = (0..50).map(|at| format!("member-{at:02}")).collect();
    for name in &names {
        write!(partners, "\n[[partners]]\nid = \"{name}\"\nrole = \"member\"\n").unwrap();
    }
    let world = World::with(&partners);
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let all: Vec<_> = names.iter().map(String::as_str).collect();
    let request = pb::SendTipRequest {
        narrative: "ü".repeat(4_000),
        indicators: (0..1_000).map(|at| key(&format!("{at}.example"))).collect(),
        ..tip("t1", &all)
    };
    let given = sender.send_tip(request).await.unwrap();
    assert_eq!(given.counted, 1_000);
    assert_eq!(sent(&sender).await.len(), 50);
    let recipient = world.client(&node, "member-31");
    let shown = recipient.tip(&given.tip_id, "").await.unwrap();
    assert_eq!((values(&shown.indicators).len(), shown.indicators.len()), (1_000, 1_000));
    assert_eq!(shown.tip.unwrap().narrative.chars().count(), 4_000);
    let mut request = pb::GetTipRequest {
        tip_id: given.tip_id.clone(),
        indicators_page_size: 333,
        ..Default::default()
    };
    let mut sizes = Vec::new();
    loop {
        let page = recipient.tip_page(request.clone()).await.unwrap();
        sizes.push(page.indicators.len());
        request.indicators_page_token = page.next_indicators_page_token;
        if request.indicators_page_token.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [333, 333, 333, 1]);
    let event = tip_events(&recipient).await.pop().unwrap().entry.unwrap();
    assert_eq!((event.indicator_count, event.indicators.len()), (1_000, 100));
    sender.withdraw_tip(&given.tip_id).await.unwrap();
    assert!(sent(&sender).await.iter().all(|tip| tip.threads[0].state() == TipState::Withdrawn));
    node.stop().await;
}
