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
async fn create_campaign(client: &Client) -> String {
    let request = pb::PutCampaignRequest {
        request_id: "create".into(),
        contribution: Some(pb::Contribution { name: "Harbour".into(), ..Default::default() }),
        sharing: Some(sharing(Tlp::Green, None)),
        ..Default::default()
    };
    client.put_campaign(request).await.unwrap().campaign_id
}

fn tip_in_campaign(request: &str, recipients: &[&str], campaign: &str) -> pb::SendTipRequest {
    pb::SendTipRequest {
        subject: "a network".into(),
        indicators: vec![key("a.example"), key("b.example")],
        campaign: campaign.into(),
        ..tip(request, recipients)
    }
}

async fn clusters(client: &Client, campaign: &str) -> pb::GetCampaignResponse {
    let request =
        pb::GetCampaignRequest { id: campaign.into(), clusters: true, ..Default::default() };
    client.campaign(request).await.unwrap()
}

/// The edges that tips add to the clusters, by value.
async fn tip_edges(client: &Client, campaign: &str) -> Vec<(String, Vec<String>)> {
    let graph = clusters(client, campaign).await.clusters.unwrap();
    let edges = graph.bonds.iter().filter(|edge| edge.kind() == BondKind::Tip);
    let value = |index: &u32| graph.indicators[*index as usize].value.clone();
    let edges =
        edges.map(|edge| (edge.author.clone(), edge.indicators.iter().map(value).collect()));
    edges.collect()
}

async fn tip_count(client: &Client, campaign: &str) -> u64 {
    clusters(client, campaign).await.numbers.unwrap().tips
}

/// The events of tips in a timeline: author, action, moved threads.
type Step = (String, TipAction, Vec<(String, TipState)>);

async fn steps(client: &Client, campaign: &str) -> Vec<Step> {
    let timeline = client.campaign_timeline(campaign).await.unwrap();
    let steps = timeline.into_iter().filter_map(|event| {
        let Some(Event::Tip(step)) = event.event else { return None };
        let moves = step.moves.iter().map(|change| (change.recipient.clone(), change.to()));
        Some((event.author, step.action(), moves.collect()))
    });
    steps.collect()
}

