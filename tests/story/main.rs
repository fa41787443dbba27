//! The whole story: three platforms and a liaison are real clients of a real exchange, which is
//! killed between every two steps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod steps;
#[path = "../support/mod.rs"]
mod support;

use pb::TipState::{Acknowledged, Actioned, Investigating, Monitoring, Sent, Withdrawn};
use support::command::Stage;
use support::follower::{Follower, Tally};
use support::harbour::SITES;
use support::keyed::{IdempotentRequest, IdempotentResponse, send};
use support::liaison::{field, now, warrant};
use support::process::Process;
use support::{World, harbour, soon, tips};
use tipoff::client::{Client, ClientError, FeedStart, page_events};
use tipoff::wire::pb;

/// The exchange, its followers, and what each of them has to have received.
struct Story {
    stage: Stage,
    campaign: String,
    birdsite: Follower,
    facegraph: Follower,
    /// facegraph's desk: follows the campaign, with a subscription name.
    desk: Follower,
    /// Follows the campaign too, without a subscription name.
    tubeworks: Follower,
    /// Follows under a purpose.
    cyber_unit: Follower,
    /// What every member has received.
    shared: Tally,
    /// The tip events of both sides, and the enforcements caused by a tip.
    tips: usize,
    enforcements_of_tip: usize,
    /// What the liaison has received.
    released: Tally,
    /// Every request with a key: its client and its answer.
    sent: Vec<(Client, IdempotentRequest, IdempotentResponse)>,
}

impl Story {
    /// birdsite creates the campaign, and everybody follows.
    async fn begin() -> Self {
        let world = World::with(harbour::partners());
        let mut exchange = Process::prepare(&world);
        exchange.start();
        exchange.wait_ready();
        let stage = Stage { world, exchange };
        let client = |partner: &str| stage.exchange.client(&stage.world, partner);
        let (birdsite, facegraph) = (client("birdsite"), client("facegraph"));
        let creation = IdempotentRequest::Campaign(harbour::create_campaign());
        let (created, _) = send(&birdsite, creation.clone()).await;
        let IdempotentResponse::Campaign(answer) = &created else { panic!("{created:?}") };
        let campaign = answer.campaign_id.clone();
        let campaigns = vec![campaign.clone()];
        let filter = Some(pb::Filter { campaigns, ..Default::default() });
        let all =
            |client: &Client| Follower::new(client, client.subscribe(FeedStart::Beginning, None));
        let desk = facegraph.subscribe_named("desk", FeedStart::Beginning, filter.clone());
        let tubeworks = client("tubeworks");
        let of_campaign = tubeworks.subscribe(FeedStart::Beginning, filter);
        Self {
            campaign,
            sent: vec![(birdsite.clone(), creation, created)],
            birdsite: all(&birdsite),
            desk: Follower::new(&facegraph, desk),
            facegraph: all(&facegraph),
            tubeworks: Follower::new(&tubeworks, of_campaign),
            cyber_unit: all(&client("cyber-unit").with_purpose(warrant(now()))),
            shared: Tally { campaigns: 1, ..Tally::default() },
            tips: 0,
            enforcements_of_tip: 0,
            released: Tally::default(),
            stage,
        }
    }

    /// Sends a request with a key for the first time.
    async fn ask(&mut self, client: &Client, request: IdempotentRequest) -> IdempotentResponse {
        let (response, replayed) = send(client, request.clone()).await;
        assert!(!replayed, "{response:?}");
        self.sent.push((client.clone(), request, response.clone()));
        response
    }

    /// Between two steps: everybody reads to the end, then the exchange is killed.
    async fn step(&mut self) {
        self.follow().await;
        self.kill().await;
    }

    /// Everybody reads exactly what they have to receive.
    async fn follow(&mut self) {
        let both = self.both();
        self.birdsite.until(both).await;
        self.facegraph.until(both).await;
        // Tip events reach the parties regardless of filters.
        self.desk.until(both).await;
        self.desk.acknowledge().await;
        self.tubeworks.until(self.shared).await;
        self.cyber_unit.until(self.released).await;
    }

