//! The contract of a journal on disk: it reopens, it names damaged entries, it reports what it
//! needs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/appends.rs"]
mod appends;
#[path = "../support/disk.rs"]
mod disk;
mod either;
mod files;
mod sled;

use tipoff::journal::{Append, Journal, JournalError, OpenError, Stamp};

/// Appends an entry that the journal accepts.
fn append(journal: &dyn Journal, batch: &[Append]) -> Vec<Stamp> {
    journal.append(batch).into_iter().map(Result::unwrap).collect()
}

/// The damage that keeps a journal from opening.
fn journal_error(error: OpenError) -> JournalError {
    match error {
        OpenError::Journal(error) => error,
        other => panic!("{other}"),
    }
}
