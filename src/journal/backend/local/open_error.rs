//! Why a journal cannot be opened.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::super::Backend;
use crate::journal::{JournalError, database};

/// Why a journal cannot be opened. Each message tells an operator what to do.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the data folder {0} is in use by another process: stop that one first")]
    InUse(PathBuf),
    /// The folder is not writable.
    #[error("the data folder {folder} cannot be written: {source}")]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The system lacks a resource that it may have later: disk space, memory, open files.
    #[error("the journal in {folder} cannot be opened now: {source}. {advice}, then start again")]
    System {
        /// The folder.
        folder: PathBuf,
        /// The error of the system.
        source: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// The database cannot be opened.
    #[error(
        "the journal in {folder} does not open: {reason}. Keep a copy of the folder before you \
         try again, and restore it from a backup"
    )]
    Unopenable {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The folder holds the journal of another backend.
    #[error(
        "{} holds a journal in {found}, but storage.journal is \"{configured}\". Set storage.journal to \
         \"{found}\", or stop the node and move the journal: tipoff journal migrate --to {configured} --data {}",
        folder.display(), data_folder(folder)
    )]
    OtherBackend {
        /// The folder.
        folder: PathBuf,
        /// The backend of the journal there.
        found: Backend,
        /// The configured backend.
        configured: Backend,
    },
    /// The folder holds the journals of two backends.
    #[error(
        "{folder} holds two journals, in sled and in files, and nobody can say which is the newer. Keep a copy of the \
         folder, move the files of one of them away, and start again. To move a journal from one backend to the other, \
         use: tipoff journal migrate --to sled|files --data {data}",
        folder = .0.display(), data = data_folder(.0)
    )]
    TwoBackends(PathBuf),
    /// The folder holds the copy of a stream, and the node is configured without JetStream.
    #[error(
        "{} holds a copy of the JetStream stream {stream}, which other nodes continue. Set storage.journal to \
         \"jetstream\", or make the copy a journal of its own: tipoff journal migrate --to {backend} --data {}",
        folder.display(), data_folder(folder)
    )]
    Copy {
        /// The folder.
        folder: PathBuf,
        /// The stream.
        stream: String,
        /// The configured backend.
        backend: Backend,
    },
    /// The folder holds the copy of another stream.
    #[error(
        "{} holds a copy of the JetStream stream {stream}, but jetstream.stream is \"{configured}\". Set it to \
         \"{stream}\", or use another data folder",
        folder.display()
    )]
    OtherStream {
        /// The folder.
        folder: PathBuf,
        /// The stream that it is a copy of.
        stream: String,
        /// The configured stream.
        configured: String,
    },
    /// The copy was written by another backend.
    #[error(
        "the copy in {folder} is in {found}, but jetstream.copy is \"{configured}\". Set it to \"{found}\", or delete \
         {folder}: the node fetches the stream again"
    )]
    OtherCopy {
        /// The folder.
        folder: PathBuf,
        /// The backend that wrote it.
        found: Backend,
        /// The configured one.
        configured: Backend,
    },
    /// The folder holds a journal that is not the copy of a stream.
    #[error(
        "{} holds a journal of its own, and no copy of the JetStream stream {stream}. Put it into the stream: tipoff \
         journal migrate --to jetstream --data {}. Or move the folder away: the node then fetches the stream",
        folder.display(), data_folder(folder)
    )]
    NoCopy {
        /// The folder.
        folder: PathBuf,
        /// The configured stream.
        stream: String,
    },
    /// The JetStream servers or the stream cannot be used.
    #[error(transparent)]
    JetStream(#[from] super::super::jetstream::Refusal),
    /// A migration was interrupted between its two renames.
    #[error(
        "the migration of the journal {folder} was interrupted. Finish it with the same command: \
         tipoff journal migrate --to sled|files --data {data}",
        folder = .0.display(), data = data_folder(.0)
    )]
    Interrupted(PathBuf),
    /// There is no journal, only a possibly unfinished copy.
    #[error(
        "{folder} is missing, and {folder}.migrating may be an unfinished copy of it: restore {folder} from a backup. Nothing was \
         changed",
        folder = .0.display()
    )]
    OnlyCopy(PathBuf),
    /// Its entries are corrupt or unreadable.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl OpenError {
    /// Whether the configuration does not fit the data folder. Another try ends in the same way.
    pub fn is_misconfigured(&self) -> bool {
        matches!(
            self,
            Self::OtherBackend { .. }
                | Self::TwoBackends(_)
                | Self::Copy { .. }
                | Self::OtherStream { .. }
                | Self::OtherCopy { .. }
                | Self::NoCopy { .. }
                | Self::Interrupted(_)
                | Self::OnlyCopy(_)
        )
    }

    /// Classifies an I/O error of a folder.
    pub(in crate::journal) fn of_io(folder: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{
            NotADirectory, OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
            StorageFull,
        };
        let folder = folder.to_owned();
        let advice = match source.kind() {
            PermissionDenied | ReadOnlyFilesystem | NotADirectory => {
                return Self::NotWritable { folder, source };
            }
            StorageFull | QuotaExceeded => "Make room on the disk",
            OutOfMemory => "Free memory",
            _ if is_out_of_descriptors(&source) => {
                "Raise the limit of open files (ulimit -n, or LimitNOFILE= of systemd)"
            }
            _ => return Self::Unopenable { folder, reason: source.to_string() },
        };
        Self::System { folder, source, advice }
    }

    /// Classifies an error of sled.
    pub(in crate::journal) fn of_database(folder: &Path, error: database::OpenError) -> Self {
        match error {
            database::OpenError::InUse => Self::InUse(folder.to_owned()),
            database::OpenError::Other(sled::Error::Io(source)) => Self::of_io(folder, source),
            other => Self::Unopenable { folder: folder.to_owned(), reason: other.to_string() },
        }
    }
}

/// The data folder that contains a journal's folder.
fn data_folder(journal: &Path) -> std::path::Display<'_> {
    journal.parent().unwrap_or(journal).display()
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    use nix::errno::Errno;
    [Errno::EMFILE, Errno::ENFILE].map(|errno| Some(errno as i32)).contains(&error.raw_os_error())
}
