//! `tipoff pull`

mod stix;
mod table;

use clap::ValueEnum;

use self::stix::CurrentObjects;
use self::table::Table;
use super::failure::{Completion, Failure, Outcome};
use super::filter::FilterFlags;
use super::purpose::PurposeFlags;
use super::subscribe::read_from;
use super::{Global, identity, output, shown, words};
use crate::client::{self, ClientError, FeedEvent, FeedStart};
use crate::wire::pb;

/// The most of a page that an exchange gives.
const PAGE: u32 = 1_000;

/// Take what is shared with you until there is no more, and end
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The place where it stopped is printed on stderr, for --since. It gives what \
                  subscribe would: in csv, `change` says whether a line is a version to hold or one to \
                  drop, and what is neither is left out and counted on stderr. In stix, what was \
                  dropped again is left out, and what was given by an earlier pull is named on stderr \
                  where it is to be dropped: with --snapshot a bundle is all there is."
)]
pub struct Pull {
    /// Where to begin: `start`, `now`, or a cursor. From `now` there is nothing yet: it gives the
    /// place to go on from
    #[arg(long, default_value = "start", value_name = "CURSOR|start|now")]
    since: String,
    /// Take a snapshot instead: everything that is current, to hold in place of what you hold
    #[arg(long, conflicts_with_all = ["since", "limit"])]
    snapshot: bool,
    /// Stop after this many items and removals; what else comes is printed and not counted
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// For other programs; lines for people when left out
    #[arg(long)]
    format: Option<Format>,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    purpose: PurposeFlags,
}

/// What a pull is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The objects that subscribe --json prints
    Jsonl,
    /// A table of versions, with a header
    Csv,
    /// A STIX 2.1 bundle of what is current
    Stix,
}

/// Where the lines go.
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
        if self.snapshot {
            let whole = client.whole_snapshot(Some(filter)).await?;
            let items = whole.items.into_iter().map(|item| FeedEvent::Item(item.into()));
            printer.print(items.chain(whole.others), u64::MAX)?;
            printer.finish()?;
            output::remark(&format!("go on with --since {}", words::cursor(&whole.cursor)));
            return Ok(Completion::Whole);
        }
        let mut left = self.limit.unwrap_or(u64::MAX);
        let pulled = loop {
            let page_size = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
            let mut page = match client.pull(&from, Some(filter.clone()), page_size).await {
                Ok(page) => page,
                Err(error) => break Err(explain(error)),
            };
            let (cursor, more) = (page.cursor.take(), page.more);
            let (counted, cut) = printer.print(client::events(page), left)?;
            let Some(cursor) = cut.or(cursor) else {
                break Err(Failure::failed("the exchange sent a page without a cursor"));
            };
            from = FeedStart::Cursor(cursor);
            left = left.saturating_sub(counted);
            if !more || left == 0 {
                break Ok(());
            }
        };
        printer.finish()?;
        // Good for what was printed, whatever came then.
        if let FeedStart::Cursor(cursor) = &from {
            output::remark(&format!("go on with --since {}", words::cursor(cursor)));
        }
        pulled.map(|()| Completion::Whole)
    }

    fn printer(&self, global: &Global) -> Result<Printer, Failure> {
        match (self.format, global.json) {
            (Some(Format::Csv | Format::Stix), true) => {
                Err(Failure::usage("--json prints objects a line: leave it out for another format"))
            }
            (Some(Format::Csv), false) => Ok(Printer::Csv(Table::default())),
            (Some(Format::Stix), false) => Ok(Printer::Stix(CurrentObjects::default())),
            (Some(Format::Jsonl), _) | (None, true) => Ok(Printer::Objects),
            (None, false) => Ok(Printer::Rows),
        }
    }
}

impl Printer {
    /// Prints a page, or about so many items and removals of it: what an item takes the place of is not
    /// cut off from it. Gives how many it printed, and where it cut, if it did.
    fn print(
        &mut self,
        events: impl Iterator<Item = FeedEvent>,
        most: u64,
    ) -> Result<(u64, Option<pb::Cursor>), Failure> {
        let (mut counted, mut cut) = (0, None);
        let mut last: Option<FeedEvent> = None;
        for event in events {
            let before = last.take();
            if counted >= most && !matches!(before, Some(FeedEvent::Removal(_))) {
                cut = before.and_then(|event| event.cursor().cloned());
                break;
            }
            counted += u64::from(shown::is_counted(&event));
            match self {
                Printer::Rows => output::line(&shown::row(&event))?,
                Printer::Objects => output::json(&shown::object(&event))?,
                Printer::Csv(table) => table.add(&event),
                Printer::Stix(current) => current.add(&event)?,
            }
            last = Some(event);
        }
        if let Printer::Csv(table) = self {
            output::bytes(&table.take()?)?;
        }
        Ok((counted, cut))
    }

    /// Prints what stands until the end, and what the format could not say.
    fn finish(&self) -> Result<(), Failure> {
        match self {
            Printer::Csv(table) if table.left_out > 0 => {
                let what = words::count(table.left_out, "event");
                output::remark(&format!(
                    "{what} left out, which csv has no columns for: see --format jsonl"
                ));
            }
            Printer::Rows | Printer::Objects | Printer::Csv(_) => {}
            Printer::Stix(current) => current.print()?,
        }
        Ok(())
    }
}

/// Says what helps where a place is older than what the exchange holds.
fn explain(error: ClientError) -> Failure {
    match error {
        ClientError::OutOfRange(_) => Failure::failed(format!(
            "{error}: take everything again with --snapshot, in place of what you hold: what ended \
             meanwhile is not told any more"
        )),
        error => error.into(),
    }
}
