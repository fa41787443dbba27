//! `tipoff top`

mod exposition;
mod fetch;
mod overview;
mod screen;

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use console::Term;
use http::Uri;

use self::exposition::Exposition;
pub use self::fetch::OpsClient;
use self::fetch::Readiness;
use self::overview::{Interval, Overview};
use self::screen::Screen;
use super::failure::{Completion, Failure, Outcome};
use super::{Global, numbers, output, shutdown};
use crate::clock::{Clock, SystemClock};

/// Latencies on the screen are those of the last minute: in one interval there may be no call of a method.
const LATENCY_WINDOW: Duration = Duration::from_secs(60);

/// Watch a running node
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Run it on the machine of the node: the ops listener is on loopback. Ctrl-C ends it. --once and --json \
                  measure for one interval, print and exit. Latencies are those of the interval, and on the screen \
                  those of the last minute."
)]
pub struct Top {
    /// Address of the node's metrics
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7445/metrics")]
    metrics: Uri,
    /// Seconds between two reads
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    #[arg(value_parser = numbers::within::<u64>(1..=3_600))]
    interval: u64,
    /// Print one table and exit
    #[arg(long)]
    once: bool,
}

/// The metrics of one moment.
#[derive(Debug)]
struct Scrape {
    at: Instant,
    metrics: Exposition,
    readiness: Readiness,
}

impl Top {
    pub async fn run(&self, global: &Global) -> Outcome {
        let listener = OpsClient::new(self.metrics.clone(), global.ops_timeout())?;
        let mut history = VecDeque::from([scrape(&listener).await?]);
        if global.json || self.once {
            tokio::time::sleep(self.interval()).await;
            history.push_back(scrape(&listener).await?);
            let Some(overview) = overview(&history) else { return Ok(Completion::Whole) };
            if global.json {
                output::json(&overview)?;
            } else {
                output::line(&Screen::plain(&self.metrics).draw(&overview))?;
            }
            return Ok(Completion::Whole);
        }
        tokio::select! {
            failure = self.watch(&listener, history) => Err(failure),
            () = shutdown::requested()? => Ok(Completion::Whole),
        }
    }

    /// Shows the node until that fails. A node that does not answer for a while is shown as that.
    async fn watch(&self, listener: &OpsClient, mut history: VecDeque<Scrape>) -> Failure {
        loop {
            tokio::time::sleep(self.interval()).await;
            let shown = match scrape(listener).await {
                Ok(scrape) => {
                    let is_old = |first: &Scrape| scrape.at - first.at > LATENCY_WINDOW;
                    while history.len() > 1 && history.front().is_some_and(is_old) {
                        history.pop_front();
                    }
                    history.push_back(scrape);
                    overview(&history).map_or(Ok(()), |overview| self.show(&overview))
                }
                Err(failure) => show_failure(&failure),
            };
            if let Err(failure) = shown {
                return failure;
            }
        }
    }

    fn show(&self, overview: &Overview) -> Result<(), Failure> {
        let terminal = Term::buffered_stdout();
        if !io::stdout().is_terminal() {
            return output::line(&format!("{}\n", Screen::plain(&self.metrics).draw(overview)));
        }
        let (rows, columns) = terminal.size();
        let screen = Screen::of_size(&self.metrics, rows.into(), columns.into());
        redraw(&terminal, &screen.draw(overview))
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(self.interval)
    }
}

fn show_failure(failure: &Failure) -> Result<(), Failure> {
    if !io::stdout().is_terminal() {
        output::remark(&format!("tipoff: {failure}"));
        return Ok(());
    }
    let text = format!("{}\n{failure}", output::paint(output::BAD, "not reachable"));
    redraw(&Term::buffered_stdout(), &text)
}

async fn scrape(listener: &OpsClient) -> Result<Scrape, Failure> {
    let (metrics, readiness) = listener.scrape().await?;
    Ok(Scrape { at: SystemClock.instant(), metrics, readiness })
}

/// Rates are those between the last two scrapes; latencies are those since the first one. `None` if there are fewer than
/// two.
fn overview(history: &VecDeque<Scrape>) -> Option<Overview> {
    let (first, last) = (history.front()?, history.back()?);
    let previous = history.get(history.len().checked_sub(2)?)?;
    let interval = Interval {
        latency_from: &first.metrics,
        from: &previous.metrics,
        until: &last.metrics,
        seconds: (last.at - previous.at).as_secs_f64(),
    };
    Some(Overview::of(&interval, &last.readiness, SystemClock.now()))
}

/// Replaces what is on the terminal, in one write.
fn redraw(terminal: &Term, text: &str) -> Result<(), Failure> {
    let drawn = terminal
        .clear_screen()
        .and_then(|()| terminal.write_line(&output::for_terminal(text)))
        .and_then(|()| terminal.flush());
    drawn.map_err(|error| output::stdout_failure(&error))
}
