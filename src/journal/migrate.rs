//! Moves the journal of a stopped node to another backend.
//!
//! The new journal is built beside the old one and compared with it entry by entry. Two renames then put
//! it in the old one's place. If interrupted before the renames, the old journal is unchanged and the
//! migration starts over. If interrupted later, the same command finishes it. At every moment one
//! complete journal exists.

mod to_stream;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::geteuid;
use thiserror::Error;

pub use self::to_stream::{Source, migrate_to_stream};
use super::backend::{
    copied_stream, has_only_copy, migrated, migrating, open_locked, unmark_copy, was_opened,
};
use super::{Backend, Journal, JournalError, LocalSettings, OpenError, open, sync_names};

/// Entries per step of copying or comparing.
const STEP: usize = 256;

/// A summary of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalContents {
    /// Its backend.
    pub backend: Backend,
    /// The JetStream stream that it is a local copy of, if it is one.
    pub copy_of: Option<String>,
    /// The oldest sequence.
    pub oldest: u64,
    /// The newest sequence; 0 when it is empty.
    pub head: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The result of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationOutcome {
    /// The journal already uses this backend.
    Already,
    /// The local copy of a stream is now a journal of its own, in the same backend.
    Detached,
    /// The journal was copied and compared. Holds the number of entries.
    Copied(u64),
    /// An earlier, interrupted migration was finished.
    Finished,
}

/// Why a migration failed. The old journal is unchanged.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// A journal cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The folder holds no journal.
    #[error("{0} holds no journal: is this the data folder?")]
    Nothing(String),
    /// Another user owns the folder. The node could not read the new journal.
    #[error("{folder} is the folder of the user with the id {owner}: run the command as that user")]
    OtherUser {
        /// The folder.
        folder: String,
        /// The owner's user id.
        owner: u32,
    },
    /// The folder holds no local copy of a stream.
    #[error(
        "{0} holds no local copy of a stream. --recover makes a stream again that its servers lost: run it on the most \
         advanced node, or leave it out to move a journal into a new stream"
    )]
    NoCopy(String),
    /// The stream holds more than the journal.
    #[error(
        "the stream holds entries up to {stream}, and this journal ends with entry {journal}: it is the stream of another \
         journal, or a node has a more advanced copy. Nothing was changed"
    )]
    StreamAhead {
        /// The head of the stream.
        stream: u64,
        /// The head of the journal.
        journal: u64,
    },
    /// The stream holds another journal.
    #[error(
        "entry {0} of the stream is not that of this journal: it is the stream of another journal. Nothing was changed; \
         set jetstream.stream to a new name"
    )]
    OtherJournal(u64),
    /// An entry of the copy differs.
    #[error(
        "entry {0} differs in the copy. The old journal is unchanged; check the disk and try again"
    )]
    Differs(u64),
    /// A folder cannot be renamed or removed.
    #[error("the journal's folder cannot be changed: {0}")]
    Io(#[from] io::Error),
}

