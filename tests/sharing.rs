//! Nothing is delivered to partners with whom it was not shared: in a random history, every
//! partner's feeds, reads and lookups are compared with the visibility rule.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use support::{World, batch, domain, named, sharing, soon};
use tipoff::client::{Client, ClientError, FeedStart};
use tipoff::domain::sharing::{Directory, Sharing};
use tipoff::domain::{PartnerId, Position, Reader, Timestamp, may_see};
use tipoff::wire::pb;
use tipoff::wire::pb::lookup_result::Result::{Known, Unknown};
use tipoff::wire::sharing::read as read_sharing;

const GROUPS: &str = r#"
[[partners]]
id = "ma"
role = "member"
default_group = "one"
[[partners]]
id = "mb"
role = "member"
default_group = "two"
[[partners]]
id = "mc"
role = "member"
default_group = "one"
[[partners]]
id = "md"
role = "member"
[[partners]]
id = "ob"
role = "observer"
[[partners]]
id = "li"
role = "liaison"
[[groups]]
id = "one"
members = ["ma", "mc", "ob"]
[[groups]]
id = "two"
members = ["mb", "mc"]
history = "all"
"#;

const READERS: [&str; 5] = ["ma", "mb", "mc", "md", "ob"];
const AUTHORS: [&str; 4] = ["ma", "mb", "mc", "md"];

