//! Tips in the timelines and clusters of their campaigns: visible to their parties only, each its
//! own part.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::command::Stage;
use support::tips::{key, move_to, reply, tip, walk};
use support::{Running, World, batch, domain, named, sharing};
use tipoff::client::{Client, ClientError};
use tipoff::wire::pb::timeline_event::Event;
use tipoff::wire::pb::{self, BondKind, TipAction, TipState, Tlp};

/// Creates a campaign that everybody sees.
async fn found(client: &Client) -> String {
    let request = pb::PutCampaignRequest {
        request_id: "founding".into(),
        contribution: Some(pb::Contribution { name: "Harbour".into(), ..Default::default() }),
        sharing: Some(sharing(Tlp::Green, None)),
        ..Default::default()
    };
    client.put_campaign(request).await.unwrap().campaign_id
}

fn of_campaign(request: &str, recipients: &[&str], campaign: &str) -> pb::SendTipRequest {
    pb::SendTipRequest {
        subject: "a network".into(),
        indicators: vec![key("a.example"), key("b.example")],
        campaign: campaign.into(),
        ..tip(request, recipients)
    }
}

async fn clusters(client: &Client, campaign: &str) -> pb::GetCampaignResponse {
    let asked =
        pb::GetCampaignRequest { id: campaign.into(), clusters: true, ..Default::default() };
    client.campaign(asked).await.unwrap()
}

/// The edges that tips add to the clusters, by value.
async fn bound(client: &Client, campaign: &str) -> Vec<(String, Vec<String>)> {
    let graph = clusters(client, campaign).await.clusters.unwrap();
    let bonds = graph.bonds.iter().filter(|bond| bond.kind() == BondKind::Tip);
    let value = |at: &u32| graph.indicators[*at as usize].value.clone();
    let bound =
        bonds.map(|bond| (bond.author.clone(), bond.indicators.iter().map(value).collect()));
    bound.collect()
}

async fn count(client: &Client, campaign: &str) -> u64 {
    clusters(client, campaign).await.numbers.unwrap().tips
}

/// The events of tips in a timeline: author, action, moved threads.
type Step = (String, TipAction, Vec<(String, TipState)>);

async fn steps(client: &Client, campaign: &str) -> Vec<Step> {
    let all = client.campaign_timeline(campaign).await.unwrap();
    let steps = all.into_iter().filter_map(|one| {
        let Some(Event::Tip(step)) = one.event else { return None };
        let moves = step.moves.iter().map(|moved| (moved.recipient.clone(), moved.to()));
        Some((one.author, step.action(), moves.collect()))
    });
    steps.collect()
}

