//! Output to stdout and stderr.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;

/// Writes a line to stdout. Exits quietly if the reader has closed the pipe, as `head` does.
pub fn line(text: &str) -> Result<(), Failure> {
    if try_line(text)? { Ok(()) } else { std::process::exit(0) }
}

/// Writes a line to stdout. Returns false if the reader has closed the pipe, for commands that must
/// still save their state.
pub fn try_line(text: &str) -> Result<bool, Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::failed(format!("cannot write to stdout: {error}"))),
    }
}

/// Writes bytes to stdout unchanged.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(|error| stdout_failure(&error))
}

/// The failure of a write to stdout. Exits quietly if the reader has closed the pipe.
pub fn stdout_failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    Failure::failed(format!("cannot write to stdout: {error}"))
}

/// Writes an object to stdout as one line of JSON.
pub fn json(object: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(object)
        .map_err(|error| Failure::failed(format!("cannot write JSON: {error}")))?;
    line(&text)
}

/// Writes a remark to stderr, so that scripts can ignore it.
pub fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Formats rows as aligned columns under a header, without borders.
pub fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.map(|name| paint(DIM, name)));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// For secondary text.
pub const DIM: Style = Style::new().dimmed();
/// For success.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// For failures.
pub const BAD: Style = AnsiColor::Red.on_default();
/// For headings.
pub const BOLD: Style = Style::new().bold();

/// Colours a text if stdout is a terminal.
pub fn paint(style: Style, text: &str) -> String {
    if io::stdout().is_terminal() { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// Shows a progress bar on stderr if it is a terminal.
pub fn progress(what: &'static str, total: usize) -> ProgressBar {
    bar(what, Some(total as u64), "{msg} {bar:40} {pos}/{len} {per_sec}", true)
}

/// Like [`progress`], for bytes, from a size of `shown_from` on.
pub fn progress_bytes(what: &'static str, total: u64, shown_from: u64) -> ProgressBar {
    let template = "{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec}";
    bar(what, Some(total), template, total >= shown_from)
}

/// Shows a running count on stderr if it is a terminal, where the total is not known.
pub fn counter(what: &'static str) -> ProgressBar {
    bar(what, None, "{msg} {pos} {per_sec}", true)
}

fn bar(what: &'static str, total: Option<u64>, template: &str, is_shown: bool) -> ProgressBar {
    let is_shown = is_shown && io::stderr().is_terminal();
    let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(total, target);
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
