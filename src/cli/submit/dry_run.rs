//! Shows how each record of the input is read.

use std::ops::ControlFlow;

use super::super::failure::{Completion, Failure, Outcome};
use super::super::{Global, output};
use super::inputs::{Inputs, Totals};
use super::items::ItemDefaults;
use crate::domain::assessment::Verdict;
use crate::formats::dry_run::DryRunLine;
use crate::formats::{Reading, Record};

/// Rows of a table on a terminal. Columns are aligned within one.
const TABLE_ROWS: usize = 1_000;
/// Characters of a text that could not be read.
const SHOWN_CHARS: usize = 60;

/// Prints one line for each record, and the totals.
pub fn run(inputs: &Inputs, defaults: &ItemDefaults, global: &Global) -> Outcome {
    let mut printer = Printer {
        json: global.json,
        several_files: inputs.len() > 1,
        verdict: defaults.verdict.unwrap_or(Verdict::DEFAULT),
        rows: Vec::new(),
        failure: None,
    };
    let mut totals = Totals::default();
    for input in inputs.iter() {
        let reading = input.read(&mut |record| {
            totals.add(&record);
            printer.add(&input.name, &record)
        })?;
        printer.print_rows()?;
        printer.remarks(&input.name, &reading);
    }
    if let Some(failure) = printer.failure {
        return Err(failure);
    }
    if !global.json {
        output::line(&totals.to_string())?;
    }
    if totals.readable() == 0 {
        return Err(Failure::usage(
            "nothing could be read as an indicator or a count. If the file is a table, name its column of values \
             with --column. If it is prose, pass --format text",
        ));
    }
    Ok(if totals.unreadable == 0 { Completion::Whole } else { Completion::InPart })
}

struct Printer {
    json: bool,
    several_files: bool,
    /// The verdict of values without one.
    verdict: Verdict,
    rows: Vec<[String; 5]>,
    failure: Option<Failure>,
}

impl Printer {
    fn add(&mut self, file: &str, record: &Record) -> ControlFlow<()> {
        let line = DryRunLine::of(file, record, self.verdict);
        let printed = if self.json {
            output::json(&line)
        } else {
            self.rows.push(self.row(line));
            if self.rows.len() < TABLE_ROWS { Ok(()) } else { self.print_rows() }
        };
        match printed {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    fn print_rows(&mut self) -> Result<(), Failure> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let header = ["ROW", "READ AS", "PLATFORM", "ASSESSMENT", "VALUE OR REASON"];
        output::line(&output::table(header, self.rows.drain(..)))
    }

    fn row(&self, line: DryRunLine) -> [String; 5] {
        let location = if self.several_files {
            format!("{} {}", line.file, line.row)
        } else {
            line.row.to_string()
        };
        let assessment = assessment(&line);
        let read_as = match (line.kind, line.asset) {
            (Some(kind), _) => kind.to_owned(),
            (None, Some(asset)) => format!("removed {asset}"),
            (None, None) if line.is_unreadable => "unreadable".into(),
            (None, None) => "neither".into(),
        };
        let platform = line.platform.filter(|_| line.kind.is_some()).unwrap_or_default();
        let value = match (line.value, line.count, line.reason) {
            (Some(value), ..) => value,
            (None, Some(count), _) => count.to_string(),
            (None, None, reason) => {
                let raw: String = line.raw.chars().take(SHOWN_CHARS).collect();
                let ellipsis = if raw.len() < line.raw.len() { "…" } else { "" };
                format!("{}: {raw:?}{ellipsis}", reason.unwrap_or_default())
            }
        };
        [location, read_as, platform, assessment, value]
    }

    /// Says what of a file was not read. On stderr for scripts, whose lines are records.
    fn remarks(&self, file: &str, reading: &Reading) {
        for remark in super::remarks(file, reading) {
            if self.json {
                output::remark(&remark);
            } else {
                // A closed pipe is found out by the lines behind it.
                let _ = output::line(&remark);
            }
        }
    }
}

/// What is said of a value and fits into a line, or that a count is approximate: `malicious, victim, 8.2.1`.
fn assessment(line: &DryRunLine) -> String {
    let approximate = line.approximate.filter(|is| *is).map(|_| "approximate");
    let words = [line.verdict, line.involvement, approximate];
    let mut parts: Vec<String> = words.into_iter().flatten().map(str::to_owned).collect();
    parts.extend(line.confidence.map(|percent| format!("{percent} %")));
    parts.extend(line.technique.clone());
    parts.extend(line.labels.iter().cloned());
    parts.extend(line.valid_until.as_ref().map(|until| format!("until {until}")));
    parts.extend(line.account_id.as_ref().map(|id| format!("id {id}")));
    parts.extend(line.former_handles.iter().map(|handle| format!("formerly {handle}")));
    parts.extend(line.tlp.map(|tlp| format!("TLP:{tlp}")));
    parts.join(", ")
}
