//! Sweeps: what the exchange does by itself as time passes. Any node may run them: the id of each entry is
//! derived from what it does, so it is stored once.

mod expiry;
mod idle_close;
mod referral;
mod release_expiry;
mod reopening;
mod retention;

use std::sync::Arc;

use crate::exchange::core::Core;

/// Ends what is due.
#[derive(Clone, Debug)]
pub struct Sweeps {
    core: Arc<Core>,
}

impl Sweeps {
    pub(in crate::exchange) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}
