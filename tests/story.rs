//! The story that must always work: three platforms and a liaison as real clients of a real exchange,
//! which is killed between every two steps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;

use pb::TipState::{Acknowledged, Actioned, Investigating, Monitoring, Sent, Withdrawn};
use support::command::{Ran, Stage};
use support::follower::{Follower, Tally};
use support::harbour::{INDICATORS, LATER, REPORT, SITES, VICTIM, counts};
use support::keyed::{Given, Keyed, send};
use support::liaison::{field, key, now, release, retract, warrant};
use support::process::Process;
use support::{World, harbour, soon, tips};
use tipoff::client::{Client, ClientError, FeedStart, events};
use tipoff::domain::Timestamp;
use tipoff::wire::pb::release_indicators_request::What;
use tipoff::wire::{pb, timestamp};

/// The exchange, whoever follows on it, and what each of them has to have by now.
struct Story {
    stage: Stage,
    campaign: String,
    birdsite: Follower,
    facegraph: Follower,
    /// facegraph's desk: it follows the campaign, under a name.
    desk: Follower,
    /// It follows the campaign as well, and no exchange keeps its place.
    tubeworks: Follower,
    /// It follows for a purpose.
    cyber_unit: Follower,
    /// What every member has.
    shared: Tally,
    /// What the two sides of the tips were told of them, and what was done after one.
    tips: usize,
    done_after_tip: usize,
    /// What the liaison has.
    released: Tally,
    /// Whatever was asked for under a key, by whom, and the answer.
    sent: Vec<(Client, Keyed, Given)>,
}

impl Story {
    /// birdsite founds the campaign, and everybody follows.
    async fn begin() -> Self {
        let world = World::with(harbour::partners());
        let mut exchange = Process::prepare(&world);
        exchange.start();
        exchange.wait_ready();
        let stage = Stage { world, exchange };
        let client = |partner: &str| stage.exchange.client(&stage.world, partner);
        let (birdsite, facegraph) = (client("birdsite"), client("facegraph"));
        let founding = Keyed::Campaign(harbour::founding());
        let (founded, _) = send(&birdsite, founding.clone()).await;
        let Given::Campaign(answer) = &founded else { panic!("{founded:?}") };
        let campaign = answer.campaign_id.clone();
        let campaigns = vec![campaign.clone()];
        let asked = Some(pb::Filter { campaigns, ..Default::default() });
        let all =
            |client: &Client| Follower::new(client, client.subscribe(FeedStart::Beginning, None));
        let desk = facegraph.subscribe_named("desk", FeedStart::Beginning, asked.clone());
        let tubeworks = client("tubeworks");
        let of_campaign = tubeworks.subscribe(FeedStart::Beginning, asked);
        Self {
            campaign,
            sent: vec![(birdsite.clone(), founding, founded)],
            birdsite: all(&birdsite),
            desk: Follower::new(&facegraph, desk),
            facegraph: all(&facegraph),
            tubeworks: Follower::new(&tubeworks, of_campaign),
            cyber_unit: all(&client("cyber-unit").for_purpose(warrant(now()))),
            shared: Tally { campaigns: 1, ..Tally::default() },
            tips: 0,
            done_after_tip: 0,
            released: Tally::default(),
            stage,
        }
    }

    /// Asks for something under a key for the first time.
    async fn ask(&mut self, client: &Client, request: Keyed) -> Given {
        let (given, replayed) = send(client, request.clone()).await;
        assert!(!replayed, "{given:?}");
        self.sent.push((client.clone(), request, given.clone()));
        given
    }

    /// Between two steps: everybody has what there is for them, and then the exchange is killed.
    async fn step(&mut self) {
        self.follow().await;
        self.kill().await;
    }

    /// Everybody takes what there is for them, and no more is there.
    async fn follow(&mut self) {
        let both = self.both();
        self.birdsite.until(both).await;
        self.facegraph.until(both).await;
        // A tip is told to its parties whatever they ask for.
        self.desk.until(both).await;
        self.desk.acknowledge().await;
        self.tubeworks.until(self.shared).await;
        self.cyber_unit.until(self.released).await;
    }

    /// Kills the exchange and starts it again; whatever was asked for under a key is asked for once more,
    /// and answered as it was then.
    async fn kill(&mut self) {
        tokio::task::block_in_place(|| {
            self.stage.exchange.kill();
            self.stage.exchange.start();
            self.stage.exchange.wait_ready();
        });
        for (client, request, given) in &self.sent {
            let (again, replayed) = send(client, request.clone()).await;
            assert!(replayed, "{request:?}");
            assert_eq!(again.lasting(), given.clone().lasting(), "{request:?}");
        }
        self.nobody_sees_more().await;
    }

    /// What the two sides of the tips have: what was done after one is told with it.
    fn both(&self) -> Tally {
        Tally { tips: self.tips, ..self.shared }
    }

