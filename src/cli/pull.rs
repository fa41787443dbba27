//! `tipoff pull`

mod stix;
mod table;

use clap::ValueEnum;
use indicatif::ProgressBar;

use self::stix::CurrentObjects;
use self::table::Table;
use super::failure::{Completion, Failure, Outcome};
use super::filter::{FilterFlags, check_groups};
use super::purpose::PurposeFlags;
use super::subscribe::read_from;
use super::{Global, identity, numbers, output, render, text};
use crate::client::{self, ClientError, FeedEvent, FeedStart};
use crate::formats::export::Cells;
use crate::wire::pb;

/// Page size. The maximum that an exchange returns.
const MAX_PAGE_SIZE: u32 = 1_000;

/// Fetch everything that is shared with you, then exit
#[derive(Debug, clap::Args)]
#[command(
    after_help = "At the end the cursor is printed on stderr, for --since. The events are those of \
                  subscribe. In csv, `change` is `item` for a version to keep and `removal` for one to \
                  drop; other events are left out and counted on stderr. In stix, removed versions are \
                  left out; a version of an earlier pull that must be dropped is named on stderr. \
                  With --snapshot the bundle is complete."
)]
pub struct Pull {
    /// Where to start: `start`, `now` or a cursor. `now` fetches nothing and prints the current
    /// cursor
    #[arg(long, default_value = "start", value_name = "CURSOR|start|now")]
    since: String,
    /// Fetch a snapshot of everything that is current, to replace what you hold
    #[arg(long, conflicts_with_all = ["since", "limit"])]
    snapshot: bool,
    /// Stop after this many items and removals; other events are printed but not counted
    #[arg(long, value_name = "N", value_parser = numbers::at_least::<u64>(1))]
    limit: Option<u64>,
    /// Output format; default: lines for people
    #[arg(long)]
    format: Option<Format>,
    /// In csv, write cells as they are, for programs: a spreadsheet may take some for formulas
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    purpose: PurposeFlags,
}

/// The output format of a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON objects as of subscribe --json
    Jsonl,
    /// Table of versions with a header
    Csv,
    /// STIX 2.1 bundle of what is current
    Stix,
}

/// Prints events in one format.
enum Printer {
    Rows,
    Objects,
    Csv(Table),
    Stix(CurrentObjects),
}

impl Pull {
    pub async fn run(&self, global: &Global) -> Outcome {
        let mut from = read_from(&self.since, "--since")?;
        let filter = self.filter.filter()?;
        let mut printer = self.printer(global)?;
        let client = self.purpose.client(identity::client(global)?);
        if !filter.groups.is_empty() {
            check_groups(&filter.groups, &client.who_am_i().await?)?;
        }
        if self.snapshot {
            let bar = output::counter("receiving");
            let count = |items| bar.set_position(items);
            let snapshot = client.counted_snapshot(Some(filter), count).await?;
            bar.finish_and_clear();
            let items = snapshot.items.into_iter().map(|item| FeedEvent::Item(item.into()));
            printer.print(items.chain(snapshot.events), u64::MAX)?;
            printer.finish()?;
            output::remark(&format!("continue with --since {}", text::cursor(&snapshot.cursor)));
            return Ok(Completion::Whole);
        }
        let mut remaining = self.limit.unwrap_or(u64::MAX);
        let bar = printer.counter();
        let outcome = loop {
            let page_size = u32::try_from(remaining).unwrap_or(MAX_PAGE_SIZE).min(MAX_PAGE_SIZE);
            let mut page = match client.pull(&from, Some(filter.clone()), page_size).await {
                Ok(page) => page,
                Err(error) => break Err(explain(error)),
            };
            let (cursor, more) = (page.cursor.take(), page.more);
            let (counted, stopped_at) = printer.print(client::page_events(page), remaining)?;
            let Some(cursor) = stopped_at.or(cursor) else {
                break Err(Failure::failed("the exchange sent a page without a cursor"));
            };
            from = FeedStart::Cursor(cursor);
            remaining = remaining.saturating_sub(counted);
            bar.inc(counted);
            if !more || remaining == 0 {
                break Ok(());
            }
        };
        bar.finish_and_clear();
        printer.finish()?;
        // The cursor is valid for what was printed, also after an error.
        if let FeedStart::Cursor(cursor) = &from {
            output::remark(&format!("continue with --since {}", text::cursor(cursor)));
        }
        outcome.map(|()| Completion::Whole)
    }

    fn printer(&self, global: &Global) -> Result<Printer, Failure> {
        if self.raw && !matches!(self.format, Some(Format::Csv)) {
            return Err(Failure::usage("--raw is for --format csv"));
        }
        match (self.format, global.json) {
            (Some(Format::Csv | Format::Stix), true) => Err(Failure::usage(
                "--json prints one JSON object per line: omit it with --format csv or stix",
            )),
            (Some(Format::Csv), false) => {
                let cells = if self.raw { Cells::Raw } else { Cells::Safe };
                Ok(Printer::Csv(Table::of(cells)))
            }
            (Some(Format::Stix), false) => Ok(Printer::Stix(CurrentObjects::default())),
            (Some(Format::Jsonl), _) | (None, true) => Ok(Printer::Objects),
            (None, false) => Ok(Printer::Rows),
        }
    }
}

impl Printer {
    /// Counts what is received, where it does not disturb what is printed.
    fn counter(&self) -> ProgressBar {
        match self {
            Printer::Stix(_) => output::counter("receiving"),
            Printer::Rows | Printer::Objects | Printer::Csv(_) => {
                output::counter_beside_output("receiving")
            }
        }
    }

    /// Prints events of a page until `limit` items and removals are printed. Never stops between a
    /// removal and the item that replaces it.
    ///
    /// Returns how many items and removals it printed, and the cursor if it stopped early.
    fn print(
        &mut self,
        events: impl Iterator<Item = FeedEvent>,
        limit: u64,
    ) -> Result<(u64, Option<pb::Cursor>), Failure> {
        let (mut counted, mut stopped_at) = (0, None);
        let mut last: Option<FeedEvent> = None;
        for event in events {
            let previous = last.take();
            if counted >= limit && !matches!(previous, Some(FeedEvent::Removal(_))) {
                stopped_at = previous.and_then(|event| event.cursor().cloned());
                break;
            }
            counted += u64::from(render::feed::is_counted(&event));
            match self {
                Printer::Rows => output::line(&render::feed::row(&event))?,
                Printer::Objects => output::json(&render::feed::object(&event))?,
                Printer::Csv(table) => table.add(&event),
                Printer::Stix(current) => current.add(&event)?,
            }
            last = Some(event);
        }
        if let Printer::Csv(table) = self {
            output::bytes(&table.take()?)?;
        }
        Ok((counted, stopped_at))
    }

    /// Prints what the format collects until the end, and what it could not represent.
    fn finish(&self) -> Result<(), Failure> {
        match self {
            Printer::Csv(table) if table.left_out > 0 => {
                let what = text::count(table.left_out, "event");
                output::remark(&format!(
                    "{what} left out: csv has no columns for them, use --format jsonl"
                ));
            }
            Printer::Rows | Printer::Objects | Printer::Csv(_) => {}
            Printer::Stix(current) => current.print()?,
        }
        Ok(())
    }
}

/// Adds what to do if the cursor is older than what the exchange holds.
fn explain(error: ClientError) -> Failure {
    match error {
        ClientError::OutOfRange(_) => Failure::failed(format!(
            "{error}: fetch everything again with --snapshot and replace what you hold: removals since \
             then are no longer available"
        )),
        error => error.into(),
    }
}
