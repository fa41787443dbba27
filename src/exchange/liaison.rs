//! Liaisons: the purposes for which they read, and the access log of the objects that they received.

mod access_log;
mod accessed;
mod accesses;
mod purpose;

use std::sync::Arc;

pub use self::accessed::{AccessedObjects, MAX_OBJECTS_PER_ACCESS};
pub use self::accesses::{Access, AccessPage, AccessedObject};
use crate::exchange::core::Core;

/// Writes the access log of liaisons, and lists it for the authors of the objects.
#[derive(Clone, Debug)]
pub struct Liaison {
    core: Arc<Core>,
}

impl Liaison {
    pub(in crate::exchange) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}
