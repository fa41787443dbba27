//! Recovery after a failed sync.
//!
//! Linux marks pages clean even if their sync failed. They can be read while cached, a second sync
//! reports success, and they are not on disk. A restarted process would read such entries and
//! acknowledge them. So a failed sync leaves a marker file, and the next open rewrites sled's data file
//! before anything is read from it. (Inserting the values again would not help: sled skips equal values,
//! and its own log may lack pages too.)

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tracing::{error, warn};

/// The marker file. Not synced, because it only has to live as long as the page cache.
const MARKER: &str = "sync-failed";
/// Bytes rewritten per step.
const STEP_BYTES: usize = 1024 * 1024;

/// Creates the marker.
pub fn mark_failed_sync(folder: &Path) {
    if let Err(error) = File::create(folder.join(MARKER)) {
        error!(
            folder = %folder.display(), %error,
            "cannot record a failed sync: restart the machine, not only the node. Otherwise the journal may read data \
             that is not on disk"
        );
    }
}

/// Rewrites and syncs the data file if the marker exists.
pub fn rewrite_after_failed_sync(folder: &Path) -> io::Result<()> {
    let marker = folder.join(MARKER);
    if !marker.exists() {
        return Ok(());
    }
    warn!(folder = %folder.display(), "rewriting the journal's file after a failed sync");
    match OpenOptions::new().read(true).write(true).open(folder.join("db")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        file => rewrite(&file?)?,
    }
    fs::remove_file(marker)
}

fn rewrite(file: &File) -> io::Result<()> {
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
        rewrite_after_failed_sync(folder.path()).unwrap();
        assert_eq!(changed(), before, "nothing failed");
        mark_failed_sync(folder.path());
        std::thread::sleep(std::time::Duration::from_millis(20));
        rewrite_after_failed_sync(folder.path()).unwrap();
        let after = changed();
        assert_ne!(after, before);
        assert_eq!(fs::read(&path).unwrap(), content);
        rewrite_after_failed_sync(folder.path()).unwrap();
        assert_eq!(changed(), after, "it is done once");
    }
}
