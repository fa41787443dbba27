//! Writes the files of a feed from the attributes that wait for it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};

use tempfile::NamedTempFile;
use uuid::Uuid;

use super::Pending;
use super::event::EventKey;
use super::folder::Folder;
use crate::formats::export::json::ArrayWriter;

/// The most attributes of an event. MISP edits larger ones slowly.
const MAX_ATTRIBUTES: u64 = 10_000;

/// Attributes of a part, on average, if an event has more than [`MAX_ATTRIBUTES`]. The parts are told
/// apart by digits of hashes, so none is much larger.
const PART_ATTRIBUTES: u64 = 5_000;

/// The files that name all events, as they grow.
#[derive(Debug)]
pub struct FeedFiles<'a> {
    folder: &'a Folder,
    hashes: BufWriter<NamedTempFile>,
    manifest: BufWriter<NamedTempFile>,
    uuids: Vec<Uuid>,
}

/// An event that is being written.
struct Part {
    digits: String,
    uuid: Uuid,
    attributes: ArrayWriter<BufWriter<NamedTempFile>>,
}

impl<'a> FeedFiles<'a> {
    /// Files without an event.
    pub fn create(folder: &'a Folder) -> io::Result<Self> {
        let (hashes, manifest) = (folder.temporary()?, folder.temporary()?);
        let (hashes, manifest) = (BufWriter::new(hashes), BufWriter::new(manifest));
        Ok(Self { folder, hashes, manifest, uuids: Vec::new() })
    }

    /// Writes an event, in parts if it is too large for one. Its attributes wait as lines of
    /// `INDICATOR-ID MD5 JSON`, in the order of the ids.
    pub fn write_event(&mut self, key: &EventKey, pending: &Pending) -> io::Result<()> {
        let digits = part_digits(pending.attributes);
        let mut current: Option<Part> = None;
        for line in BufReader::new(File::open(&pending.path)?).lines() {
            let line = line?;
            let mut fields = line.splitn(3, ' ');
            let (Some(id), Some(hash), Some(json)) = (fields.next(), fields.next(), fields.next())
            else {
                return Err(io::Error::other("a file of this export was changed"));
            };
            let digits = id.get(..digits).unwrap_or_default();
            let part = match current.take() {
                Some(part) if part.digits == digits => part,
                Some(part) if digits < part.digits.as_str() => {
                    return Err(io::Error::other("the exchange sent a snapshot out of order"));
                }
                earlier => {
                    self.finish_part(earlier)?;
                    self.begin_part(key, pending, digits)?
                }
            };
            let part = current.insert(part);
            writeln!(self.hashes, "{hash},{}", part.uuid)?;
            part.attributes.push_line(json.as_bytes())?;
        }
        self.finish_part(current)
    }

    /// Ends the files. Returns `hashes.csv`, `manifest.json`, and the events that they name.
    pub fn finish(mut self) -> io::Result<(NamedTempFile, NamedTempFile, Vec<Uuid>)> {
        let begin = if self.uuids.is_empty() { "{" } else { "" };
        writeln!(self.manifest, "{begin}\n}}")?;
        let hashes = self.hashes.into_inner().map_err(io::IntoInnerError::into_error)?;
        let manifest = self.manifest.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok((hashes, manifest, self.uuids))
    }

    fn begin_part(&mut self, key: &EventKey, pending: &Pending, digits: &str) -> io::Result<Part> {
        let uuid = key.uuid(digits);
        let summary = key.summary(digits, pending.newest, pending.severity);
        let separator = if self.uuids.is_empty() { "{\n" } else { ",\n" };
        write!(self.manifest, "{separator}\"{uuid}\":{summary}")?;
        self.uuids.push(uuid);
        let event = key.event(digits, pending.newest, pending.severity).to_string();
        let members = event.strip_suffix('}').unwrap_or(&event);
        let front = format!("\"Event\":{members},");
        let out = BufWriter::new(self.folder.temporary()?);
        let attributes = ArrayWriter::new(out, &front, "Attribute");
        Ok(Part { digits: digits.to_owned(), uuid, attributes })
    }

    fn finish_part(&self, part: Option<Part>) -> io::Result<()> {
        let Some(Part { uuid, mut attributes, .. }) = part else { return Ok(()) };
        attributes.finish("}")?;
        let file = attributes.into_output().into_inner().map_err(io::IntoInnerError::into_error)?;
        self.folder.replace(file, &format!("{uuid}.json"))
    }
}

/// How many digits of the indicators' ids tell the parts of an event apart.
fn part_digits(attributes: u64) -> usize {
    let fits = |digits: u32| {
        attributes <= MAX_ATTRIBUTES
            || (digits > 0 && attributes >> (4 * digits) <= PART_ATTRIBUTES)
    };
    (0..8).find(|digits| fits(*digits)).map_or(8, |digits| digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_split_when_it_is_too_large() {
        let table = [
            (0, 0),
            (10_000, 0),
            (10_001, 1),
            (80_000, 1),
            (100_000, 2),
            (1_000_000, 2),
            (2_000_000, 3),
        ];
        for (attributes, digits) in table {
            assert_eq!(part_digits(attributes), digits, "{attributes}");
        }
    }
}
