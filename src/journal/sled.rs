//! A journal that lies in sled, as it did before, on its way into files.
//!
//! It stays as it is until all of it is in files and on the disk. Then `conf` goes, without which it is no
//! database, and the rest behind it: a crash at any moment leaves one or the other.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::chunk::{self, Assembly};
use super::database::{self, OpenError};
use super::{JournalError, Stamp, damaged, storage};
use crate::domain::entry::AppendId;

/// Without this file sled makes a new database.
const CONF: &str = "conf";
/// What it keeps.
const DB: &str = "db";
/// Where the last acknowledged sequence was kept.
const ACKNOWLEDGED: &str = "acknowledged";
/// How many bytes of entries are handed on at once.
const STEP_BYTES: usize = 4 * 1024 * 1024;
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// An entry as it was stored.
pub type Stored = (AppendId, Stamp, Vec<u8>);

/// Whether a journal lies in sled.
pub fn lies_in(folder: &Path) -> bool {
    folder.join(CONF).exists()
}

/// Removes what an earlier attempt left of files: sled still has all of it.
pub fn clear_what_was_begun(folder: &Path) -> io::Result<()> {
    for path in paths(folder)? {
        if super::backend::is_ours(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Removes the database, all of which is in files.
pub fn remove(folder: &Path) -> Result<(), JournalError> {
    let gone = fs::remove_file(folder.join(CONF)).and_then(|()| File::open(folder)?.sync_all());
    gone.map_err(storage)?;
    remove_rest(folder)
}

/// Removes what is left of a database that is in files. One that is not, and has lost its `conf`, is no rest.
pub fn remove_rest(folder: &Path) -> Result<(), JournalError> {
    let found = paths(folder).map_err(storage)?;
    if folder.join(DB).exists() && !found.iter().any(|path| super::backend::is_ours(path)) {
        let reason = format!("it lies in sled, and its file `{CONF}` is missing");
        return Err(JournalError::Unopenable { folder: folder.to_owned(), reason });
    }
    remove_all(found).map_err(storage)
}

fn remove_all(found: Vec<PathBuf>) -> io::Result<()> {
    for path in found {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match name {
            "blobs" => fs::remove_dir_all(path)?,
            DB | ACKNOWLEDGED => fs::remove_file(path)?,
            _ if name.starts_with("snap.") => fs::remove_file(path)?,
            _ => {}
        }
    }
    Ok(())
}

fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// Reads every entry, in order, and hands them on a few at a time. An incomplete one at the end was never
/// acknowledged, and is left out.
pub fn read(
    folder: &Path,
    mut each: impl FnMut(Vec<Stored>) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let db = database::open(folder, CACHE_BYTES).map_err(|error| unopened(folder, error))?;
    let acknowledged = acknowledged(folder);
    let (mut entries, mut bytes, mut found) = (Vec::new(), 0, 0);
    let mut open: Option<Assembly> = None;
    for pair in db.iter() {
        let expected = open.as_ref().map_or(found + 1, |open| open.sequence() + 1);
        let (key, value) = pair.map_err(|error| {
            damaged(expected, format!("the database under it is damaged: {error}"))
        })?;
        let (sequence, number) = chunk::read_key(&key)?;
        bytes += value.len();
        match &mut open {
            Some(open) if !open.is_complete() && sequence == open.sequence() => {
                open.add(number, &value)?;
            }
            _ => {
                if let Some(whole) = open.take() {
                    found = whole.sequence();
                    entries.push(whole.finish()?);
                }
                // The first may be any: what was before it was trimmed.
                if number != 0 || (found > 0 && sequence != found + 1) {
                    return Err(damaged(expected, "it is not there"));
                }
                if bytes >= STEP_BYTES {
                    each(std::mem::take(&mut entries))?;
                    bytes = 0;
                }
                open = Some(Assembly::begin(sequence, &value)?);
            }
        }
    }
    if let Some(whole) = open.filter(|open| open.is_complete() || open.sequence() <= acknowledged) {
        found = whole.sequence();
        entries.push(whole.finish()?);
    }
    if found < acknowledged {
        return Err(JournalError::CutShort { found, acknowledged });
    }
    each(entries)
}

/// Why it does not open. What the disk refuses is no damage, and no backup helps.
fn unopened(folder: &Path, error: OpenError) -> JournalError {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let folder = folder.to_owned();
    match error {
        OpenError::InUse => JournalError::InUse(folder),
        OpenError::Other(sled::Error::Io(source)) => match source.kind() {
            PermissionDenied | ReadOnlyFilesystem => JournalError::NotWritable { folder, source },
            StorageFull | QuotaExceeded => storage(source),
            _ => JournalError::Unopenable { folder, reason: source.to_string() },
        },
        other => JournalError::Unopenable { folder, reason: other.to_string() },
    }
}

/// The last sequence that was acknowledged; 0 where it is not known.
fn acknowledged(folder: &Path) -> u64 {
    let mut bytes = [0; 8];
    let file = File::open(folder.join(ACKNOWLEDGED));
    match file.and_then(|file| file.read_exact_at(&mut bytes, 0)) {
        Ok(()) => u64::from_be_bytes(bytes),
        Err(_) => 0,
    }
}

#[cfg(test)]
#[path = "sled_tests.rs"]
mod tests;
