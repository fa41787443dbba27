use super::*;

#[test]
fn the_commands_and_their_flags_do_not_contradict_one_another() {
    command().debug_assert();
}

#[test]
fn the_version_names_the_commit_if_it_is_known() {
    let release = env!("CARGO_PKG_VERSION");
    assert_eq!(version(None), release);
    assert_eq!(version(Some("abc1234")), format!("{release} (abc1234)"));
    assert_eq!(VERSION.as_str(), version(COMMIT));
}

#[test]
fn flags_that_exclude_one_another_are_bad_usage() {
    for wrong in [
        "withdraw",
        "withdraw a.example --submission s",
        "withdraw --submission s --group core",
        "withdraw a.example --everyone --group core",
        "withdraw a.example --everyone --public",
        "submit f --replaces-everyone --replaces-partner birdsite",
        "subscribe --name a --state b",
        "sighting a.example --count 0",
        "sighting a.example --first-seen soon",
        "feedback 17 --opinion agree",
        "feedback 17.0",
        "feedback 17.0 --opinion maybe",
        "partner put birdsite --role king",
        "partner suspend birdsite --compromised-since soon",
        "group put core --member birdsite --add watcher",
        "group put core --history some",
        "group put closed --restricted",
        "group confirm closed",
        "pull --limit 0",
        "campaign put",
        "campaign put --name a --confidence 101",
        "campaign put 1 --name a --again",
        "campaign show 1 --graph svg",
        "campaign show 1 --graph dot --timeline",
        "enforcement put",
        "enforcement put --count pages",
        "enforcement put --count 1_pages --method luck",
        "enforcement report --from soon",
        "pull --format xls",
        "export",
        "export --format jsonl",
        "export --format csv --purpose warrant",
        "audit deliveries 0",
        "subscription delete",
        "release a.example --basis b",
        "release a.example --to cyber-unit",
        "release --to cyber-unit --basis b",
        "release a.example --submission s --to cyber-unit --basis b",
        "release a.example --to cyber-unit --retract --basis b",
        "release --campaign c --group core --to cyber-unit --basis b",
        "hold place a.example",
        "hold place --reason r",
        "hold lift",
        "pull --purpose warrant",
        "pull --purpose-until 2027-01-01",
        "partner put cyber-unit --purpose order",
        "submit f --release-to cyber-unit",
        "submit f --release-basis b",
        "tip send text",
        "tip send --to facegraph",
        "tip send text --to facegraph --urgency soon",
        "tip send text --to facegraph --key k --again",
        "tip list --sent --received",
        "tip list --limit 0",
        "tip respond 0123 --move sent",
        "tip respond 0123 --to facegraph --to-all",
    ] {
        let arguments = ["tipoff"].into_iter().chain(wrong.split(' '));
        assert!(Arguments::try_parse_from(arguments).is_err(), "{wrong}");
    }
}

#[test]
fn flags_that_fit_together_are_accepted() {
    for right in [
        "withdraw --submission s",
        "withdraw a.example - --group core --to tubeworks",
        "submit f --replaces-group core --replaces-partner birdsite",
        "feedback 17.0 --opinion strongly-agree",
        "group put core --add birdsite --remove watcher",
        "group put closed --restricted --terms t",
        "release a.example --to cyber-unit --to other-unit --basis b --group core",
        "release --submission s --to cyber-unit --retract",
        "pull --purpose warrant:W-17:GB --purpose-until 2027-01-01",
        "submit f --release-to cyber-unit --release-basis b --release-until 2027-01-01",
        "export --format list --kind domain --group core --out block.txt --include-strict",
        "tip send - --to facegraph --to tubeworks --urgency imminent-harm",
        "tip send --narrative-file n --to facegraph --indicator a.example --indicator b.example",
        "tip list --sent --state sent --state no-violation --overdue",
        "tip respond 0123 --move no_violation --message m",
    ] {
        let arguments = ["tipoff"].into_iter().chain(right.split(' '));
        assert!(Arguments::try_parse_from(arguments).is_ok(), "{right}");
    }
}
