//! The answers to a partner's queries.

use std::collections::BTreeSet;

use tipoff::client::{Client, ClientError};
use tipoff::domain::Position;

use tipoff::wire::pb;

use crate::history::{FilterSpec, ReaderSpec, VALUES};
use crate::ledger::Ledger;
use crate::trace::{Trace, observation};
use crate::walker::{Walker, versions};
use crate::words::{self, filter, key, position};

/// The versions that are current for a reader, by a snapshot. Without a filter, `GetIndicator` for
/// each value has to agree. Without expiry, the ledger has to agree too.
pub async fn current(
    spec: ReaderSpec,
    client: &Client,
    ledger: &Ledger,
    is_timeless: bool,
) -> Result<BTreeSet<Position>, String> {
    let (_, items) =
        client.snapshot(filter(spec.filter)).await.map_err(|error| error.to_string())?;
    items.iter().try_for_each(|item| ledger.check_now(spec.partner, item))?;
    let mut fresh = Walker::new(spec);
    fresh.held.reset(items);
    let held = versions(&fresh.held);
    if spec.filter != FilterSpec::Everything {
        return Ok(held);
    }
    let mut read = BTreeSet::new();
    for value in 0..VALUES {
        match client.indicator(key(value)).await {
            Ok(known) => {
                check_reactions(spec.partner, &known, ledger)?;
                read.extend(known.assessments.iter().map(|visible| position(visible.version)));
            }
            Err(ClientError::NotFound(_)) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    if read != held {
        return Err(format!("{spec:?}: reads give {read:?}, a snapshot {held:?}"));
    }
    let expected = ledger.current_for(spec.partner);
    if is_timeless && expected != held {
        return Err(format!(
            "{spec:?}: a snapshot gives {held:?}, and the ledger has {expected:?}"
        ));
    }
    Ok(held)
}

/// Checks that the returned sightings and feedback are shared with the reader, and that counts
/// include no others.
fn check_reactions(
    reader: u8,
    known: &pb::GetIndicatorResponse,
    ledger: &Ledger,
) -> Result<(), String> {
    let sightings = known.sightings.iter().map(|sighting| sighting.version);
    let feedback = known.feedback.iter().map(|feedback| feedback.version);
    sightings.chain(feedback).try_for_each(|version| ledger.check_reaction(reader, version))?;
    let visible: u64 = known.sightings.iter().map(|sighting| sighting.count).sum();
    if visible != known.seen_count {
        return Err(format!(
            "partner {reader} gets the count {}, but {visible} sightings",
            known.seen_count
        ));
    }
    Ok(())
}

/// The answer to every query that a partner may make.
pub async fn observe(client: &Client, trace: &mut Trace) {
    let keys: Vec<_> = (0..VALUES).map(key).collect();
    for result in client.lookup(&keys).await.unwrap() {
        match result.result.unwrap() {
            pb::lookup_result::Result::Known(summary) => observe_summary(&summary, trace),
            other => trace.push(observation(&format!("{other:?}"), [])),
        }
    }
    for key in keys {
        match client.indicator(key).await {
            Ok(known) => {
                observe_summary(known.summary.as_ref().unwrap(), trace);
                trace.push(observation(
                    &format!("seen {} omitted {}", known.seen_count, known.omitted),
                    [],
                ));
                trace.extend(known.assessments.iter().map(words::assessment));
                trace.extend(known.sightings.iter().map(words::sighting));
                trace.extend(known.feedback.iter().map(words::feedback));
            }
            Err(error) => trace.push(words::refused(&error)),
        }
    }
    let groups = client.groups().await.unwrap();
    let own = client.who_am_i().await.unwrap().groups;
    trace.push(observation(&format!("groups {groups:?}, in {own:?}"), []));
}

fn observe_summary(summary: &pb::IndicatorSummary, trace: &mut Trace) {
    let counts = (summary.disputed, summary.authors);
    trace.push(observation(&format!("summary {:?} {counts:?}", summary.indicator), []));
    trace.extend(summary.strongest.iter().map(words::assessment));
}
