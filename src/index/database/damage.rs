//! Damage to the files of the database, remembered: a start reads a part of them only, and would find the rest well.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::{fs, io};

use lsm_tree::Error;
use tracing::error;

/// The file that says that the others are not what was written.
const NAME: &str = "damaged";

/// What is known of damage in a folder.
#[derive(Debug)]
pub struct Damage {
    folder: PathBuf,
    found: Once,
}

impl Damage {
    /// Of a folder in which none is known.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), found: Once::new() }
    }

    /// Whether damage was found in a folder before.
    pub fn was_found_in(folder: &Path) -> io::Result<bool> {
        folder.join(NAME).try_exists()
    }

    /// Passes an error on; of one that tells of damage the next start is to know.
    pub fn noted(&self, error: Error) -> Error {
        if is_damage(&error) {
            self.found(&error.to_string());
        }
        error
    }

    /// Has the next start know of damage.
    pub fn found(&self, reason: &str) {
        self.found.call_once(|| {
            let folder = self.folder.display();
            error!(%folder, "the index is damaged, restart the node and it is rebuilt from the journal: {reason}");
            if let Err(error) = fs::write(self.folder.join(NAME), reason) {
                error!(%folder, "the next start is not told of it: stop the node and delete the index folder: {error}");
            }
        });
    }
}

/// Whether what was read is not what was written. Otherwise the disk or the machine failed.
fn is_damage(error: &Error) -> bool {
    match error {
        Error::Io(error) => {
            matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
        }
        _ => true,
    }
}
