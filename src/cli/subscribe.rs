//! `tipoff subscribe`

mod cursor;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use self::cursor::CursorStore;
use super::failure::{Completion, Failure, Outcome};
use super::filter::{FilterFlags, check_groups};
use super::purpose::PurposeFlags;
use super::{Global, identity, numbers, output, render, shutdown, text};
use crate::client::{Client, ClientError, FeedStart, FeedState, RetryPolicy, Subscription};
use crate::wire::pb;

/// How often the cursor is stored while it moves.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// Follow what is shared with you
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Runs until it is interrupted, also across restarts of the exchange. `dropped` is a \
                  version that is no longer valid: delete it. At the end the cursor is printed on \
                  stderr, for --from. With --name or --state the cursor is stored and the next run \
                  continues from it. The last versions may then be printed again: apply each \
                  version once."
)]
pub struct Subscribe {
    /// Where to start: `start`, `now` or a cursor. With --name or --state, only for a new one
    #[arg(long, default_value = "now", value_name = "start|now|CURSOR")]
    from: String,
    /// Store the cursor at the exchange under this name, of A-Z a-z 0-9 . _ -
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Store the cursor in this file; it is created if it does not exist
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    state: Option<PathBuf>,
    /// Stop after this many items and removals; other events are printed but not counted
    #[arg(long, value_name = "N", value_parser = numbers::at_least::<usize>(0))]
    count: Option<usize>,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    purpose: PurposeFlags,
}

/// Why a feed ended without an error.
enum FollowEnd {
    /// It was interrupted, or --count was reached.
    Requested,
    /// The reader of stdout has closed the pipe.
    PipeClosed,
}

impl Subscribe {
    pub async fn run(&self, global: &Global) -> Outcome {
        let from = read_from(&self.from, "--from")?;
        let filter = self.filter.filter()?;
        let client = self.purpose.client(identity::client(global)?);
        // Fail now if the exchange cannot be reached. From here on the feed retries without limit.
        let me = client.who_am_i().await?;
        check_groups(&filter.groups, &me)?;
        let (mut feed, mut store) = self.open(&client, &me, from, filter, global)?;
        let mut printed = feed.cursor().cloned();
        let ended = self.follow(&mut feed, &mut store, &mut printed, global).await;
        // If a line could not be printed, the feed is already past it, but the reader is not.
        let last = match ended {
            Ok(FollowEnd::Requested) | Err(FollowError::Feed(_)) => feed.cursor().cloned(),
            Ok(FollowEnd::PipeClosed) | Err(FollowError::Local(_)) => printed,
        };
        let saved = store.save(last.as_ref()).await;
        let ended = ended.map_err(|error| self.explain(error))?;
        saved?;
        if let (FollowEnd::Requested, CursorStore::None, Some(cursor)) = (ended, &store, last) {
            output::remark(&format!("continue with --from {}", text::cursor(&cursor)));
        }
        Ok(Completion::Whole)
    }

    fn open(
        &self,
        client: &Client,
        me: &pb::WhoAmIResponse,
        from: FeedStart,
        filter: pb::Filter,
        global: &Global,
    ) -> Result<(Subscription, CursorStore), Failure> {
        let retrying = client.clone().with_retry_policy(RetryPolicy::unlimited());
        if let Some(name) = &self.name {
            let feed = retrying.subscribe_named(name, from, Some(filter));
            let store = CursorStore::exchange(client.clone(), name.clone(), feed.cursor().cloned());
            return Ok((feed, store));
        }
        let Some(path) = &self.state else {
            return Ok((retrying.subscribe(from, Some(filter)), CursorStore::None));
        };
        let partner = me.partner.clone().unwrap_or_default().id;
        let state = FeedState::open(path, &global.servers, &partner, Some(&filter))?;
        let from = state.cursor().map_or(from, FeedStart::Cursor);
        Ok((retrying.subscribe(from, Some(filter)), CursorStore::File(state)))
    }

    /// Prints events until the end. `printed` is the cursor after the last line that the reader
    /// could read.
    async fn follow(
        &self,
        feed: &mut Subscription,
        store: &mut CursorStore,
        printed: &mut Option<pb::Cursor>,
        global: &Global,
    ) -> Result<FollowEnd, FollowError> {
        let shutdown = shutdown::requested()?;
        tokio::pin!(shutdown);
        let mut save_timer = tokio::time::interval(SAVE_INTERVAL);
        save_timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut remaining = self.count.unwrap_or(usize::MAX);
        let bar = output::counter_beside_output("received");
        while remaining > 0 {
            let event = tokio::select! {
                event = feed.next_event() => event?,
                _ = save_timer.tick() => {
                    store.try_save(feed.cursor()).await?;
                    continue;
                }
                () = &mut shutdown => break,
            };
            let Some(event) = event else { break };
            let line = if global.json {
                render::feed::object(&event).to_string()
            } else {
                render::feed::row(&event)
            };
            if !output::try_line(&line)? {
                return Ok(FollowEnd::PipeClosed);
            }
            *printed = feed.cursor().cloned();
            let counted = render::feed::is_counted(&event);
            remaining -= usize::from(counted);
            bar.inc(u64::from(counted));
        }
        Ok(FollowEnd::Requested)
    }

    /// Adds what to do if the cursor is older than what the exchange holds.
    fn explain(&self, error: FollowError) -> Failure {
        let error = match error {
            FollowError::Feed(error @ ClientError::OutOfRange(_)) => error,
            FollowError::Feed(error) => return error.into(),
            FollowError::Local(failure) => return failure,
        };
        let first = match (&self.state, &self.name) {
            (Some(file), _) => format!("delete {} and ", file.display()),
            (None, Some(name)) => format!("run `tipoff subscription delete {name}` and "),
            (None, None) => String::new(),
        };
        Failure::failed(format!(
            "{error}: {first}start again with --from start and replace what you hold: removals since then \
             are no longer available"
        ))
    }
}

/// Why following failed.
enum FollowError {
    /// The exchange returned an error.
    Feed(ClientError),
    /// A local error.
    Local(Failure),
}

impl std::convert::From<ClientError> for FollowError {
    fn from(error: ClientError) -> Self {
        FollowError::Feed(error)
    }
}

impl std::convert::From<Failure> for FollowError {
    fn from(failure: Failure) -> Self {
        FollowError::Local(failure)
    }
}

/// Parses the start of a feed from the value of `flag`.
pub fn read_from(text: &str, flag: &str) -> Result<FeedStart, Failure> {
    match text {
        "start" => Ok(FeedStart::Beginning),
        "now" => Ok(FeedStart::Now),
        text => text::read_cursor(text).map(FeedStart::Cursor).ok_or_else(|| {
            Failure::usage(format!("{flag} {text} is neither start, now nor a cursor"))
        }),
    }
}
