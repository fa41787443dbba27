//! Test data, and the resources that a process used.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tipoff::index::database::size_on_disk;
use tipoff::wire::pb;

use crate::support::process::Process;
use crate::support::{World, batch};

/// Spreads a number over the whole range. Different inputs give different outputs.
pub fn spread(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// An indicator of 138 bytes on the wire: kind, value, two labels, a note.
pub fn item(number: u64) -> pb::SubmittedIndicator {
    pb::SubmittedIndicator {
        kind: pb::Kind::Domain.into(),
        platform: String::new(),
        value: format!("{:016x}.example", spread(number)),
        assessment: Some(pb::Assessment {
            labels: vec!["phishing".into(), "malware-distribution".into()],
            note: "Registered with the others on one day; the page asks for a log-in.".into(),
            ..pb::Assessment::default()
        }),
    }
}

/// Encoded batches of a submission, with this many items each, from item `first` on.
pub fn batches(submission: &str, first: u64, items: u64, batch: u64) -> Vec<Bytes> {
    batches_of(item, submission, first, items, batch)
}

/// The same item with another assessment: it replaces the first.
pub fn item_again(number: u64) -> pb::SubmittedIndicator {
    let mut again = item(number);
    if let Some(assessment) = &mut again.assessment {
        assessment.note =
            "Seen again a week later, with the same page and another registrar.".into();
    }
    again
}

/// Batches of generated items.
pub fn batches_of(
    item: fn(u64) -> pb::SubmittedIndicator,
    submission: &str,
    first: u64,
    items: u64,
    batch: u64,
) -> Vec<Bytes> {
    let starts = (first..first + items).step_by(usize::try_from(batch).unwrap());
    starts
        .zip(1..)
        .map(|(start, number)| {
            let items = (start..(first + items).min(start + batch)).map(item).collect();
            encode(submission, number, items, None)
        })
        .collect()
}

/// An encoded batch. The streaming and the unary request have the same fields.
pub fn encode(
    submission: &str,
    number: u32,
    items: Vec<pb::SubmittedIndicator>,
    sharing: Option<pb::Sharing>,
) -> Bytes {
    batch(submission, number, sharing, items).encode_to_vec().into()
}

/// Starts the exchange of a world and waits until it is ready.
pub fn started(world: &World) -> Process {
    // Pending writes of the scenario before would delay its writes.
    nix::unistd::sync();
    let mut exchange = Process::prepare(world);
    exchange.start();
    exchange.wait_ready();
    exchange
}

/// The resources that a process has used.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub rss_mb: f64,
    pub cpu_s: f64,
}

impl Used {
    pub fn by(process: u32) -> Self {
        let read = |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).unwrap();
        let status = read("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak_kb: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        let stat = read("stat");
        // The name may contain anything. After it, fields 14 and 15 are the CPU times, in
        // hundredths of a second.
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        Self { rss_mb: peak_kb / 1024.0, cpu_s: ticks / 100.0 }
    }
}

/// The resident memory of a process, in MB.
pub fn resident_mb(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    held.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// The disk space of a folder, in MB.
#[allow(clippy::cast_precision_loss)]
pub fn folder_mb(folder: &Path) -> f64 {
    size_on_disk(folder).unwrap() as f64 / 1024.0 / 1024.0
}

/// The rate per second.
#[allow(clippy::cast_precision_loss)]
pub fn rate(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

/// A world with the members `p0`, `p1` and so on, in the groups `all` and, the even ones, `even`.
pub fn world(members: usize) -> World {
    let ids: Vec<_> = (0..members).map(|at| format!("p{at}")).collect();
    let even: Vec<_> = ids.iter().step_by(2).collect();
    let partner =
        |id| format!("[[partners]]\nid = \"{id}\"\nrole = \"member\"\ndefault_group = \"all\"\n");
    let partners: String = ids.iter().map(partner).collect();
    World::with(&format!(
        "{partners}[[groups]]\nid = \"all\"\nmembers = {ids:?}\n[[groups]]\nid = \"even\"\nmembers = \
         {even:?}\n"
    ))
}
