//! What each party of a tip sees, and what a stranger does not.

use tipoff::client::ClientError;
use tipoff::wire::pb::{self, TipAction, TipState};

use crate::support::World;
use crate::support::tips::{
    field, key, move_to, received, reply, state, tip, tip_events, values, walk,
};

#[tokio::test(flavor = "multi_thread")]
async fn recipients_do_not_learn_of_one_another_unless_one_answers_to_all() {
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let (face, tube) = (world.client(&node, "facegraph"), world.client(&node, "tubeworks"));
    let id = sender.send_tip(tip("t1", &["tubeworks", "facegraph"])).await.unwrap().tip_id;
    walk(&face, &id, &[TipState::Acknowledged]).await;
    let mut own = reply("own", &id, "between us");
    own.indicators = vec![key("own.example")];
    face.respond_to_tip(own).await.unwrap();
    let mut to_tube = reply("to-tube", &id, "for you alone");
    to_tube.recipient = "tubeworks".into();
    sender.respond_to_tip(to_tube).await.unwrap();
    sender.respond_to_tip(reply("to-all", &id, "for all")).await.unwrap();

    let before = tube.tip(&id, "").await.unwrap();
    let messages: Vec<_> = before.entries.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(messages[1..], ["for you alone", "for all"]);
    assert_eq!(
        before.entries[1].recipient, before.entries[2].recipient,
        "the recipient is not shown"
    );
    assert!(before.indicators.is_empty());
    for text in [
        format!("{before:?}"),
        format!("{:?}", tip_events(&tube).await),
        format!("{:?}", received(&tube).await),
    ] {
        assert!(!text.contains("facegraph") && !text.contains("Acknowledged"), "{text}");
    }
    // Asking does not reveal it: the error is the same for recipients and for others.
    for named in ["facegraph", "nobody"] {
        let mut answer = reply("x", &id, "hm");
        answer.recipient = named.into();
        let (field, reason) = field(tube.respond_to_tip(answer).await);
        assert_eq!(
            (field.as_str(), reason.as_str()),
            ("recipient", "is for the tip's sender to name")
        );
        let shown = tube.tip(&id, named).await.unwrap();
        assert_eq!(shown.entries.len(), 3, "a recipient is shown its own thread");
    }
    // The sender sees all threads, and can select one.
    let all = sender.tip(&id, "").await.unwrap();
    assert_eq!((all.entries.len(), all.tip.unwrap().threads.len()), (5, 2));
    assert_eq!(sender.tip(&id, "facegraph").await.unwrap().entries.len(), 4);

    let mut shown = move_to("shown", &id, TipState::Investigating);
    shown.to_all = true;
    shown.indicators = vec![key("shown.example")];
    face.respond_to_tip(shown).await.unwrap();
    let after = tube.tip(&id, "").await.unwrap();
    let entry = after.entries.last().unwrap();
    assert_eq!((entry.author.as_str(), entry.to_all, entry.moves.len()), ("facegraph", false, 0));
    assert_eq!(values(&after.indicators), ["shown.example".to_owned()].into());
    assert_eq!(state(after.tip.as_ref().unwrap(), "tubeworks"), TipState::Sent);
    let event = tip_events(&tube).await.pop().unwrap();
    assert_eq!(event.tip.unwrap().threads.len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_tip_is_withdrawn_only_the_withdrawal_is_delivered() {
    let world = World::new();
    let node = world.start().await;
    let (sender, recipient) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let request = pb::SendTipRequest {
        subject: "secret subject".into(),
        indicators: vec![key("secret.example")],
        ..tip("t1", &["facegraph", "tubeworks"])
    };
    let id = sender.send_tip(request).await.unwrap().tip_id;
    recipient.respond_to_tip(reply("r1", &id, "secret message")).await.unwrap();
    let denied = recipient.withdraw_tip(&id).await;
    assert!(matches!(denied, Err(ClientError::Denied(_))), "{denied:?}");
    let withdrawn = sender.withdraw_tip(&id).await.unwrap();
    let again = sender.withdraw_tip(&id).await.unwrap();
    assert_eq!((again.sequence, again.replayed), (withdrawn.sequence, true));

    let shown = recipient.tip(&id, "").await.unwrap();
    assert_eq!(state(shown.tip.as_ref().unwrap(), "facegraph"), TipState::Withdrawn);
    let events = tip_events(&recipient).await;
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
        let refused = client.respond_to_tip(reply("late", &id, "but")).await;
        assert!(matches!(refused, Err(ClientError::Precondition(_))), "{refused:?}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_does_not_exist_for_partners_outside_of_it() {
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
            format!("{:?}", stranger.respond_to_tip(reply("r", id, "m")).await.unwrap_err()),
            format!("{:?}", stranger.withdraw_tip(id).await.unwrap_err()),
        ]);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].iter().all(|answer| answer.contains("NotFound")), "{answers:?}");
    assert!(received(&stranger).await.is_empty() && tip_events(&stranger).await.is_empty());
    node.stop().await;
}
