//! Where an export goes.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::super::failure::Failure;
use super::super::output;
use crate::formats::export::Rules;

/// First characters of the names of temporary files.
const TEMPORARY: &str = ".tipoff-file-";

/// Stdout, or a file that appears whole.
#[derive(Debug)]
pub enum Target {
    Stdout,
    File(TargetFile),
}

/// A file, and what is written in its place.
#[derive(Debug)]
pub struct TargetFile {
    path: PathBuf,
    temporary: NamedTempFile,
    /// The permissions of the file that is replaced. `None` for a new file, and for one that is for its user
    /// alone.
    permissions: Option<Permissions>,
}

impl Target {
    /// Checks that the path can be written, before anything is fetched.
    ///
    /// A new file has the mode of `rules`, without the umask. A file that is replaced keeps its permissions, unless
    /// the rules want it for its user alone.
    pub fn open(path: Option<&Path>, rules: Rules) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Target::Stdout) };
        let shown = path.display();
        let cannot = |error: io::Error| Failure::failed(format!("cannot write {shown}: {error}"));
        let (path, replaced) = match fs::metadata(path) {
            Ok(file) if file.is_dir() => {
                return Err(Failure::usage(format!("{shown} is a folder: name a file")));
            }
            // A device or a pipe would be replaced by a file.
            Ok(file) if !file.is_file() => {
                return Err(Failure::usage(format!(
                    "{shown} is not a regular file: omit --out and redirect stdout"
                )));
            }
            // The file behind a link.
            Ok(file) => (fs::canonicalize(path).map_err(cannot)?, Some(file.permissions())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
            Err(error) => return Err(cannot(error)),
        };
        let folder = folder_of(&path);
        // Asked first, because an error of the temporary file names that file.
        fs::metadata(folder).map_err(cannot)?;
        remove_leftovers(folder);
        let permissions = replaced.filter(|_| !rules.include_strict);
        let mode = permissions.as_ref().map_or(rules.file_mode(), |kept| kept.mode() & 0o777);
        let temporary = create_temporary(folder, mode).map_err(cannot)?;
        Ok(Target::File(TargetFile { path, temporary, permissions }))
    }

    /// The folder for temporary files: on the disk that has room for the export.
    pub fn folder(&self) -> PathBuf {
        match self {
            Target::Stdout => std::env::temp_dir(),
            Target::File(file) => folder_of(&file.path).to_owned(),
        }
    }

    /// The output.
    pub fn output(&self) -> io::Result<Box<dyn Write>> {
        Ok(match self {
            Target::Stdout => Box::new(BufWriter::new(io::stdout())),
            Target::File(file) => Box::new(BufWriter::new(file.temporary.as_file().try_clone()?)),
        })
    }

    /// The failure of a write.
    pub fn failure(&self, error: &io::Error) -> Failure {
        match self {
            Target::Stdout => output::stdout_failure(error),
            Target::File(file) => {
                Failure::failed(format!("cannot write {}: {error}", file.path.display()))
            }
        }
    }

    /// Puts the file in its place, once it is complete and on disk.
    pub fn finish(self) -> Result<(), Failure> {
        let Target::File(TargetFile { path, temporary, permissions }) = self else {
            return Ok(());
        };
        let cannot =
            |error: io::Error| Failure::failed(format!("cannot write {}: {error}", path.display()));
        if let Some(permissions) = permissions {
            temporary.as_file().set_permissions(permissions).map_err(cannot)?;
        }
        temporary.as_file().sync_all().map_err(cannot)?;
        temporary.persist(&path).map_err(|error| cannot(error.error))?;
        Ok(())
    }
}

/// Creates a temporary file and locks it, so that no other export takes it for a left-over. Where the file system has
/// no locks, the file of an export that was killed stays.
fn create_temporary(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    loop {
        let temporary = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)?;
        // Another export may have found the file before it was locked, and removed it.
        if temporary.as_file().lock().is_err() || temporary.path().exists() {
            return Ok(temporary);
        }
    }
}

/// Removes the temporary files of exports that were killed. One that runs has the lock of its file. A file that cannot
/// be removed stays: that is no reason to refuse the export.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_temporary = entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes());
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_temporary
            && is_file
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_when_the_new_one_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.json");
        fs::write(&path, "old").unwrap();
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let abandoned = Target::open(Some(&link), Rules::default()).unwrap();
        abandoned.output().unwrap().write_all(b"new").unwrap();
        drop(abandoned);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let target = Target::open(Some(&link), Rules::default()).unwrap();
        let mut output = target.output().unwrap();
        output.write_all(b"new").unwrap();
        output.flush().unwrap();
        target.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing temporary is left");
    }

    #[test]
    fn a_folder_a_device_and_a_missing_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path(), Path::new("/dev/null"), &folder.path().join("no/file")] {
            assert!(Target::open(Some(path), Rules::default()).is_err(), "{}", path.display());
        }
    }

    fn write(path: &Path, rules: Rules) -> u32 {
        let target = Target::open(Some(path), rules).unwrap();
        target.output().unwrap().write_all(b"new").unwrap();
        target.finish().unwrap();
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_has_the_mode_of_other_new_files_unless_it_is_private_or_replaces_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("plain"), "by the umask").unwrap();
        let usual = fs::metadata(path("plain")).unwrap().permissions().mode() & 0o777;
        let strict = Rules { include_strict: true };
        assert_eq!(write(&path("shared"), Rules::default()), usual);
        assert_eq!(write(&path("private"), strict), 0o600);
        for kept in [0o640, 0o600, 0o666] {
            fs::set_permissions(path("plain"), Permissions::from_mode(kept)).unwrap();
            assert_eq!(write(&path("plain"), Rules::default()), kept);
        }
        assert_eq!(write(&path("plain"), strict), 0o600);
    }

    #[test]
    fn what_a_killed_export_left_is_removed_and_a_running_one_is_not_disturbed() {
        let folder = tempfile::tempdir().unwrap();
        let left_over = folder.path().join(format!("{TEMPORARY}1"));
        fs::write(&left_over, "a.example").unwrap();
        let foreign = folder.path().join("notes.txt");
        fs::write(&foreign, "mine").unwrap();
        let open = |name: &str| Target::open(Some(&folder.path().join(name)), Rules::default());
        let running = open("first").unwrap();
        assert!(!left_over.exists());
        open("second").unwrap().finish().unwrap();
        running.finish().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["first", "notes.txt", "second"]);
    }
}
