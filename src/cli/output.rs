//! Output to stdout and stderr.

use std::borrow::Cow;
use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;
pub use super::table::{table, table_of};
use crate::domain::text::{escaped_line, is_unsafe};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set or the terminal has none
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How the output looks. Decided before a pager takes the place of the terminal.
#[derive(Clone, Copy, Debug)]
struct OutputSettings {
    /// Whether results have colours.
    color: bool,
    /// Whether the log has colours.
    log_color: bool,
    /// Columns of the terminal; `None` if the output goes to a file or another program.
    width: Option<usize>,
    /// Whether remarks and progress are left out.
    quiet: bool,
}

static SETTINGS: OnceLock<OutputSettings> = OnceLock::new();

/// Sets how the output looks. Has no effect once something was written.
pub fn configure(color: ColorChoice, quiet: bool) {
    let _ = SETTINGS.set(OutputSettings::new(color, quiet));
}

fn settings() -> &'static OutputSettings {
    SETTINGS.get_or_init(|| OutputSettings::new(ColorChoice::Auto, false))
}

impl OutputSettings {
    fn new(color: ColorChoice, quiet: bool) -> Self {
        let colored = |is_terminal| match color {
            ColorChoice::Auto => is_terminal && !no_color(),
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        let is_terminal = io::stdout().is_terminal();
        let size = Term::stdout().size_checked().filter(|_| is_terminal);
        Self {
            color: colored(is_terminal),
            log_color: colored(io::stderr().is_terminal()),
            width: size.map(|(_, columns)| columns.into()).filter(|columns| *columns > 0),
            quiet,
        }
    }
}

/// Whether the log has colours.
pub fn log_color() -> bool {
    settings().log_color
}

/// Writes a line to stdout. Exits quietly if the reader has closed the pipe, as `head` does.
pub fn line(text: &str) -> Result<(), Failure> {
    if try_line(text)? { Ok(()) } else { std::process::exit(0) }
}

/// Writes a line to stdout. Returns false if the reader has closed the pipe, for commands that must
/// still save their state.
pub fn try_line(text: &str) -> Result<bool, Failure> {
    let text = for_terminal(text);
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
    line(&escape_json(&text))
}

/// JSON in which no character steers a terminal. They stand in strings only, and JSON leaves open how it is spelled there.
fn escape_json(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            // All of them have four digits. Writing to a String does not fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// A text for people, whatever has come into it. Only line breaks, tabs and the colours of [`paint`] act on a terminal.
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    let is_kept = |c: char| matches!(c, '\n' | '\t');
    if !text.contains(|c| is_unsafe(c) && !is_kept(c)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = style_length(rest).unwrap_or(c.len_utf8());
        let (one, after) = rest.split_at(length);
        if length > c.len_utf8() || is_kept(c) {
            safe.push_str(one);
        } else {
            safe.push_str(&escaped_line(one));
        }
        rest = after;
    }
    Cow::Owned(safe)
}

/// The length of the sequence of [`paint`] with which a text begins.
fn style_length(text: &str) -> Option<usize> {
    static SEQUENCES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let styles = [DIM, GOOD, BAD, BOLD].map(|style| style.render().to_string());
        styles.into_iter().chain([anstyle::Reset.render().to_string()]).collect()
    });
    SEQUENCES.iter().find(|sequence| text.starts_with(&***sequence)).map(String::len)
}

/// Writes a remark to stderr, so that scripts can ignore it. The user may want none.
pub fn remark(text: &str) {
    if settings().quiet {
        return;
    }
    let mut waiting = WAITING_REMARKS.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *waiting {
        Some(remarks) => remarks.push(text.to_owned()),
        None => drop(writeln!(io::stderr(), "{}", for_terminal(text))),
    }
}

/// The remarks that wait for the end of a pager. `None` if none runs.
static WAITING_REMARKS: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Keeps remarks until [`end_pager`]: they would land in the middle of what the pager shows.
pub fn begin_pager() {
    *WAITING_REMARKS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
}

/// Writes the remarks that waited for the end of a pager.
pub fn end_pager() {
    let waiting = WAITING_REMARKS.lock().unwrap_or_else(PoisonError::into_inner).take();
    waiting.unwrap_or_default().iter().for_each(|text| remark(text));
}

/// Writes a line to stdout that says what to do next, unless the user wants only results.
pub fn hint(text: &str) -> Result<(), Failure> {
    if settings().quiet { Ok(()) } else { line(text) }
}

/// Columns of the terminal; `None` if the output goes to a file or another program.
pub fn width() -> Option<usize> {
    settings().width
}

/// For secondary text.
pub const DIM: Style = Style::new().dimmed();
/// For success.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// For failures.
pub const BAD: Style = AnsiColor::Red.on_default();
/// For headings.
pub const BOLD: Style = Style::new().bold();

/// Colours a text if stdout is a terminal, unless the user decided otherwise.
pub fn paint(style: Style, text: &str) -> String {
    if settings().color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// Whether the user asked for no colour, by <https://no-color.org> or with a terminal that has none.
fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || env::var_os("TERM").is_some_and(|terminal| terminal == "dumb")
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

/// Like [`progress`], for a command that sends `per_request` of them at a time. One request needs no progress bar.
pub fn progress_of_requests(what: &'static str, total: usize, per_request: usize) -> ProgressBar {
    bar(what, Some(total as u64), "{msg} {bar:40} {pos}/{len} {per_sec}", total > per_request)
}

/// Shows a running count on stderr if it is a terminal, where the total is not known.
pub fn counter(what: &'static str) -> ProgressBar {
    bar(what, None, COUNTER, true)
}

/// Like [`counter`], for a command that prints while it counts. On a terminal, what it prints is the progress.
pub fn counter_beside_output(what: &'static str) -> ProgressBar {
    bar(what, None, COUNTER, !io::stdout().is_terminal())
}

const COUNTER: &str = "{msg} {pos} {per_sec}";

fn bar(what: &'static str, total: Option<u64>, template: &str, is_shown: bool) -> ProgressBar {
    let is_shown = is_shown && !settings().quiet && io::stderr().is_terminal();
    let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    // A command that fails clears it too, so that the error has a line of its own.
    let bar = ProgressBar::with_draw_target(total, target).with_finish(ProgressFinish::AndClear);
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_colours_acts_on_a_terminal() {
        let table = [
            ("plain, ä and 👩\u{200d}💻\n\ttext", "plain, ä and 👩\u{200d}💻\n\ttext"),
            ("\u{1b}[1mbold\u{1b}[0m", "\u{1b}[1mbold\u{1b}[0m"),
            ("\u{1b}[8mconcealed", "\\u{1b}[8mconcealed"),
            ("\u{1b}]52;c;aGk=\u{7}", "\\u{1b}]52;c;aGk=\\u{7}"),
            ("\u{1b}[2Jcleared", "\\u{1b}[2Jcleared"),
            ("back\rover", "back\\rover"),
            ("\u{9b}31m\u{202e}x", "\\u{9b}31m\\u{202e}x"),
            ("\u{1b}[", "\\u{1b}["),
        ];
        for (text, shown) in table {
            assert_eq!(for_terminal(text), shown, "{text:?}");
        }
    }

    #[test]
    fn json_is_the_same_value_without_characters_that_act() {
        let text = "\u{1b}[31m\u{9b}\u{7f}\u{202e}ä";
        let json = escape_json(&serde_json::to_string(text).unwrap()).into_owned();
        assert!(!json.contains(is_unsafe), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
