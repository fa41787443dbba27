//! Enforcements: counted once, corrected by the same id, and the count rows of real reports.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod commands;
#[path = "../support/mod.rs"]
mod support;
mod withdrawal;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use support::command::Stage;
use support::feed::event;
use support::{World, data, named, sharing, soon};
use tipoff::client::{Client, ClientError, FeedEvent, FeedStart};
use tipoff::domain::enforcement::AssetKind;
use tipoff::formats::{self, Class};
use tipoff::wire::pb::{self, ItemStatus, Tlp};

#[allow(clippy::unnecessary_wraps)] // As the field of the message.
fn core() -> Option<pb::Sharing> {
    Some(sharing(Tlp::Amber, named(&["core"], &[])))
}

fn count(asset: pb::AssetKind, platform: &str, count: u64) -> pb::EnforcementCount {
    let asset = asset.into();
    pb::EnforcementCount { asset, platform: platform.into(), count, ..Default::default() }
}

fn enforcement(id: &str, counts: Vec<pb::EnforcementCount>) -> pb::Enforcement {
    pb::Enforcement { id: id.into(), counts, ..Default::default() }
}

fn report(
    key: &str,
    sharing: Option<pb::Sharing>,
    enforcements: Vec<pb::Enforcement>,
) -> pb::ReportEnforcementRequest {
    pb::ReportEnforcementRequest { request_id: key.into(), sharing, enforcements }
}

fn statuses(answer: &pb::ReportEnforcementResponse) -> Vec<ItemStatus> {
    answer.items.iter().map(pb::ItemReceipt::status).collect()
}

/// The ids of listed enforcements, and the sums of their counts.
async fn listed(client: &Client, request: pb::ListEnforcementsRequest) -> Vec<(String, u64)> {
    let views = client.enforcements(&request).await.unwrap();
    let enforcements = views.iter().map(|view| view.enforcement.as_ref().unwrap());
    let sum = |of: &pb::Enforcement| of.counts.iter().map(|count| count.count).sum();
    enforcements.map(|listed| (listed.id.clone(), sum(listed))).collect()
}

fn all() -> pb::ListEnforcementsRequest {
    pb::ListEnforcementsRequest::default()
}

