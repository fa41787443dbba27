//! The two text formats of Prometheus.
//!
//! `OpenMetrics` names a counter without `_total`, has `UNIT` lines and an end mark. The older text format (version 0.0.4)
//! has none of them, and is what `promtool check metrics` and many agents read.

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `OpenMetrics` 1.0.
    OpenMetrics,
    /// The Prometheus text format 0.0.4.
    Prometheus,
}

impl Format {
    /// The format for a client that sent this `Accept` header.
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// The content type of a response.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Rewrites the comment lines of an `OpenMetrics` text to the Prometheus text format. The samples are the same in both.
pub fn to_prometheus(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            // The name depends on the type, which follows.
            help = described.split_once(' ');
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|typed| typed.rsplit_once(' '))
        {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, help)) = help.take() {
                text.extend(["# HELP ", name, suffix, " ", help, "\n"]);
            }
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.extend([line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_in_full_and_units_and_the_end_are_left_out() {
        let open_metrics = "# HELP a_b_seconds Time of b.\n# TYPE a_b_seconds counter\n# UNIT a_b_seconds seconds\n\
                            a_b_seconds_total 3\n# HELP c Size of # c.\n# TYPE c gauge\nc{d=\"# TYPE\"} 4\n# EOF\n";
        let expected = "# HELP a_b_seconds_total Time of b.\n# TYPE a_b_seconds_total counter\na_b_seconds_total 3\n\
                        # HELP c Size of # c.\n# TYPE c gauge\nc{d=\"# TYPE\"} 4\n";
        assert_eq!(to_prometheus(open_metrics), expected);
    }

    #[test]
    fn a_client_gets_open_metrics_if_it_asks_for_them() {
        let prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2,*/*;q=0.1";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        assert_eq!(Format::accepted("*/*"), Format::Prometheus);
        assert_eq!(Format::accepted(""), Format::Prometheus);
    }
}
