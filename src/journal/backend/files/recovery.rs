//! What lies in the folder of a journal, as it is found at a start.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tracing::warn;

use super::super::end::JournalEnd;
use super::super::local::{Recovered, Watermark};
use super::super::window::WINDOW;
use super::record::Record;
use super::segment::{self, HEAD_BYTES, ScanEnd, Segment};
use crate::journal::{JournalError, damaged, storage};

/// Opens every file, reads the newest entries and checks them.
///
/// What was never acknowledged and lies incomplete at the very end is cut off. Anything else that is
/// amiss is an error that names it.
pub fn recover(
    folder: &Path,
    mark: Watermark,
) -> Result<(Vec<Arc<Segment>>, Recovered), JournalError> {
    let segments = open_all(folder, mark)?;
    let Some((newest, older)) = segments.split_last() else {
        return match mark.acknowledged {
            0 => Ok((segments, Recovered { oldest: 1, ..Recovered::default() })),
            acknowledged => Err(JournalError::CutShort { found: 0, acknowledged }),
        };
    };
    let mut tail = Tail::default();
    let mut unsettled = 0;
    let end = newest.scan(|record| {
        if record.stamp.sequence > mark.acknowledged {
            unsettled += record.bytes();
        }
        tail.push(record);
    });
    let end = end.map_err(storage)?;
    if let Some(fault) = end.fault {
        cut_unfinished_end(newest, &end, fault, mark)?;
    }
    if unsettled > 0 {
        newest.settle(end.at - unsettled).map_err(storage)?;
    }
    let found = end.next - 1;
    if found < mark.acknowledged {
        return Err(JournalError::CutShort { found, acknowledged: mark.acknowledged });
    }
    for segment in older.iter().rev() {
        if tail.latest.len() >= WINDOW {
            break;
        }
        let mut before = Tail::default();
        let end = segment.scan(|record| before.push(record)).map_err(storage)?;
        if let Some(fault) = end.fault {
            return Err(damaged(end.next, fault));
        }
        before.latest.append(&mut tail.latest);
        tail = before;
    }
    let first = older.first().unwrap_or(newest).first;
    let oldest = first.max(mark.oldest).min(found.max(1));
    let end = tail.end(found);
    Ok((segments, Recovered { end, oldest }))
}

/// The newest entries, as far back as their ids are remembered.
#[derive(Default)]
struct Tail {
    latest: VecDeque<Record>,
}

impl Tail {
    fn push(&mut self, record: &Record) {
        self.latest.push_back(Record { entry: Vec::new(), ..*record });
        if self.latest.len() > WINDOW {
            self.latest.pop_front();
        }
    }

    fn end(self, sequence: u64) -> JournalEnd {
        let mut end = JournalEnd { sequence, ..JournalEnd::default() };
        for record in self.latest {
            end.observe(record.id, record.stamp);
        }
        end
    }
}

/// Every file, checked to follow the one before it.
fn open_all(folder: &Path, mark: Watermark) -> Result<Vec<Arc<Segment>>, JournalError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let paths = entries.map_err(storage)?.into_iter().map(|entry| entry.path());
    let mut files: Vec<_> =
        paths.filter_map(|path| segment::first_of(&path).map(|first| (first, path))).collect();
    files.sort();
    let newest = files.last().map(|(first, _)| *first);
    let mut segments: Vec<Arc<Segment>> = Vec::new();
    for (first, path) in files {
        let (segment, previous) = Segment::open(&path, first).map_err(storage)?;
        let Some(previous) = previous else {
            if Some(first) != newest || was_begun(&segment, mark)? {
                return Err(damaged(first, "the beginning of its file is damaged"));
            }
            warn!(file = %path.display(), "a file of the journal that was never finished is removed");
            fs::remove_file(&path).map_err(storage)?;
            continue;
        };
        let follows = match segments.last() {
            Some(before) => previous == before.first,
            // Those before the oldest that is kept were removed.
            None => mark.oldest == 0 || first <= mark.oldest,
        };
        if !follows {
            let missing = if segments.is_empty() { mark.oldest } else { previous };
            return Err(damaged(missing, "its file is not there"));
        }
        segments.push(Arc::new(segment));
    }
    Ok(segments)
}

/// Whether a file whose beginning is damaged holds anything that was acknowledged.
fn was_begun(segment: &Segment, mark: Watermark) -> Result<bool, JournalError> {
    if mark.acknowledged >= segment.first {
        return Ok(true);
    }
    // Its first entry is written once its beginning is on the disk.
    Ok(segment.length().map_err(storage)? > HEAD_BYTES as u64)
}

/// Cuts off what a crash left of a write that was never acknowledged. What was is damaged, and stays.
fn cut_unfinished_end(
    segment: &Segment,
    end: &ScanEnd,
    fault: &str,
    mark: Watermark,
) -> Result<(), JournalError> {
    if end.next <= mark.acknowledged || segment.shows_durable(end.next, end.at).map_err(storage)? {
        return Err(damaged(end.next, fault));
    }
    warn!(
        sequence = end.next,
        file = %segment.path().display(),
        "what was never acknowledged is incomplete at the end of the journal, and is cut off"
    );
    segment.cut(end.at).map_err(storage)
}
