//! Runs the same history without one hidden object: other partners must observe the same, up to
//! order-preserving renumbering.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::hidden::Hidden;
use crate::history::{History, Op};
use crate::run::run;
use crate::trace::difference;

/// The number of histories with a hidden object.
pub static COMPARED: AtomicU64 = AtomicU64::new(0);

/// Removes a step that one partner can never see, and compares what that partner observes.
pub fn check(history: &History, seed: u64) -> Result<(), String> {
    // Without the step, a fault would hit another append.
    let mut history = history.without(|(_, op)| matches!(op, Op::Fault { .. }));
    // Where a page ends depends on what was scanned, so pages are not compared.
    history.whole_snapshots = true;
    let Some(Hidden { step, from, without }) = Hidden::of(&history, seed) else { return Ok(()) };
    COMPARED.fetch_add(1, Ordering::Relaxed);
    match difference(&run(&history, from)?, &run(&without, from)?) {
        None => Ok(()),
        Some(differs) => {
            Err(format!("step {step} is hidden from partner {from}, who observes {differs}"))
        }
    }
}
