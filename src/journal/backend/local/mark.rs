//! What the journal knows of itself besides its entries: how far it is acknowledged, so that one that was cut
//! short is told from one that ends there, and where it begins since it was trimmed.
//!
//! It is written behind the entries and not forced to the disk: one that lags behind only finds less.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::{Buf, BufMut};

/// The name of its file.
pub const NAME: &str = "mark";
const BYTES: usize = 20;

/// The file.
#[derive(Debug)]
pub struct WatermarkFile(File);

/// What it says; 0 where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watermark {
    /// The newest sequence that is on the disk.
    pub acknowledged: u64,
    /// The oldest that is kept.
    pub oldest: u64,
}

impl WatermarkFile {
    /// Opens it in a folder, or makes an empty one.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        Ok(Self(options.open(folder.join(NAME))?))
    }

    /// What it says; nothing where it is missing or was never written whole.
    pub fn read(&self) -> Watermark {
        let mut bytes = [0; BYTES];
        match self.0.read_exact_at(&mut bytes, 0) {
            Ok(()) => {
                let (mut said, checksum) = bytes.split_at(16);
                let holds = checksum == crc32c::crc32c(said).to_be_bytes();
                let mark = Watermark { acknowledged: said.get_u64(), oldest: said.get_u64() };
                if holds { mark } else { Watermark::default() }
            }
            Err(_) => Watermark::default(),
        }
    }

    /// Writes it.
    pub fn write(&self, mark: Watermark) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.put_u64(mark.acknowledged);
        bytes.put_u64(mark.oldest);
        bytes.put_u32(crc32c::crc32c(&bytes));
        self.0.write_all_at(&bytes, 0)
    }

    /// Forces it to the disk.
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
