//! How fast files are read: a list of five million lines, and a STIX bundle of 200 MB, each by a process of its own
//! whose peak memory counts. The limit is one thread that only finds the lines, or only parses the JSON.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use serde::de::IgnoredAny;
use tipoff::clock::{Clock, SystemClock};
use tipoff::formats::{Assumed, Input, read_input};

use crate::report::Row;
use crate::work::Used;

/// The argument that starts this program as the reader of a file.
pub const COMMAND: &str = "read-file";
/// The same, for the limit.
pub const LIMIT: &str = "scan-file";
/// The most memory that reading may take.
const MAX_PEAK_MEGABYTES: f64 = 200.0;

/// Both files, or small ones.
pub fn run(quick: bool) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let (lines, megabytes) = if quick { (500_000, 20) } else { (5_000_000, 200) };
    let list = folder.path().join("list.txt");
    write_list(&list, lines);
    let bundle = folder.path().join("bundle.json");
    write_bundle(&bundle, megabytes << 20);
    #[allow(clippy::cast_precision_loss)]
    let rows = [
        row(("reading list", lines), &list, lines as f64, "lines/s", 1_000_000.0),
        row(("reading stix", megabytes), &bundle, megabytes as f64, "MB/s", 50.0),
    ];
    rows.into()
}

fn row(name: (&'static str, u64), file: &Path, work: f64, unit: &'static str, floor: f64) -> Row {
    let (seconds, peak) = child(COMMAND, file);
    let (limit, _) = child(LIMIT, file);
    let row =
        Row { rss_mb: peak, ..Row::of(name, (work / seconds, work / limit, unit), 0.0, floor) };
    row.only_if(peak < MAX_PEAK_MEGABYTES)
}

/// Runs this program for a file, and returns its seconds and its peak memory in megabytes.
fn child(command: &str, file: &Path) -> (f64, f64) {
    let program = std::env::current_exe().unwrap();
    let ran = Command::new(program).arg(command).arg(file).output().unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    let (seconds, peak) = out.trim().split_once(' ').unwrap();
    (seconds.parse().unwrap(), peak.parse().unwrap())
}

/// Reads or scans a file, and prints the seconds and the peak memory.
pub fn measure(command: &str, file: &Path) {
    let clock = SystemClock;
    let started = clock.instant();
    if command == COMMAND {
        let mut records = 0_u64;
        read_input(&Input::open(file).unwrap(), None, &Assumed::default(), &mut |_| {
            records += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(records > 0);
    } else {
        scan(file);
    }
    let seconds = clock.instant().duration_since(started).as_secs_f64();
    println!("{seconds} {}", Used::by(std::process::id()).rss_mb);
}

fn scan(file: &Path) {
    let mut reader = BufReader::new(File::open(file).unwrap());
    if file.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_reader::<_, IgnoredAny>(reader).unwrap();
        return;
    }
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).unwrap() > 0 {
        line.clear();
    }
}

fn write_list(path: &Path, lines: u64) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for number in 0..lines {
        match number % 4 {
            0 => writeln!(file, "host-{number}.example"),
            1 => writeln!(file, "hxxps://host-{number}[.]example/path/{number}"),
            2 => writeln!(file, "{number:064x}"),
            _ => writeln!(file, "desk-{number}@mail.example"),
        }
        .unwrap();
    }
}

fn write_bundle(path: &Path, bytes: u64) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    write!(file, "{{\"type\":\"bundle\",\"id\":\"bundle--0\",\"objects\":[").unwrap();
    let (mut number, mut written) = (0_u64, 0);
    while written < bytes {
        let separator = if number == 0 { "" } else { "," };
        let object = format!(
            "{separator}{{\"type\":\"indicator\",\"spec_version\":\"2.1\",\
             \"id\":\"indicator--00000000-0000-4000-8000-{number:012x}\",\
             \"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\
             \"name\":\"domain host-{number}.example\",\"indicator_types\":[\"malicious-activity\"],\
             \"pattern\":\"[domain-name:value = 'host-{number}.example']\",\"pattern_type\":\"stix\",\
             \"pattern_version\":\"2.1\",\"valid_from\":\"2026-01-01T00:00:00Z\",\"confidence\":80,\
             \"labels\":[\"phishing\"]}}\n"
        );
        file.write_all(object.as_bytes()).unwrap();
        written += object.len() as u64;
        number += 1;
    }
    write!(file, "]}}").unwrap();
}
