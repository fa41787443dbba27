//! Feeds that are limited to what a reader blocks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::feed::{change, nothing, removal, values};
use support::{World, batch, domain};
use tipoff::client::FeedStart;
use tipoff::wire::pb;

#[tokio::test(flavor = "multi_thread")]
async fn a_block_list_follows_the_verdicts_and_roles_that_it_asks_for() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let assessed = |value: &str, verdict: pb::Verdict, involvement: pb::Involvement| {
        let assessment = pb::Assessment {
            verdict: verdict.into(),
            involvement: involvement.into(),
            ..pb::Assessment::default()
        };
        pb::SubmittedIndicator { assessment: Some(assessment), ..domain(value) }
    };
    let (attacker, victim) = (pb::Involvement::Attacker, pb::Involvement::Victim);
    let items = vec![
        assessed("bad.example", pb::Verdict::Malicious, attacker),
        // Without a role it is the attacker's.
        assessed("plain.example", pb::Verdict::Malicious, pb::Involvement::Unspecified),
        assessed("hacked.example", pb::Verdict::Malicious, victim),
        assessed("seen.example", pb::Verdict::Unknown, attacker),
    ];
    birdsite.submit(batch("s", 1, None, items)).await.unwrap();
    let filter = pb::Filter {
        verdicts: vec![pb::Verdict::Suspicious.into(), pb::Verdict::Malicious.into()],
        involvements: vec![attacker.into()],
        ..pb::Filter::default()
    };
    let facegraph = world.client(&node, "facegraph");
    let mut feed = facegraph.subscribe(FeedStart::Beginning, Some(filter));
    change(&mut feed).await;
    assert_eq!(values(&mut feed, 2).await, ["bad.example", "plain.example"]);
    nothing(&mut feed).await;

    // It turns out to be a victim's: whoever blocks it is told.
    let corrected = vec![assessed("bad.example", pb::Verdict::Malicious, victim)];
    birdsite.submit(batch("s2", 1, None, corrected)).await.unwrap();
    let removal = removal(&mut feed).await;
    assert_eq!(removal.reason(), pb::RemovalReason::NoLongerMatches);
    node.stop().await;
}
