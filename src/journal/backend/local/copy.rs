//! The local copy of a journal that lies in a JetStream stream. A file in its folder names the stream, so
//! that a node without JetStream never takes the copy for a journal of its own.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::super::Backend;
use super::super::end::Stamped;
use super::{EntryStore, LocalJournal, OpenError, migrated};
use crate::domain::Entry;
use crate::domain::entry::AppendId;
use crate::journal::{Journal, JournalError, Stamp, sync_names};

/// The name of the file.
const NAME: &str = "copy";

/// What the journal in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership<'a> {
    /// The journal itself.
    Own,
    /// The copy of a stream.
    CopyOf(&'a str),
    /// Either, for commands on a stopped node.
    Any,
}

/// A local journal that a follower fills with the entries of a stream.
pub trait LocalCopy: Journal {
    /// The stamp of an id among the recent ones.
    fn find(&self, id: AppendId) -> Option<Stamp>;

    /// The sequence and the time of the newest entry. The sequence is 0 if there is none.
    fn end(&self) -> Stamp;

    /// Stores encoded entries that follow the head and one another. Durable when it returns.
    ///
    /// The bytes are stored as they are, so that all nodes hold the same ones.
    fn store(&self, entries: &[Stamped<'_>]) -> Result<(), JournalError>;

    /// Encodes entries that [`Journal::put`] would accept, with the same errors. Stores nothing.
    fn encode(&self, entries: &[Entry]) -> Result<Vec<Vec<u8>>, JournalError>;
}

impl<S: EntryStore> LocalCopy for LocalJournal<S> {
    fn find(&self, id: AppendId) -> Option<Stamp> {
        self.lock_end().window.find(id)
    }

    fn end(&self) -> Stamp {
        let end = self.lock_end();
        Stamp::new(end.sequence, end.time)
    }

    fn store(&self, entries: &[Stamped<'_>]) -> Result<(), JournalError> {
        let end = &mut *self.lock_end();
        let unwritable =
            |error: crate::journal::AppendError| JournalError::Storage(error.to_string());
        self.check_writable().map_err(unwritable)?;
        let mut expected = end.sequence + 1;
        for entry in entries {
            let got = entry.stamp.sequence;
            if got != expected && expected > 1 {
                return Err(JournalError::OutOfOrder { expected, got });
            }
            expected = got + 1;
        }
        self.commit(end, entries).map_err(JournalError::Storage)
    }

    fn encode(&self, entries: &[Entry]) -> Result<Vec<Vec<u8>>, JournalError> {
        self.lock_end().encode(entries)
    }
}

/// The stream that the journal in a folder is a copy of, if it is one.
pub fn copied_stream(folder: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(folder.join(NAME)) {
        Ok(stream) => Ok(Some(stream.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Marks the journal in a folder as the copy of a stream. Durable when it returns. A crash leaves the mark as it was, or
/// whole.
pub fn mark_copy(folder: &Path, stream: &str) -> io::Result<()> {
    if copied_stream(folder)?.as_deref() == Some(stream) {
        return Ok(());
    }
    let new = folder.join(NAME).with_extension("new");
    let mut file = fs::File::create(&new)?;
    writeln!(file, "{stream}")?;
    file.sync_all()?;
    fs::rename(&new, folder.join(NAME))?;
    sync_names(folder)
}

/// Makes the copy in a folder a journal of its own. Durable when it returns.
pub fn unmark_copy(folder: &Path) -> io::Result<()> {
    fs::remove_file(folder.join(NAME))?;
    sync_names(folder)
}

/// Refuses the copy of another stream, a journal that is no copy, and a copy that is opened as a journal.
pub fn check_ownership(
    folder: &Path,
    backend: Backend,
    ownership: Ownership<'_>,
) -> Result<(), OpenError> {
    let io = |source| OpenError::of_io(folder, source);
    let marked = copied_stream(folder).map_err(io)?;
    let found = Backend::in_folder(folder).map_err(io)?;
    let folder = folder.to_owned();
    match (ownership, marked) {
        (Ownership::Any, _) | (Ownership::Own, None) => Ok(()),
        (Ownership::Own, Some(stream)) => Err(OpenError::Copy { folder, stream, backend }),
        (Ownership::CopyOf(wanted), Some(stream)) if wanted != stream => {
            Err(OpenError::OtherStream { folder, stream, configured: wanted.to_owned() })
        }
        (Ownership::CopyOf(_), Some(_)) => match *found.as_slice() {
            [] => Ok(()),
            [found] if found == backend => Ok(()),
            [found] => Err(OpenError::OtherCopy { folder, found, configured: backend }),
            _ => Err(OpenError::TwoBackends(folder)),
        },
        (Ownership::CopyOf(_), None) if found.is_empty() && !migrated(&folder).exists() => Ok(()),
        (Ownership::CopyOf(stream), None) => {
            Err(OpenError::NoCopy { folder, stream: stream.to_owned() })
        }
    }
}
