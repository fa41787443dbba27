//! Logs that the disk has too little room: once, and once more when it has room again.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{error, info};

use super::AppendError;

/// Whether the last check found too little room on the disk.
#[derive(Debug, Default)]
pub struct SpaceLog(AtomicBool);

impl SpaceLog {
    /// Records that the disk has too little room. Logs it if it had room before.
    pub fn full(&self, refusal: &AppendError) {
        if !self.0.swap(true, Ordering::Relaxed) {
            error!("requests that write are refused: {refusal}. Free disk space");
        }
    }

    /// Records that the disk has enough room. Logs it if it had not.
    pub fn has_room(&self) {
        if self.0.swap(false, Ordering::Relaxed) {
            info!("the disk has room again: requests that write are accepted");
        }
    }
}
