//! `tipoff subscribe`

mod place;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use self::place::PositionKeeper;
use super::failure::{Completion, Failure, Outcome};
use super::filter::FilterFlags;
use super::purpose::PurposeFlags;
use super::{Global, identity, output, shown, stop, words};
use crate::client::{Client, ClientError, FeedStart, FeedState, Patience, Subscription};
use crate::wire::pb;

/// How often the place is kept while it moves.
const KEEPING: Duration = Duration::from_secs(1);

/// Follow what is shared with you
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Goes on until it is interrupted, over restarts of the exchange too. What is dropped is \
                  a version that was given out and no longer holds. The place where it stopped is \
                  printed on stderr, for --from; with --name or --state it is kept, and the next run \
                  goes on behind what was printed. What was printed last may come again then: apply a \
                  version once."
)]
pub struct Subscribe {
    /// Where to begin: `start`, `now`, or a cursor. With --name or --state, where a new one begins
    #[arg(long, default_value = "now", value_name = "start|now|CURSOR")]
    from: String,
    /// The exchange keeps the place under this name, of A-Z a-z 0-9 . _ -
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Keep the place in this file, made when it is not there
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    state: Option<PathBuf>,
    /// Stop after this many items and removals; what else comes is printed and not counted
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    purpose: PurposeFlags,
}

/// How following came to its end.
enum FollowEnd {
    /// As it was asked to.
    Asked,
    /// Nobody reads what is printed any more.
    Unread,
}

impl Subscribe {
    pub async fn run(&self, global: &Global) -> Outcome {
        let from = read_from(&self.from, "--from")?;
        let filter = self.filter.filter()?;
        let client = self.purpose.client(identity::client(global)?);
        // Shows at once whether the exchange is there; from then on the feed outlasts it.
        let me = client.who_am_i().await?;
        let (mut feed, mut place) = self.open(&client, &me, from, filter, global)?;
        let mut printed = feed.cursor().cloned();
        let ended = self.follow(&mut feed, &mut place, &mut printed, global).await;
        // Where a line could not be printed, the feed stands behind it, and the reader does not.
        let last = match ended {
            Ok(FollowEnd::Asked) | Err(FollowError::Feed(_)) => feed.cursor().cloned(),
            Ok(FollowEnd::Unread) | Err(FollowError::Here(_)) => printed,
        };
        let kept = place.keep(last.as_ref()).await;
        let ended = ended.map_err(|error| self.explain(error))?;
        kept?;
        if let (FollowEnd::Asked, PositionKeeper::Nowhere, Some(cursor)) = (ended, &place, last) {
            output::remark(&format!("go on with --from {}", words::cursor(&cursor)));
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
    ) -> Result<(Subscription, PositionKeeper), Failure> {
        let endless = client.clone().with_patience(Patience::endless());
        if let Some(name) = &self.name {
            let feed = endless.subscribe_named(name, from, Some(filter));
            let place =
                PositionKeeper::exchange(client.clone(), name.clone(), feed.cursor().cloned());
            return Ok((feed, place));
        }
        let Some(path) = &self.state else {
            return Ok((endless.subscribe(from, Some(filter)), PositionKeeper::Nowhere));
        };
        let partner = me.partner.clone().unwrap_or_default().id;
        let state = FeedState::open(path, &global.server, &partner, Some(&filter))?;
        let from = state.cursor().map_or(from, FeedStart::Cursor);
        Ok((endless.subscribe(from, Some(filter)), PositionKeeper::File(state)))
    }

    /// Prints what comes. `printed` is the place behind the last line that somebody could read.
    async fn follow(
        &self,
        feed: &mut Subscription,
        place: &mut PositionKeeper,
        printed: &mut Option<pb::Cursor>,
        global: &Global,
    ) -> Result<FollowEnd, FollowError> {
        let stop = stop::told()?;
        tokio::pin!(stop);
        let mut keeping = tokio::time::interval(KEEPING);
        keeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut left = self.count.unwrap_or(usize::MAX);
        while left > 0 {
            let event = tokio::select! {
                event = feed.next_event() => event?,
                _ = keeping.tick() => {
                    place.keep_if_possible(feed.cursor()).await?;
                    continue;
                }
                () = &mut stop => break,
            };
            let Some(event) = event else { break };
            let line =
                if global.json { shown::object(&event).to_string() } else { shown::row(&event) };
            if !output::offer(&line)? {
                return Ok(FollowEnd::Unread);
            }
            *printed = feed.cursor().cloned();
            left -= usize::from(shown::is_counted(&event));
        }
        Ok(FollowEnd::Asked)
    }

    /// Says what helps where a place is older than what the exchange holds.
    fn explain(&self, stopped: FollowError) -> Failure {
        let error = match stopped {
            FollowError::Feed(error @ ClientError::OutOfRange(_)) => error,
            FollowError::Feed(error) => return error.into(),
            FollowError::Here(failure) => return failure,
        };
        let first = match (&self.state, &self.name) {
            (Some(file), _) => format!("delete {} and ", file.display()),
            (None, Some(name)) => format!("run `tipoff subscription delete {name}` and "),
            (None, None) => String::new(),
        };
        Failure::failed(format!(
            "{error}: {first}take everything again with --from start, in place of what you hold: what \
             ended meanwhile is not told any more"
        ))
    }
}

/// Why following failed.
enum FollowError {
    /// The exchange says no.
    Feed(ClientError),
    /// Something here.
    Here(Failure),
}

impl std::convert::From<ClientError> for FollowError {
    fn from(error: ClientError) -> Self {
        FollowError::Feed(error)
    }
}

impl std::convert::From<Failure> for FollowError {
    fn from(failure: Failure) -> Self {
        FollowError::Here(failure)
    }
}

/// Reads where to begin, from the flag that says so.
pub fn read_from(text: &str, flag: &str) -> Result<FeedStart, Failure> {
    match text {
        "start" => Ok(FeedStart::Beginning),
        "now" => Ok(FeedStart::Now),
        text => words::read_cursor(text).map(FeedStart::Cursor).ok_or_else(|| {
            Failure::usage(format!("{flag} {text} is neither start, now nor a cursor"))
        }),
    }
}
