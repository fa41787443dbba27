//! Sweeps: periodic work of the exchange itself. Any node may run them: the id of each entry is derived from its
//! content, so the entry is stored once.

mod expiry;
mod idle_close;
mod referral;
mod release_expiry;
mod reopening;
mod retention;

use std::sync::Arc;

use crate::exchange::core::Core;

/// Runs the periodic work.
#[derive(Clone, Debug)]
pub struct Sweeps {
    core: Arc<Core>,
}

impl Sweeps {
    pub(in crate::exchange) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}
