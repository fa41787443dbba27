//! What reopens a tip that is monitored or closed.

use std::time::Duration;

use tipoff::client::Client;
use tipoff::wire::pb::{self, TipAction, TipState, Tlp};

use crate::support::tips::{key, reply, state, tip, tip_events, walk};
use crate::support::{World, batch, domain, named, sharing, soon};

#[tokio::test(flavor = "multi_thread")]
async fn new_indicators_of_the_sender_reopen_a_monitored_or_closed_tip() {
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
async fn new_indicators_in_a_campaign_reopen_a_tip_if_both_sides_see_them() {
    use TipState::{Investigating, Monitoring};
    let world = World::new();
    let node = world.start().await;
    let [sender, recipient, other] =
        ["birdsite", "facegraph", "tubeworks"].map(|id| world.client(&node, id));
    refuse_unknown_campaign(&sender).await;
    let everyone = || sharing(Tlp::Green, None);
    let to_tubeworks = || sharing(Tlp::Amber, named(&[], &["tubeworks"]));
    let campaign = create_campaign(&sender, "c1", everyone()).await;
    let tip = send_in_campaign(&sender, "t1", &campaign).await;
    // The tip is not monitored yet.
    submit_in_campaign(&sender, &campaign, "early", None).await;
    walk(&recipient, &tip, &[Investigating, Monitoring]).await;
    // The recipient cannot see the first. The second is from neither side.
    submit_in_campaign(&sender, &campaign, "hidden", Some(to_tubeworks())).await;
    submit_in_campaign(&other, &campaign, "theirs", Some(everyone())).await;
    // The recipient does not see this campaign, so the tip is not reopened, although the recipient
    // sees the new indicator.
    let hidden_campaign = create_campaign(&sender, "c2", to_tubeworks()).await;
    let second = send_in_campaign(&sender, "t2", &hidden_campaign).await;
    walk(&recipient, &second, &[Investigating, Monitoring]).await;
    submit_in_campaign(&sender, &hidden_campaign, "apart", Some(everyone())).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(state_and_entries(&sender, &tip).await, (Monitoring, 3));
    assert_eq!(state_and_entries(&sender, &second).await.0, Monitoring);
    assert_eq!(
        node.exchange.index().read().unwrap().campaign_news(10).unwrap(),
        [],
        "all of them were checked"
    );
    // The recipient's own indicator reopens it, like the sender's.
    submit_in_campaign(&recipient, &campaign, "new", None).await;
    soon(async {
        while state_and_entries(&sender, &tip).await.0 != Investigating {
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

async fn refuse_unknown_campaign(sender: &Client) {
    let unknown = "01234567-89ab-4def-8123-456789abcdef";
    let request = pb::SendTipRequest { campaign: unknown.into(), ..tip("t0", &["facegraph"]) };
    let refused = sender.send_tip(request).await.unwrap_err().to_string();
    assert!(refused.contains("is not a campaign that you see"), "{refused}");
}

async fn create_campaign(client: &Client, name: &str, sharing: pb::Sharing) -> String {
    let request = pb::PutCampaignRequest {
        request_id: name.into(),
        contribution: Some(pb::Contribution { name: name.into(), ..Default::default() }),
        sharing: Some(sharing),
        ..Default::default()
    };
    client.put_campaign(request).await.unwrap().campaign_id
}

async fn send_in_campaign(sender: &Client, request: &str, campaign: &str) -> String {
    let request = pb::SendTipRequest { campaign: campaign.into(), ..tip(request, &["facegraph"]) };
    sender.send_tip(request).await.unwrap().tip_id
}

async fn submit_in_campaign(
    client: &Client,
    campaign: &str,
    name: &str,
    sharing: Option<pb::Sharing>,
) {
    let mut item = domain(&format!("{name}.example"));
    let campaign = campaign.to_owned();
    item.assessment = Some(pb::Assessment { campaign, ..Default::default() });
    client.submit(batch(name, 1, sharing, vec![item])).await.unwrap();
}

/// The state of a tip with facegraph, and its number of entries.
async fn state_and_entries(client: &Client, tip: &str) -> (TipState, usize) {
    let shown = client.tip(tip, "").await.unwrap();
    (state(shown.tip.as_ref().unwrap(), "facegraph"), shown.entries.len())
}
