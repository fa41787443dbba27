//! Puts the journal of a stopped node into a JetStream stream, and leaves the node with a local copy of it.

use std::fs;

use super::{
    JournalFound, MigrateError, MigrationOutcome, STEP, compare, entry_count, find_journal, remove,
    take_place,
};
use crate::journal::backend::{copied_stream, migrated, migrating, open_locked};
use crate::journal::{JetStreamJournal, JetStreamSettings, Journal};

/// Whose journal goes into the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A journal of its own, into a new stream.
    Own,
    /// The local copy of the stream, which its servers lost.
    Copy,
}

/// Puts a journal into a stream. Sequences, times and ids stay the same.
///
/// The stream must be empty, or hold the beginning of this journal: an interrupted migration goes on. Entries are
/// published, fetched into a new local copy beside the journal, and compared there. Then the copy takes the
/// journal's place. `progress` receives the steps done and the total.
pub fn migrate_to_stream(
    source: Source,
    settings: &JetStreamSettings,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MigrationOutcome, MigrateError> {
    let folder = &settings.local.folder;
    let (new, old) = (migrating(folder), migrated(folder));
    let Some(JournalFound { backend, interrupted }) = find_journal(folder)? else {
        return Ok(MigrationOutcome::Finished);
    };
    match (copied_stream(folder)?, source) {
        (Some(_), Source::Own) if interrupted => return Ok(MigrationOutcome::Finished),
        (Some(_), Source::Own) => return Ok(MigrationOutcome::Already),
        (None, Source::Copy) => return Err(MigrateError::NoCopy(folder.display().to_string())),
        (None, Source::Own) | (Some(_), Source::Copy) => {}
    }
    let (journal, lock) = open_locked(backend, settings.local.clone())?;
    // A copy of the stream as it was before is no help.
    remove(&new)?;
    let mut target = settings.clone();
    target.local.folder.clone_from(&new);
    let entries = {
        let stream = JetStreamJournal::open(target.clone())?;
        publish_missing(&*journal, &stream, progress)?
    };
    // Reopen it, to compare what a start reads from the disk and from the stream.
    compare(&*journal, &JetStreamJournal::open(target)?, progress)?;
    drop(journal);
    fs::rename(folder, &old)?;
    take_place(folder)?;
    drop(lock);
    Ok(MigrationOutcome::Copied(entries))
}

/// Publishes the entries after the head of the stream, which holds the beginning of the journal or nothing.
fn publish_missing(
    journal: &dyn Journal,
    stream: &dyn Journal,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, MigrateError> {
    let count = entry_count(journal);
    if stream.head() > journal.head() {
        return Err(MigrateError::StreamAhead { stream: stream.head(), journal: journal.head() });
    }
    let head = stream.head();
    if head > 0 && (head < journal.oldest() || journal.read(head, 1)? != stream.read(head, 1)?) {
        return Err(MigrateError::OtherJournal(head));
    }
    let mut next = journal.oldest().max(stream.head() + 1);
    while next <= journal.head() {
        let entries = journal.read(next, STEP)?;
        stream.put(&entries)?;
        next += entries.len() as u64;
        progress(next - journal.oldest(), 2 * count);
    }
    Ok(count)
}
