//! Metrics of the process, with the names that every Prometheus client library gives them.

use std::fmt;

use procfs::process::{LimitValue, Process};
use procfs::{ProcResult, boot_time_secs, page_size, ticks_per_second};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Reads the numbers of this process from `/proc` at each scrape.
#[derive(Debug)]
pub struct ProcessCollector;

struct Numbers {
    cpu_seconds: f64,
    start_time_seconds: f64,
    resident_bytes: u64,
    open_descriptors: u64,
    max_descriptors: u64,
}

impl Numbers {
    #[allow(clippy::cast_precision_loss)] // Ticks and seconds are far below 2^53.
    fn read() -> ProcResult<Self> {
        let process = Process::myself()?;
        let stat = process.stat()?;
        let seconds = |ticks: u64| ticks as f64 / ticks_per_second() as f64;
        let max_descriptors = match process.limits()?.max_open_files.soft_limit {
            LimitValue::Value(limit) => limit,
            LimitValue::Unlimited => u64::MAX,
        };
        Ok(Self {
            cpu_seconds: seconds(stat.utime.saturating_add(stat.stime)),
            start_time_seconds: boot_time_secs()? as f64 + seconds(stat.starttime),
            resident_bytes: stat.rss.saturating_mul(page_size()),
            open_descriptors: process.fd_count()? as u64,
            max_descriptors,
        })
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        // Without `/proc` there is nothing to say. The other metrics are still written.
        let Ok(numbers) = Numbers::read() else { return Ok(()) };
        let cpu = ConstCounter::new(numbers.cpu_seconds);
        cpu.encode(encoder.encode_descriptor(
            "process_cpu",
            "CPU time that the process has used",
            Some(&Unit::Seconds),
            cpu.metric_type(),
        )?)?;
        let start = ConstGauge::new(numbers.start_time_seconds);
        start.encode(encoder.encode_descriptor(
            "process_start_time",
            "Start of the process, as time since the epoch",
            Some(&Unit::Seconds),
            start.metric_type(),
        )?)?;
        let mut gauge = |name, help, unit: Option<&Unit>, value: u64| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, unit, gauge.metric_type())?)
        };
        let bytes = Some(&Unit::Bytes);
        gauge("process_resident_memory", "Resident memory", bytes, numbers.resident_bytes)?;
        gauge("process_open_fds", "Open file descriptors", None, numbers.open_descriptors)?;
        gauge("process_max_fds", "Limit of open file descriptors", None, numbers.max_descriptors)
    }
}
