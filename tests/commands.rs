//! The commands that withdraw, react, manage subscriptions and administer the exchange.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};
use support::command::{Stage, done};

/// Submits a report of domains as birdsite, and returns the submission id.
fn submit(stage: &Stage, name: &str, domains: &[&str], options: &[&str]) -> String {
    let report = stage.file(name, format!("kind,value\ndomain,{}\n", domains.join("\ndomain,")));
    let ran = stage.run("birdsite", &[&["submit", "--json", &report][..], options].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.lines().pop().unwrap()["submission_id"].as_str().unwrap().to_owned()
}

/// Pulls everything from the start as a partner.
fn pulled(stage: &Stage, partner: &str) -> Vec<Value> {
    done(stage.run(partner, &["pull", "--json"])).lines()
}

/// The version of the only item that a partner pulls.
fn version(stage: &Stage, partner: &str) -> String {
    let ran = done(stage.run(partner, &["pull", "--json"]));
    let [item] = &ran.counted()[..] else { panic!("{ran:?}") };
    item["version"].as_str().unwrap().to_owned()
}

fn known(stage: &Stage, partner: &str, value: &str) -> bool {
    let answers = stage.run(partner, &["lookup", "--json", value]).lines();
    answers[0]["result"] == "known"
}

#[test]
fn a_report_that_is_sent_again_is_the_same_submission_unless_what_is_sent_differs() {
    let stage = Stage::new();
    let (name, domains) = ("a.csv", ["a.example"]);
    let with = |options: &[&str]| submit(&stage, name, &domains, options);
    let first = with(&[]);
    assert_eq!(with(&[]), first);
    assert_eq!(submit(&stage, "other_name.csv", &domains, &[]), first);
    for [option, value] in
        [["--tlp", "CLEAR"], ["--label", "spam"], ["--confidence", "9"], ["--to", "facegraph"]]
    {
        assert_ne!(with(&[option, value]), first, "{option}");
    }
    assert_ne!(with(&["--again"]), first);
    assert_ne!(submit(&stage, name, &["b.example"], &[]), first);
    // A list with a new date is sent anew, and its values are renewed.
    let list = |date: &str| {
        let list = stage.file("list.txt", format!("# {date}\na.example\n"));
        let lines = stage.run("birdsite", &["submit", "--json", &list]).lines();
        lines.last().unwrap()["submission_id"].clone()
    };
    assert_eq!(list("2026-11-29"), list("2026-11-29"));
    assert_ne!(list("2026-11-29"), list("2026-11-30"));
}

#[test]
fn a_withdrawal_names_its_versions_and_the_subscriptions_that_got_it() {
    let stage = Stage::new();
    submit(&stage, "two.csv", &["a.example", "b.example"], &[]);
    let follow = ["subscribe", "--name", "blocklist", "--from", "start", "--json", "--count"];
    assert_eq!(done(stage.run("facegraph", &[&follow[..], &["2"]].concat())).counted().len(), 2);

    let values = ["withdraw", "hxxp://a[.]example", "a.example", "nobody.example", "just words"];
    let ran = stage.run("birdsite", &[&values[..], &["--json"]].concat());
    assert_eq!(ran.code, Some(5), "one cannot be read: {ran:?}");
    let lines = ran.lines();
    let of = |value: &str| lines.iter().find(|line| line["asked"] == value).unwrap();
    assert_eq!(of("a.example")["result"], "withdrawn");
    assert_eq!(of("a.example")["versions"].as_array().unwrap().len(), 1);
    assert_eq!(of("nobody.example")["result"], "nothing");
    assert_eq!(of("just words")["result"], "unreadable");
    assert_ne!(of("just words")["reason"], "");
    let sum = lines.last().unwrap();
    assert_eq!(sum["withdrawn"], 1);
    let sequence = sum["sequences"][0].to_string();
    assert!(!known(&stage, "facegraph", "a.example"));
    assert!(known(&stage, "facegraph", "b.example"));

    // A repeated withdrawal finds nothing, and says so.
    let again = stage.run("birdsite", &["withdraw", "a.example", "--json"]);
    assert_eq!(again.lines().last().unwrap()["withdrawn"], 0);
    assert!(again.code == Some(1) && again.err.contains("nothing was withdrawn"), "{again:?}");

    let deliveries = ["audit", "deliveries", &sequence, "--json"];
    let before = done(stage.run("birdsite", &deliveries)).lines();
    assert_eq!(before[0]["partner"], "facegraph");
    assert_eq!(before[0]["subscription"], "blocklist");
    assert_eq!((&before[0]["removals"], &before[0]["acknowledged"]), (&json!(1), &json!(false)));
    assert_eq!(before[1]["ended"], of("a.example")["versions"]);
    let counted = done(stage.run("facegraph", &[&follow[..], &["1"]].concat())).counted();
    assert_eq!(counted[0]["removed"], of("a.example")["versions"][0]);
    assert_eq!(counted[0]["reason"], "withdrawn");
    let after = done(stage.run("birdsite", &deliveries)).lines();
    assert_eq!((&after[0]["acknowledged"], &after[1]["acknowledged"]), (&json!(true), &json!(1)));
    let output = done(stage.run("birdsite", &deliveries[..3]));
    assert!(output.out.contains("received by 1 of 1 subscription"), "{output:?}");
    let whole = ["audit", "deliveries", &format!("1-{sequence}"), "--json"];
    assert_eq!(done(stage.run("birdsite", &whole)).lines()[1]["sequences"], sum["sequences"]);
    // It ended nothing of other partners.
    stage.run("facegraph", &deliveries[..3]).failed(1, "");

    let output = done(stage.run("birdsite", &["withdraw", "b.example"]));
    assert!(output.out.contains("1 version withdrawn, by entry "), "{output:?}");
    assert!(output.out.contains("tipoff audit deliveries "), "{output:?}");
    let liaison = stage.run("cyber-unit", &["withdraw", "b.example"]);
    assert_eq!(liaison.code, Some(4), "{liaison:?}");
}

#[test]
fn a_withdrawal_can_be_limited_to_one_audience_or_one_submission() {
    let stage = Stage::new();
    let named = submit(&stage, "core.csv", &["a.example", "b.example"], &["--group", "core"]);
    submit(&stage, "to.csv", &["a.example"], &["--to", "tubeworks"]);
    let to = ["withdraw", "a.example", "--to", "tubeworks", "--json"];
    let ran = done(stage.run("birdsite", &to));
    assert_eq!(ran.lines().last().unwrap()["withdrawn"], 1, "{ran:?}");
    assert!(!known(&stage, "tubeworks", "a.example"));
    assert!(known(&stage, "facegraph", "a.example"));
    let nobodys = ["withdraw", "a.example", "--everyone", "--json"];
    assert_eq!(stage.run("birdsite", &nobodys).code, Some(1));

    let submission = done(stage.run("birdsite", &["withdraw", "--submission", &named, "--json"]));
    let [sum] = &submission.lines()[..] else { panic!("{submission:?}") };
    assert_eq!(sum["withdrawn"], 2);
    assert!(!known(&stage, "facegraph", "b.example"));
}

#[test]
fn a_submission_can_replace_versions_for_another_audience() {
    let stage = Stage::new();
    let first = submit(&stage, "a.csv", &["a.example"], &["--group", "core"]);
    let narrower = ["--to", "tubeworks", "--replaces-group", "core"];
    let second = submit(&stage, "a.csv", &["a.example"], &narrower);
    let other = submit(&stage, "a.csv", &["a.example"], &["--to", "tubeworks"]);
    assert!(first != second && second != other, "each is a submission of its own");
    assert!(known(&stage, "tubeworks", "a.example"));
    assert!(!known(&stage, "facegraph", "a.example"));
    assert!(pulled(&stage, "facegraph").iter().all(|line| line["value"] != "a.example"));
}

#[test]
fn a_named_subscription_continues_after_what_was_printed_and_can_be_deleted() {
    let stage = Stage::new();
    submit(&stage, "three.csv", &["a.example", "b.example", "c.example"], &[]);
    let follow = |filter: &[&str], count: &str| {
        let named = ["subscribe", "--name", "blocklist", "--from", "start", "--json", "--count"];
        stage.run("facegraph", &[&named[..], &[count], filter].concat())
    };
    let domains = ["--kind", "domain"];
    let first = done(follow(&domains, "2"));
    let rest = done(follow(&domains, "1"));
    assert_eq!(first.err, "", "there is no cursor to keep");
    let counted = first.counted().into_iter().chain(rest.counted());
    let values: Vec<_> = counted.map(|line| line["value"].clone()).collect();
    assert_eq!(values, ["a.example", "b.example", "c.example"]);
    // The filter is fixed with the name.
    assert_eq!(follow(&["--kind", "url"], "1").code, Some(1));

    let list = done(stage.run("facegraph", &["subscription", "list", "--json"])).lines();
    assert_eq!((list.len(), &list[0]["name"]), (1, &json!("blocklist")));
    assert_eq!(list[0]["filter"]["kinds"], json!(["domain"]));
    assert_ne!(list[0]["acknowledged_at"], Value::Null);
    let output = done(stage.run("facegraph", &["subscription", "list"])).out;
    assert!(output.contains("blocklist") && output.contains("kind domain"), "{output}");
    assert!(
        done(stage.run("birdsite", &["subscription", "list"])).out.contains("no subscriptions")
    );

    done(stage.run("facegraph", &["subscription", "delete", "blocklist"]));
    stage.run("facegraph", &["subscription", "delete", "blocklist"]).failed(2, "");
    assert_eq!(
        done(follow(&domains, "3")).counted().len(),
        3,
        "a new subscription begins at the requested start"
    );
    let bad = ["subscribe", "--name", "no such name", "--count", "1"];
    assert_eq!(stage.run("facegraph", &bad).code, Some(2));
}

#[test]
fn the_older_of_two_readers_of_one_subscription_ends_with_an_error() {
    let stage = Stage::new();
    submit(&stage, "a.csv", &["a.example"], &[]);
    let follow = ["subscribe", "--name", "blocklist", "--from", "start", "--json"];
    let mut older = stage.tipoff("facegraph", &follow);
    let mut older = older.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(older.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("group_change"));
    assert!(lines.next().unwrap().unwrap().contains("a.example"));
    submit(&stage, "b.csv", &["b.example"], &[]);
    assert!(lines.next().unwrap().unwrap().contains("b.example"));
    let mut newer = stage.tipoff("facegraph", &follow);
    let mut newer = newer.stdout(Stdio::piped()).spawn().unwrap();
    let ended = older.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("--name"), "{ended:?}");
    newer.kill().unwrap();
    newer.wait().unwrap();
}

