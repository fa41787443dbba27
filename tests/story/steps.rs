//! The steps of the story.

use std::collections::BTreeSet;

use pb::TipState::{Acknowledged, Actioned, Investigating, Monitoring};
use tipoff::client::Client;
use tipoff::domain::Timestamp;
use tipoff::wire::pb::release_indicators_request::What;
use tipoff::wire::{pb, timestamp};

use crate::Story;
use crate::support::command::Ran;
use crate::support::follower::Tally;
use crate::support::harbour::{INDICATORS, LATER, REPORT, SITES, VICTIM, counts};
use crate::support::keyed::{IdempotentRequest, IdempotentResponse};
use crate::support::liaison::{key, now, release, retract};
use crate::support::{harbour, soon, tips};

impl Story {
    /// birdsite submits the report with the command line, and the same file again.
    pub(super) async fn birdsite_reports(&mut self) {
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
        // The seven pages on facegraph's platform are referred to it as a tip.
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

    /// The count row of the report, and its summary.
    fn reported(ran: &Ran) -> (serde_json::Value, serde_json::Value) {
        let [count, summary] = &ran.lines()[..] else { panic!("{ran:?}") };
        (count["count"].clone(), summary.clone())
    }

    /// birdsite sends facegraph a tip. facegraph works on it until it is monitored, and birdsite
    /// receives each step.
    pub(super) async fn facegraph_answers_the_tip(&mut self) -> String {
        let (birdsite, facegraph) = (self.birdsite.client.clone(), self.facegraph.client.clone());
        let tip = harbour::tip_in_campaign(&self.campaign);
        let IdempotentResponse::Tip(tip) = self.ask(&birdsite, IdempotentRequest::Tip(tip)).await
        else {
            panic!()
        };
        assert!(tip.rejected.is_empty() && tip.counted == 2, "{tip:?}");
        self.tips += 1;
        self.step().await;
        for state in [Acknowledged, Investigating, Actioned, Monitoring] {
            if state == Monitoring {
                // Before the tip is monitored: after that, this would reopen it.
                self.facegraph_contributes(&facegraph).await;
            }
            let answer = harbour::answer(&tip.tip_id, state);
            let IdempotentResponse::Answer(response) =
                self.ask(&facegraph, IdempotentRequest::Answer(answer)).await
            else {
                panic!()
            };
            assert!(response.state() == state && response.rejected.is_empty(), "{response:?}");
            self.tips += 1;
            self.enforcements_of_tip += usize::from(state == Actioned);
            self.step().await;
        }
        self.birdsite_sees_the_enforcement(&tip.tip_id).await;
        tip.tip_id
    }

    /// birdsite received facegraph's counts and indicators with the answer, and finds the
    /// enforcement by the tip.
    async fn birdsite_sees_the_enforcement(&self, tip: &str) {
        let [page, group, account] =
            [pb::AssetKind::Page, pb::AssetKind::Group, pb::AssetKind::Account];
        let expected = [(page, 7, 2), (group, 3, 0), (account, 5, 1)];
        let of_tip = pb::ListEnforcementsRequest { tip_id: tip.into(), ..Default::default() };
        let known = soon(self.birdsite.client.enforcements(&of_tip)).await.unwrap();
        let [known] = &known[..] else { panic!("{known:?}") };
        assert_eq!(known.author, "facegraph");
        assert_eq!(counts(known.enforcement.as_ref()), expected);
        for side in [&self.birdsite, &self.facegraph, &self.desk] {
            let entries = side.tips.iter().map(|event| event.entry.as_ref().unwrap());
            let with_counts: Vec<_> = entries.filter(|entry| entry.enforcement.is_some()).collect();
            let [entry] = &with_counts[..] else { panic!("{with_counts:?}") };
            assert_eq!(counts(entry.enforcement.as_ref()), expected);
            let values: Vec<_> = entry.indicators.iter().map(|key| key.value.as_str()).collect();
            assert_eq!(values, SITES);
        }
    }

    /// facegraph's attribution and the sites that it found reach every follower.
    async fn facegraph_contributes(&mut self, facegraph: &Client) {
        let attribution = harbour::attribution(&self.campaign);
        self.ask(facegraph, IdempotentRequest::Campaign(attribution)).await;
        self.shared.campaigns += 1;
        self.step().await;
        for follower in [&self.birdsite, &self.desk, &self.tubeworks] {
            let campaign_event = follower.campaigns.last().unwrap();
            let contribution = campaign_event.contribution.as_ref().unwrap();
            let confidence = contribution.attribution.as_ref().unwrap().confidence;
            assert_eq!((campaign_event.author.as_str(), confidence), ("facegraph", Some(70)));
        }
        self.ask(facegraph, IdempotentRequest::Submit(harbour::sites(&self.campaign))).await;
        self.shared.held += SITES.len();
        self.step().await;
    }

    /// facegraph releases its part of the campaign. cyber-unit receives it in its feed, and
    /// facegraph sees the accesses.
    pub(super) async fn facegraph_releases_its_analysis(&mut self) {
        let facegraph = self.facegraph.client.clone();
        assert!(soon(facegraph.accesses(None, None)).await.unwrap().is_empty());
        let start = now();
        let what = What::Campaign(self.campaign.clone());
        let request = IdempotentRequest::Release(release("release", what, "warrant W-17"));
        let IdempotentResponse::Release(response) = self.ask(&facegraph, request).await else {
            panic!()
        };
        // Its contribution, its enforcement after the tip, and the sites.
        assert_eq!((response.changed, response.refused), (4, 0));
        self.released = Tally { held: SITES.len(), campaigns: 1, enforcements: 1, ..self.released };
        self.step().await;
        assert_eq!(self.cyber_unit.values(), BTreeSet::from(SITES));
        self.accesses_are_listed(start).await;
    }

    /// Access records have liaison, time, way, purpose, and the reference that the release named.
    /// birdsite's objects were not accessed.
    async fn accesses_are_listed(&self, start: Timestamp) {
        let accesses =
            soon(self.facegraph.client.accesses(Some("cyber-unit"), None)).await.unwrap();
        let between = timestamp(start).seconds..=timestamp(now()).seconds;
        let (mut ways, mut values) = (BTreeSet::new(), BTreeSet::new());
        for access in &accesses {
            assert_eq!(
                (access.liaison.as_str(), access.reference.as_str()),
                ("cyber-unit", "W-17")
            );
            assert_eq!(access.purpose(), pb::PurposeKind::Warrant);
            assert!(between.contains(&access.accessed_at.unwrap().seconds), "{access:?}");
            ways.insert(access.way().as_str_name());
            for object in &access.objects {
                let value = object.indicator.clone().map(|indicator| indicator.value);
                let id = || format!("{}{}", object.campaign_id, object.enforcement_id);
                values.insert(value.unwrap_or_else(id));
            }
        }
        let [enforcement] = &self.cyber_unit.enforcements[..] else { panic!() };
        let enforcement = enforcement.enforcement.clone().unwrap().id;
        let [first, second] = SITES.map(String::from);
        assert_eq!(values, [first, second, self.campaign.clone(), enforcement].into());
        // By its stream before the kill, and by a page after it.
        assert_eq!(ways, ["ACCESS_WAY_PULL", "ACCESS_WAY_SUBSCRIBE"].into());
        for other in [&self.birdsite, &self.tubeworks] {
            assert!(soon(other.client.accesses(None, None)).await.unwrap().is_empty());
        }
    }

    /// A week later: one more account reaches every follower of the campaign, and reopens the tip
    /// for both sides.
    pub(super) async fn one_more_account_appears(&mut self, tip: &str) {
        let birdsite = self.birdsite.client.clone();
        self.ask(&birdsite, IdempotentRequest::Submit(harbour::one_more(&self.campaign))).await;
        self.shared.held += 1;
        self.tips += 1;
        self.step().await;
        for follower in [&self.facegraph, &self.desk, &self.tubeworks] {
            assert!(follower.values().contains(LATER));
        }
        for side in [&self.birdsite, &self.facegraph, &self.desk] {
            let tip_event = side.tips.last().unwrap();
            assert_eq!(tip_event.tip.as_ref().unwrap().id, tip);
            assert_eq!(tip_event.entry.as_ref().unwrap().action(), pb::TipAction::Reopened);
        }
    }

    /// One value belongs to a victim: every holder gets a removal, and birdsite can show that the
    /// desk received it.
    pub(super) async fn birdsite_withdraws_a_victims_site(&mut self) {
        let birdsite = self.birdsite.client.clone();
        let request =
            || pb::WithdrawIndicatorsRequest { keys: vec![key(VICTIM)], ..Default::default() };
        let ended = soon(birdsite.withdraw(request())).await.unwrap();
        let ([sequence], [item]) = (&ended.sequences[..], &ended.items[..]) else { panic!() };
        assert_eq!(self.removals_of_desk(*sequence, &item.versions).await, (1, false));
        self.shared.held -= 1;
        self.shared.removals += 1;
        self.follow().await;
        assert_eq!(self.removals_of_desk(*sequence, &item.versions).await, (1, true));
        self.kill().await;
        for follower in [&self.birdsite, &self.facegraph, &self.desk, &self.tubeworks] {
            let gone = &follower.removals[0];
            assert_eq!(gone.version.as_ref(), item.versions.first());
            assert_eq!(gone.reason(), pb::RemovalReason::Withdrawn);
            assert!(follower.received.contains(VICTIM) && !follower.values().contains(VICTIM));
        }
        assert_eq!(soon(birdsite.withdraw(request())).await.unwrap().withdrawn, 0, "again");
    }

    /// How many removals of an entry are due to the desk, and whether it acknowledged them.
    /// Followers without a subscription name are not listed.
    async fn removals_of_desk(&self, sequence: u64, ended: &[pb::Version]) -> (u32, bool) {
        let deliveries = soon(self.birdsite.client.list_deliveries(sequence)).await.unwrap();
        assert_eq!(deliveries.ended, ended);
        let [desk] = &deliveries.deliveries[..] else { panic!("{deliveries:?}") };
        assert_eq!((desk.partner.as_str(), desk.subscription.as_str()), ("facegraph", "desk"));
        (desk.removals, desk.acknowledged)
    }

    /// birdsite withdraws its tip, and facegraph retracts its release.
    pub(super) async fn both_sides_withdraw(&mut self, tip: &str) {
        let (birdsite, facegraph) = (self.birdsite.client.clone(), self.facegraph.client.clone());
        self.ask(&birdsite, IdempotentRequest::WithdrawTip(tip.into())).await;
        self.tips += 1;
        self.step().await;
        let what = What::Campaign(self.campaign.clone());
        self.ask(&facegraph, IdempotentRequest::Release(retract("retraction", what))).await;
        // Contributions and enforcements are removed as well.
        self.released = Tally { held: 0, removals: SITES.len() + 2, ..self.released };
        self.step().await;
    }
}
