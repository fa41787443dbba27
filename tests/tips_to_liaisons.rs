//! Tips to liaisons: a tip is released to the liaisons that it names, until it is closed or
//! withdrawn.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::clock::SetClock;
use support::feed::{event, nothing, subscribed};
use support::liaison::{HOUR, cyber_unit, field as named_field, now, warrant};
use support::tips::{
    field, full, key, move_to, received, reply, state, tip, tip_events, values, walk,
};
use support::{World, batch, domain, named, sharing, soon};
use tipoff::client::{Client, ClientError, FeedEvent, FeedStart};
use tipoff::clock::Clock;
use tipoff::wire::pb::{self, PurposeKind, TipAction, TipState, Tlp};
use tipoff::wire::timestamp;

/// Everything that a liaison receives and reads of a tip, as text.
async fn everything(liaison: &Client, id: &str) -> [String; 3] {
    let (events, received) = (tip_events(liaison).await, received(liaison).await);
    let shown = liaison.tip(id, "").await.unwrap();
    [format!("{events:?}"), format!("{received:?}"), format!("{shown:?}")]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liaison_sees_its_own_thread_of_a_tip_and_nothing_of_other_recipients() {
    let world = World::new();
    let node = world.start().await;
    let (sender, face) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let liaison = cyber_unit(&world, &node);
    let mut feed = liaison.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    // With any marking.
    let id = sender.send_tip(full("t1", &["facegraph", "cyber-unit"])).await.unwrap().tip_id;
    let FeedEvent::Tip(event) = event(&mut feed).await else { panic!("a tip") };
    assert_eq!(event.entry.unwrap().indicators[0].value, "secret.example");
    walk(&face, &id, &[TipState::Acknowledged]).await;
    let mut own = reply("own", &id, "between us");
    own.indicators = vec![key("own.example")];
    face.respond_to_tip(own).await.unwrap();
    let mut to_face = reply("to-face", &id, "for facegraph alone");
    to_face.recipient = "facegraph".into();
    sender.respond_to_tip(to_face).await.unwrap();
    sender.respond_to_tip(reply("all", &id, "for all")).await.unwrap();

    let shown = liaison.tip(&id, "").await.unwrap();
    let messages: Vec<_> = shown.entries.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(messages, ["a network of accounts that post the same", "for all"]);
    let tip = shown.tip.as_ref().unwrap();
    assert_eq!((tip.subject.as_str(), tip.tlp()), ("secret subject", Tlp::Red));
    assert_eq!(state(tip, "cyber-unit"), TipState::Sent);
    assert_eq!(values(&shown.indicators), ["secret.example".to_owned()].into());
    assert_eq!(received(&liaison).await.len(), 1);
    assert_eq!(tip_events(&liaison).await.len(), 2);
    for text in everything(&liaison, &id).await {
        for hidden in ["facegraph", "between us", "own.example", "Acknowledged"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    // It also gets what another recipient shows to all.
    let mut to_all = reply("to-all", &id, "look here");
    to_all.to_all = true;
    face.respond_to_tip(to_all).await.unwrap();
    let entry = liaison.tip(&id, "").await.unwrap().entries.pop().unwrap();
    assert_eq!((entry.author.as_str(), entry.message.as_str()), ("facegraph", "look here"));
    // A tip is no assessment, and gives no access to one.
    assert!(liaison.snapshot(None).await.unwrap().1.is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_purpose_that_the_registry_allows_a_liaison_has_no_tips() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let sender = world.client(&node, "birdsite");
    let id = &sender.send_tip(full("t1", &["cyber-unit"])).await.unwrap().tip_id;
    let good = || warrant(clock.now());
    let past = Some(timestamp(clock.now()));
    let wrong = [
        (None, "purpose"),
        (Some(pb::Purpose { reference: String::new(), ..good() }), "purpose.reference"),
        (Some(pb::Purpose { jurisdiction: "FR".into(), ..good() }), "purpose.jurisdiction"),
        (Some(pb::Purpose { until: past, ..good() }), "purpose.until"),
    ];
    let errors = async |client: &Client| {
        [
            client.tip(id, "").await.map(|_| ()).unwrap_err(),
            client.tips(pb::ListTipsRequest::default()).await.map(|_| ()).unwrap_err(),
            client.respond_to_tip(reply("r", id, "hm")).await.map(|_| ()).unwrap_err(),
        ]
    };
    let own = world.client(&node, "cyber-unit");
    for (purpose, named) in wrong {
        let mut client = own.clone();
        if let Some(purpose) = purpose {
            client = client.with_purpose(purpose);
        }
        for error in errors(&client).await {
            assert_eq!(named_field(&error), named, "{error}");
        }
    }
    let subpoena = pb::Purpose { kind: PurposeKind::Subpoena.into(), ..good() };
    for denied in errors(&own.clone().with_purpose(subpoena)).await {
        assert!(matches!(&denied, ClientError::Denied(why) if why.contains("warrant")), "{denied}");
    }
    for error in errors(&sender.clone().with_purpose(good())).await {
        assert_eq!(named_field(&error), "purpose", "members read for none");
    }
    // An expired purpose cannot be used.
    let liaison = own.with_purpose(good());
    liaison.tip(id, "").await.unwrap();
    clock.advance(HOUR);
    for error in errors(&liaison).await {
        assert_eq!(named_field(&error), "purpose.until");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_purpose_of_the_public_kind_there_are_no_tips() {
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let clear = pb::SendTipRequest { tlp: Tlp::Clear.into(), ..full("t1", &["cyber-unit"]) };
    let id = sender.send_tip(clear).await.unwrap().tip_id;
    let public = pb::Purpose { kind: PurposeKind::Public.into(), ..warrant(now()) };
    let public = world.client(&node, "cyber-unit").with_purpose(public);
    assert!(received(&public).await.is_empty() && tip_events(&public).await.is_empty());
    let mut answers = Vec::new();
    for id in [id.as_str(), "01234567-0123-4123-8123-0123456789ab"] {
        answers.push([
            format!("{:?}", public.tip(id, "").await.unwrap_err()),
            format!("{:?}", public.respond_to_tip(reply("r", id, "m")).await.unwrap_err()),
        ]);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].iter().all(|answer| answer.contains("NotFound")), "{answers:?}");
    assert!(sender.accesses(None, None).await.unwrap().is_empty());
    assert_eq!(received(&cyber_unit(&world, &node)).await.len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_a_liaison_moves_its_thread_and_reaches_the_sender() {
    let world = World::new();
    let node = world.start().await;
    let (sender, face) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let liaison = cyber_unit(&world, &node);
    let id = sender.send_tip(full("t1", &["facegraph", "cyber-unit"])).await.unwrap().tip_id;
    let mut feed = sender.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    let mut answer = move_to("r1", &id, TipState::Acknowledged);
    answer.indicators = vec![key("ours.example")];
    let given = liaison.respond_to_tip(answer.clone()).await.unwrap();
    assert_eq!((given.state(), given.counted), (TipState::Acknowledged, 1));
    let FeedEvent::Tip(event) = event(&mut feed).await else { panic!("a tip") };
    let (tip, entry) = (event.tip.unwrap(), event.entry.unwrap());
    assert_eq!(state(&tip, "cyber-unit"), TipState::Acknowledged);
    assert_eq!((entry.author.as_str(), entry.indicators.len()), ("cyber-unit", 1));
    // Sent again under another purpose it gives the same answer.
    let voluntary = pb::Purpose { kind: PurposeKind::Voluntary.into(), ..warrant(now()) };
    let again = world.client(&node, "cyber-unit").with_purpose(voluntary);
    let again = again.respond_to_tip(answer).await.unwrap();
    assert_eq!((again.sequence, again.replayed), (given.sequence, true));
    // It stays in its own thread, and is no platform's report.
    assert_eq!(face.tip(&id, "").await.unwrap().entries.len(), 1);
    let to_all = pb::RespondToTipRequest { to_all: true, ..reply("r2", &id, "hear me") };
    assert_eq!(field(liaison.respond_to_tip(to_all).await).0, "to_all");
    let other = pb::RespondToTipRequest { recipient: "facegraph".into(), ..reply("r3", &id, "m") };
    assert_eq!(field(liaison.respond_to_tip(other).await).0, "recipient");
    let count = pb::EnforcementCount {
        asset: pb::AssetKind::Page.into(),
        platform: "facebook".into(),
        count: 7,
        ..Default::default()
    };
    let done = pb::Enforcement {
        counts: vec![count],
        method: pb::EnforcementMethod::AfterTip.into(),
        ..Default::default()
    };
    let counts = pb::RespondToTipRequest { enforcement: Some(done), ..reply("r4", &id, "done") };
    let (named, reason) = field(liaison.respond_to_tip(counts).await);
    assert!(named == "enforcement" && reason.contains("platform"), "{named} {reason}");
    // It can neither send nor withdraw tips.
    let sends = liaison.send_tip(full("t1", &["birdsite"])).await.unwrap_err();
    assert!(matches!(sends, ClientError::Denied(_)), "{sends}");
    let withdraws = liaison.withdraw_tip(&id).await.unwrap_err();
    assert!(matches!(withdraws, ClientError::Denied(_)), "{withdraws}");
    nothing(&mut feed).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_tip_shows_a_liaison_no_content_until_it_is_reopened() {
    use TipState::{Actioned, Closed, Investigating};
    let world = World::new();
    let node = world.start().await;
    let (sender, face) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let liaison = cyber_unit(&world, &node);
    let mut request = full("t1", &["facegraph", "cyber-unit"]);
    request.urgency = pb::TipUrgency::Priority.into();
    request.respond_by = Some(timestamp(now().plus(HOUR)));
    let id = sender.send_tip(request).await.unwrap().tip_id;
    walk(&liaison, &id, &[Investigating, Actioned]).await;
    let mut feed = liaison.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    walk(&liaison, &id, &[Closed]).await;
    walk(&face, &id, &[Investigating, Actioned, Closed]).await;
    sender.respond_to_tip(reply("late", &id, "said meanwhile")).await.unwrap();

    let before = sender.accesses(None, None).await.unwrap().len();
    let FeedEvent::Tip(event) = event(&mut feed).await else { panic!("a tip") };
    assert_eq!(state(&event.tip.unwrap(), "cyber-unit"), Closed);
    nothing(&mut feed).await;
    let texts = everything(&liaison, &id).await;
    for text in &texts {
        for hidden in ["secret", "a network", "said meanwhile", "to TIP_STATE", "facegraph"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    let shown = liaison.tip(&id, "").await.unwrap();
    let tip = shown.tip.unwrap();
    assert_eq!((tip.sender.as_str(), tip.tlp()), ("birdsite", Tlp::Red));
    assert_eq!((tip.urgency(), tip.respond_by), (pb::TipUrgency::Priority, None));
    assert_eq!(state(&tip, "cyber-unit"), Closed);
    assert_eq!(shown.entries.len(), 1);
    assert_eq!(shown.entries[0].moves[0].to(), Closed);
    assert_eq!(tip_events(&liaison).await.len(), 1);
    let after = sender.accesses(None, None).await.unwrap().len();
    assert_eq!(after, before, "without content it is not recorded");
    // A member that closed a tip still sees all of it.
    assert_eq!(face.tip(&id, "").await.unwrap().tip.unwrap().subject, "secret subject");

    let mut news = reply("news", &id, "there is more");
    news.indicators = vec![key("more.example")];
    sender.respond_to_tip(news).await.unwrap();
    let FeedEvent::Tip(event) = soon(feed.next_event()).await.unwrap().unwrap() else {
        panic!("a tip")
    };
    assert_eq!(event.tip.unwrap().subject, "secret subject");
    assert_eq!(event.entry.unwrap().indicators[0].value, "more.example");
    let shown = liaison.tip(&id, "").await.unwrap();
    assert_eq!(values(&shown.indicators).len(), 2);
    let messages: Vec<_> = shown.entries.iter().map(|entry| entry.message.as_str()).collect();
    assert!(
        messages.contains(&"said meanwhile") && messages.contains(&"there is more"),
        "{messages:?}"
    );
    // After declining, it sees what it declined, and may reopen it.
    let other = sender.send_tip(full("t2", &["cyber-unit"])).await.unwrap().tip_id;
    walk(&liaison, &other, &[TipState::Declined]).await;
    assert_eq!(liaison.tip(&other, "").await.unwrap().tip.unwrap().subject, "secret subject");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liaison_sees_only_the_withdrawal_of_a_withdrawn_tip() {
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let liaison = cyber_unit(&world, &node);
    let mut ids = Vec::new();
    for request in ["t1", "t2"] {
        ids.push(sender.send_tip(full(request, &["cyber-unit"])).await.unwrap().tip_id);
    }
    // One tip is closed before.
    let closing = [TipState::Investigating, TipState::Actioned, TipState::Closed];
    walk(&liaison, &ids[1], &closing).await;
    for id in &ids {
        sender.withdraw_tip(id).await.unwrap();
        let texts = everything(&liaison, id).await;
        for text in &texts {
            assert!(!text.contains("secret") && !text.contains("a network"), "{text}");
        }
        let shown = liaison.tip(id, "").await.unwrap();
        assert_eq!(state(shown.tip.as_ref().unwrap(), "cyber-unit"), TipState::Withdrawn);
        assert_eq!(shown.entries.len(), 1);
        let refused = liaison.respond_to_tip(reply("late", id, "but")).await;
        assert!(matches!(refused, Err(ClientError::Precondition(_))), "{refused:?}");
    }
    let events = tip_events(&liaison).await;
    let actions: Vec<_> =
        events.iter().map(|event| event.entry.as_ref().unwrap().action()).collect();
    assert_eq!(actions, [TipAction::Withdrawn; 2]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_does_not_exist_for_another_liaison() {
    let other = "\n[[partners]]\nid = \"other-unit\"\nrole = \"liaison\"\njurisdiction = \"GB\"\n\
                 purposes = [\"warrant\"]\n";
    let world = World::with(&[support::PARTNERS, other].concat());
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let stranger = world.client(&node, "other-unit").with_purpose(warrant(now()));
    let id = sender.send_tip(full("t1", &["cyber-unit"])).await.unwrap().tip_id;
    let mut answers = Vec::new();
    for id in [id.as_str(), "01234567-0123-4123-8123-0123456789ab"] {
        let counts = pb::RespondToTipRequest { to_all: true, ..reply("r", id, "m") };
        answers.push([
            format!("{:?}", stranger.tip(id, "").await.unwrap_err()),
            format!("{:?}", stranger.respond_to_tip(reply("r", id, "m")).await.unwrap_err()),
            format!("{:?}", stranger.respond_to_tip(counts).await.unwrap_err()),
        ]);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].iter().all(|answer| answer.contains("NotFound")), "{answers:?}");
    assert!(received(&stranger).await.is_empty() && tip_events(&stranger).await.is_empty());
    // Neither of two recipients learns of the other.
    let both = sender.send_tip(full("t2", &["cyber-unit", "other-unit"])).await.unwrap().tip_id;
    for text in everything(&stranger, &both).await {
        assert!(!text.contains("cyber-unit"), "{text}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_to_a_liaison_contains_nothing_with_a_restricted_label() {
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let (operator, sender) = (client("exchange-ops"), client("birdsite"));
    let closed = pb::SharingGroup {
        id: "closed".into(),
        members: vec!["birdsite".into(), "facegraph".into()],
        restricted: true,
        terms: "terms".into(),
        ..Default::default()
    };
    operator.put_group(closed).await.unwrap();
    for member in ["birdsite", "facegraph"] {
        client(member).confirm_terms("closed", "terms").await.unwrap();
    }
    let mut item = domain("abuse.example");
    item.assessment = Some(pb::Assessment { labels: vec!["csam".into()], ..Default::default() });
    let to_closed = sharing(Tlp::Amber, named(&["closed"], &[]));
    sender.submit(batch("s1", 1, Some(to_closed), vec![item])).await.unwrap();
    let about = || vec![key("abuse.example"), key("other.example")];
    let tip_to =
        |request: &str, to: &[&str]| pb::SendTipRequest { indicators: about(), ..tip(request, to) };
    let inside = sender.send_tip(tip_to("t1", &["facegraph"])).await.unwrap();
    assert_eq!((inside.counted, inside.rejected.len()), (2, 0));
    for (request, to) in [("t2", vec!["cyber-unit"]), ("t3", vec!["cyber-unit", "facegraph"])] {
        let sent = sender.send_tip(tip_to(request, &to)).await.unwrap();
        assert_eq!((sent.counted, sent.rejected.len()), (1, 1), "{to:?}");
        assert_eq!(sent.rejected[0].index, 0);
        assert!(sent.rejected[0].reason.contains("restricted label"), "{:?}", sent.rejected);
        // Also not later, with new entries for it.
        let later = pb::RespondToTipRequest {
            indicators: about(),
            ..reply(&format!("more-{request}"), &sent.tip_id, "more")
        };
        assert_eq!(sender.respond_to_tip(later).await.unwrap().rejected.len(), 1);
        let shown = cyber_unit(&world, &node).tip(&sent.tip_id, "").await.unwrap();
        assert_eq!(values(&shown.indicators), ["other.example".to_owned()].into());
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_that_a_sender_adds_reach_a_liaison_only_in_the_tip() {
    let world = World::new();
    let node = world.start().await;
    let (sender, face) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let liaison = cyber_unit(&world, &node);
    for (request, to) in [("t1", vec!["cyber-unit", "facegraph"]), ("t2", vec!["cyber-unit"])] {
        let id = sender.send_tip(full(request, &to)).await.unwrap().tip_id;
        let count = pb::EnforcementCount {
            asset: pb::AssetKind::Account.into(),
            platform: "x".into(),
            count: 9,
            ..Default::default()
        };
        let done = pb::Enforcement {
            counts: vec![count],
            method: pb::EnforcementMethod::AfterInvestigation.into(),
            ..Default::default()
        };
        let response_request = pb::RespondToTipRequest {
            enforcement: Some(done),
            ..reply(&format!("{request}-done"), &id, "we acted")
        };
        sender.respond_to_tip(response_request).await.unwrap();
        let entry = tip_events(&liaison).await.pop().unwrap().entry.unwrap();
        assert_eq!(entry.enforcement.unwrap().counts[0].count, 9);
        let of_tip = pb::ListEnforcementsRequest { tip_id: id, ..Default::default() };
        let listed = sender.enforcements(&of_tip).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert!(!format!("{listed:?}").contains("cyber-unit"), "it is in no audience: {listed:?}");
        let all = pb::ListEnforcementsRequest::default();
        assert_eq!(face.enforcements(&all).await.unwrap().len(), 1, "of the first alone");
        let page = liaison.pull(&FeedStart::Beginning, None, 100).await.unwrap();
        assert!(page.enforcements.is_empty());
    }
    node.stop().await;
}
