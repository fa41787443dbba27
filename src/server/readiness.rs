//! Whether a node is ready to serve; if not, the reason.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Checks one component of the node; if it is not ready, the reason for the operator.
type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The state behind `/ready`: the node's own phase, and checks of its components.
pub struct Readiness {
    /// Why the node itself is not ready: it starts, catches up or stops. `None` when it is ready.
    phase: Mutex<Option<String>>,
    checks: Mutex<Vec<Check>>,
}

impl Readiness {
    /// The readiness of a starting node.
    pub fn starting() -> Self {
        Self { phase: Mutex::new(Some("starting".into())), checks: Mutex::default() }
    }

    /// Marks the node as not ready, with a reason, until the next call.
    pub fn not_ready(&self, reason: impl Into<String>) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.into());
    }

    /// Marks the node itself as ready.
    pub fn ready(&self) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Adds a component check. It runs on every query.
    pub fn require(&self, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(check));
    }

    /// Whether the node is ready; if not, the first reason.
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