fn step(by: &str, action: TipAction, moves: &[(&str, TipState)]) -> Step {
    let moves = moves.iter().map(|(of, state)| ((*of).to_owned(), *state));
    (by.to_owned(), action, moves.collect())
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn four(world: &World, node: &Running) -> [Client; 4] {
    ["birdsite", "facegraph", "tubeworks", "watcher"].map(|partner| world.client(node, partner))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_party_of_a_tip_has_its_own_part_of_it_in_the_campaign_and_a_stranger_nothing() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph, tubeworks, watcher] = four(&world, &node);
    let id = found(&birdsite).await;
    let before = (clusters(&watcher, &id).await, watcher.campaign_timeline(&id).await.unwrap());
    let request = of_campaign("t1", &["facegraph", "tubeworks"], &id);
    let tip = birdsite.send_tip(request).await.unwrap().tip_id;
    let one = |request: &str, value: &str| pb::RespondToTipRequest {
        indicators: vec![key(value)],
        ..reply(request, &tip, "more of it")
    };
    walk(&facegraph, &tip, &[TipState::Acknowledged, TipState::Investigating]).await;
    facegraph.respond_to_tip(one("more", "theirs.example")).await.unwrap();
    let shown = pb::RespondToTipRequest { to_all: true, ..one("shown", "shown.example") };
    tubeworks.respond_to_tip(shown).await.unwrap();
    let declined = tubeworks.respond_to_tip(move_to("no", &tip, TipState::Declined)).await;
    declined.unwrap();

    let [f, t] = ["facegraph", "tubeworks"];
    let (sent, responded) = (TipAction::Sent, TipAction::Responded);
    let by_face = [
        step(f, responded, &[(f, TipState::Acknowledged)]),
        step(f, responded, &[(f, TipState::Investigating)]),
    ];
    let by_tube = step(t, responded, &[(t, TipState::Declined)]);
    let [acknowledged, investigating] = by_face.clone();
    assert_eq!(
        steps(&birdsite, &id).await,
        [
            step("birdsite", sent, &[(f, TipState::Sent), (t, TipState::Sent)]),
            acknowledged.clone(),
            investigating.clone(),
            by_tube.clone(),
        ]
    );
    let began = |whom| step("birdsite", sent, &[(whom, TipState::Sent)]);
    assert_eq!(steps(&facegraph, &id).await, [began(f), acknowledged, investigating]);
    assert_eq!(steps(&tubeworks, &id).await, [began(t), by_tube]);
    let bond = |values: &[&str]| vec![("birdsite".to_owned(), strings(values))];
    let all = ["a.example", "b.example", "theirs.example", "shown.example"];
    assert_eq!(bound(&birdsite, &id).await, bond(&all));
    assert_eq!(bound(&facegraph, &id).await, bond(&all));
    assert_eq!(bound(&tubeworks, &id).await, bond(&["a.example", "b.example", "shown.example"]));
    for (client, tips) in [(&birdsite, 1), (&facegraph, 1), (&tubeworks, 1), (&watcher, 0)] {
        assert_eq!(count(client, &id).await, tips);
    }
    let after = (clusters(&watcher, &id).await, watcher.campaign_timeline(&id).await.unwrap());
    assert_eq!(after, before, "a tip changes nothing for a stranger");

    // Pages contain the same.
    let whole = birdsite.campaign_timeline(&id).await.unwrap();
    let (mut events, mut token) = (Vec::new(), String::new());
    loop {
        let asked = pb::GetCampaignRequest {
            id: id.clone(),
            timeline: Some(pb::CampaignPage { page_size: 1, page_token: token }),
            ..Default::default()
        };
        let page = birdsite.campaign(asked).await.unwrap().timeline.unwrap();
        events.extend(page.events);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(events, whole);

    birdsite.withdraw_tip(&tip).await.unwrap();
    let withdrawn = TipAction::Withdrawn;
    let last = |whom| step("birdsite", withdrawn, &[(whom, TipState::Withdrawn)]);
    assert_eq!(steps(&facegraph, &id).await, [last(f)]);
    assert_eq!(steps(&tubeworks, &id).await, [last(t)]);
    let timeline = facegraph.campaign_timeline(&id).await.unwrap();
    let Some(Event::Tip(step)) = &timeline.last().unwrap().event else { panic!("{timeline:?}") };
    assert_eq!((step.tip_id.as_str(), step.subject.as_str()), (&*tip, ""));
    for client in [&facegraph, &tubeworks] {
        let seen = clusters(client, &id).await;
        assert_eq!(seen.clusters.unwrap(), pb::CampaignClusters::default());
        assert_eq!(seen.numbers.unwrap().tips, 1);
    }
    assert_eq!(steps(&birdsite, &id).await.len(), 5, "its sender keeps what it sent");
    assert_eq!(bound(&birdsite, &id).await, bond(&all));
    let after = (clusters(&watcher, &id).await, watcher.campaign_timeline(&id).await.unwrap());
    assert_eq!(after, before);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_the_campaign_only_after_a_tip_was_withdrawn_is_not_told_that_it_was_of_it() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph, tubeworks, _] = four(&world, &node);
    let contribute = |key: &str, id: &str, partners: &[&str]| pb::PutCampaignRequest {
        request_id: key.into(),
        campaign_id: id.into(),
        contribution: Some(pb::Contribution { name: "Harbour".into(), ..Default::default() }),
        sharing: Some(sharing(Tlp::Amber, named(&[], partners))),
    };
    let id = birdsite.put_campaign(contribute("1", "", &["facegraph"])).await.unwrap().campaign_id;
    let sent = async |request: &str| {
        let request = of_campaign(request, &["facegraph", "tubeworks"], &id);
        birdsite.send_tip(request).await.unwrap().tip_id
    };
    let (gone, kept) = (sent("t1").await, sent("t2").await);
    let asked = tubeworks.campaign_timeline(&id).await;
    assert!(matches!(asked, Err(ClientError::NotFound(_))), "{asked:?}");
    birdsite.withdraw_tip(&gone).await.unwrap();
    birdsite.put_campaign(contribute("2", &id, &["tubeworks"])).await.unwrap();

    let actions = async |client: &Client| {
        let steps = steps(client, &id).await.into_iter().map(|(_, action, _)| action);
        steps.collect::<Vec<_>>()
    };
    assert_eq!(actions(&tubeworks).await, [TipAction::Sent]);
    assert_eq!(actions(&facegraph).await, [TipAction::Sent, TipAction::Withdrawn]);
    assert_eq!((count(&tubeworks, &id).await, count(&facegraph, &id).await), (1, 2));
    let all = tubeworks.campaign_timeline(&id).await.unwrap();
    let of_tips = all.iter().filter_map(|one| match &one.event {
        Some(Event::Tip(step)) => Some(step.tip_id.as_str()),
        _ => None,
    });
    assert_eq!(of_tips.collect::<Vec<_>>(), [kept.as_str()]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_up_several_tips_at_once_stands_in_the_timeline_for_each_of_them() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph, ..] = four(&world, &node);
    let id = found(&birdsite).await;
    for request in ["t1", "t2", "t3"] {
        let tip = birdsite.send_tip(of_campaign(request, &["facegraph"], &id)).await.unwrap();
        walk(&facegraph, &tip.tip_id, &[TipState::Investigating, TipState::Monitoring]).await;
    }
    let mut news = domain("news.example");
    news.assessment = Some(pb::Assessment { campaign: id.clone(), ..pb::Assessment::default() });
    birdsite.submit(batch("s", 1, Some(sharing(Tlp::Green, None)), vec![news])).await.unwrap();
    let reopened = async || {
        let mut events = Vec::new();
        let mut token = String::new();
        loop {
            let asked = pb::GetCampaignRequest {
                id: id.clone(),
                timeline: Some(pb::CampaignPage { page_size: 1, page_token: token }),
                ..Default::default()
            };
            let page = facegraph.campaign(asked).await.unwrap().timeline.unwrap();
            events.extend(page.events.into_iter().filter_map(|one| match one.event {
                Some(Event::Tip(step)) if step.action() == TipAction::Reopened => {
                    assert_eq!(one.author, "", "the exchange did it by itself");
                    Some(step.tip_id)
                }
                _ => None,
            }));
            token = page.next_page_token;
            if token.is_empty() {
                return events;
            }
        }
    };
    let mut seen = Vec::new();
    for _ in 0..100 {
        seen = reopened().await;
        if seen.len() == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
    node.stop().await;
}

#[test]
fn a_tip_is_shown_by_the_command_line_in_the_timeline_and_the_graph_of_its_campaign() {
    let stage = Stage::new();
    let run = |partner: &str, arguments: &[&str]| {
        let ran = stage.run(partner, arguments);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran
    };
    let put = ["--json", "campaign", "put", "--name", "Harbour", "--tlp", "GREEN"];
    let founded = run("birdsite", &put).lines().remove(0);
    let id = founded["campaign"].as_str().unwrap();
    let tell = ["--json", "tip", "send", "accounts that post the same", "--subject", "a network"];
    let whom = ["--to", "facegraph", "--to", "tubeworks", "--campaign", id];
    let about = ["--indicator", "a.example", "--indicator", "b.example"];
    let sent = run("birdsite", &[&tell[..], &whom, &about].concat()).lines().remove(0);
    let tip = sent["tip_id"].as_str().unwrap();
    run("facegraph", &["tip", "respond", tip, "--move", "acknowledged"]);

    let short = &tip[..8];
    let people = run("birdsite", &["campaign", "show", id, "--timeline"]).out;
    for text in [
        "; 1 tip that you sent or received".to_owned(),
        format!("sends tip {short} to facegraph, tubeworks: a network"),
        format!("moves tip {short} to acknowledged for facegraph: a network"),
    ] {
        assert!(people.contains(&text), "{text:?} is not in {people}");
    }
    let people = run("tubeworks", &["campaign", "show", id, "--timeline"]).out;
    assert!(people.contains(&format!("sends tip {short} to tubeworks: a network")), "{people}");
    assert!(!people.contains("facegraph"), "{people}");
    let shown =
        run("facegraph", &["--json", "campaign", "show", id, "--timeline"]).lines().remove(0);
    assert_eq!(shown["tips"], 1);
    let events = shown["timeline"].as_array().unwrap();
    let moved = &events.last().unwrap()["tip"];
    assert_eq!((&moved["tip_id"], &moved["action"]), (&tip.into(), &"responded".into()));
    assert_eq!(moved["moves"][0]["to"], "acknowledged");
    let dot = run("facegraph", &["campaign", "show", id, "--graph", "dot"]).out;
    assert!(dot.contains("label=\"tip of birdsite\"") && dot.contains("b0 -- i1"), "{dot}");
    let graph = run("facegraph", &["campaign", "show", id, "--graph", "json"]).lines().remove(0);
    assert_eq!(
        (&graph["bonds"][0]["bond"], &graph["bonds"][0]["author"]),
        (&"tip".into(), &"birdsite".into())
    );
    run("birdsite", &["tip", "withdraw", tip]);
    let people = run("facegraph", &["campaign", "show", id, "--timeline"]).out;
    assert!(people.contains(&format!("withdraws tip {short}")), "{people}");
    assert!(!people.contains("a network") && !people.contains("acknowledged"), "{people}");
    let people = run("watcher", &["campaign", "show", id, "--timeline"]).out;
    assert!(!people.contains("tip"), "{people}");
}
