//! Stores the subscriptions of partners with their cursors. They are not entries of the journal.
//!
//! Delivery is at least once, so a cursor may be a second old: its reader receives that second again.
//! Cursor moves are therefore written in batches, a little later. A lost subscription is worse: its
//! reader would start over and miss what was shared meanwhile. So creating and deleting are durable when
//! they return, and an unreadable store is an error, never an empty one.

mod memory;
mod record;
mod sled;
mod unreadable;

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

pub use self::memory::MemoryCursors;
pub use self::sled::SledCursors;
pub use self::unreadable::UnreadableCursors;
use crate::domain::subscription::Subscription;
use crate::domain::{PartnerId, SubscriptionName};

/// A store of subscriptions. One caller writes at a time.
pub trait CursorStore: Send + Sync + fmt::Debug {
    /// Reads all subscriptions, by partner and name. An unreadable one is an error that names it; none
    /// is skipped.
    fn all(&self) -> Result<Vec<Subscription>, CursorError>;

    /// Creates a subscription, or replaces the one with the same name.
    ///
    /// Atomic, and durable when it returns. After [`CursorError::Failed`] it is written or not.
    fn create(&self, new: &Subscription) -> Result<(), CursorError>;

    /// Updates the cursors of subscriptions. Skips those that do not exist, so that an update never
    /// restores a deleted one.
    ///
    /// Idempotent, and durable when it returns. After [`CursorError::Failed`] some of them may have
    /// their old cursor.
    fn update(&self, moved: &[Subscription]) -> Result<(), CursorError>;

    /// Deletes a subscription, if it exists.
    ///
    /// Idempotent, and durable when it returns. After [`CursorError::Failed`] it may still exist.
    fn delete(&self, partner: &PartnerId, name: &SubscriptionName) -> Result<(), CursorError>;
}

/// Why subscriptions cannot be read or written. Each message tells an operator what to do.
#[derive(Debug, Error)]
pub enum CursorError {
    /// Another process has them open.
    #[error("the subscriptions in {0} are in use by another process: stop that one first")]
    InUse(PathBuf),
    /// The folder is not writable.
    #[error("the folder of the subscriptions {folder} cannot be written: {source}")]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// They are damaged, or have the layout of another version.
    #[error(
        "the subscriptions in {folder} cannot be read: {reason}. Named \
         subscriptions are refused until they can be, since their readers would miss what was shared \
         meanwhile; everything else is served. Stop the exchange, and restore the folder from a \
         backup or move it away: then no subscription is left, and each reader has to begin again \
         with a snapshot"
    )]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with them.
        reason: String,
    },
    /// The storage failed. What the disk holds is unknown, so nothing is written until the store is
    /// reopened.
    #[error(
        "the storage of the subscriptions failed: {0}. Repair the disk, then restart the node. Until \
         then no subscription is created or deleted; after the restart, readers receive again what \
         they acknowledged since the failure"
    )]
    Failed(String),
}

#[cfg(test)]
mod tests;
