//! The text of `tipoff top`. At most 80 columns wide.

use std::time::Duration;

use http::Uri;
use indicatif::{DecimalBytes, HumanDuration};

use super::overview::{Expiry, MethodCalls, Overview, SubscriptionLag, whole};
use crate::cli::output::{BAD, BOLD, GOOD, paint, table};

/// The widest line.
const WIDTH: usize = 80;
/// The widest name of a method or a subscription.
const NAME: usize = 40;
/// The widest issuer.
const ISSUER: usize = 36;
/// Only what expires within this time is shown, and always the first.
const NOTICE_S: f64 = 60.0 * 86_400.0;
/// What expires within this time is marked.
const URGENT_S: f64 = 14.0 * 86_400.0;

/// How a node is drawn.
#[derive(Debug)]
pub struct Screen {
    title: String,
    width: usize,
    /// The number of lines, if it is limited.
    lines: Option<usize>,
}

impl Screen {
    /// All lines, for a file or a pipe.
    pub fn plain(metrics: &Uri) -> Self {
        Self { title: metrics.to_string(), width: WIDTH, lines: None }
    }

    /// What fits into a terminal.
    pub fn of_size(metrics: &Uri, rows: usize, columns: usize) -> Self {
        // The cursor is on the last line.
        let lines = Some(rows.saturating_sub(1).max(1));
        Self { title: metrics.to_string(), width: WIDTH.min(columns), lines }
    }

    /// The text of a node.
    pub fn draw(&self, node: &Overview) -> String {
        let mut lines = self.head(node);
        lines.push(String::new());
        let numbers = numbers(node);
        lines.extend(numbers.lines().map(str::to_owned));
        let expiries = expiring(&node.expiries);
        // A blank line and a header for each of three tables.
        let fixed = lines.len() + 6 + expiries.len();
        let free = self.lines.map_or(usize::MAX, |most| most.saturating_sub(fixed));
        let (methods, subscriptions) = share(free, node.methods.len(), node.subscriptions.len());
        let tables = [
            (!expiries.is_empty()).then(|| expiry_table(&expiries)),
            (methods > 0).then(|| method_table(&node.methods[..methods])),
            (subscriptions > 0).then(|| lag_table(&node.subscriptions[..subscriptions])),
        ];
        for table in tables.into_iter().flatten() {
            lines.push(String::new());
            lines.extend(table.lines().map(str::to_owned));
        }
        lines.truncate(self.lines.unwrap_or(usize::MAX));
        lines.join("\n")
    }

    fn head(&self, node: &Overview) -> Vec<String> {
        let commit = Some(node.commit.as_str()).filter(|commit| !["", "unknown"].contains(commit));
        let commit = commit.map(|commit| format!(" ({commit})")).unwrap_or_default();
        let name = paint(BOLD, &cut(&format!("tipoff {}{commit}", node.version), NAME));
        let up = node.up_s.map_or_else(unknown, |s| HumanDuration(duration(s)).to_string());
        let state = if node.ready { paint(GOOD, "ready") } else { paint(BAD, "not ready") };
        let mut lines = vec![format!("{name}  up {up}  {state}"), cut(&self.title, self.width)];
        lines
            .extend(node.reason.as_deref().into_iter().flat_map(|reason| wrap(reason, self.width)));
        lines
    }
}

/// Divides rows between two tables: each gets half, and what the other one does not need.
fn share(rows: usize, first: usize, second: usize) -> (usize, usize) {
    let first = first.min(rows.saturating_sub(second).max(rows / 2));
    (first, second.min(rows - first))
}

