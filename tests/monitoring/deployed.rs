//! The alerts and the dashboard in `deploy/`: promtool accepts them, and every metric in them exists.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use crate::documented::{exposed, named, read, used};
use crate::support::promtool::promtool;

const ALERTS: &str = "deploy/prometheus/alerts.yml";
const TESTS: &str = "deploy/prometheus/alerts_test.yml";
const DASHBOARD: &str = "deploy/grafana/tipoff.json";

/// The names of the alerts, each with the text of its rule.
fn alerts() -> Vec<(String, String)> {
    let rules = read(ALERTS);
    let (_, rules) = rules.split_once("- alert: ").unwrap();
    let rules = rules.split("- alert: ");
    rules.map(|rule| (rule.lines().next().unwrap().to_owned(), rule.to_owned())).collect()
}

/// The panels of the dashboard that show something.
fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels.filter(|panel| panel["type"] != "row").cloned().collect()
}

/// The expressions of a panel, with values for the variables of Grafana.
fn expressions(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().unwrap().iter();
    let written = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    written
        .map(|it| {
            it.replace("$__rate_interval", "5m").replace("$job", "j").replace("$instance", "i")
        })
        .collect()
}

/// The metrics of an expression or a rule, without the suffixes of histograms.
fn families(text: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
    let family = |name: String| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it));
        base.filter(|base| known.contains(*base)).map_or(name.clone(), str::to_owned)
    };
    named(text).into_iter().map(family).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_in_the_dashboard_and_the_alerts_exists() {
    let exposed = exposed(&used().await);
    let dashboard: String = panels().iter().flat_map(expressions).map(|it| it + "\n").collect();
    for (file, text) in [(DASHBOARD, dashboard), (ALERTS, read(ALERTS)), (TESTS, read(TESTS))] {
        let metrics = families(&text, &exposed);
        assert!(metrics.len() > 10, "{file} has {metrics:?}");
        let invented: Vec<_> = metrics.difference(&exposed).collect();
        assert!(invented.is_empty(), "{file} has metrics that are not in /metrics: {invented:?}");
    }
}

#[test]
fn promtool_accepts_the_alerts_and_their_tests_pass() {
    let (good, report) = promtool(&["check", "rules", ALERTS], "");
    assert!(good, "{report}");
    let (good, report) = promtool(&["test", "rules", TESTS], "");
    assert!(good, "{report}");
}

#[test]
fn every_alert_has_a_summary_a_section_of_the_documentation_and_a_test() {
    let (documentation, tests) = (read("docs/operations.md"), read(TESTS));
    let alerts = alerts();
    assert!(alerts.len() > 10, "{alerts:?}");
    for (name, rule) in &alerts {
        assert!(rule.contains("summary: "), "{name} has no summary");
        let runbook = format!("runbook: docs/operations.md#{}\n", name.to_lowercase());
        assert!(rule.contains(&runbook), "{name} has no {runbook}");
        assert!(documentation.contains(&format!("\n### {name}\n")), "{name} has no section");
        assert!(
            tests.contains(&format!("alertname: {name}\n        exp_alerts:")),
            "{name} has no test"
        );
    }
    let sections = documentation.lines().filter_map(|line| line.strip_prefix("### Tipoff"));
    assert_eq!(sections.count(), alerts.len(), "a section of docs/operations.md has no alert");
}

#[test]
fn every_panel_has_a_title_a_unit_and_expressions_that_prometheus_reads() {
    let panels = panels();
    assert!(panels.len() > 10);
    let mut rules = String::from("groups:\n- name: dashboard\n  rules:\n");
    for (number, panel) in panels.iter().enumerate() {
        let title = panel["title"].as_str().unwrap_or_default();
        assert!(!title.is_empty(), "{panel}");
        for text in ["/description", "/fieldConfig/defaults/unit"] {
            let text = panel.pointer(text).and_then(Value::as_str).unwrap_or_default();
            assert!(!text.is_empty(), "{title} lacks its description or unit");
        }
        let expressions = expressions(panel);
        assert!(!expressions.is_empty(), "{title} shows nothing");
        for (target, expression) in expressions.iter().enumerate() {
            let quoted = serde_json::to_string(expression).unwrap();
            writeln!(rules, "  - record: dashboard:{number}_{target}\n    expr: {quoted}").unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard.yml");
    std::fs::write(&file, &rules).unwrap();
    let (good, report) = promtool(&["check", "rules", file.to_str().unwrap()], "");
    assert!(good, "{report}");
    std::fs::write(&file, rules.replace("histogram_quantile(0.99, sum", "histogram_quantile(sum"))
        .unwrap();
    assert!(!promtool(&["check", "rules", file.to_str().unwrap()], "").0, "a wrong one is found");
}
