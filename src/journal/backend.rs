//! The backends of the journal.

mod files;
mod memory;
mod window;

pub use self::files::{Durability, FileJournal, FileSettings};
pub use self::memory::{Fault, MemoryJournal};

pub(super) use self::files::is_ours;
