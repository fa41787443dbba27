//! Reads the text formats of Prometheus and `OpenMetrics`.
//!
//! No crate does it for us: `prometheus-parse` drops labels whose value has a comma or an equals sign, as the names of
//! issuers have, and `openmetrics-parser` has another licence.

use std::collections::BTreeMap;

/// The samples of a scrape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    samples: Vec<Sample>,
}

/// One line that is not a comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Exposition {
    /// Parses a response. Comments, times and exemplars are passed over. The error names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        let samples = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let samples = samples.map(|(number, line)| {
            sample(line).ok_or_else(|| format!("line {number} is not a sample: {line}"))
        });
        Ok(Self { samples: samples.collect::<Result<_, _>>()? })
    }

    /// The samples of a name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }

    /// The value of the first sample of a name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.named(name).next().map(|sample| sample.value)
    }
}

impl Sample {
    /// The value of a label; empty if it has none.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = read_labels(inside, &mut labels)?;
    }
    let value = rest.split_whitespace().next()?.parse().ok()?;
    (!name.is_empty()).then(|| Sample { name: name.to_owned(), labels, value })
}

/// Reads labels up to the closing brace, and returns what follows it.
fn read_labels<'a>(mut rest: &'a str, labels: &mut BTreeMap<String, String>) -> Option<&'a str> {
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some(after);
        }
        let (name, quoted) = rest.split_once('=')?;
        let (value, after) = read_value(quoted.trim_start().strip_prefix('"')?)?;
        labels.insert(name.trim().to_owned(), value);
        rest = after;
    }
}

/// Reads the value of a label up to its closing quote, and returns what follows it.
fn read_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_values_times_and_exemplars_are_read() {
        let text = "# HELP a b\n# TYPE a counter\na_total 3\n\
                    b{issuer=\"O=Tip\\\"off\\\", CN=a\\\\b}\",store=\"j\"} 1.5e3 1700000000\n\
                    c_bucket{le=\"+Inf\"} 7 # {trace_id=\"x\"} 0.5 1700000000\nd{} NaN\n# EOF\n";
        let read = Exposition::parse(text).unwrap();
        assert_eq!(read.value("a_total"), Some(3.0));
        let b = read.named("b").next().unwrap();
        assert_eq!(b.label("issuer"), "O=Tip\"off\", CN=a\\b}");
        assert_eq!((b.label("store"), b.label("absent"), b.value), ("j", "", 1500.0));
        assert_eq!(read.named("c_bucket").next().unwrap().value.to_bits(), 7f64.to_bits());
        assert!(read.value("d").unwrap().is_nan());
    }

    #[test]
    fn what_is_not_a_sample_is_named() {
        for text in ["<html>", "a", "a x", "a{b=\"c\" 1", "a{b} 1", "{b=\"c\"} 1"] {
            let error = Exposition::parse(&format!("ok 1\n{text}\n")).unwrap_err();
            assert!(error.contains("line 2"), "{text}: {error}");
        }
    }

    #[test]
    fn what_our_own_metrics_write_is_read() {
        let metrics = crate::metrics::Metrics::new();
        metrics.identity.observe_revocation_lists(&[("O=a, CN=\"b\"".into(), Some(2_000))]);
        for format in [crate::metrics::Format::OpenMetrics, crate::metrics::Format::Prometheus] {
            let read = Exposition::parse(&metrics.encode(format).unwrap()).unwrap();
            let list = read.named("tipoff_revocation_list_expiry_timestamp_seconds").next();
            assert_eq!(list.unwrap().label("issuer"), "O=a, CN=\"b\"");
        }
    }
}
