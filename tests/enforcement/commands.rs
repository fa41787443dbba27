//! The `tipoff campaign` and `tipoff enforcement` commands.

use crate::support::command::{Ran, Stage};

#[test]
fn the_commands_report_and_show_a_campaign_its_indicators_and_its_enforcements() {
    let stage = Stage::new();
    let id = &put_campaign_by_command(&stage);
    report_by_command(&stage, id);
    show_campaign(&stage, id);
    let lines = run(&stage, "facegraph", &["--json", "pull", "--campaign", id]).lines();
    let count = |name: &str| lines.iter().filter(|line| line[name].is_object()).count();
    assert_eq!((count("campaign"), count("enforcement")), (1, 1), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line["value"].is_string()).count(), 2);
    assert!(run(&stage, "facegraph", &["pull"]).out.contains("creates a campaign"));
    let table = run(&stage, "birdsite", &["enforcement", "report", "--campaign", id]);
    assert!(table.out.contains("12 assets, 2 of them disabled before"), "{}", table.out);

    stage.run("tubeworks", &["campaign", "show", id]).failed(2, "there is no such campaign");
    let unseen = ["enforcement", "put", "--count", "1 ad", "--campaign", id, "--to", "birdsite"];
    stage.run("tubeworks", &unseen).failed(2, "is not a campaign that you see");
    let both = ["--json", "enforcement", "report", "--markdown"];
    stage.run("birdsite", &both).failed(2, "omit one");
}

fn run(stage: &Stage, partner: &str, arguments: &[&str]) -> Ran {
    let ran = stage.run(partner, arguments);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

/// Creates a campaign and submits two indicators for it.
fn put_campaign_by_command(stage: &Stage) -> String {
    let core = ["--group", "core"];
    let put = ["--json", "campaign", "put", "--name", "Harbour", "--actor", "a firm", "--country"];
    let put = [&put[..], &["CN", "--confidence", "70", "--technique", "0.9.4"], &core].concat();
    let created = run(stage, "birdsite", &put).lines().remove(0);
    let id = created["campaign_id"].as_str().unwrap();
    let again = run(stage, "birdsite", &put);
    assert_eq!(again.lines()[0]["campaign_id"], id, "once, however often it is run");
    let file = stage.file("a.csv", "value,campaign\na.example,\nb.example,Harbour\n");
    let submit = [&["submit", &file, "--campaign", id][..], &core].concat();
    let submitted = run(stage, "birdsite", &submit);
    assert!(submitted.out.contains("2 created"), "{}", submitted.out);
    assert!(submitted.out.contains("the campaign name of 1 record"), "{}", submitted.out);
    id.to_owned()
}

fn report_by_command(stage: &Stage, id: &str) {
    let put = ["enforcement", "put", "--count", "7 pages on facebook", "--count", "5 accounts"];
    let more = ["--already-disabled", "2 pages on facebook", "--method", "after_tip", "--from"];
    let rest = ["2019-08-19", "--campaign", id, "--id", "story", "--group", "core"];
    let reported = run(stage, "facegraph", &[&put[..], &more, &rest].concat());
    let text = "created story: 7 pages on facebook (2 disabled before)";
    assert!(reported.out.contains(text), "{reported:?}");
}

fn show_campaign(stage: &Stage, id: &str) {
    let show = ["campaign", "show", id, "--indicators", "--timeline"];
    let shown = run(stage, "facegraph", &[&["--json"][..], &show].concat());
    let shown = shown.lines().remove(0);
    assert_eq!((&shown["indicators_total"], &shown["enforcements"]), (&2.into(), &1.into()));
    assert_eq!(shown["contributions"][0]["attribution"]["actor"], "a firm");
    assert_eq!(shown["indicators"].as_array().unwrap().len(), 2);
    let timeline = &shown["timeline"];
    assert_eq!(timeline[0]["event"], "enforcement", "it is of 2019: {timeline}");
    let text = run(stage, "facegraph", &show).out;
    for part in ["Harbour", "a firm (CN), confidence 70", "a.example", "acted: 7 pages"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(run(stage, "facegraph", &["campaign", "list"]).out.contains("Harbour"));
    let dot = run(stage, "facegraph", &["campaign", "show", id, "--graph", "dot"]).out;
    assert!(dot.starts_with("graph campaign {") && dot.contains("b0 -- i1"), "{dot}");
    let graph = run(stage, "facegraph", &["campaign", "show", id, "--graph", "json"]);
    assert_eq!(graph.lines().remove(0)["edges"].as_array().unwrap().len(), 2);
}
