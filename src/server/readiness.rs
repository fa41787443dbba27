//! Whether a node takes requests, and if not, why not.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Whether one part of the node is ready; if not, the reason for the operator.
type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What `/ready` answers: the node's own phase, and the parts that it depends on.
pub struct Readiness {
    /// Why the node itself is not ready: it starts, catches up or stops.
    phase: Mutex<Option<String>>,
    checks: Mutex<Vec<Check>>,
}

impl Readiness {
    /// The readiness of a node that starts.
    pub fn starting() -> Self {
        Self { phase: Mutex::new(Some("starting".into())), checks: Mutex::default() }
    }

    /// The node is not ready, for this reason, until it says otherwise.
    pub fn not_ready(&self, reason: impl Into<String>) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.into());
    }

    /// The node itself is ready.
    pub fn ready(&self) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Adds a part without which the node is not ready, asked each time.
    pub fn require(&self, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(check));
    }

    /// Whether the node takes requests; if not, the first reason.
    pub fn check(&self) -> Result<(), String> {
        if let Some(reason) = &*self.phase.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(reason.clone());
        }
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).iter().try_for_each(|it| it())
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").field("check", &self.check()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_node_is_ready_when_it_and_each_of_its_parts_are() {
        let readiness = Readiness::starting();
        assert_eq!(readiness.check(), Err("starting".into()));
        readiness.not_ready("catching up: 1 of 2 entries");
        assert_eq!(readiness.check(), Err("catching up: 1 of 2 entries".into()));
        readiness.ready();
        assert_eq!(readiness.check(), Ok(()));
        let is_open = Arc::new(AtomicBool::new(false));
        let part = Arc::clone(&is_open);
        readiness.require(move || {
            part.load(Ordering::Relaxed).then_some(()).ok_or_else(|| "the index is closed".into())
        });
        readiness.require(|| Ok(()));
        assert_eq!(readiness.check(), Err("the index is closed".into()));
        is_open.store(true, Ordering::Relaxed);
        assert_eq!(readiness.check(), Ok(()));
        readiness.not_ready("stopping");
        assert_eq!(readiness.check(), Err("stopping".into()));
    }
}