#[tokio::test(flavor = "multi_thread")]
async fn enforcements_are_accepted_item_by_item_and_once_per_key() {
    use pb::AssetKind::{Account, Group, Page};
    let world = World::new();
    let node = world.start().await;
    let facegraph = world.client(&node, "facegraph");
    let story = vec![
        pb::EnforcementCount { already_disabled: 2, ..count(Page, "facebook", 7) },
        count(Group, "facebook", 3),
        count(Account, "facebook", 5),
    ];
    let never = "6f1a1d5c-8a3e-4d0f-9b57-000000000000";
    let good = pb::Enforcement {
        method: pb::EnforcementMethod::AfterTip.into(),
        from: "2019-08-19".into(),
        ..enforcement("a", story)
    };
    let one = || vec![count(Account, "", 1)];
    let bad = [
        (enforcement("", one()), "id"),
        (enforcement("b", Vec::new()), "counts"),
        (enforcement("b", vec![count(Account, "x", 936)]), "counts.platform"),
        (enforcement("b", vec![count(Account, "", 0)]), "counts.count"),
        (pb::Enforcement { campaign: never.into(), ..enforcement("b", one()) }, "campaign"),
        (pb::Enforcement { tip: never.into(), ..enforcement("b", one()) }, "tip"),
        (pb::Enforcement { from: "soon".into(), ..enforcement("b", one()) }, "from"),
    ];
    let mut sent = vec![good.clone()];
    sent.extend(bad.iter().map(|(one, _)| one.clone()));
    let answer = facegraph.report_enforcement(report("1", core(), sent.clone())).await.unwrap();
    assert_eq!(answer.items[0].status(), ItemStatus::Created);
    for (item, (_, field)) in answer.items[1..].iter().zip(&bad) {
        assert_eq!(item.status(), ItemStatus::Rejected);
        assert_eq!(&item.field, field, "{item:?}");
    }
    let again = facegraph.report_enforcement(report("1", core(), sent)).await.unwrap();
    assert_eq!(again, pb::ReportEnforcementResponse { replayed: true, ..answer });
    let other = facegraph.report_enforcement(report("1", core(), vec![good])).await;
    assert!(matches!(other, Err(ClientError::Conflict(_))), "{other:?}");
    for (wrong, field) in [
        (report("2", core(), Vec::new()), "enforcements"),
        (report("2", core(), vec![enforcement("c", one()); 1_001]), "enforcements"),
        (report("", core(), vec![enforcement("c", one())]), "request_id"),
    ] {
        match facegraph.report_enforcement(wrong).await.unwrap_err() {
            ClientError::Invalid { fields, .. } => assert_eq!(fields[0].0, field),
            other => panic!("{other}"),
        }
    }
    let denied = world.impatient(&node, "watcher");
    let denied =
        denied.report_enforcement(report("1", core(), vec![enforcement("c", one())])).await;
    assert!(matches!(denied, Err(ClientError::Denied(_))), "{denied:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_replaces_an_enforcement_and_nothing_is_counted_twice() {
    let world = World::new();
    let node = world.start().await;
    let (facegraph, birdsite) = (world.client(&node, "facegraph"), world.client(&node, "birdsite"));
    let tubeworks = world.client(&node, "tubeworks");
    let pages = |n| vec![count(pb::AssetKind::Page, "facebook", n)];
    let mut feed = birdsite.subscribe(FeedStart::Beginning, None);
    assert!(matches!(event(&mut feed).await, FeedEvent::GroupChange(_)));
    let first = report("1", core(), vec![enforcement("a", pages(7)), enforcement("b", pages(1))]);
    let first = facegraph.report_enforcement(first).await.unwrap();
    let second = report("2", core(), vec![enforcement("a", pages(8)), enforcement("b", pages(1))]);
    let second = facegraph.report_enforcement(second).await.unwrap();
    assert_eq!(statuses(&second), [ItemStatus::Replaced, ItemStatus::Unchanged]);
    assert_eq!(second.items[1].version, first.items[1].version);
    // The same enforcement for another audience: a reader that sees both counts it once, by the
    // newest version.
    let everyone = Some(sharing(Tlp::Green, None));
    let third = report("3", everyone, vec![enforcement("a", pages(9))]);
    assert_eq!(
        statuses(&facegraph.report_enforcement(third).await.unwrap()),
        [ItemStatus::Created]
    );
    let newest = [("a".to_owned(), 9), ("b".to_owned(), 1)];
    assert_eq!(listed(&birdsite, all()).await, newest);
    assert_eq!(listed(&tubeworks, all()).await, newest[..1]);
    // The earlier version for the group stands beside it, and is not counted.
    let fourth = report("4", core(), vec![enforcement("a", pages(10))]);
    facegraph.report_enforcement(fourth).await.unwrap();
    assert_eq!(listed(&birdsite, all()).await[0], ("a".into(), 10));
    assert_eq!(
        listed(&tubeworks, all()).await,
        newest[..1],
        "a correction to others is none to it"
    );

    // The correction names the version that it replaces, to readers that could see that version.
    loop {
        if let FeedEvent::Enforcement(event) = event(&mut feed).await {
            let one = event.enforcement.unwrap();
            if one.enforcement.unwrap().counts[0].count == 10 {
                assert_eq!(one.replaces, second.items[0].version);
                break;
            }
        }
    }
    // A feed from the start delivers what is still current.
    let mut late = birdsite.subscribe(FeedStart::Beginning, None);
    let mut held = Vec::new();
    while held.len() < 3 {
        if let Some(FeedEvent::Enforcement(event)) = soon(late.next_event()).await.unwrap() {
            let done = event.enforcement.unwrap().enforcement.unwrap();
            held.push((done.id, done.counts[0].count));
        }
    }
    assert_eq!(held, [("b".into(), 1), ("a".into(), 9), ("a".to_owned(), 10)]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enforcements_are_listed_by_campaign_author_and_day_page_by_page() {
    let world = World::new();
    let node = world.start().await;
    let (facegraph, birdsite) = (world.client(&node, "facegraph"), world.client(&node, "birdsite"));
    let tubeworks = world.client(&node, "tubeworks");
    let contribution = Some(pb::Contribution { name: "Harbour".into(), ..Default::default() });
    let put = pb::PutCampaignRequest {
        request_id: "c".into(),
        contribution,
        sharing: core(),
        ..Default::default()
    };
    let campaign = birdsite.put_campaign(put).await.unwrap().campaign_id;
    let accounts = || vec![count(pb::AssetKind::Account, "", 1)];
    let on = |id: &str, from: &str, until: &str| pb::Enforcement {
        from: from.into(),
        until: until.into(),
        ..enforcement(id, accounts())
    };
    let everyone = || Some(sharing(Tlp::Green, None));
    let of_campaign = pb::Enforcement { campaign: campaign.clone(), ..on("c", "2019-09-01", "") };
    let enforcements =
        vec![on("a", "2019-08-19", "2019-08-21"), on("b", "2019-08-22", ""), of_campaign];
    facegraph.report_enforcement(report("1", everyone(), enforcements)).await.unwrap();
    birdsite
        .report_enforcement(report("1", core(), vec![enforcement("d", accounts())]))
        .await
        .unwrap();
    let ids = async |client: &Client, request| {
        let listed = listed(client, request).await;
        listed.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&facegraph, all()).await, ["d", "c", "b", "a"], "newest first");
    assert_eq!(ids(&tubeworks, all()).await, ["c", "b", "a"]);
    let of = |author: &str| pb::ListEnforcementsRequest { author: author.into(), ..all() };
    assert_eq!(ids(&facegraph, of("birdsite")).await, ["d"]);
    let days = |from: &str, until: &str| pb::ListEnforcementsRequest {
        from: from.into(),
        until: until.into(),
        ..all()
    };
    assert_eq!(ids(&facegraph, days("2019-08-21", "2019-08-22")).await, ["b", "a"]);
    assert_eq!(ids(&facegraph, days("", "2019-08-18")).await, [""; 0]);
    assert_eq!(ids(&facegraph, days("2020-01-01", "")).await, ["d"], "on the day it was reported");
    let campaigns = pb::ListEnforcementsRequest { campaign_id: campaign.clone(), ..all() };
    assert_eq!(ids(&facegraph, campaigns.clone()).await, ["c"]);
    let hidden = tubeworks.enforcements(&campaigns).await.unwrap_err();
    assert!(matches!(hidden, ClientError::NotFound(_)), "{hidden}");
    let blank = tubeworks.enforcements(&all()).await.unwrap();
    assert!(blank.iter().all(|view| view.enforcement.as_ref().unwrap().campaign.is_empty()));
    check_campaign(&facegraph, &campaign).await;
    node.stop().await;
}

/// The campaign shows its one enforcement in its counts, its list and its timeline.
async fn check_campaign(client: &Client, id: &str) {
    let request = pb::GetCampaignRequest {
        id: id.into(),
        enforcements: Some(pb::CampaignPage::default()),
        timeline: Some(pb::CampaignPage::default()),
        ..Default::default()
    };
    let campaign = client.campaign(request).await.unwrap();
    assert_eq!(campaign.numbers.unwrap().totals[0].count, 1);
    assert_eq!(campaign.enforcements.unwrap().enforcements.len(), 1);
    let events = campaign.timeline.unwrap().events;
    let first = events[0].event.as_ref().unwrap();
    assert!(matches!(first, pb::timeline_event::Event::Enforcement(_)), "of 2019: {first:?}");
}

fn reports() -> Vec<PathBuf> {
    let mut found = vec![data::folder().join("meta")];
    let mut files = Vec::new();
    while let Some(folder) = found.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.push(path);
            } else if path.extension().is_some_and(|e| e == "csv") && !path.ends_with("MAPPING.csv")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_count_of_the_real_reports_is_of_a_kind_that_an_enforcement_has() {
    let path = data::folder().join("expected.json");
    let expected: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for file in reports() {
        let records = formats::read(&std::fs::read(&file).unwrap(), None).unwrap();
        for record in records {
            let Class::Aggregate(count) = record.class else { continue };
            let asset: AssetKind = count.asset.parse().unwrap();
            assert!(count.count > 0, "{} {}", file.display(), record.row);
            let on = count.platforms.join("+");
            *sums.entry(format!("{on}_{asset}")).or_default() += count.count;
        }
    }
    for (kind, sum) in expected["aggregate_totals"].as_object().unwrap() {
        assert_eq!(Some(&sums[kind]), sum.as_u64().as_ref(), "{kind}");
    }
}

#[test]
fn the_counts_of_a_report_are_stored_once_however_often_and_by_whomever_it_is_sent() {
    let stage = Stage::new();
    let report = reports()
        .into_iter()
        .find(|path| path.ends_with("Q2_2023_Turkiye-based_CIB_network_1.csv"));
    let report = report.unwrap().display().to_string();
    let counts = |ran: &support::command::Ran| {
        let lines = ran.lines();
        let counts = lines.iter().filter(|line| line["count"].is_object());
        counts.map(|line| line["count"].clone()).collect::<Vec<_>>()
    };
    let submit = |partner: &str, more: &[&str]| {
        let arguments = [&["--json", "submit", &report, "--group", "core"], more].concat();
        let ran = stage.run(partner, &arguments);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran
    };
    let first = counts(&submit("facegraph", &[]));
    assert!(
        first.len() >= 3 && first.iter().all(|count| count["status"] == "created"),
        "{first:?}"
    );
    let is_own = |count: &&Value| count["source"] == "own";
    assert_eq!(
        first.iter().filter(is_own).count(),
        first.len(),
        "facebook and instagram are its own"
    );
    for more in [&[][..], &["--again"]] {
        let again = counts(&submit("facegraph", more));
        assert!(again.iter().all(|count| count["counted_before"] == true), "{again:?}");
        let total = stage.run("birdsite", &["--json", "enforcement", "report"]);
        let total = &total.lines()[0];
        assert_eq!(total["own"]["deeds"], first.len(), "nothing is counted twice");
    }
    // Birdsite owns neither platform, so the same rows are reported removals by others.
    let theirs = counts(&submit("birdsite", &[]));
    assert!(theirs.iter().all(|count| count["source"] == "reported"), "{theirs:?}");
    let sum = |counts: &[Value]| counts.iter().map(|c| c["count"].as_u64().unwrap()).sum::<u64>();
    let total = stage.run("birdsite", &["--json", "enforcement", "report"]).lines().remove(0);
    assert_eq!(total["own"]["count"], sum(&first), "and are not added");
    assert_eq!(total["reported"]["count"], sum(&theirs));

    let submitted = stage.run("facegraph", &["submit", &report, "--group", "core"]);
    assert!(submitted.out.contains("enforcement, counted before"), "{}", submitted.out);
    let markdown = stage.run("birdsite", &["enforcement", "report", "--markdown"]);
    assert_eq!(markdown.code, Some(0), "{markdown:?}");
    assert!(markdown.out.starts_with("# Transparency report\n"), "{}", markdown.out);
    assert!(markdown.out.contains("| facegraph | "), "{}", markdown.out);
}
