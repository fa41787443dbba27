//! The folder of a feed. Files appear whole, the manifest last.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tempfile::NamedTempFile;
use thiserror::Error;
use uuid::Uuid;

/// First characters of the names of temporary files and folders.
pub const TEMPORARY: &str = ".tipoff-export-";

/// Why a folder cannot take a feed.
#[derive(Debug, Error)]
pub enum FeedError {
    /// It cannot be created, read or written.
    #[error("cannot write to the folder {0}: {1}")]
    Write(PathBuf, #[source] io::Error),
    /// It has files that are no feed of Tipoff.
    #[error("{0} has files, but no feed of tipoff export: name a new or empty folder")]
    Occupied(PathBuf),
}

/// A folder for a feed.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The mode of new files, before the umask.
    file_mode: u32,
    /// The events of the feed that is replaced.
    earlier: Vec<Uuid>,
}

/// An event in a manifest, as far as it shows who wrote it.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "Tag", default)]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
struct Tag {
    name: String,
}

impl Folder {
    /// Creates the folder, or checks that what it has may be replaced.
    pub fn open(path: &Path, file_mode: u32) -> Result<Self, FeedError> {
        let failed = |error| FeedError::Write(path.to_owned(), error);
        fs::create_dir_all(path).map_err(failed)?;
        let entries = fs::read_dir(path).map_err(failed)?;
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let (temporary, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| {
            entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
        });
        let earlier = if others.is_empty() { Some(Vec::new()) } else { earlier_feed(path) };
        let earlier = earlier.ok_or_else(|| FeedError::Occupied(path.to_owned()))?;
        // The folder is that of a feed: an export that was killed leaves its temporary files.
        for entry in temporary {
            let is_folder = entry.file_type().map_err(failed)?.is_dir();
            let remove = if is_folder { fs::remove_dir_all } else { fs::remove_file };
            remove(entry.path()).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), file_mode, earlier })
    }

    /// A file in the folder that is deleted unless it replaces another.
    pub fn temporary(&self) -> io::Result<NamedTempFile> {
        let permissions = fs::Permissions::from_mode(self.file_mode);
        tempfile::Builder::new().prefix(TEMPORARY).permissions(permissions).tempfile_in(&self.path)
    }

    /// Gives a file its name, in place of the one that has it.
    pub fn replace(&self, file: NamedTempFile, name: &str) -> io::Result<()> {
        file.persist(self.path.join(name)).map(drop).map_err(|error| error.error)
    }

    /// Puts hashes and manifest in place, then removes the events that the manifest no longer names.
    pub fn finish(
        &self,
        hashes: NamedTempFile,
        manifest: NamedTempFile,
        uuids: &[Uuid],
    ) -> io::Result<()> {
        self.replace(hashes, "hashes.csv")?;
        manifest.as_file().sync_all()?;
        self.replace(manifest, "manifest.json")?;
        let current: std::collections::BTreeSet<_> = uuids.iter().collect();
        for uuid in self.earlier.iter().filter(|uuid| !current.contains(uuid)) {
            match fs::remove_file(self.path.join(format!("{uuid}.json"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The events of a feed that an earlier export wrote. `None` if there is no such feed.
fn earlier_feed(path: &Path) -> Option<Vec<Uuid>> {
    let manifest = fs::read(path.join("manifest.json")).ok()?;
    let entries: BTreeMap<Uuid, Entry> = serde_json::from_slice(&manifest).ok()?;
    let is_own =
        |entry: &Entry| entry.tags.iter().any(|tag| tag.name.starts_with("tipoff:author="));
    entries.values().all(is_own).then(|| entries.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_files_of_others_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/feed");
        assert!(Folder::open(&path, 0o600).is_ok(), "it is created");
        fs::write(path.join("notes.txt"), "mine").unwrap();
        assert!(matches!(Folder::open(&path, 0o600), Err(FeedError::Occupied(_))));
        let uuid = Uuid::nil();
        let foreign =
            format!("{{\"{uuid}\":{{\"info\":\"a\",\"Tag\":[{{\"name\":\"tlp:clear\"}}]}}}}");
        fs::write(path.join("manifest.json"), foreign).unwrap();
        assert!(matches!(Folder::open(&path, 0o600), Err(FeedError::Occupied(_))));
        fs::write(path.join("manifest.json"), "{}").unwrap();
        assert!(Folder::open(&path, 0o600).is_ok(), "an empty feed");
        assert_eq!(fs::read_to_string(path.join("notes.txt")).unwrap(), "mine");
    }

    #[test]
    fn what_a_killed_export_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".tipoff-export-1")).unwrap();
        fs::write(folder.path().join(".tipoff-export-1/0"), "a.example").unwrap();
        fs::write(folder.path().join(".tipoff-export-2"), "a.example").unwrap();
        Folder::open(folder.path(), 0o600).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_path_that_is_a_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let error = Folder::open(&path, 0o600).unwrap_err();
        assert!(error.to_string().contains("cannot write to the folder"), "{error}");
    }
}
