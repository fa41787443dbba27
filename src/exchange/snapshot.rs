//! Everything that is current for a reader: fuzzy and safe. The place first, then a scan by key; what
//! changes meanwhile comes again from that place.

use std::sync::Arc;

use super::feeds::{Outline, Shown, Sight};
use super::lane::{Wanted, check_filter};
use super::{Caller, Exchange};
use crate::domain::cursor::Place;
use crate::domain::purpose::Purpose;
use crate::domain::{Cursor, PartnerId};
use crate::error::Result;
use crate::index::CurrentKey;

/// How many assessments are looked at, at once, where nothing else is asked for.
pub const SCANNED_AT_ONCE: usize = 512;

/// A reader's way through what is current.
#[derive(Debug)]
pub struct Snapshot {
    exchange: Arc<Exchange>,
    partner: PartnerId,
    purpose: Option<Purpose>,
    sight: Sight,
    cursor: Cursor,
    scanned: Option<CurrentKey>,
}

impl Exchange {
    /// Opens a snapshot for a caller; for a liaison with its purpose.
    pub fn snapshot(
        self: &Arc<Self>,
        caller: &Caller,
        wanted: impl Into<Wanted>,
    ) -> Result<Snapshot> {
        let Wanted { filter, purpose } = wanted.into();
        self.check_purpose(caller, purpose.as_ref())?;
        check_filter(caller, &filter)?;
        // Before the scan: nothing that comes behind it is missed.
        let place = Place::behind_entry(self.index.checkpoint());
        Ok(Snapshot {
            exchange: Arc::clone(self),
            partner: caller.partner().clone(),
            sight: Sight::new(self, caller.partner(), filter)?.for_purpose(purpose.as_ref()),
            purpose,
            cursor: Cursor { journal: self.index.journal(), place },
            scanned: Some(CurrentKey::default()),
        })
    }
}

impl Snapshot {
    /// Of a liaison, for what it reads.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }

    /// Where to follow on from once the snapshot is complete.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// What the reader may see and asks for among the next so many assessments; `None` once it is
    /// complete. Rights are those of the moment. Reads from the disk.
    pub fn next_page(&mut self, most: usize) -> Result<Option<Vec<Shown>>> {
        let Some(behind) = self.scanned.take() else { return Ok(None) };
        self.exchange.check_suspended(&self.partner)?;
        self.exchange.check_still(&self.partner, self.purpose.as_ref())?;
        let (found, last) = self.exchange.index.scan_current(&behind, most)?;
        // Behind the scan: what was accepted after the reader lost sight is judged by that.
        self.sight.refresh(&self.exchange)?;
        self.scanned = last;
        let (place, now) = (self.cursor.place, self.exchange.clock.now());
        let mut shown = Vec::new();
        for (author, mut current) in found {
            let reader = self.sight.reader();
            let (version, sharing) = (current.version, &current.sharing);
            let outline = Outline { author: &author, version, sharing, said: &current.assessment };
            if !self.sight.gives(outline, now)? {
                continue;
            }
            let view = sharing.seen_by(reader, &author, version);
            self.sight.blank(&author, &mut current.assessment)?;
            shown.push(Shown { place, author, current, view });
        }
        Ok(Some(shown))
    }
}
