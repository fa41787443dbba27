//! Shrinks a failing history to the shortest one that still fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::history::History;

pub type Check = fn(&History, u64) -> Result<(), String>;

/// Whether a check holds. A panic is a failure too.
pub fn holds(history: &History, seed: u64, check: Check) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| check(history, seed))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

/// Removes the steps that are not needed for the failure, and panics with the rest.
pub fn show(history: &History, seed: u64, check: Check) {
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut shortest = history.clone();
    let mut size = shortest.steps.len();
    while size > 0 {
        let mut at = 0;
        while at < shortest.steps.len() {
            let left_out: Vec<u32> =
                shortest.steps.iter().skip(at).take(size).map(|(number, _)| *number).collect();
            let shorter = shortest.without(|(number, _)| left_out.contains(number));
            if holds(&shorter, seed, check).is_err() {
                shortest = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    std::panic::set_hook(quiet);
    let why = holds(&shortest, seed, check).unwrap_err();
    panic!("seed {seed}: {why}\nreaders {:?}\nsteps {:#?}", shortest.readers, shortest.steps);
}
