//! The table and the report file.

use std::path::PathBuf;
use std::{env, fs};

use comfy_table::{Table, TableStyle, presets};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::plot;

/// One figure and its limit.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    pub scenario: &'static str,
    pub size: u64,
    pub value: f64,
    pub unit: &'static str,
    /// What a bare program achieved for the same work, in the same run.
    pub limit: f64,
    pub ratio: f64,
    /// The target: the lowest acceptable ratio.
    pub target: f64,
    pub met: bool,
    /// The lowest acceptable value.
    #[serde(skip)]
    pub floor: f64,
    /// Set if another condition failed.
    #[serde(skip)]
    pub failed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999_ms: Option<f64>,
    /// The peak memory of the exchange.
    pub rss_mb: f64,
    /// The CPU time of the exchange.
    pub cpu_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_mb: Option<f64>,
}

impl Row {
    /// A figure and its target: a ratio to the limit, and optionally a minimum.
    pub fn of(
        (scenario, size): (&'static str, u64),
        (value, limit, unit): (f64, f64, &'static str),
        target: f64,
        floor: f64,
    ) -> Self {
        let row = Self { scenario, size, value, unit, target, floor, ..Self::default() };
        row.limited(limit)
    }

    /// The same, with a limit that was measured afterwards.
    pub fn limited(mut self, limit: f64) -> Self {
        (self.limit, self.ratio) = (limit, self.value / limit);
        self.met = self.ratio >= self.target && self.value >= self.floor && !self.failed;
        self
    }

    /// The same, with another condition.
    pub fn only_if(mut self, holds: bool) -> Self {
        self.failed |= !holds;
        self.met &= holds;
        self
    }

    /// The same, with latencies in microseconds.
    pub fn with_latency(mut self, latency: &Histogram<u64>) -> Self {
        #[allow(clippy::cast_precision_loss)]
        let at = |quantile| Some(latency.value_at_quantile(quantile) as f64 / 1_000.0);
        (self.p50_ms, self.p99_ms, self.p999_ms) = (at(0.5), at(0.99), at(0.999));
        self
    }
}

#[derive(Debug, Default)]
pub struct Report(Vec<Row>);

impl Report {
    pub fn add(&mut self, row: Row) {
        eprintln!(
            "{} {}: {} of {} {}",
            row.scenario,
            row.size,
            figure(row.value),
            figure(row.limit),
            row.unit
        );
        self.0.push(row);
        // Written after each row, so that nothing is lost if a later scenario fails.
        self.save();
    }

    pub fn show(&self) {
        println!("{}", self.table(presets::NOTHING));
        println!(
            "{}: the same as JSON and Markdown, and a plot of each scenario",
            folder().display()
        );
    }

    fn save(&self) {
        let folder = folder();
        fs::create_dir_all(&folder).unwrap();
        let json = serde_json::to_string_pretty(&self.0).unwrap();
        fs::write(folder.join("report.json"), json).unwrap();
        let markdown = format!("{}\n", self.table(presets::ASCII_MARKDOWN));
        fs::write(folder.join("report.md"), markdown).unwrap();
        plot::draw(&self.0, &folder);
    }

    fn table(&self, style: TableStyle) -> Table {
        let mut table = Table::new();
        table.load_style(style);
        table.set_header([
            "scenario", "size", "value", "limit", "unit", "ratio", "target", "met", "p50 ms",
            "p99 ms", "p99.9 ms", "RSS MB", "CPU s", "disk MB",
        ]);
        let optional =
            |value: Option<f64>| value.map(|value| format!("{value:.2}")).unwrap_or_default();
        for row in &self.0 {
            table.add_row([
                row.scenario.to_owned(),
                row.size.to_string(),
                figure(row.value),
                figure(row.limit),
                row.unit.to_owned(),
                format!("{:.2}", row.ratio),
                if row.target > 0.0 { format!("{:.2}", row.target) } else { String::new() },
                if row.met { "yes" } else { "no" }.to_owned(),
                optional(row.p50_ms),
                optional(row.p99_ms),
                optional(row.p999_ms),
                format!("{:.0}", row.rss_mb),
                format!("{:.1}", row.cpu_s),
                optional(row.disk_mb),
            ]);
        }
        table
    }
}

/// The folder of the report files.
fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    target.join("bench")
}

/// A number with its significant digits.
fn figure(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}