#[test]
fn a_state_file_stores_the_cursor_of_one_feed() {
    let stage = Stage::new();
    submit(&stage, "three.csv", &["a.example", "b.example", "c.example"], &[]);
    let file = stage.world.path("feed.json");
    let state = file.display().to_string();
    let follow = |partner: &str, options: &[&str]| {
        let subscribe = ["subscribe", "--state", &state, "--from", "start", "--json"];
        stage.run(partner, &[&subscribe[..], options].concat())
    };
    let first = done(follow("facegraph", &["--count", "2"]));
    let rest = done(follow("facegraph", &["--count", "1"]));
    assert_eq!((first.err.as_str(), rest.err.as_str()), ("", ""));
    assert_eq!(rest.lines()[0]["value"], "c.example");
    let stored: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(stored["partner"], "facegraph");
    submit(&stage, "one.csv", &["d.example"], &[]);
    let resume = ["subscribe", "--from", stored["cursor"].as_str().unwrap(), "--count", "1"];
    let next = done(stage.run("facegraph", &[&resume[..], &["--json"]].concat()));
    assert_eq!(
        next.lines()[0]["value"],
        "d.example",
        "the cursor is valid without the file: {next:?}"
    );
    follow("facegraph", &["--kind", "url", "--count", "1"]).failed(2, "filter");
    follow("watcher", &["--count", "1"]).failed(2, "partner");
    fs::write(&file, "a report\n").unwrap();
    follow("facegraph", &["--count", "1"]).failed(2, "feed.json");
}

