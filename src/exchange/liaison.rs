//! The liaison lane: the purposes for which liaisons read, and the log of what they were given.

mod access_log;
mod accessed;
mod accesses;
mod purpose;

use std::sync::Arc;

pub use self::accessed::{AccessedObjects, MAX_OBJECTS_PER_ACCESS};
pub use self::accesses::{Access, AccessPage, AccessedObject};
use crate::exchange::core::Core;

/// Records what liaisons are given, and lists it for the authors.
#[derive(Clone, Debug)]
pub struct Liaison {
    core: Arc<Core>,
}

impl Liaison {
    pub(in crate::exchange) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}
