//! The demo: from a report to a feed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;

use support::command::{Ran, tipoff};
use support::{World, batch, domain, soon, statuses};
use tipoff::client::FeedStart;
use tipoff::wire::pb;

#[tokio::test(flavor = "multi_thread")]
async fn an_indicator_goes_from_a_submit_to_a_subscriber_over_mutual_tls() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let facegraph = world.client(&node, "facegraph");
    let mut feed = facegraph.subscribe(FeedStart::Beginning, None);

    let request = batch("report-1", 1, None, vec![domain("news.example")]);
    let receipt = soon(birdsite.submit(request)).await.unwrap();
    assert_eq!(statuses(&receipt), [pb::ItemStatus::Created]);

    let item = soon(feed.next()).await.unwrap().unwrap();
    assert_eq!(item.author, "birdsite");
    assert_eq!(item.indicator.unwrap().value, "news.example");
    assert_eq!(item.version, receipt.items[0].version);
    node.stop().await;
}

/// Asserts that the demo succeeded and printed these texts in this order, whatever is in between
/// and however aligned.
fn assert_printed(ran: &Ran, lines: &[&str]) {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let on_one_line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut printed = ran.out.lines().map(on_one_line);
    for line in lines {
        assert!(printed.any(|text| text.contains(line)), "{line:?} is not printed in {}", ran.out);
    }
}

#[test]
fn the_demo_shows_every_step_and_its_counts_are_right() {
    assert_printed(
        &Ran::of(&mut tipoff(&["demo"])),
        &[
            "cyber-unit subscribes: refused",
            "955 indicators, 1 counts of removed assets, 3 neither, 0 unreadable",
            "\"936 accounts\" is 936 x_account",
            "SIGKILL after ",
            "955 created, 0 replaced, 0 unchanged, 0 rejected",
            "facegraph 955 955 ",
            "tubeworks 955 955 ",
            "x:harbour_watcher_0001: known, by birdsite",
            "955 distinct indicators = 955 created",
            "936 account x",
            "every follower has exactly what was accepted",
            "936 accounts on x: an enforcement of birdsite, sent twice and counted once",
            "referred: 7 to facegraph; 0 not referred",
            "facegraph received a referral from birdsite: 7 indicators",
            "desk received 955 indicators in ",
            "desk nothing yes ",
            "to facegraph, priority, 5 indicators; received after ",
            "acknowledged Taken up by our desk.",
            "investigating ",
            "actioned ",
            "attributes it to people linked to a government, confidence 70",
            "shares harbour-observer.example, quay-herald.example, of the campaign",
            "monitoring ",
            "enforcement by facegraph after this tip: 7 pages on facebook (2 disabled before), 3 groups on \
             facebook, 5 accounts on facebook (1 disabled before)",
            "a move to declined is refused: the tip is monitoring",
            "cyber-unit pulls without a purpose: ",
            "under warrant W-2019-17 it receives 0 indicators",
            "facegraph releases all its objects of the campaign: 4 versions",
            "cyber-unit pulls again and receives the contribution and the enforcement of facegraph,",
            "and harbour-observer.example, quay-herald.example; nothing else",
            "audit accesses of facegraph: cyber-unit read 4 objects by pull, warrant W-2019-17, at ",
            "birdsite shares x:harbour_watcher_0937, label coordinated-inauthentic-behavior",
            "received by desk of facegraph after ",
            "desk of facegraph and birdsite see it reopened",
            "strongly disagree, \"the site of a public library\"",
            "in birdsite's feed after ",
            "harbour-library.example: 1 version withdrawn, entry ",
            "facegraph desk withdrawn ",
            "tubeworks unnamed withdrawn ",
            "facegraph looks up harbour-library.example: unknown",
            "audit deliveries ",
            "facegraph desk 1 not yet ",
            "facegraph desk 1 yes ",
            "both have exactly what a snapshot returns: 957 indicators",
        ],
    );
}

#[test]
fn the_demo_also_runs_with_other_reports() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let domains = file("domains.csv", "kind,value\ndomain,a.example\ndomain,b.example\n");
    // It has no domain, and an account with the name that the demo would invent.
    let accounts = file("list.txt", "x:harbour_watcher_0937\nhttps://c.example/page\n");
    let ran = Ran::of(&mut tipoff(&["demo", "--data", &domains, &accounts]));
    assert_printed(
        &ran,
        &["4 created", "birdsite shares x:harbour_watcher_0938", "b.example: 1 version withdrawn"],
    );
    let ran = Ran::of(&mut tipoff(&["demo", "--data", &accounts]));
    assert_printed(&ran, &["2 created", "https://c.example/page: 1 version withdrawn"]);
}
