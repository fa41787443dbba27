//! What follows a failed sync.
//!
//! Linux takes pages for clean whose sync failed: they can be read as long as they are cached, a second sync reports
//! success, and they are on no disk. A process that starts again would read such entries and answer for them. So a failure
//! leaves a note, and the next open writes sled's file again before anything is read from it. (Inserting the values
//! again would not do: sled skips a value that is there, and its own log may lack pages too.)

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tracing::{error, warn};

/// The note. It needs to last no longer than the page cache does, so it is not synced.
const NOTE: &str = "sync-failed";
const STEP_BYTES: usize = 1024 * 1024;

/// Leaves the note.
pub fn note_failed_sync(folder: &Path) {
    if let Err(error) = File::create(folder.join(NOTE)) {
        error!(
            folder = %folder.display(), %error,
            "could not note that a sync failed: restart the machine, not only the node, so that nothing is read that \
             is not on the disk"
        );
    }
}

/// Writes the database's file again if the note is there, and syncs it.
pub fn after_failed_sync(folder: &Path) -> io::Result<()> {
    let note = folder.join(NOTE);
    if !note.exists() {
        return Ok(());
    }
    warn!(folder = %folder.display(), "a sync failed before: writing the journal's file again");
    match OpenOptions::new().read(true).write(true).open(folder.join("db")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        file => write_again(&file?)?,
    }
    fs::remove_file(note)
}

fn write_again(file: &File) -> io::Result<()> {
    let mut buffer = vec![0; STEP_BYTES];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut buffer, at)?;
        if read == 0 {
            return file.sync_all();
        }
        file.write_all_at(&buffer[..read], at)?;
        at += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_file_whose_sync_failed_is_written_again_once_with_the_same_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let content: Vec<u8> = (0u32..700_000).flat_map(u32::to_le_bytes).collect();
        fs::write(&path, &content).unwrap();
        let changed =
            || fs::metadata(&path).map(|found| (found.mtime(), found.mtime_nsec())).unwrap();
        let before = changed();
        after_failed_sync(folder.path()).unwrap();
        assert_eq!(changed(), before, "nothing failed");
        note_failed_sync(folder.path());
        std::thread::sleep(std::time::Duration::from_millis(20));
        after_failed_sync(folder.path()).unwrap();
        let after = changed();
        assert_ne!(after, before);
        assert_eq!(fs::read(&path).unwrap(), content);
        after_failed_sync(folder.path()).unwrap();
        assert_eq!(changed(), after, "it is done once");
    }
}
