//! facegraph's desk, which follows under a name: the exchange keeps its place.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::failure::Failure;
use super::super::{subscription, words};
use super::reader::Reader;
use super::stage::Stage;
use super::{heading, say, show};
use crate::client::{Client, FeedStart};
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// The name of its subscription.
pub const NAME: &str = "desk";
/// How long it may take until a sign of life says that nothing is left: the exchange of the demo sends
/// one each second.
const CATCH_UP: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// Follows from the start as `desk`, up to the versions that there are, and acknowledges them.
pub async fn open(stage: &Stage, versions: usize) -> Result<Reader, Failure> {
    heading("A desk at facegraph follows under a name, and the exchange keeps its place")?;
    let client = stage.connected("facegraph").await?;
    let clock = SystemClock;
    let begun = clock.instant();
    let mut desk =
        Reader::of("facegraph", client.subscribe_named(NAME, FeedStart::Beginning, None));
    desk.fill(versions).await?;
    let took = clock.instant().duration_since(begun);
    let behind = status(&client).await?.lag_entries;
    say(&format!(
        "{NAME} took {} in {} ms; not acknowledged yet: {behind} entries behind",
        words::count(versions as u64, "indicator"),
        took.as_millis()
    ))?;
    if behind == 0 {
        return Err(Failure::failed("nothing is acknowledged, and nothing is behind"));
    }
    say("once it has acknowledged them, subscription list says:")?;
    show(&subscription::table(&[catch_up(&client, &mut desk).await?]))?;
    Ok(desk)
}

/// Acknowledges until the exchange knows of no entry behind it. Some entries hold nothing for it, such as
/// the close of the submission: a sign of life leads past them.
async fn catch_up(client: &Client, desk: &mut Reader) -> Result<pb::SubscriptionStatus, Failure> {
    let catching_up = async {
        loop {
            desk.acknowledge().await?;
            let status = status(client).await?;
            if status.lag_entries == 0 {
                return Ok::<_, Failure>(status);
            }
            if let Ok(next) = tokio::time::timeout(PAUSE, desk.next()).await {
                next?;
            }
        }
    };
    let caught_up = tokio::time::timeout(CATCH_UP, catching_up).await;
    caught_up.unwrap_or_else(|_| Err(Failure::failed(format!("{NAME} stayed behind"))))
}

async fn status(client: &Client) -> Result<pb::SubscriptionStatus, Failure> {
    let all = client.subscriptions().await?;
    let own = all.into_iter().find(|one| one.name == NAME);
    own.ok_or_else(|| Failure::failed(format!("the exchange keeps no subscription `{NAME}`")))
}

/// Holds what both readers hold against each other and against what the exchange would give now.
pub async fn hold_what_stands(
    stage: &Stage,
    desk: &Reader,
    other: &Reader,
) -> Result<usize, Failure> {
    let (_, standing) = stage.client(desk.partner)?.snapshot(None).await?;
    let place = |item: &pb::FeedItem| {
        let version = item.version.unwrap_or_default();
        (version.sequence, version.index)
    };
    let standing: BTreeSet<_> = standing.iter().map(place).collect();
    for reader in [desk, other] {
        let held: BTreeSet<_> = reader.held().items().map(place).collect();
        if held != standing {
            let partner = reader.partner;
            return Err(Failure::failed(format!("{partner} does not hold what stands")));
        }
    }
    Ok(standing.len())
}