    /// Kills and restarts the exchange. Repeats every request with a key, and expects the same
    /// answer.
    async fn kill(&mut self) {
        tokio::task::block_in_place(|| {
            self.stage.exchange.kill();
            self.stage.exchange.start();
            self.stage.exchange.wait_ready();
        });
        for (client, request, first) in &self.sent {
            let (again, replayed) = send(client, request.clone()).await;
            assert!(replayed, "{request:?}");
            assert_eq!(again.lasting(), first.clone().lasting(), "{request:?}");
        }
        self.nobody_sees_more().await;
    }

    /// What both sides of the tips have received, including enforcements caused by a tip.
    fn both(&self) -> Tally {
        Tally { tips: self.tips, ..self.shared }
    }

    /// The liaison gets what was released to it, and only under a purpose. tubeworks sees neither
    /// the tips nor the enforcements caused by them.
    async fn nobody_sees_more(&self) {
        let without = self.stage.exchange.client(&self.stage.world, "cyber-unit");
        let refused = soon(without.pull(&FeedStart::Beginning, None, 10)).await.unwrap_err();
        assert_eq!(field(&refused), "purpose");
        let liaison = &self.cyber_unit.client;
        let mut pulled = Follower::new(liaison, liaison.subscribe(FeedStart::Now, None));
        let (mut from, mut more) = (FeedStart::Beginning, true);
        while more {
            let page = soon(liaison.pull(&from, None, 1_000)).await.unwrap();
            (from, more) = (FeedStart::Cursor(page.cursor.clone().unwrap()), page.more);
            page_events(page).for_each(|event| pulled.take(event));
        }
        // A new reader has nothing to drop, and does not get what was retracted.
        let expected = if self.released.removals > 0 { Tally::default() } else { self.released };
        assert_eq!(pulled.tally(), expected);
        assert_eq!(pulled.values(), self.cyber_unit.values());
        assert!(tips::received(liaison).await.is_empty());

        let all = pb::ListEnforcementsRequest::default();
        let both = self.shared.enforcements + self.enforcements_of_tip;
        for (member, sees) in [
            (&self.birdsite, both),
            (&self.facegraph, both),
            (&self.tubeworks, self.shared.enforcements),
        ] {
            let known = soon(member.client.enforcements(&all)).await.unwrap();
            assert_eq!(known.len(), sees, "{known:?}");
        }
        assert!(tips::received(&self.tubeworks.client).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_survives_a_sigkill_between_every_two_steps() {
    let mut story = Story::begin().await;
    story.step().await;
    story.birdsite_reports().await;
    let tip = story.facegraph_answers_the_tip().await;
    story.facegraph_releases_its_analysis().await;
    story.one_more_account_appears(&tip).await;
    story.birdsite_withdraws_a_victims_site().await;
    story.both_sides_withdraw(&tip).await;

    // Each side received every state, and the last one is the current one.
    let states =
        [Sent, Sent, Acknowledged, Investigating, Actioned, Monitoring, Investigating, Withdrawn];
    for side in [&story.birdsite, &story.facegraph, &story.desk] {
        let reached = side.tips.iter().map(|event| event.tip.as_ref().unwrap().threads[0].state());
        assert_eq!(reached.collect::<Vec<_>>(), states);
    }
    let received = tips::received(&story.facegraph.client).await;
    let current: Vec<_> = received.iter().map(|tip| tips::state(tip, "facegraph")).collect();
    assert_eq!(current, [Withdrawn, Sent]);
    let gone = soon(story.facegraph.client.tip(&tip, "")).await.unwrap();
    assert_eq!(gone.tip.unwrap().narrative, "");

    // A new reader gets only the withdrawal, and holds the same as the others.
    let feed = story.facegraph.client.subscribe(FeedStart::Beginning, None);
    let mut late = Follower::new(&story.facegraph.client, feed);
    late.until(Tally { tips: 2, removals: 0, ..story.both() }).await;
    let actions = late.tips.iter().map(|event| event.entry.as_ref().unwrap().action());
    assert_eq!(actions.collect::<Vec<_>>(), [pb::TipAction::Sent, pb::TipAction::Withdrawn]);
    assert_eq!(late.held, story.facegraph.held);

    // Hidden objects were never delivered, and cannot be read either.
    assert_eq!(story.cyber_unit.received, SITES.map(String::from).into());
    assert!(tips::tip_events(&story.tubeworks.client).await.is_empty());
    let hidden = soon(story.tubeworks.client.tip(&tip, "")).await.unwrap_err();
    assert!(matches!(hidden, ClientError::NotFound(_)), "{hidden}");
}
