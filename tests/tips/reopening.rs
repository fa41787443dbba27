//! What reopens a tip that is monitored or closed.

use std::time::Duration;

use tipoff::wire::pb::{self, TipAction, TipState, Tlp};

use crate::support::tips::{key, reply, state, tip, tip_events, walk};
use crate::support::{World, batch, domain, named, sharing, soon};

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
    sender.respond_to_tip(reply("words", &id, "any news?")).await.unwrap();
    let shown = sender.tip(&id, "").await.unwrap().tip.unwrap();
    assert_eq!((state(&shown, "facegraph"), state(&shown, "tubeworks")), (Closed, Declined));
    let mut news = reply("news", &id, "there is more");
    news.indicators = vec![key("more.example")];
    sender.respond_to_tip(news).await.unwrap();
    let shown = sender.tip(&id, "").await.unwrap().tip.unwrap();
    assert_eq!((state(&shown, "facegraph"), state(&shown, "tubeworks")), (Investigating, Declined));
    let event = tip_events(&face).await.pop().unwrap();
    let (tip, entry) = (event.tip.unwrap(), event.entry.unwrap());
    assert_eq!((state(&tip, "facegraph"), entry.moves[0].from()), (Investigating, Closed));
    assert_eq!(entry.indicators[0].value, "more.example");
    // A recipient's own indicators reopen nothing.
    walk(&face, &id, &[Monitoring]).await;
    let mut own = reply("own", &id, "ours");
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
    // The tip is not monitored yet.
    let early = batch("early", 1, None, vec![of_campaign("early.example")]);
    sender.submit(early).await.unwrap();
    walk(&recipient, &id, &[Investigating, Monitoring]).await;
    // The recipient cannot see the first. The second is from neither side.
    let hidden = batch("hidden", 1, to("tubeworks"), vec![of_campaign("hidden.example")]);
    sender.submit(hidden).await.unwrap();
    let other = world.client(&node, "tubeworks");
    let theirs =
        batch("theirs", 1, Some(sharing(Tlp::Green, None)), vec![of_campaign("o.example")]);
    other.submit(theirs).await.unwrap();
    // The recipient does not see this campaign, so the tip is not reopened, although the recipient
    // sees the new indicator.
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
    assert_eq!(
        node.exchange.index().read().unwrap().campaign_news(10).unwrap(),
        [],
        "they were looked at"
    );
    // The recipient's own indicator reopens it, like the sender's.
    recipient.submit(batch("new", 1, None, vec![of_campaign("new.example")])).await.unwrap();
    soon(async {
        while standing().await.0 != Investigating {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    for client in [&sender, &recipient] {
        let event = tip_events(client).await.pop().unwrap();
        let entry = event.entry.unwrap();
        assert_eq!((entry.action(), entry.author.as_str()), (TipAction::Reopened, ""));
        assert_eq!(state(&event.tip.unwrap(), "facegraph"), Investigating);
    }
    node.stop().await;
}
