//! Entries to append, and journals to append them to.

#![allow(dead_code)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tipoff::domain::entry::{AppendId, Batch, Body, Close, Item, SubmissionId};
use tipoff::domain::list::ShrinkPolicy;
use tipoff::domain::sharing::Audience;
use tipoff::domain::{Assessment, Indicator, Kind, PartnerId, Sharing, Timestamp, Tlp};
use tipoff::journal::{Append, LocalSettings};

/// A clock that advances by a millisecond at each call.
pub fn time() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    let now = AtomicI64::new(1_000);
    Arc::new(move || Timestamp::from_millis(now.fetch_add(1, Ordering::Relaxed)))
}

/// A journal in a folder that ignores free space, with a few entries per file.
pub fn settings(folder: &Path) -> LocalSettings {
    let settings = LocalSettings::new(folder.join("journal"), time());
    LocalSettings { min_free_bytes: 0, file_bytes: 64 * 1024, ..settings }
}

/// A small entry.
pub fn close(number: u64) -> Append {
    let body = Body::SubmissionClosed(Close {
        partner: PartnerId::from_stored("birdsite"),
        submission: SubmissionId::from_stored(&format!("s{number}")),
        batches: Some(1),
        policy: ShrinkPolicy::default(),
    });
    let id = AppendId::derive(&[b"test", &number.to_be_bytes()]);
    Append::new(id, Some(PartnerId::from_stored("birdsite")), body)
}

/// A batch of this many items, each with a note of this many bytes.
pub fn batch(number: u64, items: u32, note: usize) -> Append {
    numbered_batch(number, 1, items, note)
}

/// The same, with a number in its submission id.
pub fn numbered_batch(number: u64, in_submission: u32, items: u32, note: usize) -> Append {
    let items = (0..items).map(|index| {
        let indicator =
            Indicator::from_stored(Kind::Domain, None, format!("n{number}-{index}.example"));
        let mut assessment = Assessment::of(indicator);
        assessment.note = Some("x".repeat(note).into());
        Item { index, id: assessment.indicator.id(), assessment }
    });
    let body = Body::SubmissionBatch(Batch {
        submission: SubmissionId::from_stored("s"),
        number: in_submission,
        digest: [7; 32],
        sharing: Sharing { tlp: Tlp::Green, audience: Audience::Everyone, releases: Vec::new() },
        replaces: None,
        list: None,
        items: items.collect(),
        rejected: Vec::new(),
    });
    let id = AppendId::derive(&[b"batch", &number.to_be_bytes()]);
    Append::new(id, Some(PartnerId::from_stored("birdsite")), body)
}
