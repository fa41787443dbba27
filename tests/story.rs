//! The story of a tip, step by step, with the exchange killed between every two of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::process::Process;
use support::{World, batch, close, domain, item, soon};
use tipoff::client::{Client, FeedEvent, From, Replica, Subscription};
use tipoff::wire::pb;

/// Both sides of a tip, as clients that outlast the exchange, and what each was told of it.
struct Story {
    world: World,
    exchange: Process,
    birdsite: Follower,
    facegraph: Follower,
}

struct Follower {
    client: Client,
    feed: Subscription,
    held: Replica,
    told: Vec<(String, pb::TipAction, pb::TipState)>,
}

impl Follower {
    fn new(world: &World, exchange: &Process, partner: &str) -> Self {
        let client = exchange.client(world, partner);
        let feed = client.subscribe(From::Start, None);
        Self { client, feed, held: Replica::default(), told: Vec::new() }
    }

    /// Takes what comes until it holds so many versions and was told so much of tips.
    async fn until(&mut self, versions: usize, told: usize) {
        let following = async {
            while self.held.len() != versions || self.told.len() < told {
                let event = self.feed.next_event().await.unwrap().unwrap();
                self.held.apply(&event);
                if let FeedEvent::Tip(event) = event {
                    let (tip, entry) = (event.tip.unwrap(), event.entry.unwrap());
                    let state = tip.threads[0].state();
                    let what = (tip.id, entry.action(), state);
                    // Delivery is at least once.
                    if self.told.last() != Some(&what) {
                        self.told.push(what);
                    }
                }
            }
        };
        soon(following).await;
        assert_eq!(self.told.len(), told, "{:?}", self.told);
    }

    async fn tips(&self, tip_box: pb::TipBox) -> Vec<pb::Tip> {
        let request = pb::ListTipsRequest { r#box: tip_box.into(), ..Default::default() };
        self.client.tips(request).await.unwrap()
    }
}

impl Story {
    fn begin() -> Self {
        let world = World::new();
        let mut exchange = Process::prepare(&world);
        exchange.start();
        exchange.wait_ready();
        let birdsite = Follower::new(&world, &exchange, "birdsite");
        let facegraph = Follower::new(&world, &exchange, "facegraph");
        Self { world, exchange, birdsite, facegraph }
    }

    /// Both sides hold so many versions and were told so much; then the exchange is killed.
    async fn step(&mut self, versions: usize, told: usize) {
        self.birdsite.until(versions, told).await;
        self.facegraph.until(versions, told).await;
        tokio::task::block_in_place(|| {
            self.exchange.kill();
            self.exchange.start();
            self.exchange.wait_ready();
        });
    }

