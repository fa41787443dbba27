//! The story that must always work, from a report in to a feed out.

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

/// The demo came to its good end, and told this in this order, whatever else and however aligned.
fn told(ran: &Ran, lines: &[&str]) {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let on_one_line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut said = ran.out.lines().map(on_one_line);
    for line in lines {
        assert!(said.any(|said| said.contains(line)), "{line:?} is not told in {}", ran.out);
    }
}

#[test]
fn the_demo_tells_the_whole_story_and_its_counts_are_right() {
    told(
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
            "every follower holds exactly what was taken",
            "936 accounts on x: an enforcement of birdsite, sent twice and counted once",
            "the receipt of the close: 7 to facegraph; 0 not referred",
            "facegraph has a tip from birdsite that nobody addressed: 7 indicators",
            "desk took 955 indicators in ",
            "desk nothing yes ",
            "to facegraph, priority, 5 indicators; in its feed after ",
            "acknowledged Taken up by our desk.",
            "investigating ",
            "actioned ",
            "attributes it to people linked to a government, confidence 70",
            "shares harbour-observer.example, quay-herald.example, of the campaign",
            "monitoring ",
            "an enforcement of facegraph after this tip: 7 pages on facebook (2 disabled before), 3 groups on \
             facebook, 5 accounts on facebook (1 disabled before)",
            "a move to declined is refused: the tip is monitoring",
            "cyber-unit pulls without a purpose: ",
            "under warrant W-2019-17 it is given 0 indicators",
            "facegraph releases all that it has in the campaign: 4 versions",
            "cyber-unit pulls again: what facegraph says of the campaign, what it did,",
            "harbour-observer.example, quay-herald.example, and nothing else",
            "facegraph sees it: cyber-unit took 4 objects by pull, warrant W-2019-17, at ",
            "birdsite shares x:harbour_watcher_0937, coordinated-inauthentic-behavior",
            "desk of facegraph has it after ",
            "desk of facegraph and birdsite see it investigated again",
            "strongly disagree, \"the site of a public library\"",
            "in birdsite's feed after ",
            "harbour-library.example: 1 version taken back, by entry ",
            "facegraph desk withdrawn ",
            "tubeworks no name withdrawn ",
            "facegraph looks up harbour-library.example: not known",
            "audit deliveries ",
            "facegraph desk 1 not yet ",
            "facegraph desk 1 yes ",
            "both hold what stands, as a snapshot has it: 957 indicators",
        ],
    );
}

#[test]
fn the_demo_tells_its_story_of_other_reports_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let domains = file("domains.csv", "kind,value\ndomain,a.example\ndomain,b.example\n");
    // It has no domain, and an account of the name that the demo would make up.
    let accounts = file("list.txt", "x:harbour_watcher_0937\nhttps://c.example/page\n");
    let ran = Ran::of(&mut tipoff(&["demo", "--data", &domains, &accounts]));
    told(
        &ran,
        &["4 created", "birdsite shares x:harbour_watcher_0938", "b.example: 1 version taken back"],
    );
    let ran = Ran::of(&mut tipoff(&["demo", "--data", &accounts]));
    told(&ran, &["2 created", "https://c.example/page: 1 version taken back"]);
}
