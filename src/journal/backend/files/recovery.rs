//! Recovery: opens the segments of a journal at a start.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tracing::warn;

use super::super::end::JournalEnd;
use super::super::local::{Recovered, Watermark};
use super::super::window::WINDOW;
use super::record::Record;
use super::segment::{self, HEADER_BYTES, ScanEnd, Segment};
use crate::journal::{JournalError, damaged, storage};

/// Opens all segments, reads the newest entries and checks them.
///
/// Cuts off an incomplete end if it was never acknowledged. Any other damage is an error that names the
/// entry.
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
    let mut tail = NewestRecords::default();
    let mut unsynced_bytes = 0;
    let end = newest.scan(|record| {
        if record.stamp.sequence > mark.acknowledged {
            unsynced_bytes += record.bytes();
        }
        tail.push(record);
    });
    let end = end.map_err(storage)?;
    if let Some(fault) = end.fault {
        cut_unfinished_end(newest, &end, fault, mark)?;
    }
    if unsynced_bytes > 0 {
        newest.rewrite(end.at - unsynced_bytes).map_err(storage)?;
    }
    let found = end.next - 1;
    if found < mark.acknowledged {
        return Err(JournalError::CutShort { found, acknowledged: mark.acknowledged });
    }
    for segment in older.iter().rev() {
        if tail.records.len() >= WINDOW {
            break;
        }
        let mut before = NewestRecords::default();
        let end = segment.scan(|record| before.push(record)).map_err(storage)?;
        if let Some(fault) = end.fault {
            return Err(damaged(end.next, fault));
        }
        before.records.append(&mut tail.records);
        tail = before;
    }
    let first = older.first().unwrap_or(newest).first;
    let oldest = first.max(mark.oldest).min(found.max(1));
    let end = tail.end(found);
    Ok((segments, Recovered { end, oldest }))
}

/// The newest records, as many as there are ids in the window.
#[derive(Default)]
struct NewestRecords {
    records: VecDeque<Record>,
}

impl NewestRecords {
    fn push(&mut self, record: &Record) {
        self.records.push_back(Record { entry: Vec::new(), ..*record });
        if self.records.len() > WINDOW {
            self.records.pop_front();
        }
    }

    fn end(self, sequence: u64) -> JournalEnd {
        let mut end = JournalEnd { sequence, ..JournalEnd::default() };
        for record in self.records {
            end.observe(record.id, record.stamp);
        }
        end
    }
}

/// Opens all segments, and checks that each follows the one before it.
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
            if Some(first) != newest || may_hold_acknowledged(&segment, mark)? {
                return Err(damaged(first, "the header of its file is damaged"));
            }
            warn!(file = %path.display(), "removed an unfinished file of the journal");
            fs::remove_file(&path).map_err(storage)?;
            continue;
        };
        let follows = match segments.last() {
            Some(before) => previous == before.first,
            // The segments before the oldest kept entry were trimmed.
            None => mark.oldest == 0 || first <= mark.oldest,
        };
        if !follows {
            let missing = if segments.is_empty() { mark.oldest } else { previous };
            return Err(damaged(missing, "its file is missing"));
        }
        segments.push(Arc::new(segment));
    }
    Ok(segments)
}

/// Whether a segment with a damaged header may hold acknowledged entries.
fn may_hold_acknowledged(segment: &Segment, mark: Watermark) -> Result<bool, JournalError> {
    if mark.acknowledged >= segment.first {
        return Ok(true);
    }
    // The first entry is written only after the header is durable.
    Ok(segment.length().map_err(storage)? > HEADER_BYTES as u64)
}

/// Cuts off the rest of a write that a crash interrupted. Damage to acknowledged entries is an error,
/// and nothing is cut.
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
        "removed an incomplete entry at the end of the journal that was never acknowledged"
    );
    segment.cut(end.at).map_err(storage)
}