/// Any sharing, many of them not allowed for the author.
fn any_sharing(random: &mut StdRng) -> pb::Sharing {
    use pb::Tlp;
    let tlps = [Tlp::Unspecified, Tlp::Red, Tlp::AmberStrict, Tlp::Amber, Tlp::Green, Tlp::Clear];
    let subset = |random: &mut StdRng, all: &[&'static str]| -> Vec<&'static str> {
        all.iter().copied().filter(|_| random.random_bool(0.4)).collect()
    };
    let audience = match random.random_range(0..6) {
        0 | 1 => None,
        2 => Some(pb::sharing::Audience::Everyone(pb::Everyone {})),
        3 => Some(pb::sharing::Audience::Public(pb::Public {})),
        _ => {
            let groups = subset(random, &["one", "two"]);
            let partners = subset(random, &["ma", "mb", "mc", "md", "ob"]);
            named(&groups, &partners)
        }
    };
    sharing(*tlps.choose(random).unwrap(), audience)
}

/// The current versions by author, value and audience.
type Current = BTreeMap<(String, String, String), (Sharing, Position)>;

/// A version: sequence, index and value.
type Version = (u64, u32, String);

#[tokio::test(flavor = "multi_thread")]
async fn every_read_returns_exactly_what_the_visibility_rule_allows() {
    let seed = rand::rng().random();
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::with(GROUPS);
    let node = world.start().await;
    let clients: BTreeMap<&str, Client> =
        READERS.iter().map(|id| (*id, world.client(&node, id))).collect();
    let registry = node.exchange.registry();
    let current = submit_at_random(&clients, registry.as_ref(), &mut random).await;
    for id in READERS {
        let reader = registry.reader(&PartnerId::from_stored(id)).unwrap();
        let visible = visible_to(&reader, &current);
        assert_eq!(
            read_feed(&clients[id], &reader, visible.len()).await,
            visible,
            "{id}: the feed"
        );
        assert_eq!(read_queries(&clients[id], &reader).await, visible, "{id}: queries");
    }
    node.stop().await;
}

/// Submits items with random sharings. The exchange has to refuse exactly those that the rule
/// refuses.
async fn submit_at_random(
    clients: &BTreeMap<&str, Client>,
    community: &dyn Directory,
    random: &mut StdRng,
) -> Current {
    let mut current = Current::new();
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..150 {
        let author = *AUTHORS.choose(random).unwrap();
        let requested = any_sharing(random);
        let value = format!("n{}.example", random.random_range(0..25));
        let mut item = domain(&value);
        let confidence = Some(random.random_range(0..100));
        item.assessment = Some(pb::Assessment { confidence, ..pb::Assessment::default() });
        let author_id = PartnerId::from_stored(author);
        let resolved = read_sharing(Some(&requested))
            .and_then(|request| Sharing::resolve(request, &author_id, community));
        let request = batch(&format!("s{number}"), 1, Some(requested), vec![item]);
        match (clients[author].submit(request).await, resolved) {
            (Ok(receipt), Ok(sharing)) => {
                accepted += 1;
                let version = receipt.items[0].version.unwrap();
                let position = Position::new(version.sequence, version.index);
                if receipt.items[0].status() != pb::ItemStatus::Unchanged {
                    let key = (author.to_owned(), value, format!("{:?}", sharing.audience));
                    current.insert(key, (sharing, position));
                }
            }
            (Err(ClientError::Invalid { .. }), Err(_)) => refused += 1,
            (answer, resolved) => panic!("{answer:?} where the rule gives {resolved:?}"),
        }
    }
    assert!(accepted > 40 && refused > 20, "{accepted} accepted, {refused} refused");
    current
}

/// The versions that a reader may see.
fn visible_to(reader: &Reader, current: &Current) -> BTreeSet<Version> {
    let visible = current.iter().filter(|((author, ..), (sharing, position))| {
        let author = PartnerId::from_stored(author);
        may_see(reader, sharing, &author, *position, Timestamp::from_millis(0))
    });
    visible.map(|((_, value, _), (_, at))| (at.sequence, at.index, value.clone())).collect()
}

/// The versions that a feed from the beginning delivers. They have to be this many.
async fn read_feed(client: &Client, reader: &Reader, count: usize) -> BTreeSet<Version> {
    let mut delivered = BTreeSet::new();
    let mut feed = client.subscribe(FeedStart::Beginning, None);
    while delivered.len() < count {
        let item = soon(feed.next()).await.unwrap().unwrap();
        let at = item.version.unwrap();
        assert!(delivered.insert((at.sequence, at.index, item.indicator.unwrap().value)), "once");
        if let Some(replaced) = item.replaces {
            let old = Position::new(replaced.sequence, replaced.index);
            assert!(reader.groups.values().all(|since| old.sequence >= *since));
        }
    }
    let more = tokio::time::timeout(std::time::Duration::from_millis(200), feed.next()).await;
    assert!(more.is_err(), "{}: {more:?}", reader.id);
    delivered
}

/// The versions that `GetIndicator` returns for every value. `LookupIndicators` has to agree.
async fn read_queries(client: &Client, reader: &Reader) -> BTreeSet<Version> {
    let mut read = BTreeSet::new();
    for number in 0..25 {
        let value = format!("n{number}.example");
        let key = pb::IndicatorKey { value: value.clone(), ..pb::IndicatorKey::default() };
        let looked_up = client.lookup(std::slice::from_ref(&key)).await.unwrap().remove(0);
        let known = match client.indicator(key).await {
            Ok(known) => known,
            Err(ClientError::NotFound(_)) => {
                let unknown = matches!(looked_up.result, Some(Unknown(_)));
                assert!(unknown, "{value} is found by a lookup only");
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let Some(Known(summary)) = looked_up.result else {
            panic!("{value} is not found by a lookup")
        };
        assert_eq!(Some(&summary), known.summary.as_ref());
        let authors: BTreeSet<_> = known.assessments.iter().map(|a| a.author.clone()).collect();
        assert_eq!(summary.authors as usize, authors.len(), "only those it may see");
        for assessment in known.assessments {
            let at = assessment.version.unwrap();
            read.insert((at.sequence, at.index, value.clone()));
            if assessment.author != reader.id.as_str() {
                check_own_part(&assessment.sharing.unwrap(), reader);
            }
        }
    }
    read
}

/// Checks that a sharing as a reader sees it names nobody but the reader and its groups.
fn check_own_part(sharing: &pb::Sharing, reader: &Reader) {
    if let Some(pb::sharing::Audience::Named(named)) = &sharing.audience {
        assert!(named.partners.iter().all(|id| id == reader.id.as_str()), "{named:?}");
        let own = |group: &String| reader.groups.keys().any(|g| g.as_str() == group);
        assert!(named.groups.iter().all(own), "{named:?}");
    }
}
