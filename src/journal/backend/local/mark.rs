//! The watermark file `mark`: the newest acknowledged sequence and the oldest one kept.
//!
//! It tells a journal that was cut short from one that just ends there. It is written after the entries
//! and not synced, since a watermark that lags only detects less.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::{Buf, BufMut};

/// Its file name.
pub const NAME: &str = "mark";
const BYTES: usize = 20;

/// The watermark file.
#[derive(Debug)]
pub struct WatermarkFile(File);

/// Its content. A 0 means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watermark {
    /// The newest durable sequence.
    pub acknowledged: u64,
    /// The oldest sequence that was not trimmed.
    pub oldest: u64,
}

impl WatermarkFile {
    /// Opens the file in a folder, or creates an empty one.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        Ok(Self(options.open(folder.join(NAME))?))
    }

    /// Reads the watermark. Zero if the file is empty or damaged.
    pub fn read(&self) -> Watermark {
        let mut bytes = [0; BYTES];
        match self.0.read_exact_at(&mut bytes, 0) {
            Ok(()) => {
                let (mut fields, checksum) = bytes.split_at(16);
                let is_valid = checksum == crc32c::crc32c(fields).to_be_bytes();
                let mark = Watermark { acknowledged: fields.get_u64(), oldest: fields.get_u64() };
                if is_valid { mark } else { Watermark::default() }
            }
            Err(_) => Watermark::default(),
        }
    }

    /// Overwrites the watermark.
    pub fn write(&self, mark: Watermark) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.put_u64(mark.acknowledged);
        bytes.put_u64(mark.oldest);
        bytes.put_u32(crc32c::crc32c(&bytes));
        self.0.write_all_at(&bytes, 0)
    }

    /// Syncs the file.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_and_a_damaged_one_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = WatermarkFile::open(folder.path()).unwrap();
        assert_eq!(file.read(), Watermark::default());
        let mark = Watermark { acknowledged: 7, oldest: 3 };
        file.write(mark).unwrap();
        assert_eq!(WatermarkFile::open(folder.path()).unwrap().read(), mark);
        let path = folder.path().join(NAME);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, flipped).unwrap();
            assert_eq!(file.read(), Watermark::default(), "byte {at}");
        }
        std::fs::write(&path, &whole[..19]).unwrap();
        assert_eq!(file.read(), Watermark::default());
    }
}
