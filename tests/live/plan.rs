//! A history, and the times when the exchange is killed in it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::history::{FilterSpec, History, Op};

/// The highest number of waits. The clock is real, so waiting takes time.
const MAX_WAITS: usize = 2;

#[derive(Clone, Debug)]
pub struct Plan {
    /// Its restarts are kills between the steps.
    pub history: History,
    /// Kills during steps: the delay after the begin of the step, by step number.
    pub kills: BTreeMap<u32, Duration>,
    /// Whether nothing expires, so that each run gives the same result.
    pub is_timeless: bool,
}

impl Plan {
    /// The plan of a seed. Deterministic.
    pub fn of(seed: u64) -> Self {
        let random = &mut StdRng::seed_from_u64(seed ^ 0xdead);
        let mut history = without_campaigns(History::of(seed));
        let mut waits = 0;
        history.steps.retain(|(_, op)| {
            waits += usize::from(matches!(op, Op::Wait { .. }));
            // The kills are the faults.
            !matches!(op, Op::Fault { .. })
                // Only the simulator has a ledger of tips.
                && !matches!(op, Op::Tip { .. } | Op::Respond { .. } | Op::WithdrawTip { .. })
                // Nor of lists.
                && !matches!(op, Op::CloseSubmission { .. } | Op::CloseIdle)
                && (waits <= MAX_WAITS || !matches!(op, Op::Wait { .. }))
        });
        let kills = history.steps.iter().filter_map(|(number, _)| {
            let after = Duration::from_millis(random.random_range(0..6));
            random.random_bool(0.15).then_some((*number, after))
        });
        Self { kills: kills.collect(), history, is_timeless: false }
    }

    /// The same plan without anything that depends on the time of day.
    pub fn timeless(mut self) -> Self {
        self.history.steps.retain(|(_, op)| !matches!(op, Op::Wait { .. }));
        for (_, op) in &mut self.history.steps {
            match op {
                Op::Submit { items, .. } => items.iter_mut().for_each(|item| item.hours = None),
                // Since before the first submission.
                Op::Suspend { compromised_hours: Some(hours), .. } => *hours = u16::MAX,
                _ => {}
            }
        }
        self.is_timeless = true;
        self
    }

    /// The same kills in another history.
    pub fn of_history(&self, history: History) -> Self {
        Self { history, ..self.clone() }
    }
}

/// Campaigns are only simulated around the core, because the expected answers are computed there.
fn without_campaigns(mut history: History) -> History {
    history.steps.retain(|(_, op)| !matches!(op, Op::Campaign(_)));
    for (_, op) in &mut history.steps {
        if let Op::Submit { items, .. } = op {
            for item in items.iter_mut() {
                item.campaign = None;
            }
        }
    }
    for reader in &mut history.readers {
        if matches!(reader.filter, FilterSpec::Campaign(_)) {
            reader.filter = FilterSpec::Everything;
        }
    }
    history
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "readers {:?}", self.history.readers)?;
        for (number, op) in &self.history.steps {
            write!(f, "{number:3} {op:?}")?;
            match self.kills.get(number) {
                Some(after) => writeln!(f, ", killed after {after:?}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
