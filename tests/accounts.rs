//! An account is found by its stable id and by the handles that it had before, as far as the caller may see them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use support::command::{Stage, done};
use support::{Running, World, batch, item, named, sharing};
use tipoff::wire::pb::lookup_result::Result as Found;
use tipoff::wire::pb::{self, Kind, Tlp};

fn account(handle: &str, id: &str, former: &[&str]) -> pb::SubmittedIndicator {
    let mut account = item(Kind::Account, "x", handle);
    let assessment = account.assessment.get_or_insert_default();
    assessment.account_id = id.into();
    assessment.former_handles = former.iter().map(|one| (*one).to_owned()).collect();
    account
}

async fn lookup(
    world: &World,
    node: &Running,
    by: &str,
    kind: Kind,
    value: &str,
) -> pb::LookupResult {
    let key = pb::IndicatorKey { kind: kind.into(), platform: "x".into(), value: value.into() };
    let [result] = &world.client(node, by).lookup(&[key]).await.unwrap()[..] else { panic!() };
    assert!(!result.accounts_may_have_more);
    result.clone()
}

/// The other names that a lookup finds, each with whether something is known of it.
async fn found(
    world: &World,
    node: &Running,
    by: &str,
    kind: Kind,
    value: &str,
) -> Vec<(String, bool)> {
    let result = lookup(world, node, by, kind, value).await;
    let accounts = result.accounts.into_iter();
    accounts.map(|one| (one.indicator.unwrap().value, one.summary.is_some())).collect()
}

