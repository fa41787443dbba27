//! Limits what one record may have: a parser would keep all of it in memory.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Fails where more is read for one record than a record may have.
pub struct LimitedReader<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
    limit: u64,
}

/// Tells a [`LimitedReader`] where records begin.
pub struct RecordLimit(Rc<Cell<u64>>);

impl<R> LimitedReader<R> {
    /// Allows `limit` bytes in each record.
    pub fn of(inner: R, limit: u64) -> (Self, RecordLimit) {
        let taken = Rc::default();
        let record = RecordLimit(Rc::clone(&taken));
        (Self { inner, taken, limit }, record)
    }
}

impl RecordLimit {
    /// A record begins.
    pub fn begin(&self) {
        self.0.set(0);
    }
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken.get() > self.limit {
            let megabytes = self.limit >> 20;
            return Err(io::Error::other(format!("a record has more than {megabytes} MB")));
        }
        let read = self.inner.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}