#[test]
fn a_pull_gives_what_a_feed_would_and_ends() {
    let stage = Stage::new();
    submit(&stage, "three.csv", &["a.example", "b.example", "c.example"], &[]);
    let all = ["subscribe", "--from", "start", "--count", "3", "--json"];
    let all = done(stage.run("facegraph", &all)).lines();
    assert_eq!(all.len(), 4, "the group that it is in, and three items: {all:?}");
    let pull = |options: &[&str]| stage.run("facegraph", &[&["pull"][..], options].concat());
    assert_eq!(done(pull(&["--format", "jsonl"])).lines(), all);
    let some = done(pull(&["--json", "--limit", "2"]));
    assert_eq!(some.lines(), all[..3], "two items are not two lines");
    let cursor = some.err.trim().strip_prefix("continue with --since ").unwrap().to_owned();
    let rest = done(pull(&["--json", "--since", &cursor]));
    assert_eq!(rest.lines(), all[3..]);
    let nothing = done(pull(&["--json", "--since", "now"]));
    assert_eq!(nothing.out, "");
    let now = nothing.err.trim().strip_prefix("continue with --since ").unwrap().to_owned();

    done(stage.run("birdsite", &["withdraw", "b.example"]));
    let csv = done(pull(&["--format", "csv", "--since", &cursor])).out;
    let rows: Vec<_> = csv.lines().collect();
    assert!(rows[0].starts_with("change,version,replaces,reason,author,"), "{csv}");
    assert!(rows[1].starts_with("item,") && rows[1].contains(",c.example,"), "{csv}");
    assert!(rows[2].starts_with("removal,") && rows[2].contains(",withdrawn,"), "{csv}");
    assert_eq!(done(pull(&["--json", "--since", &now])).lines().len(), 1);
    assert!(done(pull(&["--kind", "url", "--json"])).counted().is_empty());
    let output = done(pull(&[])).out;
    assert!(output.lines().any(|line| line.contains("c.example")), "{output}");
    pull(&["--since", "never"]).failed(2, "--since");
    pull(&["--format", "csv", "--json"]).failed(2, "--json");
}