fn names(names: &[(&str, bool)]) -> Vec<(String, bool)> {
    names.iter().map(|(name, known)| ((*name).to_owned(), *known)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_name_of_an_account_finds_the_others() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let everyone = || Some(sharing(Tlp::Green, None));
    let items = vec![account("new_desk", "1234567", &["@Old_Desk", "https://x.com/older_desk"])];
    birdsite.submit(batch("s1", 1, everyone(), items)).await.unwrap();

    let by = async |kind, value| found(&world, &node, "facegraph", kind, value).await;
    let (new, id) = (("new_desk", true), ("1234567", false));
    let (old, older) = (("old_desk", false), ("older_desk", false));
    assert_eq!(by(Kind::Account, "new_desk").await, names(&[old, older, id]));
    assert_eq!(by(Kind::Account, "OLD_desk").await, names(&[new, older, id]));
    assert_eq!(by(Kind::AccountId, "1234567").await, names(&[new, old, older]));
    assert!(by(Kind::Account, "another_desk").await.is_empty());
    // The value itself stays unknown: no assessment is about it.
    let result = lookup(&world, &node, "facegraph", Kind::Account, "old_desk").await;
    assert!(matches!(result.result, Some(Found::Unknown(_))));
    let summary = result.accounts[0].summary.clone().unwrap();
    let assessment = summary.strongest.unwrap().assessment.unwrap();
    assert_eq!(assessment.account_id, "1234567");
    assert_eq!(assessment.former_handles, ["old_desk", "older_desk"]);

    // A stable id joins what two partners know. A handle that somebody else had before does not.
    let items = vec![account("newest_desk", "1234567", &["new_desk"])];
    world.client(&node, "tubeworks").submit(batch("s1", 1, everyone(), items)).await.unwrap();
    let items = vec![account("pier_post", "7654321", &["older_desk"])];
    world.client(&node, "tubeworks").submit(batch("s2", 1, everyone(), items)).await.unwrap();
    let newest = ("newest_desk", true);
    assert_eq!(by(Kind::Account, "old_desk").await, names(&[new, newest, older, id]));
    assert_eq!(by(Kind::Account, "new_desk").await, names(&[newest, old, older, id]));
    let pier = [("pier_post", true), ("7654321", false)];
    let both = [newest, pier[0], id, pier[1]];
    let all = [[new].as_slice(), &both[..1], &[old, pier[0], id, pier[1]]].concat();
    assert_eq!(by(Kind::Account, "older_desk").await, names(&all));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_follow_access_rights_replacement_and_withdrawal() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let core = || Some(sharing(Tlp::Amber, named(&["core"], &[])));
    let items = vec![account("new_desk", "1234567", &["old_desk"])];
    birdsite.submit(batch("s1", 1, core(), items)).await.unwrap();

    // Outside of the group, nothing is linked, whichever name is asked for.
    for (kind, value) in
        [(Kind::Account, "new_desk"), (Kind::Account, "old_desk"), (Kind::AccountId, "1234567")]
    {
        assert!(found(&world, &node, "tubeworks", kind, value).await.is_empty());
        assert!(!found(&world, &node, "facegraph", kind, value).await.is_empty());
    }
    // A visible assessment of the same account does not reveal the names in one that is not visible.
    let everyone = Some(sharing(Tlp::Green, None));
    let items = vec![account("new_desk", "", &["first_desk"])];
    birdsite.submit(batch("s2", 1, everyone, items)).await.unwrap();
    let by = async |by, value| found(&world, &node, by, Kind::Account, value).await;
    assert_eq!(by("tubeworks", "new_desk").await, names(&[("first_desk", false)]));
    assert!(by("tubeworks", "old_desk").await.is_empty());

    // The newest version counts, also after a restart, which reads the index from the disk.
    let items = vec![account("new_desk", "7654321", &["former_desk"])];
    birdsite.submit(batch("s3", 1, core(), items)).await.unwrap();
    assert!(by("facegraph", "old_desk").await.is_empty());
    node.stop().await;
    let node = world.start().await;
    let by = async |by, value| found(&world, &node, by, Kind::Account, value).await;
    let former = [("first_desk", false), ("new_desk", true), ("7654321", false)];
    let linked = by("facegraph", "former_desk").await;
    assert_eq!(linked, names(&former[1..]));
    let keys = vec![pb::IndicatorKey { value: "x:new_desk".into(), ..Default::default() }];
    let request = pb::WithdrawIndicatorsRequest { keys, ..Default::default() };
    world.client(&node, "birdsite").withdraw(request).await.unwrap();
    assert!(by("facegraph", "former_desk").await.is_empty());
    assert!(by("facegraph", "new_desk").await.is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_none_is_rejected_and_named() {
    let world = World::new();
    let node = world.start().await;
    let mut domain = item(Kind::Domain, "", "a.example");
    domain.assessment.get_or_insert_default().account_id = "1234567".into();
    let items =
        vec![account("new_desk", "", &["not a handle"]), domain, account("desk", "", &["t.me/a"])];
    let birdsite = world.client(&node, "birdsite");
    let receipt = birdsite.submit(batch("s1", 1, None, items)).await.unwrap();
    let fields: Vec<_> = receipt.items.iter().map(|item| item.field.as_str()).collect();
    assert_eq!(fields, ["former_handles", "account_id", "former_handles"]);
    assert!(receipt.items[0].reason.contains("not a handle"), "{}", receipt.items[0].reason);
    node.stop().await;
}

#[test]
fn a_table_names_other_names_and_commands_show_them() {
    let stage = Stage::new();
    let table = "value,kind,platform,account_id,former_handles\n\
                 new_desk,account,x,1234567,@old_desk; older_desk\n";
    let file = stage.file("desk.csv", table);
    done(stage.run("birdsite", &["submit", &file, "--tlp", "GREEN"]));

    let looked_up = done(stage.run("facegraph", &["lookup", "x:old_desk"]));
    let rows: Vec<Vec<&str>> =
        looked_up.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["x:old_desk", "no", "account"]);
    assert_eq!(rows[2][..4], ["also", "x:new_desk", "yes", "account"]);
    assert_eq!(rows[3], ["also", "x:older_desk", "no", "account"]);
    assert_eq!(rows[4], ["also", "x:1234567", "no", "account_id"]);
    assert!(looked_up.out.lines().all(|line| line.chars().count() <= 80), "{}", looked_up.out);
    let object = &done(stage.run("facegraph", &["lookup", "x:old_desk", "--json"])).lines()[0];
    assert_eq!(object["accounts"][0]["value"], "new_desk");
    assert_eq!(object["accounts"][0]["former_handles"], json!(["old_desk", "older_desk"]));
    assert_eq!(object["accounts"][2]["kind"], "account_id");

    let feed = ["subscribe", "--from", "start", "--count", "1"];
    let shown = done(stage.run("facegraph", &feed)).out;
    assert!(shown.contains("x:new_desk (id 1234567, formerly old_desk, older_desk)"), "{shown}");

    // What commands write is read again with all names.
    for (name, command) in [
        ("feed.jsonl", [&feed[..], &["--json"]].concat()),
        ("pull.csv", vec!["pull", "--format", "csv"]),
        ("bundle.json", vec!["pull", "--snapshot", "--format", "stix"]),
        ("export.csv", vec!["export", "--format", "csv"]),
        ("export.json", vec!["export", "--format", "stix"]),
    ] {
        let written = done(stage.run("facegraph", &command)).out;
        let again = stage.file(name, &written);
        let submit = ["submit", &again, "--tlp", "GREEN", "--again"];
        done(stage.run("tubeworks", &submit));
        let key = ["lookup", "x:1234567", "--kind", "account_id", "--json"];
        let found = &done(stage.run("facegraph", &key)).lines()[0]["accounts"][0];
        assert_eq!((&found["value"], &found["authors"]), (&json!("new_desk"), &json!(2)), "{name}");
        let withdraw = ["withdraw", "x:new_desk"];
        done(stage.run("tubeworks", &withdraw));
    }
}

#[test]
fn a_handle_and_an_id_in_one_row_are_one_account() {
    let stage = Stage::new();
    let table = "twitter_handle,twitter_user_id,note\nnew_desk,1234567,a\nother_desk,,b\n";
    let file = stage.file("desk.csv", table);
    done(stage.run("birdsite", &["submit", &file, "--tlp", "GREEN"]));
    let keys = ["lookup", "x:new_desk", "--json"];
    let found = &done(stage.run("facegraph", &keys)).lines()[0]["accounts"];
    assert_eq!((&found[0]["value"], &found[1]), (&json!("1234567"), &json!(null)));
    let found = &done(stage.run("facegraph", &["lookup", "x:other_desk", "--json"])).lines()[0];
    assert_eq!((&found["result"], &found["accounts"]), (&json!("known"), &json!([])));
}

#[test]
fn a_name_that_cannot_be_read_is_named_before_anything_is_sent() {
    let stage = Stage::new();
    let table = "value,kind,platform,account_id\nnew_desk,account,x,12 34\na.example,domain,,5\n";
    let file = stage.file("desk.csv", table);
    let ran = stage.run("birdsite", &["submit", &file, "--dry-run"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.out.contains("account_id: `12 34`: value is not an id"), "{}", ran.out);
    assert!(
        ran.out.contains("account_id: is for accounts only, and the kind of this value is domain"),
        "{}",
        ran.out
    );
}
