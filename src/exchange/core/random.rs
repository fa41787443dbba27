//! Where random ids come from.

use std::fmt;
use std::sync::Arc;

/// The source of the random ids of new objects: the operating system, or one that a simulation can repeat.
#[derive(Clone)]
pub struct RandomIds(Arc<dyn Fn() -> [u8; 16] + Send + Sync>);

impl RandomIds {
    /// Ids that a function returns. It has to return another one each time.
    pub fn from_fn(next: impl Fn() -> [u8; 16] + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    /// A new id.
    pub(in crate::exchange) fn next(&self) -> [u8; 16] {
        (self.0)()
    }
}

/// Ids of the operating system.
impl Default for RandomIds {
    fn default() -> Self {
        Self::from_fn(rand::random)
    }
}

impl fmt::Debug for RandomIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomIds")
    }
}
