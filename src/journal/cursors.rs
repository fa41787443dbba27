//! Where the subscriptions of partners stand: beside the journal, outside the sequence.
//!
//! A cursor that is a second old loses nothing: delivery is at least once, and its reader is given
//! that second again. So a move is written a little later, and is no entry. A subscription that is
//! gone is another matter: its reader would begin anew and miss what was shared in between. So
//! creating and deleting one are durable when they return, and a store that cannot be read is told,
//! never taken for an empty one.

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
use crate::domain::filter::Filter;
use crate::domain::{Cursor, PartnerId, SubscriptionName, Timestamp};

/// A subscription as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSubscription {
    /// Whose it is.
    pub partner: PartnerId,
    /// Its name, scoped to the partner.
    pub name: SubscriptionName,
    /// What it asks for. Never changes.
    pub filter: Filter,
    /// How far it has been acknowledged.
    pub cursor: Cursor,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last acknowledged; `None` while it never was.
    pub acknowledged: Option<Timestamp>,
}

/// A backend that keeps subscriptions. One caller changes it at a time.
pub trait CursorStore: Send + Sync + fmt::Debug {
    /// Every subscription, by partner and name. Never skips: one that cannot be read is an error
    /// that names it.
    fn all(&self) -> Result<Vec<StoredSubscription>, CursorError>;

    /// Takes a new subscription, in the place of one of the same name.
    ///
    /// Durable when it returns. All of it or nothing; after [`CursorError::Failed`] either.
    fn create(&self, new: &StoredSubscription) -> Result<(), CursorError>;

    /// Writes where subscriptions stand by now. One that is not there is passed over: a move never
    /// brings back what was deleted.
    ///
    /// Durable when it returns, and idempotent. After [`CursorError::Failed`] some of them may stand
    /// where they stood.
    fn keep(&self, moved: &[StoredSubscription]) -> Result<(), CursorError>;

    /// Forgets a subscription, if it is there.
    ///
    /// Durable when it returns, and idempotent; after [`CursorError::Failed`] it may still be there.
    fn delete(&self, partner: &PartnerId, name: &SubscriptionName) -> Result<(), CursorError>;
}

/// Why subscriptions cannot be read or kept. Each tells an operator what to do.
#[derive(Debug, Error)]
pub enum CursorError {
    /// Another process has them open.
    #[error("the subscriptions in {0} are in use by another process: stop that one first")]
    InUse(PathBuf),
    /// The folder cannot be written.
    #[error("the folder of the subscriptions {folder} cannot be written: {source}")]
    NotWritable {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// They are damaged, or another version's.
    #[error(
        "the subscriptions in {folder} cannot be read: {reason}. Named \
         subscriptions are refused until they can be, since their readers would miss what was shared \
         meanwhile; everything else is served. Stop the exchange, and restore the folder from a \
         backup or move it away: then no subscription is left, and each reader has to begin again \
         with a snapshot"
    )]
    Unreadable {
        /// Which folder.
        folder: PathBuf,
        /// What is wrong with them.
        reason: String,
    },
    /// The storage under them failed. Nothing is known of what it holds, so nothing more is written
    /// until it is opened again.
    #[error(
        "the storage of the subscriptions failed: {0}; restart the node when the disk is well. \
         Until then none is made or deleted, and after the restart readers are given again what \
         they acknowledged since"
    )]
    Failed(String),
}

#[cfg(test)]
mod tests;