    async fn respond(&self, key: &str, tip: &str, state: pb::TipState, values: &[&str]) {
        let indicators = values.iter().map(|value| key_of(value));
        let request = pb::RespondToTipRequest {
            request_id: key.into(),
            tip_id: tip.into(),
            state: state.into(),
            message: format!("we move it to {}", state.as_str_name()),
            indicators: indicators.collect(),
            enforcement: (state == pb::TipState::Actioned).then(done),
            ..Default::default()
        };
        let first = soon(self.facegraph.client.respond_to_tip(request.clone())).await.unwrap();
        assert_eq!((first.state(), first.replayed), (state, false));
        let again = soon(self.facegraph.client.respond_to_tip(request)).await.unwrap();
        assert!(again.replayed && again.sequence == first.sequence, "{again:?}");
    }
}

/// 7 Pages, 3 Groups and 5 accounts.
fn done() -> pb::Enforcement {
    let count = |asset: pb::AssetKind, count| pb::EnforcementCount {
        asset: asset.into(),
        platform: "facebook".into(),
        count,
        ..Default::default()
    };
    let (pages, groups) = (count(pb::AssetKind::Page, 7), count(pb::AssetKind::Group, 3));
    let counts = vec![pages, groups, count(pb::AssetKind::Account, 5)];
    let method = pb::EnforcementMethod::AfterTip.into();
    pb::Enforcement { counts, method, ..Default::default() }
}

fn key_of(value: &str) -> pb::IndicatorKey {
    pb::IndicatorKey { value: value.into(), ..Default::default() }
}

/// The campaign that the network is, founded for who is in the group.
async fn found(client: &Client) -> String {
    let contribution = pb::Contribution { name: "Harbour network".into(), ..Default::default() };
    let request = pb::PutCampaignRequest {
        request_id: "harbour".into(),
        contribution: Some(contribution),
        ..Default::default()
    };
    soon(client.put_campaign(request)).await.unwrap().campaign_id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_lives_its_life_through_a_sigkill_between_every_two_steps() {
    use pb::TipState::{Acknowledged, Actioned, Investigating, Monitoring, Sent, Withdrawn};
    let mut story = Story::begin();

    let campaign = found(&story.birdsite.client).await;
    let of_campaign = |mut item: pb::SubmittedIndicator| {
        item.assessment.get_or_insert_default().campaign.clone_from(&campaign);
        item
    };
    story.step(0, 0).await;

    // A report: accounts of its author's platform, a site, and two pages that live on another's.
    let items = vec![
        of_campaign(item(pb::Kind::Account, "x", "harbour_watcher_0001")),
        of_campaign(domain("harbour-daily.example")),
        of_campaign(item(pb::Kind::Page, "facebook", "harbour.page.1")),
        of_campaign(item(pb::Kind::Page, "facebook", "harbour.page.2")),
    ];
    soon(story.birdsite.client.submit(batch("report", 1, None, items))).await.unwrap();
    story.step(4, 0).await;

    // What lives on facegraph's platform becomes a tip to it when the report is closed.
    let closed = soon(story.birdsite.client.submit(close("report", 1))).await.unwrap();
    let [referred] = &closed.referred[..] else { panic!("{closed:?}") };
    assert_eq!(
        (referred.partner.as_str(), referred.count, closed.not_referred),
        ("facegraph", 2, 0)
    );
    story.step(4, 1).await;
    let [referral] = &story.facegraph.tips(pb::TipBox::Received).await[..] else { panic!() };
    assert!(referral.referral && referral.sender == "birdsite");
    let whole = story.facegraph.client.tip(&referral.id, "").await.unwrap();
    assert_eq!(whole.indicators.len(), 2);

    // A directed tip, and its life.
    let request = pb::SendTipRequest {
        request_id: "the-tip".into(),
        recipients: vec!["facegraph".into()],
        narrative: "These accounts worked together; you may have more of them.".into(),
        indicators: vec![key_of("harbour-daily.example")],
        campaign: campaign.clone(),
        ..Default::default()
    };
    let sent = soon(story.birdsite.client.send_tip(request.clone())).await.unwrap();
    story.step(4, 2).await;
    let again = soon(story.birdsite.client.send_tip(request)).await.unwrap();
    assert!(again.replayed && again.tip_id == sent.tip_id, "{again:?}");
    let tip = sent.tip_id;
    for (told, state, values) in [
        (3, Acknowledged, &[][..]),
        (4, Investigating, &[][..]),
        (5, Actioned, &["harbour-observer.example", "quay-herald.example"][..]),
        (6, Monitoring, &[][..]),
    ] {
        story.respond(state.as_str_name(), &tip, state, values).await;
        story.step(4, told).await;
    }

    // A week later a new account of the network: everyone has it, and the tip is taken up again.
    let later = vec![of_campaign(item(pb::Kind::Account, "x", "harbour_watcher_0937"))];
    soon(story.birdsite.client.submit(batch("later", 1, None, later))).await.unwrap();
    story.step(5, 7).await;

    // One value was a victim's: it is taken back, and both drop it.
    let request = pb::WithdrawIndicatorsRequest {
        keys: vec![key_of("harbour-daily.example")],
        ..Default::default()
    };
    soon(story.birdsite.client.withdraw(request)).await.unwrap();
    story.step(4, 7).await;

    // What was done counts once, after each of the kills.
    let of_tip = pb::ListEnforcementsRequest { tip_id: tip.clone(), ..Default::default() };
    let known = soon(story.birdsite.client.enforcements(&of_tip)).await.unwrap();
    let [one] = &known[..] else { panic!("{known:?}") };
    let counts = one.enforcement.clone().unwrap().counts;
    assert_eq!(counts.iter().map(|one| one.count).collect::<Vec<_>>(), [7, 3, 5]);

    soon(story.birdsite.client.withdraw_tip(&tip)).await.unwrap();
    story.step(4, 8).await;

    let states =
        [Sent, Sent, Acknowledged, Investigating, Actioned, Monitoring, Investigating, Withdrawn];
    for side in [&story.birdsite, &story.facegraph] {
        let told: Vec<_> = side.told.iter().map(|(_, _, state)| *state).collect();
        assert_eq!(told, states);
    }
    // What was told is what stands, and a newcomer is told of the withdrawal alone.
    let received = story.facegraph.tips(pb::TipBox::Received).await;
    let standing: Vec<_> = received.iter().map(|tip| tip.threads[0].state()).collect();
    assert_eq!(standing, [Withdrawn, Sent]);
    let gone = story.facegraph.client.tip(&tip, "").await.unwrap();
    assert_eq!(gone.tip.unwrap().narrative, "");
    let mut late = Follower::new(&story.world, &story.exchange, "facegraph");
    late.until(4, 2).await;
    let told: Vec<_> = late.told.iter().map(|(_, action, _)| *action).collect();
    assert_eq!(told, [pb::TipAction::Sent, pb::TipAction::Withdrawn]);
}
