//! The backends of the journal, and detection of the backend in a folder.

mod end;
mod files;
mod jetstream;
mod local;
mod memory;
mod sled;
mod window;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::jetstream::{JetStreamJournal, JetStreamSettings, Refusal};
pub use self::local::{
    Durability, LocalSettings, OpenError, check_backend, check_copy, free_space,
};
pub(super) use self::local::{copied_stream, unmark_copy, was_opened};
pub use self::memory::{Choose, Fault, MemoryJournal, MemoryStream, StreamNode, StreamPause};
use super::Journal;

/// A journal in a sled database.
pub type SledJournal = local::LocalJournal<sled::SledStore>;
/// A journal in segment files.
pub type FileJournal = local::LocalJournal<files::FileStore>;

/// The backends that keep the journal in a local folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// A sled database.
    Sled,
    /// Segment files.
    Files,
}

impl Backend {
    /// Every backend.
    pub const ALL: [Self; 2] = [Self::Sled, Self::Files];

    /// Its name in the configuration and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Files => "files",
        }
    }

    /// The backend with a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.name() == name)
    }

    /// The backends whose files are in a folder. Empty if it holds no journal.
    pub fn in_folder(folder: &Path) -> std::io::Result<Vec<Self>> {
        let mut found = Vec::new();
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            found.extend(Self::ALL.into_iter().filter(|backend| backend.owns(&path)));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Whether a file belongs to this backend.
    fn owns(self, path: &Path) -> bool {
        match self {
            Self::Sled => sled::owns(path),
            Self::Files => files::owns(path),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Opens the journal in a folder, or creates one.
///
/// Refuses a folder with the journal of another backend, or of two. Removes an incomplete entry at the
/// end if it was never acknowledged. Any other damage is an error that names the entry.
pub fn open(backend: Backend, settings: LocalSettings) -> Result<Arc<dyn Journal>, OpenError> {
    Ok(match backend {
        Backend::Sled => Arc::new(SledJournal::open(settings)?),
        Backend::Files => Arc::new(FileJournal::open(settings)?),
    })
}

/// Whether a folder has no journal, but a possibly unfinished copy of one lies beside it.
pub(super) fn has_only_copy(folder: &Path) -> bool {
    let copy = migrating(folder);
    copy != folder && copy.exists() && is_missing(folder)
}

/// Whether a folder has no journal, not even an empty one.
pub fn is_missing(folder: &Path) -> bool {
    !was_opened(folder) && Backend::in_folder(folder).is_ok_and(|found| found.is_empty())
}

/// Like [`open`], with the lock of the folder, and for the local copy of a stream too. The lock can outlive the
/// journal.
pub(super) fn open_locked(
    backend: Backend,
    settings: LocalSettings,
) -> Result<(Arc<dyn Journal>, File), OpenError> {
    let folder = settings.folder.clone();
    let locked =
        |lock: std::io::Result<File>| lock.map_err(|source| OpenError::of_io(&folder, source));
    Ok(match backend {
        Backend::Sled => {
            let journal = SledJournal::open_as(local::Ownership::Any, settings)?;
            let lock = locked(journal.share_lock())?;
            (Arc::new(journal), lock)
        }
        Backend::Files => {
            let journal = FileJournal::open_as(local::Ownership::Any, settings)?;
            let lock = locked(journal.share_lock())?;
            (Arc::new(journal), lock)
        }
    })
}

/// Where a migration builds the new journal, beside the old one.
pub(super) fn migrating(folder: &Path) -> PathBuf {
    folder.with_extension("migrating")
}

/// Where a migration keeps the old journal until the new one is in place.
pub(super) fn migrated(folder: &Path) -> PathBuf {
    folder.with_extension("migrated")
}
