//! Revocation lists in metrics and readiness.

use std::time::Duration;

use crate::support::World;
use crate::support::clock::SetClock;
use crate::support::forge::{self, Root};
use crate::{scrape, value};

#[tokio::test(flavor = "multi_thread")]
async fn each_list_has_a_series_until_a_reload_removes_it() {
    let world = World::new();
    let other = Root::trusted(&world, "other, \"quoted\"");
    let own = forge::good_crl(&world);
    forge::write_crl(&world, own.clone() + &other.list(7));
    let node = world.start().await;
    let metrics = scrape(&node).await;
    let expiry = "tipoff_revocation_list_expiry_timestamp_seconds{issuer=\"";
    let issuers = |metrics: &str| -> Vec<String> {
        let series = metrics.lines().filter_map(|line| line.strip_prefix(expiry));
        series.map(|rest| rest.rsplit_once("\"} ").unwrap().0.to_owned()).collect()
    };
    let mut both = issuers(&metrics);
    both.sort();
    assert_eq!(both.len(), 2, "{metrics}");
    assert!(both.iter().any(|issuer| issuer.contains("other, \\\"quoted\\\"")), "{both:?}");
    // 2090-01-01.
    assert_eq!(value(&metrics, &format!("{expiry}{}\"}}", both[0])), Some(3_786_912_000.0));
    assert_eq!(value(&metrics, "tipoff_revocation_lists"), Some(2.0));
    assert_eq!(value(&metrics, "tipoff_revocations{source=\"list\"}"), Some(2.0));
    assert_eq!(value(&metrics, "tipoff_revocations{source=\"operator\"}"), Some(0.0));

    forge::write_crl(&world, own);
    node.reload(&world.config).await;
    let metrics = scrape(&node).await;
    let left = issuers(&metrics);
    assert!(left.len() == 1 && !left[0].contains("other"), "{metrics}");
    assert_eq!(value(&metrics, "tipoff_revocation_lists"), Some(1.0));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_the_list_that_expired_and_says_when_the_others_do() {
    let world = World::new();
    let other = Root::trusted(&world, "other");
    // The one of the world's authority expires in 2035, the other one in 2090.
    forge::write_crl(&world, forge::expiring_crl(&world, 2035) + &other.list(7));
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    assert!(node.ops_get("/ready").await.contains("200 OK"));
    assert_eq!(value(&scrape(&node).await, "tipoff_ready"), Some(1.0));
    clock.advance(Duration::from_secs(20 * 365 * 86_400));
    let ready = node.ops_get("/ready").await;
    assert!(ready.contains("503") && ready.contains("expired at 2035-01-01"), "{ready}");
    assert!(ready.contains("the list of `O=Tipoff, CN=tipoff.test root"), "{ready}");
    assert!(ready.contains("the list of `CN=other` expires at 2090-01-01"), "{ready}");
    assert_eq!(value(&scrape(&node).await, "tipoff_ready"), Some(0.0));
    node.stop().await;
}