    /// The liaison is given what was released to it, and that for a purpose alone; tubeworks nothing of
    /// the tips or of what was done after one.
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
            events(page).for_each(|event| pulled.take(event));
        }
        // Who begins by now has nothing to drop, and what was retracted does not come.
        let there = if self.released.removals > 0 { Tally::default() } else { self.released };
        assert_eq!(pulled.tally(), there);
        assert_eq!(pulled.values(), self.cyber_unit.values());
        assert!(tips::received(liaison).await.is_empty());

        let all = pb::ListEnforcementsRequest::default();
        let both = self.shared.enforcements + self.done_after_tip;
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

    /// birdsite reports the network by the command that platforms use, and the same again.
    async fn birdsite_reports(&mut self) {
        let campaign = self.campaign.clone();
        let command = [
            "--json",
            "submit",
            REPORT,
            "--campaign",
            &campaign,
            "--label",
            "coordinated-inauthentic-behavior",
        ];
        let submit = |story: &Self| {
            let ran = tokio::task::block_in_place(|| story.stage.run("birdsite", &command));
            assert_eq!(ran.code, Some(0), "{ran:?}");
            Self::reported(&ran)
        };
        // The seven pages that live on facegraph's platform are its tip, which nobody addressed.
        let (count, summary) = submit(self);
        assert_eq!((&count["asset"], &count["count"]), (&"account".into(), &936.into()));
        assert_eq!(count["counted_before"], false);
        assert_eq!((&summary["created"], &summary["rejected"]), (&INDICATORS.into(), &0.into()));
        assert_eq!(summary["referred"], serde_json::json!({ "facegraph": 7 }));
        self.shared.held += INDICATORS;
        self.shared.enforcements += 1;
        self.tips += 1;
        self.step().await;
        let (count, again) = submit(self);
        assert_eq!(count["counted_before"], true);
        assert_eq!(again["batches"], again["replayed_batches"]);
        self.step().await;

        let known = &self.tubeworks.enforcements[0];
        assert_eq!(
            (known.author.as_str(), counts(known.enforcement.as_ref())),
            ("birdsite", vec![(pb::AssetKind::Account, 936, 0)])
        );
        let [referral] = &tips::received(&self.facegraph.client).await[..] else { panic!() };
        assert!(referral.referral && referral.sender == "birdsite");
        let whole = soon(self.facegraph.client.tip(&referral.id, "")).await.unwrap();
        let pages = (1..=7).map(|page| format!("harbour_sample_page_{page:02}"));
        assert_eq!(tips::values(&whole.indicators), pages.collect());
    }

    /// The count of the report, and its summary.
    fn reported(ran: &Ran) -> (serde_json::Value, serde_json::Value) {
        let [count, summary] = &ran.lines()[..] else { panic!("{ran:?}") };
        (count["count"].clone(), summary.clone())
    }

    /// birdsite tips facegraph off, which works the tip until it waits: birdsite has each step of it.
    async fn facegraph_works_the_tip(&mut self) -> String {
        let (birdsite, facegraph) = (self.birdsite.client.clone(), self.facegraph.client.clone());
        let tip = harbour::tip_of(&self.campaign);
        let Given::Tip(tip) = self.ask(&birdsite, Keyed::Tip(tip)).await else { panic!() };
        assert!(tip.rejected.is_empty() && tip.counted == 2, "{tip:?}");
        self.tips += 1;
        self.step().await;
        for state in [Acknowledged, Investigating, Actioned, Monitoring] {
            if state == Monitoring {
                // Before the tip waits: this would be the news that takes it up again.
                self.facegraph_says_what_it_found(&facegraph).await;
            }
            let answer = harbour::answer(&tip.tip_id, state);
            let Given::Answer(given) = self.ask(&facegraph, Keyed::Answer(answer)).await else {
                panic!()
            };
            assert!(given.state() == state && given.rejected.is_empty(), "{given:?}");
            self.tips += 1;
            self.done_after_tip += usize::from(state == Actioned);
            self.step().await;
        }
        self.birdsite_knows_what_was_done(&tip.tip_id).await;
        tip.tip_id
    }

    /// birdsite was told with the answer what facegraph did and found, and finds it by the tip.
    async fn birdsite_knows_what_was_done(&self, tip: &str) {
        let [page, group, account] =
            [pb::AssetKind::Page, pb::AssetKind::Group, pb::AssetKind::Account];
        let done = [(page, 7, 2), (group, 3, 0), (account, 5, 1)];
        let of_tip = pb::ListEnforcementsRequest { tip_id: tip.into(), ..Default::default() };
        let known = soon(self.birdsite.client.enforcements(&of_tip)).await.unwrap();
        let [known] = &known[..] else { panic!("{known:?}") };
        assert_eq!(known.author, "facegraph");
        assert_eq!(counts(known.enforcement.as_ref()), done);
        for side in [&self.birdsite, &self.facegraph, &self.desk] {
            let entries = side.tips.iter().map(|one| one.entry.as_ref().unwrap());
            let told: Vec<_> = entries.filter(|one| one.enforcement.is_some()).collect();
            let [told] = &told[..] else { panic!("{told:?}") };
            assert_eq!(counts(told.enforcement.as_ref()), done);
            let found: Vec<_> = told.indicators.iter().map(|one| one.value.as_str()).collect();
            assert_eq!(found, SITES);
        }
    }

    /// Who facegraph thinks is behind it, and the sites that it found, reach everybody who follows.
    async fn facegraph_says_what_it_found(&mut self, facegraph: &Client) {
        let attribution = harbour::attribution(&self.campaign);
        self.ask(facegraph, Keyed::Campaign(attribution)).await;
        self.shared.campaigns += 1;
        self.step().await;
        for follower in [&self.birdsite, &self.desk, &self.tubeworks] {
            let said = follower.campaigns.last().unwrap();
            let by = said.contribution.as_ref().unwrap().attribution.as_ref().unwrap();
            assert_eq!((said.author.as_str(), by.confidence), ("facegraph", Some(70)));
        }
        self.ask(facegraph, Keyed::Submit(harbour::sites(&self.campaign))).await;
        self.shared.held += SITES.len();
        self.step().await;
    }

    /// facegraph releases what it said of the campaign: cyber-unit has it on its feed, and facegraph sees
    /// that it does.
    async fn facegraph_releases_its_analysis(&mut self) {
        let facegraph = self.facegraph.client.clone();
        assert!(soon(facegraph.accesses(None, None)).await.unwrap().is_empty());
        let begun = now();
        let what = What::Campaign(self.campaign.clone());
        let request = Keyed::Release(release("release", what, "warrant W-17"));
        let Given::Release(given) = self.ask(&facegraph, request).await else { panic!() };
        // What it says of the campaign, what it did after the tip, and the sites.
        assert_eq!((given.changed, given.refused), (4, 0));
        self.released = Tally { held: SITES.len(), campaigns: 1, enforcements: 1, ..self.released };
        self.step().await;
        assert_eq!(self.cyber_unit.values(), BTreeSet::from(SITES));
        self.accesses_are_seen(begun).await;
    }

    /// Who had it, when, how and for what, with the paper that the release named; and of what birdsite
    /// said nothing was read.
    async fn accesses_are_seen(&self, begun: Timestamp) {
        let accesses =
            soon(self.facegraph.client.accesses(Some("cyber-unit"), None)).await.unwrap();
        let between = timestamp(begun).seconds..=timestamp(now()).seconds;
        let (mut ways, mut values) = (BTreeSet::new(), BTreeSet::new());
        for one in &accesses {
            assert_eq!((one.liaison.as_str(), one.reference.as_str()), ("cyber-unit", "W-17"));
            assert_eq!(one.purpose(), pb::PurposeKind::Warrant);
            assert!(between.contains(&one.accessed_at.unwrap().seconds), "{one:?}");
            ways.insert(one.way().as_str_name());
            for it in &one.objects {
                let value = it.indicator.clone().map(|indicator| indicator.value);
                values.insert(
                    value.unwrap_or_else(|| format!("{}{}", it.campaign_id, it.enforcement_id)),
                );
            }
        }
        let [did] = &self.cyber_unit.enforcements[..] else { panic!() };
        let did = did.enforcement.clone().unwrap().id;
        let [first, second] = SITES.map(String::from);
        assert_eq!(values, [first, second, self.campaign.clone(), did].into());
        // On its stream before the kill, and by a page behind it.
        assert_eq!(ways, ["ACCESS_WAY_PULL", "ACCESS_WAY_SUBSCRIBE"].into());
        for other in [&self.birdsite, &self.tubeworks] {
            assert!(soon(other.client.accesses(None, None)).await.unwrap().is_empty());
        }
    }

    /// A week later: one more account reaches everybody who follows the campaign, and takes the tip up
    /// again for both sides.
    async fn one_more_account_appears(&mut self, tip: &str) {
        let birdsite = self.birdsite.client.clone();
        self.ask(&birdsite, Keyed::Submit(harbour::one_more(&self.campaign))).await;
        self.shared.held += 1;
        self.tips += 1;
        self.step().await;
        for follower in [&self.facegraph, &self.desk, &self.tubeworks] {
            assert!(follower.values().contains(LATER));
        }
        for side in [&self.birdsite, &self.facegraph, &self.desk] {
            let told = side.tips.last().unwrap();
            assert_eq!(told.tip.as_ref().unwrap().id, tip);
            assert_eq!(told.entry.as_ref().unwrap().action(), pb::TipAction::Reopened);
        }
    }

    /// One value was a victim's: whoever received it is told to drop it, and birdsite can show that the
    /// desk was told.
    async fn birdsite_takes_back_a_victims_site(&mut self) {
        let birdsite = self.birdsite.client.clone();
        let request =
            || pb::WithdrawIndicatorsRequest { keys: vec![key(VICTIM)], ..Default::default() };
        let ended = soon(birdsite.withdraw(request())).await.unwrap();
        let ([sequence], [item]) = (&ended.sequences[..], &ended.items[..]) else { panic!() };
        assert_eq!(self.desk_was_told(*sequence, &item.versions).await, (1, false));
        self.shared.held -= 1;
        self.shared.removals += 1;
        self.follow().await;
        assert_eq!(self.desk_was_told(*sequence, &item.versions).await, (1, true));
        self.kill().await;
        for follower in [&self.birdsite, &self.facegraph, &self.desk, &self.tubeworks] {
            let gone = &follower.removals[0];
            assert_eq!(gone.version.as_ref(), item.versions.first());
            assert_eq!(gone.reason(), pb::RemovalReason::Withdrawn);
            assert!(follower.given.contains(VICTIM) && !follower.values().contains(VICTIM));
        }
        assert_eq!(soon(birdsite.withdraw(request())).await.unwrap().withdrawn, 0, "again");
    }

    /// How many removals by an entry the desk was to be told of, and whether it has acknowledged them; of
    /// who follows without a name there is no such evidence.
    async fn desk_was_told(&self, sequence: u64, ended: &[pb::Version]) -> (u32, bool) {
        let told = soon(self.birdsite.client.list_deliveries(sequence)).await.unwrap();
        assert_eq!(told.ended, ended);
        let [desk] = &told.deliveries[..] else { panic!("{told:?}") };
        assert_eq!((desk.partner.as_str(), desk.subscription.as_str()), ("facegraph", "desk"));
        (desk.removals, desk.acknowledged)
    }

    /// birdsite takes its tip back, and facegraph its release.
    async fn what_was_sent_is_taken_back(&mut self, tip: &str) {
        let (birdsite, facegraph) = (self.birdsite.client.clone(), self.facegraph.client.clone());
        self.ask(&birdsite, Keyed::WithdrawTip(tip.into())).await;
        self.tips += 1;
        self.step().await;
        let what = What::Campaign(self.campaign.clone());
        self.ask(&facegraph, Keyed::Release(retract("retraction", what))).await;
        // What was told of campaigns and deeds is told to be dropped as well.
        self.released = Tally { held: 0, removals: SITES.len() + 2, ..self.released };
        self.step().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_goes_through_a_sigkill_between_every_two_steps() {
    let mut story = Story::begin().await;
    story.step().await;
    story.birdsite_reports().await;
    let tip = story.facegraph_works_the_tip().await;
    story.facegraph_releases_its_analysis().await;
    story.one_more_account_appears(&tip).await;
    story.birdsite_takes_back_a_victims_site().await;
    story.what_was_sent_is_taken_back(&tip).await;

    // Each side was told of each state, and what was told is what stands.
    let states =
        [Sent, Sent, Acknowledged, Investigating, Actioned, Monitoring, Investigating, Withdrawn];
    for side in [&story.birdsite, &story.facegraph, &story.desk] {
        let told = side.tips.iter().map(|one| one.tip.as_ref().unwrap().threads[0].state());
        assert_eq!(told.collect::<Vec<_>>(), states);
    }
    let received = tips::received(&story.facegraph.client).await;
    let standing: Vec<_> = received.iter().map(|tip| tips::state(tip, "facegraph")).collect();
    assert_eq!(standing, [Withdrawn, Sent]);
    let gone = soon(story.facegraph.client.tip(&tip, "")).await.unwrap();
    assert_eq!(gone.tip.unwrap().narrative, "");

    // A newcomer is told of the withdrawal alone, and holds what the others hold.
    let feed = story.facegraph.client.subscribe(FeedStart::Beginning, None);
    let mut late = Follower::new(&story.facegraph.client, feed);
    late.until(Tally { tips: 2, removals: 0, ..story.both() }).await;
    let told = late.tips.iter().map(|one| one.entry.as_ref().unwrap().action());
    assert_eq!(told.collect::<Vec<_>>(), [pb::TipAction::Sent, pb::TipAction::Withdrawn]);
    assert_eq!(late.held, story.facegraph.held);

    // What nobody was to see never came, and is not there for who asks for everything.
    assert_eq!(story.cyber_unit.given, SITES.map(String::from).into());
    assert!(tips::told(&story.tubeworks.client).await.is_empty());
    let hidden = soon(story.tubeworks.client.tip(&tip, "")).await.unwrap_err();
    assert!(matches!(hidden, ClientError::NotFound(_)), "{hidden}");
}
