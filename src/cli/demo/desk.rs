//! facegraph's desk: a reader with a durable subscription.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::failure::Failure;
use super::super::{subscription, text};
use super::reader::Reader;
use super::stage::Stage;
use super::{heading, say, show};
use crate::client::{Client, FeedStart};
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// Name of its subscription.
pub const NAME: &str = "desk";
/// How long the desk may take to catch up. The last step needs a heartbeat, which the exchange of
/// the demo sends every second.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Subscribes as `desk` from the start, reads `versions` versions and acknowledges them.
pub async fn open(stage: &Stage, versions: usize) -> Result<Reader, Failure> {
    heading("A desk at facegraph uses a durable subscription: the exchange stores its cursor")?;
    let client = stage.connected("facegraph").await?;
    let clock = SystemClock;
    let started = clock.instant();
    let mut desk =
        Reader::of("facegraph", client.subscribe_named(NAME, FeedStart::Beginning, None));
    desk.fill(versions).await?;
    let took = clock.instant().duration_since(started);
    let lag = status(&client).await?.lag_entries;
    say(&format!(
        "{NAME} received {} in {} ms; nothing acknowledged yet: {lag} entries behind",
        text::count(versions as u64, "indicator"),
        took.as_millis()
    ))?;
    if lag == 0 {
        return Err(Failure::failed("nothing was acknowledged, but the subscription has no lag"));
    }
    say("after it acknowledged them, subscription list prints:")?;
    show(&subscription::table(&[catch_up(&client, &mut desk).await?]))?;
    Ok(desk)
}

/// Acknowledges until the lag is zero. Entries without events for the desk, such as the close of
/// the submission, are passed by a heartbeat.
async fn catch_up(client: &Client, desk: &mut Reader) -> Result<pb::SubscriptionStatus, Failure> {
    let catching_up = async {
        loop {
            desk.acknowledge().await?;
            let status = status(client).await?;
            if status.lag_entries == 0 {
                return Ok::<_, Failure>(status);
            }
            if let Ok(next) = tokio::time::timeout(POLL_INTERVAL, desk.next()).await {
                next?;
            }
        }
    };
    let caught_up = tokio::time::timeout(CATCH_UP_TIMEOUT, catching_up).await;
    caught_up.unwrap_or_else(|_| Err(Failure::failed(format!("{NAME} did not catch up"))))
}

async fn status(client: &Client) -> Result<pb::SubscriptionStatus, Failure> {
    let all = client.subscriptions().await?;
    let own = all.into_iter().find(|one| one.name == NAME);
    own.ok_or_else(|| Failure::failed(format!("the exchange has no subscription `{NAME}`")))
}

/// Checks that both readers have exactly the versions of a snapshot taken now. Returns their
/// number.
pub async fn compare_with_snapshot(
    stage: &Stage,
    desk: &Reader,
    other: &Reader,
) -> Result<usize, Failure> {
    let (_, current) = stage.client(desk.partner)?.snapshot(None).await?;
    let key = |item: &pb::FeedItem| {
        let version = item.version.unwrap_or_default();
        (version.sequence, version.index)
    };
    let current: BTreeSet<_> = current.iter().map(key).collect();
    for reader in [desk, other] {
        let held: BTreeSet<_> = reader.replica().items().map(key).collect();
        if held != current {
            let partner = reader.partner;
            return Err(Failure::failed(format!(
                "{partner} does not have exactly what a snapshot returns"
            )));
        }
    }
    Ok(current.len())
}
