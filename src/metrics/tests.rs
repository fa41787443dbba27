use super::*;

fn has_line(metrics: &Metrics, line: &str) {
    let text = metrics.encode(Format::Prometheus).unwrap();
    assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
}

fn has_no(metrics: &Metrics, part: &str) {
    let text = metrics.encode(Format::Prometheus).unwrap();
    assert!(!text.contains(part), "{text}");
}

#[test]
fn every_metric_is_written_with_its_prefix_and_help() {
    let metrics = Metrics::new();
    metrics.submitted(3);
    metrics.rejected("birdsite", "item", 2);
    metrics.denied("unknown", "method_denied");
    has_line(&metrics, "tipoff_submitted_total 3");
    metrics.observe_partner("birdsite", 7, 2);
    metrics.observe_partner("birdsite", 9, 2);
    has_line(&metrics, "tipoff_partner_submitted_total{partner=\"birdsite\"} 9");
    has_line(&metrics, "tipoff_partner_withdrawn_total{partner=\"birdsite\"} 2");
    has_line(&metrics, "tipoff_rejected_total{partner=\"birdsite\",label=\"item\"} 2");
    for line in metrics.encode(Format::OpenMetrics).unwrap().lines() {
        assert!(
            ["# ", "tipoff_", "process_"].iter().any(|start| line.starts_with(start)),
            "{line}"
        );
    }
}

#[test]
fn a_lag_is_shown_for_as_long_as_its_subscription_is_there() {
    let metrics = Metrics::new();
    let lag = |name: &str, entries, seconds| Lag {
        partner: "birdsite".into(),
        subscription: name.into(),
        entries,
        seconds,
    };
    metrics.observe_lags(&[lag("a", 3, Some(1.5)), lag("b", 4, Some(2.5))]);
    has_line(&metrics, "tipoff_feed_lag_seconds{partner=\"birdsite\",subscription=\"a\"} 1.5");
    metrics.observe_lags(&[lag("b", 1, None)]);
    has_line(&metrics, "tipoff_feed_lag_entries{partner=\"birdsite\",subscription=\"b\"} 1");
    has_no(&metrics, "subscription=\"a\"");
    has_no(&metrics, "tipoff_feed_lag_seconds{");
}

#[test]
fn a_revocation_list_has_a_series_for_as_long_as_it_is_enforced() {
    let metrics = Metrics::new();
    let list = |issuer: &str, end| (issuer.to_owned(), Some(end));
    metrics.identity.observe_revocation_lists(&[list("CN=a", 2_000), list("CN=\"b\", O=c", 3_000)]);
    let series = "tipoff_revocation_list_expiry_timestamp_seconds";
    has_line(&metrics, &format!("{series}{{issuer=\"CN=a\"}} 2.0"));
    has_line(&metrics, &format!("{series}{{issuer=\"CN=\\\"b\\\", O=c\"}} 3.0"));
    has_line(&metrics, "tipoff_revocation_lists 2");
    metrics.identity.observe_revocation_lists(&[
        list("CN=a", 4_000),
        list("CN=a", 1_000),
        list("CN=a", 5_000),
    ]);
    has_line(&metrics, &format!("{series}{{issuer=\"CN=a\"}} 1.0"));
    has_no(&metrics, "O=c");
}

#[test]
fn a_stream_does_not_count_as_latency() {
    let metrics = Metrics::new();
    let call = EndedCall { method: "/a/B", code: "OK", is_stream: false, seconds: 0.25 };
    metrics.calls.ended(call);
    metrics.calls.ended(EndedCall { is_stream: true, seconds: 900.0, ..call });
    has_line(&metrics, "tipoff_requests_total{method=\"/a/B\",code=\"OK\"} 2");
    has_line(&metrics, "tipoff_request_duration_seconds_sum{method=\"/a/B\"} 0.25");
    has_line(&metrics, "tipoff_stream_duration_seconds_sum{method=\"/a/B\"} 900.0");
}
