//! What a reader sees and asks for: now, and as of an entry.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::filter::Filter;
use crate::domain::sharing::Reader;
use crate::domain::{Assessment, PartnerId, Position, Sharing, Timestamp, may_see};
use crate::error::Result;
use crate::exchange::Exchange;
use crate::exchange::caller::reader;
use crate::index::Registry;

/// One partner's sight, through a filter.
#[derive(Debug)]
pub struct Sight {
    partner: PartnerId,
    filter: Filter,
    registry: Arc<Registry>,
    reader: Arc<Reader>,
    /// The reader as it was asked for last: who reads on through the past asks for it again.
    earlier: Mutex<Option<(u64, Option<Arc<Reader>>)>>,
}

/// A version, as far as the rule of sight and filters look at it.
#[derive(Clone, Copy, Debug)]
pub struct Outline<'a> {
    /// Whose it is.
    pub author: &'a PartnerId,
    /// Where it was accepted.
    pub version: Position,
    /// Who receives it.
    pub sharing: &'a Sharing,
    /// What it says; its content may be gone.
    pub said: &'a Assessment,
}

impl Sight {
    /// The sight of a partner as of now.
    pub fn new(exchange: &Exchange, partner: &PartnerId, filter: Filter) -> Result<Self> {
        let registry = exchange.registry();
        let reader = Arc::new(reader(&registry, partner)?);
        Ok(Self { partner: partner.clone(), filter, registry, reader, earlier: Mutex::default() })
    }

    /// The partner as the rule of sight knows it now.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Who is on the exchange, as of when the reader was last looked at.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What the reader asks for.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Rights are those of the moment: the registry may have changed since the last entry.
    pub fn refresh(&mut self, exchange: &Exchange) -> Result<()> {
        let registry = exchange.registry();
        if !Arc::ptr_eq(&registry, &self.registry) {
            self.reader = Arc::new(reader(&registry, &self.partner)?);
            self.registry = registry;
        }
        Ok(())
    }

    /// The partner as it was once an entry had been applied; `None` when it was none then.
    pub fn reader_at(&self, sequence: u64) -> Option<Arc<Reader>> {
        let changed = self.registry.sight_changed(sequence);
        if changed == self.registry.sight_changed(u64::MAX) {
            return Some(Arc::clone(&self.reader));
        }
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        match &*earlier {
            Some((at, reader)) if *at == changed => reader.clone(),
            _ => {
                let reader = self.registry.reader_at(&self.partner, changed).map(Arc::new);
                *earlier = Some((changed, reader.clone()));
                reader
            }
        }
    }

    /// Whether a reader may see a version and asks for it.
    pub fn wants(&self, reader: &Reader, version: Outline<'_>) -> bool {
        Self::sees(reader, version) && self.asks_for(reader, version)
    }

    /// Whether a reader may see a version.
    pub fn sees(reader: &Reader, version: Outline<'_>) -> bool {
        let Outline { author, version, sharing, .. } = version;
        // The clock ends releases, and those are the liaisons' alone, who follow no feeds.
        may_see(reader, sharing, author, version, Timestamp::default())
    }

    /// Whether the filter asks for a version that a reader may see.
    pub fn asks_for(&self, reader: &Reader, version: Outline<'_>) -> bool {
        let Outline { author, version, sharing, said } = version;
        self.filter.is_empty() || self.filter.matches(said, sharing, author, version, reader)
    }
}