/// Moves a journal to another backend. Sequences, times and ids stay the same. The local copy of a stream
/// becomes a journal of its own; the stream stays.
///
/// `progress` receives the steps done and the total; copying and comparing an entry are one step each.
///
/// The node must be stopped: the folder is locked, and refused while in use. Needs as much free space as
/// the journal takes.
pub fn migrate(
    to: Backend,
    settings: &LocalSettings,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MigrationOutcome, MigrateError> {
    let folder = &settings.folder;
    let (new, old) = (migrating(folder), migrated(folder));
    let Some(JournalFound { backend: from, interrupted }) = find_journal(folder)? else {
        return Ok(MigrationOutcome::Finished);
    };
    let (source, lock) = open_locked(from, settings.clone())?;
    remove(&new)?;
    if from == to {
        drop(source);
        if copied_stream(folder)?.is_some() {
            unmark_copy(folder)?;
            return Ok(MigrationOutcome::Detached);
        }
        return Ok(if interrupted {
            MigrationOutcome::Finished
        } else {
            MigrationOutcome::Already
        });
    }
    let copy = LocalSettings { folder: new.clone(), ..settings.clone() };
    let entries = copy_all(&*source, &*open(to, copy.clone())?, progress)?;
    // Reopen it, to compare what a start reads from the disk.
    compare(&*source, &*open(to, copy)?, progress)?;
    // Close the source before the rename, so that sled writes nothing into the folder afterwards. The
    // lock still keeps a node out.
    drop(source);
    fs::rename(folder, &old)?;
    take_place(folder)?;
    drop(lock);
    Ok(MigrationOutcome::Copied(entries))
}

/// The journal that a migration starts with.
struct JournalFound {
    backend: Backend,
    /// Whether an earlier migration was interrupted. Its last step is done now.
    interrupted: bool,
}

/// Finishes an interrupted migration, and finds the only journal in the folder. `None` if the finished one left an empty
/// journal.
fn find_journal(folder: &Path) -> Result<Option<JournalFound>, MigrateError> {
    check_owner(folder)?;
    let interrupted = migrated(folder).exists();
    if interrupted {
        take_place(folder)?;
    }
    let backend = only_backend(folder, interrupted)?;
    Ok(backend.map(|backend| JournalFound { backend, interrupted }))
}

/// The backend of the only journal in a folder. `None` if an interrupted migration left an empty journal there.
fn only_backend(folder: &Path, interrupted: bool) -> Result<Option<Backend>, MigrateError> {
    match *Backend::in_folder(folder)?.as_slice() {
        // An empty `files` journal has no file.
        [] if interrupted => Ok(None),
        [] if has_only_copy(folder) => Err(OpenError::OnlyCopy(folder.to_owned()).into()),
        [] => Err(MigrateError::Nothing(folder.display().to_string())),
        [one] => Ok(Some(one)),
        _ => Err(OpenError::TwoBackends(folder.to_owned()).into()),
    }
}

/// Refuses to run as another user than the owner: the node could not read the new journal.
fn check_owner(folder: &Path) -> Result<(), MigrateError> {
    match fs::metadata(folder) {
        Ok(found) if found.uid() != geteuid().as_raw() => {
            let folder = folder.display().to_string();
            Err(MigrateError::OtherUser { folder, owner: found.uid() })
        }
        // An unreadable folder is refused later.
        _ => Ok(()),
    }
}

/// Reads the summary of the journal in a folder. The node must be stopped.
pub fn contents(settings: &LocalSettings) -> Result<JournalContents, MigrateError> {
    let folder = &settings.folder;
    let backend = match *Backend::in_folder(folder)?.as_slice() {
        [] if migrated(folder).exists() => {
            return Err(OpenError::Interrupted(folder.clone()).into());
        }
        [] if has_only_copy(folder) => {
            return Err(OpenError::OnlyCopy(folder.clone()).into());
        }
        [] => return Err(MigrateError::Nothing(folder.display().to_string())),
        [one] => one,
        _ => return Err(OpenError::TwoBackends(folder.clone()).into()),
    };
    let (journal, _lock) = open_locked(backend, settings.clone())?;
    let bytes = journal.size_on_disk().unwrap_or_default();
    let copy_of = copied_stream(folder)?;
    Ok(JournalContents { backend, copy_of, oldest: journal.oldest(), head: journal.head(), bytes })
}

fn copy_all(
    from: &dyn Journal,
    to: &dyn Journal,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, MigrateError> {
    let count = entry_count(from);
    let (mut next, mut done) = (from.oldest(), 0);
    while done < count {
        let entries = from.read(next, STEP)?;
        to.put(&entries)?;
        done += entries.len() as u64;
        next += entries.len() as u64;
        progress(done, 2 * count);
    }
    Ok(count)
}

fn compare(
    old: &dyn Journal,
    new: &dyn Journal,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), MigrateError> {
    let count = entry_count(old);
    if (old.oldest(), old.head()) != (new.oldest(), new.head()) {
        return Err(MigrateError::Differs(new.head().min(old.head()) + 1));
    }
    let (mut next, mut done) = (old.oldest(), 0);
    while done < count {
        let entries = old.read(next, STEP)?;
        for entry in &entries {
            if new.read(entry.sequence, 1)?.first() != Some(entry) {
                return Err(MigrateError::Differs(entry.sequence));
            }
        }
        done += entries.len() as u64;
        next += entries.len() as u64;
        progress(count + done, 2 * count);
    }
    Ok(())
}

fn entry_count(journal: &dyn Journal) -> u64 {
    journal.head() + 1 - journal.oldest()
}

/// Puts the new journal in the place of the renamed old one, then removes the old one. Continues where
/// an interrupted call stopped.
fn take_place(folder: &Path) -> Result<(), MigrateError> {
    sync_names(folder)?;
    if Backend::in_folder(folder)?.is_empty() && !was_opened(folder) {
        if !migrating(folder).exists() {
            return Err(MigrateError::Nothing(folder.display().to_string()));
        }
        // A start in between may have created an empty folder.
        remove(folder)?;
        fs::rename(migrating(folder), folder)?;
        sync_names(folder)?;
    }
    remove(&migrated(folder))?;
    Ok(())
}

/// Removes a folder durably, if it exists.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }?;
    match folder.parent().map(File::open) {
        Some(Ok(parent)) => parent.sync_all(),
        _ => Ok(()),
    }
}
