//! The same history with one hidden object taken out: what others observe is the same, up to
//! order-preserving renumbering.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::hidden::Hidden;
use crate::history::{History, Op};
use crate::run::run;
use crate::trace::difference;

/// How many histories had something hidden in them.
pub static HAD_SOMETHING: AtomicU64 = AtomicU64::new(0);

/// Takes out something that one of the partners can never see, and compares what it observes.
pub fn check(history: &History, seed: u64) -> Result<(), String> {
    // A fault would hit another append once one is taken out.
    let mut history = history.without(|(_, op)| matches!(op, Op::Fault { .. }));
    // A page ends by what was looked at, and where it ends is told to nobody.
    history.whole_snapshots = true;
    let Some(Hidden { step, from, without }) = Hidden::of(&history, seed) else { return Ok(()) };
    HAD_SOMETHING.fetch_add(1, Ordering::Relaxed);
    match difference(&run(&history, from)?, &run(&without, from)?) {
        None => Ok(()),
        Some(differs) => {
            Err(format!("step {step} is hidden from partner {from}, who observes {differs}"))
        }
    }
}