#[test]
fn a_sighting_is_counted_once_and_reaches_who_shares_the_indicator() {
    let stage = Stage::new();
    submit(&stage, "a.csv", &["a.example"], &[]);
    let seen = ["sighting", "a.example", "--count", "3", "--last-seen", "2026-01-02", "--json"];
    let first = done(stage.run("facegraph", &seen)).lines();
    assert_eq!((&first[0]["result"], &first[0]["kind"]), (&json!("counted"), &json!("domain")));
    assert_eq!((&first[1]["counted"], &first[1]["replayed"]), (&json!(1), &json!(false)));
    let again = done(stage.run("facegraph", &seen)).lines().pop().unwrap();
    assert_eq!(again["replayed"], true);
    let anew = [&seen[..], &["--again"]].concat();
    assert_eq!(done(stage.run("facegraph", &anew)).lines()[1]["replayed"], false);
    let output = done(stage.run("facegraph", &seen[..seen.len() - 1])).out;
    assert!(output.contains("1 sighting counted") && output.contains("--again"), "{output}");

    let sightings: Vec<_> = pulled(&stage, "birdsite")
        .into_iter()
        .filter(|line| line["sighting"]["author"] == "facegraph")
        .collect();
    assert_eq!(sightings.len(), 2);
    assert_eq!(sightings[0]["sighting"]["value"], "a.example");
    assert_eq!(sightings[0]["sighting"]["count"], 3);
    assert_eq!(sightings[0]["sighting"]["last_seen"], "2026-01-02T00:00:00Z");

    // Feedback on an unknown version is refused.
    let unknown = stage.run("tubeworks", &["sighting", "a.example", "--tlp", "GREEN", "--json"]);
    assert_eq!(unknown.lines()[0]["result"], "rejected");
    assert!(unknown.code == Some(1) && unknown.err.contains("nothing was counted"), "{unknown:?}");
    let mixed = stage.run("facegraph", &["sighting", "a.example", "just words"]);
    assert_eq!(mixed.code, Some(5), "{mixed:?}");
    assert!(mixed.out.contains("no: "), "{mixed:?}");
}

#[test]
fn feedback_reaches_the_author_of_the_version_that_it_is_on() {
    let stage = Stage::new();
    submit(&stage, "a.csv", &["a.example"], &[]);
    let version = version(&stage, "facegraph");
    let wrong = ["feedback", &version, "--opinion", "strongly-disagree", "--note", "it is ours"];
    let first = done(stage.run("facegraph", &[&wrong[..], &["--json"]].concat())).lines();
    assert_eq!((&first[0]["about"], &first[0]["replayed"]), (&json!(version), &json!(false)));
    let again = done(stage.run("facegraph", &wrong));
    assert!(again.out.contains("--again"), "{again:?}");
    let given: Vec<_> = pulled(&stage, "birdsite")
        .into_iter()
        .filter(|line| line["feedback"].is_object())
        .collect();
    assert_eq!(given.len(), 1);
    let given = &given[0]["feedback"];
    assert_eq!((&given["about"], &given["author"]), (&json!(version), &json!("facegraph")));
    assert_eq!(given["opinion"], "strongly-disagree");
    assert_eq!(given["note"], "it is ours");
    let others = pulled(&stage, "watcher");
    assert!(others.iter().all(|line| line["feedback"].is_null()), "it is the author's: {others:?}");
    stage.run("tubeworks", &wrong).failed(2, "");
}