/// Rates, sizes and what the process uses.
fn numbers(node: &Overview) -> String {
    let rates = &node.per_second;
    let values = [
        rates.submitted,
        rates.delivered,
        rates.lookups,
        rates.rejected,
        rates.denied,
        rates.requests,
        rates.failed,
    ];
    let header = [
        "SUBMITTED/S",
        "DELIVERED/S",
        "LOOKUPS/S",
        "REJECTED/S",
        "DENIED/S",
        "REQUESTS/S",
        "FAILED/S",
    ];
    let rates = table(header, [values.map(|rate| format!("{rate:.1}"))]);
    let (disk, process) = (&node.disk, &node.process);
    let header = ["STREAMS", "JOURNAL", "INDEX", "FREE", "BEHIND", "CPU", "MEMORY", "FILES"];
    let used = table(
        header,
        [[
            format!("{}", node.open_streams),
            bytes(disk.journal_bytes),
            bytes(disk.index_bytes),
            bytes(disk.free_bytes),
            format!("{}", node.index_behind),
            process.cpu_cores.map_or_else(unknown, |cores| format!("{:.0} %", cores * 100.0)),
            bytes(process.resident_bytes),
            process.open_files.map_or_else(unknown, |open| format!("{open}")),
        ]],
    );
    format!("{rates}\n\n{used}")
}

fn method_table(methods: &[MethodCalls]) -> String {
    let ms = |ms: Option<f64>| ms.map_or_else(unknown, |ms| format!("{ms:.1} ms"));
    let row = |method: &MethodCalls| {
        let calls = format!("{:.1}", method.per_second);
        [cut(&method.method, NAME), calls, ms(method.p50_ms), ms(method.p99_ms)]
    };
    table(["METHOD", "CALLS/S", "P50", "P99"], methods.iter().map(row))
}

fn lag_table(subscriptions: &[SubscriptionLag]) -> String {
    let row = |one: &SubscriptionLag| {
        let name = cut(&format!("{}/{}", one.partner, one.subscription), NAME);
        let age = one.lag_s.map_or_else(unknown, |s| HumanDuration(duration(s)).to_string());
        [name, format!("{}", one.lag_entries), age]
    };
    table(["SUBSCRIPTION", "ENTRIES BEHIND", "FOR"], subscriptions.iter().map(row))
}

/// What expires soon, and always the first.
fn expiring(expiries: &[Expiry]) -> Vec<&Expiry> {
    let is_soon = |(at, expiry): &(usize, &Expiry)| *at == 0 || expiry.left_s < NOTICE_S;
    expiries.iter().enumerate().filter(is_soon).map(|(_, expiry)| expiry).take(5).collect()
}

fn expiry_table(expiries: &[&Expiry]) -> String {
    let row = |expiry: &&Expiry| {
        let left = if expiry.left_s < 0.0 {
            paint(BAD, "expired")
        } else {
            let left = format!("in {}", HumanDuration(duration(expiry.left_s)));
            if expiry.left_s < URGENT_S { paint(BAD, &left) } else { left }
        };
        let issuer = expiry.issuer.as_deref().unwrap_or_default();
        [expiry.what.to_owned(), left, cut(issuer, ISSUER)]
    };
    table(["EXPIRES", "", "ISSUER"], expiries.iter().map(row))
}

fn bytes(size: Option<u64>) -> String {
    size.map_or_else(unknown, |size| DecimalBytes(size).to_string())
}

fn unknown() -> String {
    "-".to_owned()
}

fn duration(seconds: f64) -> Duration {
    Duration::from_secs(whole(seconds))
}

/// At most `width` characters of a text.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Breaks a text into lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(width.max(1)).map(|line| line.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tables_share_the_rows() {
        let table = [
            ((10, 3, 4), (3, 4)),
            ((10, 20, 20), (5, 5)),
            ((10, 2, 20), (2, 8)),
            ((10, 20, 2), (8, 2)),
            ((0, 5, 5), (0, 0)),
            ((usize::MAX, 50, 60), (50, 60)),
        ];
        for ((rows, first, second), expected) in table {
            assert_eq!(share(rows, first, second), expected, "{rows} {first} {second}");
        }
    }

    #[test]
    fn long_texts_are_cut_and_wrapped() {
        assert_eq!((cut("abcdef", 6).as_str(), cut("abcdefg", 6).as_str()), ("abcdef", "abcde…"));
        assert_eq!(wrap("abcdefg", 3), ["abc", "def", "g"]);
    }
}
