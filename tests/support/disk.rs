//! Small disks: in memory, and in an image file on a loop device.

#![allow(dead_code)]

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether disks can be mounted. Says so if not: a test that needs them is never skipped silently.
pub fn can_mount(what: &str) -> bool {
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        eprintln!("NOT RUN, since this is not root and cannot mount: {what}");
    }
    is_root
}

/// A mounted tmpfs. Unmounted on drop.
pub struct Tmpfs {
    pub at: PathBuf,
}

impl Tmpfs {
    pub fn mount(at: &Path, size: &str) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tipoff-test"])
            .arg(at)
            .status()
            .unwrap();
        assert!(status.success());
        Self { at: at.to_owned() }
    }
}

impl Tmpfs {
    pub fn grow(&self, size: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.at)
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

/// A mounted image of an ext4 disk. Unmounted on drop.
///
/// A copy of the image holds what the disk held at that moment: what was written and not synced is missing in it.
pub struct LoopDisk {
    pub image: PathBuf,
    pub at: PathBuf,
}

impl LoopDisk {
    /// Makes an empty image.
    pub fn make(image: &Path, size: &str) {
        run(Command::new("truncate").args(["-s", size]).arg(image));
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(image));
    }

    pub fn mount(image: &Path, at: &Path) -> Self {
        std::fs::create_dir_all(at).unwrap();
        run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(at));
        Self { image: image.to_owned(), at: at.to_owned() }
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap().path();
        let copied = to.join(file.file_name().unwrap());
        if file.is_dir() {
            copy(&file, &copied);
        } else {
            std::fs::copy(&file, copied).unwrap();
        }
    }
}