#[test]
fn an_operator_enrols_suspends_and_resumes_a_partner() {
    let stage = Stage::new();
    let operator = |arguments: &[&str]| stage.run("exchange-ops", arguments);
    let put = ["partner", "put", "forumhub", "--role", "member", "--platform", "forum.example"];
    assert_eq!(stage.run("forumhub", &["whoami"]).code, Some(4));
    let new = done(operator(&[&put[..], &["--json"]].concat())).lines();
    assert_eq!((&new[0]["partner"], &new[0]["unchanged"]), (&json!("forumhub"), &json!(false)));
    assert!(done(operator(&put)).out.contains("is unchanged"));
    done(stage.run("forumhub", &["whoami"]));
    operator(&["partner", "put", "forumhub", "--role", "liaison"]).failed(1, "");
    stage.run("birdsite", &put).failed(4, "");

    submit(&stage, "a.csv", &["a.example"], &[]);
    let suspend = ["partner", "suspend", "birdsite", "--compromised-since", "2020-01-01", "--json"];
    let suspended = done(operator(&suspend)).lines();
    assert_eq!(suspended[0]["withdrawn"], 1);
    assert!(!known(&stage, "facegraph", "a.example"));
    assert_eq!(stage.run("birdsite", &["whoami"]).code, Some(4));
    let partners = done(operator(&["partner", "list", "--json"])).lines();
    let birdsite = partners.iter().find(|partner| partner["partner"] == "birdsite").unwrap();
    assert_eq!((&birdsite["suspended"], &birdsite["role"]), (&json!(true), &json!("member")));
    assert!(done(operator(&["partner", "list"])).out.contains("suspended"));
    done(operator(&["partner", "resume", "birdsite"]));
    done(stage.run("birdsite", &["whoami"]));
    operator(&["partner", "suspend", "nobody-here"]).failed(2, "");
}

#[test]
fn an_operator_creates_a_group_and_its_members_see_who_joins_and_leaves() {
    let stage = Stage::new();
    let operator = |arguments: &[&str]| stage.run("exchange-ops", arguments);
    let put = ["group", "put", "video", "--json"];
    let make = ["--member", "tubeworks", "--member", "birdsite", "--history", "all"];
    let made = done(operator(&[&put[..], &make].concat())).lines();
    assert_eq!(made[0]["members"], json!(["birdsite", "tubeworks"]));
    assert_eq!(made[0]["history"], "all");
    let change = ["--add", "facegraph", "--remove", "birdsite"];
    let changed = done(operator(&[&put[..], &change].concat())).lines();
    assert_eq!(changed[0]["members"], json!(["facegraph", "tubeworks"]));
    assert_eq!(changed[0]["history"], "all", "it stays as it is");
    let same = done(operator(&put)).lines();
    assert_eq!(same[0]["unchanged"], true);
    operator(&[&put[..], &["--history", "from-join"]].concat()).failed(1, "");
    stage.run("birdsite", &put).failed(4, "");

    let changes: Vec<_> = pulled(&stage, "tubeworks")
        .into_iter()
        .filter(|line| line["group_change"]["group"] == "video")
        .collect();
    let last = &changes.last().unwrap()["group_change"];
    assert_eq!((&last["joined"], &last["left"]), (&json!(["facegraph"]), &json!(["birdsite"])));
    let list = done(stage.run("tubeworks", &["group", "list", "--json"])).lines();
    assert_eq!((list.len(), &list[0]["group"]), (1, &json!("video")));
    assert!(done(operator(&["group", "list"])).out.contains("core"));
}

#[test]
fn the_terms_of_a_restricted_group_are_confirmed_word_for_word() {
    let stage = Stage::new();
    let terms = "Terms of the source, of January 2026";
    let make = ["group", "put", "closed", "--member", "birdsite", "--restricted", "--terms", terms];
    done(stage.run("exchange-ops", &make));
    let list = done(stage.run("birdsite", &["group", "list"]));
    assert!(list.out.contains("closed (restricted)") && list.out.contains(terms), "{list:?}");
    let confirm = |terms| stage.run("birdsite", &["group", "confirm", "closed", "--terms", terms]);
    let other = confirm("other terms");
    assert!(matches!(other.code, Some(1 | 2)), "{other:?}");
    done(confirm(terms));
    done(confirm(terms));
    let outsider = ["group", "confirm", "closed", "--terms", terms];
    assert_ne!(stage.run("facegraph", &outsider).code, Some(0));
}
