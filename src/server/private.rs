//! Makes the data folder private: accessible only to the user that runs the exchange.
//!
//! `tipoff` also runs with umask 077, so files that the stores create later are private too.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

use super::ServeError;

/// The stores in the data folder. Other files in it are left alone.
const STORES: [&str; 3] = ["journal", "index", "cursors"];
/// The permissions of group and others.
const FOREIGN: u32 = 0o077;
/// The sticky bit, set on folders that many users share, such as `/tmp`.
const STICKY: u32 = 0o1000;

/// Creates the data folder with mode 0700 if it is missing. Otherwise removes the permissions of
/// group and others from the folder and its stores, which an earlier version or another umask may
/// have granted: folders become 0700, files 0600. Idempotent.
pub fn secure(data: &Path) -> Result<(), ServeError> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(data);
    created.map_err(|source| failed(data, source))?;
    let is_shared = mode(data).map_err(|source| failed(data, source))? & STICKY != 0;
    if !is_shared {
        tighten(data)?;
    }
    for store in STORES {
        tighten_all(data.join(store))?;
    }
    Ok(())
}

/// Tightens a folder and everything in it. The folder itself may be a symbolic link; links in it
/// are not followed.
fn tighten_all(folder: PathBuf) -> Result<(), ServeError> {
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|source| failed(&folder, source))?,
        };
        tighten(&folder)?;
        for entry in entries {
            let entry = entry.map_err(|source| failed(&folder, source))?;
            let kind = entry.file_type().map_err(|source| failed(&entry.path(), source))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                tighten(&entry.path())?;
            }
        }
    }
    Ok(())
}

fn tighten(path: &Path) -> Result<(), ServeError> {
    let tightened = mode(path).and_then(|mode| match mode & FOREIGN {
        0 => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(mode & !FOREIGN)),
    });
    match tightened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A mounted volume may belong to another user, and only its owner can change permissions.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let path = path.display();
            warn!(%path, %error, "could not remove permissions of other users: run chmod go= on the path as its owner");
            Ok(())
        }
        done => done.map_err(|source| failed(path, source)),
    }
}

fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode())
}

fn failed(path: &Path, source: io::Error) -> ServeError {
    ServeError::Data { path: path.into(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_new_folder_is_private_and_an_old_one_becomes_so() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("new/data");
        let mode = |path: &Path| mode(path).unwrap() & 0o7777;
        secure(&data).unwrap();
        assert_eq!(mode(&data), 0o700);

        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir_all(elsewhere.join("inner")).unwrap();
        for file in ["a", "inner/b"] {
            fs::write(elsewhere.join(file), "").unwrap();
        }
        let others = folder.path().join("others");
        fs::write(&others, "").unwrap();
        let open =
            |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        open(&others, 0o644);
        for (path, mode) in [("", 0o755), ("a", 0o644), ("inner", 0o755), ("inner/b", 0o664)] {
            open(&elsewhere.join(path), mode);
        }
        open(&data, 0o755);
        symlink(&elsewhere, data.join("index")).unwrap();
        symlink(&others, elsewhere.join("link")).unwrap();
        fs::write(data.join("notes"), "").unwrap();
        open(&data.join("notes"), 0o644);
        secure(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        for (path, wanted) in [("", 0o700), ("a", 0o600), ("inner", 0o700), ("inner/b", 0o600)] {
            assert_eq!(mode(&elsewhere.join(path)), wanted, "{path}");
        }
        assert_eq!(mode(&others), 0o644, "it is not in the folder");
        assert_eq!(mode(&data.join("notes")), 0o644, "it is none of the exchange's");

        open(&data, 0o1777);
        secure(&data).unwrap();
        assert_eq!(mode(&data), 0o1777, "a shared folder stays shared");
    }
}
