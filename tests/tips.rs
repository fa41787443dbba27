//! Tips over the real exchange: each recipient has a life of its own with them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::clock::SetClock;
use support::tips::{field, key, moving, received, saying, sent, state, tip, told, values, walk};
use support::{World, batch, domain, named, sharing, soon};
use tipoff::client::{ClientError, FeedEvent, FeedStart};
use tipoff::wire::pb::{self, TipAction, TipState, Tlp};

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_is_answered_step_by_step_and_both_sides_see_each_at_once() {
    let world = World::new();
    let node = world.start().await;
    let (sender, recipient) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let mut feeds =
        [sender.subscribe(FeedStart::Now, None), recipient.subscribe(FeedStart::Now, None)];
    for feed in &mut feeds {
        support::feed::in_place(feed).await;
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
        assert_eq!(seen.iter().map(|one| one.0).skip(1).collect::<Vec<_>>(), states);
        assert_eq!(seen[3].1, "to TIP_STATE_ACTIONED");
    }
    let shown = sender.tip(&given.tip_id, "").await.unwrap();
    assert_eq!(shown.entries.len(), 4);
    assert_eq!(values(&shown.indicators), ["a.example", "b.example"].map(String::from).into());
    let moves = &shown.entries[3].moves;
    assert_eq!((moves[0].from(), moves[0].to()), (TipState::Investigating, TipState::Actioned));
    // A tip is about values, and says nothing of them.
    let known = recipient.lookup(&[key("a.example")]).await.unwrap();
    assert!(matches!(known[0].result, Some(pb::lookup_result::Result::Unknown(_))));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_move_names_where_the_tip_stands_and_what_is_allowed() {
    let world = World::new();
    let node = world.start().await;
    let (sender, recipient) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let id = sender.send_tip(tip("t1", &["facegraph"])).await.unwrap().tip_id;
    let refused = recipient.respond_to_tip(moving("r1", &id, TipState::Closed)).await;
    let Err(ClientError::Precondition(message)) = refused else { panic!("{refused:?}") };
    assert!(message.contains("the tip is sent") && message.contains("acknowledged"), "{message}");
    let silent =
        pb::RespondToTipRequest { message: String::new(), ..moving("r2", &id, TipState::Declined) };
    assert_eq!(field(recipient.respond_to_tip(silent).await).0, "message");
    let nothing = saying("r3", &id, " ");
    assert_eq!(field(recipient.respond_to_tip(nothing).await).0, "message");
    let by_sender = moving("r4", &id, TipState::Acknowledged);
    assert_eq!(field(sender.respond_to_tip(by_sender).await).0, "state");
    walk(&recipient, &id, &[TipState::Declined]).await;
    // A message is allowed everywhere, by either side, and moves nothing.
    let said = recipient.respond_to_tip(saying("r5", &id, "not ours")).await.unwrap();
    assert_eq!(said.state(), TipState::Declined);
    let said = sender.respond_to_tip(saying("r5", &id, "whose then?")).await.unwrap();
    assert_eq!(said.state(), TipState::Unspecified, "it is for all");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_tip_is_named() {
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
async fn recipients_do_not_learn_of_one_another_unless_one_says_so() {
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let (face, tube) = (world.client(&node, "facegraph"), world.client(&node, "tubeworks"));
    let id = sender.send_tip(tip("t1", &["tubeworks", "facegraph"])).await.unwrap().tip_id;
    walk(&face, &id, &[TipState::Acknowledged]).await;
    let mut own = saying("own", &id, "between us");
    own.indicators = vec![key("own.example")];
    face.respond_to_tip(own).await.unwrap();
    let mut to_tube = saying("to-tube", &id, "for you alone");
    to_tube.recipient = "tubeworks".into();
    sender.respond_to_tip(to_tube).await.unwrap();
    sender.respond_to_tip(saying("to-all", &id, "for all")).await.unwrap();

    let before = tube.tip(&id, "").await.unwrap();
    let said: Vec<_> = before.entries.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(said[1..], ["for you alone", "for all"]);
    assert_eq!(before.entries[1].recipient, before.entries[2].recipient, "to whom is not told");
    assert!(before.indicators.is_empty());
    for text in [
        format!("{before:?}"),
        format!("{:?}", told(&tube).await),
        format!("{:?}", received(&tube).await),
    ] {
        assert!(!text.contains("facegraph") && !text.contains("Acknowledged"), "{text}");
    }
    // Nor by asking: an error is the same for who received it and for who did not.
    for named in ["facegraph", "nobody"] {
        let mut asked = saying("x", &id, "hm");
        asked.recipient = named.into();
        let (field, reason) = field(tube.respond_to_tip(asked).await);
        assert_eq!(
            (field.as_str(), reason.as_str()),
            ("recipient", "is for the tip's sender to name")
        );
        let shown = tube.tip(&id, named).await.unwrap();
        assert_eq!(shown.entries.len(), 3, "a recipient is shown its own thread");
    }
    // The sender sees all threads, and each by itself.
    let all = sender.tip(&id, "").await.unwrap();
    assert_eq!((all.entries.len(), all.tip.unwrap().threads.len()), (5, 2));
    assert_eq!(sender.tip(&id, "facegraph").await.unwrap().entries.len(), 4);

    let mut shown = moving("shown", &id, TipState::Investigating);
    shown.to_all = true;
    shown.indicators = vec![key("shown.example")];
    face.respond_to_tip(shown).await.unwrap();
    let after = tube.tip(&id, "").await.unwrap();
    let entry = after.entries.last().unwrap();
    assert_eq!((entry.author.as_str(), entry.to_all, entry.moves.len()), ("facegraph", false, 0));
    assert_eq!(values(&after.indicators), ["shown.example".to_owned()].into());
    assert_eq!(state(after.tip.as_ref().unwrap(), "tubeworks"), TipState::Sent);
    let event = told(&tube).await.pop().unwrap();
    assert_eq!(event.tip.unwrap().threads.len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_tip_that_is_withdrawn_nothing_is_delivered_but_that() {
    let world = World::new();
    let node = world.start().await;
    let (sender, recipient) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let request = pb::SendTipRequest {
        subject: "secret subject".into(),
        indicators: vec![key("secret.example")],
        ..tip("t1", &["facegraph", "tubeworks"])
    };
    let id = sender.send_tip(request).await.unwrap().tip_id;
    recipient.respond_to_tip(saying("r1", &id, "secret message")).await.unwrap();
    let denied = recipient.withdraw_tip(&id).await;
    assert!(matches!(denied, Err(ClientError::Denied(_))), "{denied:?}");
    let withdrawn = sender.withdraw_tip(&id).await.unwrap();
    let again = sender.withdraw_tip(&id).await.unwrap();
    assert_eq!((again.sequence, again.replayed), (withdrawn.sequence, true));

    let shown = recipient.tip(&id, "").await.unwrap();
    assert_eq!(state(shown.tip.as_ref().unwrap(), "facegraph"), TipState::Withdrawn);
    let events = told(&recipient).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].entry.as_ref().unwrap().action(), TipAction::Withdrawn);
    let listed = received(&recipient).await;
    for text in [format!("{shown:?}"), format!("{events:?}"), format!("{listed:?}")] {
        for secret in ["secret", "a network of accounts", "tubeworks"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    let own = sender.tip(&id, "").await.unwrap();
    assert_eq!((own.entries.len(), own.indicators.len()), (3, 1), "the sender sees what it sent");
    for client in [&sender, &recipient] {
        let refused = client.respond_to_tip(saying("late", &id, "but")).await;
        assert!(matches!(refused, Err(ClientError::Precondition(_))), "{refused:?}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_stranger_a_tip_is_what_nothing_is() {
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let stranger = world.client(&node, "tubeworks");
    let id = sender.send_tip(tip("t1", &["facegraph"])).await.unwrap().tip_id;
    let nothing = "01234567-0123-4123-8123-0123456789ab";
    let mut answers = Vec::new();
    for id in [id.as_str(), nothing] {
        answers.push(vec![
            format!("{:?}", stranger.tip(id, "").await.unwrap_err()),
            format!("{:?}", stranger.respond_to_tip(saying("r", id, "m")).await.unwrap_err()),
            format!("{:?}", stranger.withdraw_tip(id).await.unwrap_err()),
        ]);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].iter().all(|answer| answer.contains("NotFound")), "{answers:?}");
    assert!(received(&stranger).await.is_empty() && told(&stranger).await.is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn something_new_of_the_sender_takes_up_what_is_monitored_or_closed() {
    use TipState::{Actioned, Closed, Declined, Investigating, Monitoring};
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let (face, tube) = (world.client(&node, "facegraph"), world.client(&node, "tubeworks"));
    let id = sender.send_tip(tip("t1", &["facegraph", "tubeworks"])).await.unwrap().tip_id;
    walk(&face, &id, &[Investigating, Actioned, Closed]).await;
    walk(&tube, &id, &[Declined]).await;
    sender.respond_to_tip(saying("words", &id, "any news?")).await.unwrap();
    let shown = sender.tip(&id, "").await.unwrap().tip.unwrap();
    assert_eq!((state(&shown, "facegraph"), state(&shown, "tubeworks")), (Closed, Declined));
    let mut news = saying("news", &id, "there is more");
    news.indicators = vec![key("more.example")];
    sender.respond_to_tip(news).await.unwrap();
    let shown = sender.tip(&id, "").await.unwrap().tip.unwrap();
    assert_eq!((state(&shown, "facegraph"), state(&shown, "tubeworks")), (Investigating, Declined));
    let event = told(&face).await.pop().unwrap();
    let (tip, entry) = (event.tip.unwrap(), event.entry.unwrap());
    assert_eq!((state(&tip, "facegraph"), entry.moves[0].from()), (Investigating, Closed));
    assert_eq!(entry.indicators[0].value, "more.example");
    // What a recipient finds by itself takes up nothing.
    walk(&face, &id, &[Monitoring]).await;
    let mut own = saying("own", &id, "ours");
    own.indicators = vec![key("ours.example")];
    assert_eq!(face.respond_to_tip(own).await.unwrap().state(), Monitoring);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_in_a_campaign_takes_up_a_tip_where_both_sides_can_see_it() {
    use TipState::{Investigating, Monitoring};
    let world = World::new();
    let node = world.start().await;
    let (sender, recipient) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let unseen = "01234567-89ab-4def-8123-456789abcdef";
    let request = pb::SendTipRequest { campaign: unseen.into(), ..tip("t0", &["facegraph"]) };
    let refused = sender.send_tip(request).await.unwrap_err().to_string();
    assert!(refused.contains("is not a campaign that you see"), "{refused}");
    let founding = |name: &str, sharing: pb::Sharing| pb::PutCampaignRequest {
        request_id: name.into(),
        contribution: Some(pb::Contribution { name: name.into(), ..Default::default() }),
        sharing: Some(sharing),
        ..Default::default()
    };
    let open = founding("c1", sharing(Tlp::Green, None));
    let campaign = &sender.put_campaign(open).await.unwrap().campaign_id;
    let request = pb::SendTipRequest { campaign: campaign.clone(), ..tip("t1", &["facegraph"]) };
    let id = sender.send_tip(request).await.unwrap().tip_id;
    let of = |campaign: &str, value: &str| {
        let mut item = domain(value);
        let campaign = campaign.to_owned();
        item.assessment = Some(pb::Assessment { campaign, ..Default::default() });
        item
    };
    let of_campaign = |value: &str| of(campaign, value);
    let to = |partner: &str| Some(sharing(Tlp::Amber, named(&[], &[partner])));
    let standing = async || {
        let shown = sender.tip(&id, "").await.unwrap();
        (state(shown.tip.as_ref().unwrap(), "facegraph"), shown.entries.len())
    };
    // Nothing waits yet.
    let early = batch("early", 1, None, vec![of_campaign("early.example")]);
    sender.submit(early).await.unwrap();
    walk(&recipient, &id, &[Investigating, Monitoring]).await;
    // The recipient cannot see this, and another's is of neither side.
    let hidden = batch("hidden", 1, to("tubeworks"), vec![of_campaign("hidden.example")]);
    sender.submit(hidden).await.unwrap();
    let other = world.client(&node, "tubeworks");
    let theirs =
        batch("theirs", 1, Some(sharing(Tlp::Green, None)), vec![of_campaign("o.example")]);
    other.submit(theirs).await.unwrap();
    // Of a campaign that the recipient does not see it is told nothing, though it sees what is new.
    let closed = founding("c2", to("tubeworks").unwrap());
    let secret = sender.put_campaign(closed).await.unwrap().campaign_id;
    let request = pb::SendTipRequest { campaign: secret.clone(), ..tip("t2", &["facegraph"]) };
    let apart = sender.send_tip(request).await.unwrap().tip_id;
    walk(&recipient, &apart, &[Investigating, Monitoring]).await;
    let everyone = Some(sharing(Tlp::Green, None));
    let news = batch("apart", 1, everyone, vec![of(&secret, "apart.example")]);
    sender.submit(news).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(standing().await, (Monitoring, 3));
    let waits = sender.tip(&apart, "").await.unwrap().tip.unwrap();
    assert_eq!(state(&waits, "facegraph"), Monitoring);
    assert_eq!(node.exchange.index().read().unwrap().news(10).unwrap(), [], "they were looked at");
    // A recipient's own is as good as the sender's.
    recipient.submit(batch("new", 1, None, vec![of_campaign("new.example")])).await.unwrap();
    soon(async {
        while standing().await.0 != Investigating {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    for client in [&sender, &recipient] {
        let event = told(client).await.pop().unwrap();
        let entry = event.entry.unwrap();
        assert_eq!((entry.action(), entry.author.as_str()), (TipAction::Reopened, ""));
        assert_eq!(state(&event.tip.unwrap(), "facegraph"), Investigating);
    }
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
    assert_eq!(overdue(pb::TipBox::Received, &recipient).await, both, "the longest overdue first");
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
    let event = told(&recipient).await.pop().unwrap().entry.unwrap();
    assert_eq!((event.indicator_count, event.indicators.len()), (1_000, 100));
    sender.withdraw_tip(&given.tip_id).await.unwrap();
    assert!(sent(&sender).await.iter().all(|tip| tip.threads[0].state() == TipState::Withdrawn));
    node.stop().await;
}