fn step(author: &str, action: TipAction, moves: &[(&str, TipState)]) -> Step {
    let moves = moves.iter().map(|(recipient, state)| ((*recipient).to_owned(), *state));
    (author.to_owned(), action, moves.collect())
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn four(world: &World, node: &Running) -> [Client; 4] {
    ["birdsite", "facegraph", "tubeworks", "watcher"].map(|partner| world.client(node, partner))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_shows_each_party_its_own_part_of_a_tip_and_other_partners_nothing() {
    let world = World::new();
    let node = world.start().await;
    let clients = four(&world, &node);
    let [birdsite, _, _, watcher] = &clients;
    let id = create_campaign(birdsite).await;
    let before = (clusters(watcher, &id).await, watcher.campaign_timeline(&id).await.unwrap());
    let tip = send_and_answer(&clients, &id).await;
    check_open_tip(&clients, &id).await;
    let after = (clusters(watcher, &id).await, watcher.campaign_timeline(&id).await.unwrap());
    assert_eq!(after, before, "a tip changes nothing for a stranger");
    assert_eq!(
        timeline_by_pages(birdsite, &id).await,
        birdsite.campaign_timeline(&id).await.unwrap()
    );

    birdsite.withdraw_tip(&tip).await.unwrap();
    check_withdrawn_tip(&clients, &id, &tip).await;
    let after = (clusters(watcher, &id).await, watcher.campaign_timeline(&id).await.unwrap());
    assert_eq!(after, before);
    node.stop().await;
}

/// Birdsite sends a tip. Facegraph answers it, and tubeworks too, once to all.
async fn send_and_answer([birdsite, facegraph, tubeworks, _]: &[Client; 4], id: &str) -> String {
    let request = tip_in_campaign("t1", &["facegraph", "tubeworks"], id);
    let tip = birdsite.send_tip(request).await.unwrap().tip_id;
    let with_indicator = |request: &str, value: &str| pb::RespondToTipRequest {
        indicators: vec![key(value)],
        ..reply(request, &tip, "more of it")
    };
    walk(facegraph, &tip, &[TipState::Acknowledged, TipState::Investigating]).await;
    facegraph.respond_to_tip(with_indicator("more", "theirs.example")).await.unwrap();
    let to_all =
        pb::RespondToTipRequest { to_all: true, ..with_indicator("shown", "shown.example") };
    tubeworks.respond_to_tip(to_all).await.unwrap();
    let declined = tubeworks.respond_to_tip(move_to("no", &tip, TipState::Declined)).await;
    declined.unwrap();
    tip
}

async fn check_open_tip([birdsite, facegraph, tubeworks, watcher]: &[Client; 4], id: &str) {
    let [f, t] = ["facegraph", "tubeworks"];
    let (sent, responded) = (TipAction::Sent, TipAction::Responded);
    let acknowledged = step(f, responded, &[(f, TipState::Acknowledged)]);
    let investigating = step(f, responded, &[(f, TipState::Investigating)]);
    let declined = step(t, responded, &[(t, TipState::Declined)]);
    assert_eq!(
        steps(birdsite, id).await,
        [
            step("birdsite", sent, &[(f, TipState::Sent), (t, TipState::Sent)]),
            acknowledged.clone(),
            investigating.clone(),
            declined.clone(),
        ]
    );
    let sent_to = |recipient| step("birdsite", sent, &[(recipient, TipState::Sent)]);
    assert_eq!(steps(facegraph, id).await, [sent_to(f), acknowledged, investigating]);
    assert_eq!(steps(tubeworks, id).await, [sent_to(t), declined]);
    assert_eq!(tip_edges(birdsite, id).await, edge(&ALL_VALUES));
    assert_eq!(tip_edges(facegraph, id).await, edge(&ALL_VALUES));
    let visible = ["a.example", "b.example", "shown.example"];
    assert_eq!(tip_edges(tubeworks, id).await, edge(&visible));
    for (client, tips) in [(birdsite, 1), (facegraph, 1), (tubeworks, 1), (watcher, 0)] {
        assert_eq!(tip_count(client, id).await, tips);
    }
}

/// The values of the tip and of its answers.
const ALL_VALUES: [&str; 4] = ["a.example", "b.example", "theirs.example", "shown.example"];

/// The one edge that the tip of birdsite adds.
fn edge(values: &[&str]) -> Vec<(String, Vec<String>)> {
    vec![("birdsite".to_owned(), strings(values))]
}

async fn check_withdrawn_tip(
    [birdsite, facegraph, tubeworks, _]: &[Client; 4],
    id: &str,
    tip: &str,
) {
    let last =
        |recipient| step("birdsite", TipAction::Withdrawn, &[(recipient, TipState::Withdrawn)]);
    assert_eq!(steps(facegraph, id).await, [last("facegraph")]);
    assert_eq!(steps(tubeworks, id).await, [last("tubeworks")]);
    let timeline = facegraph.campaign_timeline(id).await.unwrap();
    let Some(Event::Tip(step)) = &timeline.last().unwrap().event else { panic!("{timeline:?}") };
    assert_eq!((step.tip_id.as_str(), step.subject.as_str()), (tip, ""));
    for client in [facegraph, tubeworks] {
        let seen = clusters(client, id).await;
        assert_eq!(seen.clusters.unwrap(), pb::CampaignClusters::default());
        assert_eq!(seen.numbers.unwrap().tips, 1);
    }
    assert_eq!(steps(birdsite, id).await.len(), 5, "its sender keeps what it sent");
    assert_eq!(tip_edges(birdsite, id).await, edge(&ALL_VALUES));
}

/// The timeline of a campaign, read in pages of one event.
async fn timeline_by_pages(client: &Client, campaign: &str) -> Vec<pb::TimelineEvent> {
    let (mut events, mut token) = (Vec::new(), String::new());
    loop {
        let request = pb::GetCampaignRequest {
            id: campaign.into(),
            timeline: Some(pb::CampaignPage { page_size: 1, page_token: token }),
            ..Default::default()
        };
        let page = client.campaign(request).await.unwrap().timeline.unwrap();
        events.extend(page.events);
        token = page.next_page_token;
        if token.is_empty() {
            return events;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_sees_the_campaign_only_after_a_tip_was_withdrawn_does_not_see_the_tip() {
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
    let send = async |request: &str| {
        let request = tip_in_campaign(request, &["facegraph", "tubeworks"], &id);
        birdsite.send_tip(request).await.unwrap().tip_id
    };
    let (withdrawn, open) = (send("t1").await, send("t2").await);
    let hidden = tubeworks.campaign_timeline(&id).await;
    assert!(matches!(hidden, Err(ClientError::NotFound(_))), "{hidden:?}");
    birdsite.withdraw_tip(&withdrawn).await.unwrap();
    birdsite.put_campaign(contribute("2", &id, &["tubeworks"])).await.unwrap();

    let actions = async |client: &Client| {
        let steps = steps(client, &id).await.into_iter().map(|(_, action, _)| action);
        steps.collect::<Vec<_>>()
    };
    assert_eq!(actions(&tubeworks).await, [TipAction::Sent]);
    assert_eq!(actions(&facegraph).await, [TipAction::Sent, TipAction::Withdrawn]);
    assert_eq!((tip_count(&tubeworks, &id).await, tip_count(&facegraph, &id).await), (1, 2));
    let timeline = tubeworks.campaign_timeline(&id).await.unwrap();
    let of_tips = timeline.iter().filter_map(|event| match &event.event {
        Some(Event::Tip(step)) => Some(step.tip_id.as_str()),
        _ => None,
    });
    assert_eq!(of_tips.collect::<Vec<_>>(), [open.as_str()]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_entry_that_reopens_several_tips_is_in_the_timeline_once_for_each_of_them() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph, ..] = four(&world, &node);
    let id = create_campaign(&birdsite).await;
    for request in ["t1", "t2", "t3"] {
        let tip = birdsite.send_tip(tip_in_campaign(request, &["facegraph"], &id)).await.unwrap();
        walk(&facegraph, &tip.tip_id, &[TipState::Investigating, TipState::Monitoring]).await;
    }
    let mut news = domain("news.example");
    news.assessment = Some(pb::Assessment { campaign: id.clone(), ..pb::Assessment::default() });
    birdsite.submit(batch("s", 1, Some(sharing(Tlp::Green, None)), vec![news])).await.unwrap();
    let reopened = async || {
        let events = timeline_by_pages(&facegraph, &id).await;
        let reopened = events.into_iter().filter_map(|event| match event.event {
            Some(Event::Tip(step)) if step.action() == TipAction::Reopened => {
                assert_eq!(event.author, "", "the exchange reopened it");
                Some(step.tip_id)
            }
            _ => None,
        });
        reopened.collect::<Vec<_>>()
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
    let created = run("birdsite", &put).lines().remove(0);
    let id = created["campaign_id"].as_str().unwrap();
    let shown = run("birdsite", &["--json", "campaign", "show", &id[..8]]);
    assert_eq!(shown.lines()[0]["campaign_id"], id, "a prefix of the id is enough");
    let send = ["--json", "tip", "send", "accounts that post the same", "--subject", "a network"];
    let recipients = ["--to", "facegraph", "--to", "tubeworks", "--campaign", id];
    let about = ["--indicator", "a.example", "--indicator", "b.example"];
    let sent = run("birdsite", &[&send[..], &recipients, &about].concat()).lines().remove(0);
    let tip = sent["tip_id"].as_str().unwrap();
    run("facegraph", &["tip", "respond", tip, "--move", "acknowledged"]);

    let short = &tip[..8];
    let output = run("birdsite", &["campaign", "show", id, "--timeline"]).out;
    for text in [
        "; 1 tip that you sent or received".to_owned(),
        format!("sends tip {short} to facegraph, tubeworks: a network"),
        format!("moves tip {short} to acknowledged for facegraph: a network"),
    ] {
        assert!(output.contains(&text), "{text:?} is not in {output}");
    }
    let output = run("tubeworks", &["campaign", "show", id, "--timeline"]).out;
    assert!(output.contains(&format!("sends tip {short} to tubeworks: a network")), "{output}");
    assert!(!output.contains("facegraph"), "{output}");
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
    let output = run("facegraph", &["campaign", "show", id, "--timeline"]).out;
    assert!(output.contains(&format!("withdraws tip {short}")), "{output}");
    assert!(!output.contains("a network") && !output.contains("acknowledged"), "{output}");
    let output = run("watcher", &["campaign", "show", id, "--timeline"]).out;
    assert!(!output.contains("tip"), "{output}");
}
