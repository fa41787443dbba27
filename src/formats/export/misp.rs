//! A folder that MISP reads as a feed: `manifest.json`, `hashes.csv`, and a file for each event.
//! <https://github.com/MISP/misp-rfc>, "MISP feed format".

mod attribute;
mod event;
mod files;
mod folder;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use tempfile::TempDir;
use uuid::Uuid;

pub use self::attribute::REFERENCE;
use self::attribute::{attribute, naming};
use self::event::EventKey;
use self::files::FeedFiles;
pub use self::folder::FeedError;
use self::folder::{Folder, TEMPORARY};
use super::{Rules, Tally, Writer};
use crate::domain::assessment::Severity;
use crate::domain::hex;
use crate::domain::{ReceivedAssessment, Timestamp};

/// The namespace of the derived ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x7469_706f_6666_5000_8000_006d_6973_7031);

/// Bytes of attributes in memory before they are appended to the files of their events.
const MAX_PENDING_BYTES: usize = 4 * 1024 * 1024;

/// A derived id: the same object has the same one in every export.
fn uuid_of(kind: &str, parts: &[&str]) -> Uuid {
    // A length before each part, so that no two lists of parts are the same name.
    let parts = parts.iter().map(|part| format!("{}:{part}", part.len()));
    let name: String = std::iter::once(kind.to_owned()).chain(parts).collect();
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// Writes a feed.
///
/// Assessments arrive by the id of their indicator, and their events are finished at the end. So
/// attributes wait in one file for each event, in a folder that is deleted afterwards.
#[derive(Debug)]
pub struct FeedWriter {
    folder: Folder,
    staging: TempDir,
    events: BTreeMap<EventKey, Pending>,
    pending_bytes: usize,
}

/// An event whose attributes still arrive.
#[derive(Debug)]
struct Pending {
    path: PathBuf,
    /// Lines that are not in the file yet.
    lines: Vec<u8>,
    attributes: u64,
    newest: Timestamp,
    severity: Severity,
}

impl FeedWriter {
    /// A feed in this folder, which is created. An earlier feed of this writer in it is replaced. A
    /// folder with other files is refused. The rules give the mode of the files.
    pub fn new(path: &Path, rules: Rules) -> Result<Self, FeedError> {
        let folder = Folder::open(path, rules.file_mode())?;
        let staging = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(path);
        let staging = staging.map_err(|error| FeedError::Write(path.to_owned(), error))?;
        Ok(Self { folder, staging, events: BTreeMap::new(), pending_bytes: 0 })
    }

    fn flush_pending(&mut self) -> io::Result<()> {
        for event in self.events.values_mut().filter(|event| !event.lines.is_empty()) {
            let mut file = File::options().create(true).append(true).open(&event.path)?;
            file.write_all(&event.lines)?;
            event.lines = Vec::new();
        }
        self.pending_bytes = 0;
        Ok(())
    }
}

impl Writer for FeedWriter {
    fn add(&mut self, received: &ReceivedAssessment, tally: &mut Tally) -> io::Result<()> {
        let indicator = &received.assessment.indicator;
        let number = self.events.len();
        let event = self.events.entry(EventKey::of(received)).or_insert_with(|| Pending {
            path: self.staging.path().join(number.to_string()),
            lines: Vec::new(),
            attributes: 0,
            newest: received.accepted,
            severity: Severity::Info,
        });
        event.attributes += 1;
        event.newest = event.newest.max(received.accepted);
        event.severity = event.severity.max(received.assessment.severity());
        let naming = naming(indicator);
        let before = event.lines.len();
        let hash = hex::encode(&Md5::digest(&naming.value));
        write!(event.lines, "{} {hash} ", received.id)?;
        serde_json::to_writer(&mut event.lines, &attribute(received, &naming))?;
        event.lines.push(b'\n');
        self.pending_bytes += event.lines.len() - before;
        tally.written += 1;
        if self.pending_bytes >= MAX_PENDING_BYTES {
            self.flush_pending()?;
        }
        Ok(())
    }

    fn finish(&mut self, _tally: &mut Tally) -> io::Result<()> {
        self.flush_pending()?;
        let mut files = FeedFiles::create(&self.folder)?;
        for (key, pending) in &self.events {
            files.write_event(key, pending)?;
            fs::remove_file(&pending.path)?;
        }
        let (hashes, manifest, uuids) = files.finish()?;
        self.folder.finish(hashes, manifest, &uuids)
    }
}

#[cfg(test)]
mod tests;
