//! What a journal on disk promises besides: it opens again, it names what is damaged, it says what it needs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/appends.rs"]
mod appends;
#[path = "../support/disk.rs"]
mod disk;
mod either;
mod files;
mod sled;

use tipoff::journal::{Append, Journal, JournalError, OpenError, Stamp};

/// Appends what the journal takes.
fn append(journal: &dyn Journal, batch: &[Append]) -> Vec<Stamp> {
    journal.append(batch).into_iter().map(Result::unwrap).collect()
}

/// What is wrong with the entries of a journal that does not open for it.
fn journal_error(error: OpenError) -> JournalError {
    match error {
        OpenError::Journal(error) => error,
        other => panic!("{other}"),
    }
}
