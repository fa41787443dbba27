//! The lookup of an address finds the networks that hold it, as far as the caller may see them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{Running, World, batch, item, named, sharing};
use tipoff::wire::pb::{self, Kind, Tlp};

/// The values of the networks found for an address, and whether the address itself is known.
async fn found(world: &World, node: &Running, by: &str, address: &str) -> (Vec<String>, bool) {
    let key = pb::IndicatorKey { value: address.into(), ..Default::default() };
    let [result] = &world.client(node, by).lookup(&[key]).await.unwrap()[..] else { panic!() };
    let known = matches!(result.result, Some(pb::lookup_result::Result::Known(_)));
    let networks = result.networks.iter().map(|one| one.indicator.clone().unwrap());
    assert_eq!(result.networks_omitted, 0);
    (networks.map(|one| one.value).collect(), known)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_finds_the_visible_networks_that_hold_it() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let network = |value: &str| item(Kind::Network, "", value);
    let core = sharing(Tlp::Amber, named(&["core"], &[]));
    let values = ["198.51.100.0/24", "198.51.100.64/26", "2001:db8::/32", "192.0.2.7/32"];
    let items = values.map(network).to_vec();
    birdsite.submit(batch("s1", 1, Some(core), items)).await.unwrap();
    let everyone = sharing(Tlp::Green, None);
    let items = vec![network("198.51.0.0/16"), item(Kind::Ip, "", "198.51.100.70")];
    birdsite.submit(batch("s2", 1, Some(everyone), items)).await.unwrap();

    let all = ["198.51.100.64/26", "198.51.100.0/24", "198.51.0.0/16"];
    let (networks, known) = found(&world, &node, "facegraph", "198[.]51.100.70").await;
    assert_eq!((networks.as_slice(), known), (all.map(String::from).as_slice(), true));
    let of = async |by, address| found(&world, &node, by, address).await.0;
    assert_eq!(of("facegraph", "198.51.100.7").await, all[1..]);
    assert_eq!(of("facegraph", "2001:db8:1::9").await, ["2001:db8::/32"]);
    assert_eq!(of("facegraph", "::ffff:192.0.2.7").await, ["192.0.2.7/32"]);
    assert!(of("facegraph", "203.0.113.1").await.is_empty());
    // Outside of the group, only the network for everyone exists.
    assert_eq!(of("tubeworks", "198.51.100.70").await, all[2..]);
    assert!(of("tubeworks", "2001:db8:1::9").await.is_empty());

    // The exact read stays exact.
    let key = pb::IndicatorKey { value: "198.51.100.7".into(), ..Default::default() };
    world.client(&node, "facegraph").indicator(key).await.unwrap_err();
    // A network that was withdrawn is not found; what is left of its size still is.
    let keys = vec![pb::IndicatorKey { value: "198.51.100.0/24".into(), ..Default::default() }];
    let request = pb::WithdrawIndicatorsRequest { keys, ..Default::default() };
    assert_eq!(birdsite.withdraw(request).await.unwrap().withdrawn, 1);
    assert_eq!(of("facegraph", "198.51.100.7").await, all[2..]);
    assert_eq!(of("facegraph", "198.51.100.70").await, [all[0], all[2]]);
    node.stop().await;
}
