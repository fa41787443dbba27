//! Non-interference in the liaison lane.

use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{LaneRun, Observer, run};
use crate::history::{AudienceBits, History, Op};
use crate::lane_history::{LaneHistory, LaneOp};
use crate::lane_tips;
use crate::liaison::{FilterSpec, ReaderSpec};
use crate::trace::difference;

/// The number of histories with a hidden object.
pub static COMPARED: AtomicU64 = AtomicU64::new(0);

/// Removes a step that is hidden from a partner or liaison, and compares what it observes.
pub fn check(history: &History, seed: u64) -> Result<(), String> {
    // Without the step, a fault would hit another append.
    let steps = history.without(|(_, op)| matches!(op, Op::Fault { .. }));
    let history = LaneHistory::of(&steps, seed);
    let random = &mut StdRng::seed_from_u64(seed ^ 0x5eed);
    let observer = match random.random_range(0..4) {
        0..2 => Observer::Liaison(random.random_range(0..2)),
        _ => Observer::Partner(random.random_range(0..5)),
    };
    let hidden = |op: &LaneOp| match (observer, op) {
        // Only the author and the liaison learn of a release and of its end.
        (
            Observer::Partner(partner),
            LaneOp::Release { author, .. }
            | LaneOp::Retract { author, .. }
            | LaneOp::ReleaseCampaign { author, .. }
            | LaneOp::RetractCampaign { author, .. },
        ) => *author != partner,
        (
            Observer::Liaison(own),
            LaneOp::Release { liaisons, .. }
            | LaneOp::Retract { liaisons, .. }
            | LaneOp::ReleaseCampaign { liaisons, .. }
            | LaneOp::RetractCampaign { liaisons, .. },
        ) => liaisons & (1 << own) == 0,
        // A submission whose author never releases anything to it.
        (Observer::Liaison(own), LaneOp::Submit { author, to, .. }) => {
            *to != AudienceBits::Public && !history.ever_releases(*author, own)
        }
        (Observer::Liaison(own), op) => lane_tips::is_hidden(&history.lane, op, Ok(own)),
        (Observer::Partner(partner), op) => lane_tips::is_hidden(&history.lane, op, Err(partner)),
    };
    let all: Vec<_> = history.lane.iter().filter(|(_, _, op)| hidden(op)).collect();
    let Some(number) = all.choose(random).map(|(_, number, _)| *number) else { return Ok(()) };
    COMPARED.fetch_add(1, Ordering::Relaxed);
    let (with, without) = (run(&history, observer)?, run(&history.without(number), observer)?);
    match difference(&with, &without) {
        None => Ok(()),
        Some(differs) => {
            Err(format!("{number} is hidden from {observer:?}, who observes {differs}"))
        }
    }
}

/// Retracts a release while a snapshot is in progress. Returns whether the snapshot may deliver the
/// version before and after that.
pub fn retracted_meanwhile() -> [bool; 2] {
    let empty = History::of(0).without(|_| true);
    let reader = ReaderSpec { liaison: 0, public_only: false, filter: FilterSpec::Everything };
    let history = LaneHistory { base: empty, readers: vec![reader], lane: Vec::new() };
    let mut lane = LaneRun::new(&history, Observer::Liaison(0));
    let (author, values, hours) = (0, vec![0], None);
    let submit = LaneOp::Submit {
        author,
        to: AudienceBits::Everyone,
        values: values.clone(),
        to_liaison: 0,
        hours,
        confidence: 80,
    };
    lane.step(0, &submit).unwrap();
    let caller = crate::liaison::caller(&lane.run.world, 0);
    let request = lane.readers[0].feed_request(&lane.run.world);
    let mut snapshot = lane.run.world.exchange().feeds.snapshot(&caller, request).unwrap();
    let page = snapshot.next_page(9).unwrap().unwrap();
    let part = page.first().expect("it was released");
    let before = snapshot.may_still_deliver(part).unwrap();
    lane.step(1, &LaneOp::Retract { author, values, liaisons: 1 }).unwrap();
    [before, snapshot.may_still_deliver(part).unwrap()]
}
