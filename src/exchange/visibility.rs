//! Who sees what: the access rights and the filter of one reader, now or immediately after an entry.

pub mod campaign;
pub mod enforcement;
pub mod hold;
pub mod indicator;
pub mod reaction;
pub mod restricted;
pub mod tip;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::filter::Filter;
use crate::domain::partner::Role;
use crate::domain::purpose::{Purpose, PurposeKind};
use crate::domain::sharing::{Audience, NO_RELEASE_EXPIRED, Reader};
use crate::domain::{Assessment, CampaignId, PartnerId, Position, Sharing, Timestamp, may_see};
use crate::error::Result;
use crate::exchange::core::rights_of;
use crate::exchange::visibility::campaign::campaign_visible;
use crate::index::{Registry, View};

/// A snapshot of the index as one reader may see it.
#[derive(Clone, Copy, Debug)]
pub struct ReaderView<'a> {
    /// The snapshot of the index.
    pub view: &'a View<'a>,
    /// The reader, with its rights.
    pub reader: &'a Reader,
    /// The current time. A release that has expired by then is ignored.
    pub now: Timestamp,
}

impl<'a> ReaderView<'a> {
    /// A view of `view` for `reader` at `now`.
    pub fn new(view: &'a View<'a>, reader: &'a Reader, now: Timestamp) -> Self {
        Self { view, reader, now }
    }

    /// Whether the reader may see an object: see [`may_see`].
    pub fn may_see(&self, sharing: &Sharing, author: &PartnerId, position: Position) -> bool {
        may_see(self.reader, sharing, author, position, self.now)
    }

    /// Whether the reader is a liaison.
    pub fn is_liaison(&self) -> bool {
        self.reader.role == Role::Liaison
    }
}

/// Decides what one reader receives: access rights ([`may_see`]) combined with its filter.
///
/// Rights change while a feed is open: take [`Visibility::at`] for each view.
#[derive(Debug)]
pub struct Visibility {
    partner: PartnerId,
    filter: Filter,
    /// Set for a liaison with purpose `public`: it receives public objects only.
    public_only: bool,
    registry: Arc<Registry>,
    reader: Arc<Reader>,
    /// Cache of the last historical reader, by registry sequence. Replay needs the same one many times in a row.
    historical_reader: Mutex<Option<(u64, Option<Arc<Reader>>)>>,
    /// Cache of campaign visibility. Cleared when the registry or any contribution to a campaign changes.
    campaigns: Mutex<CampaignCache>,
}

/// Which campaigns the reader sees, and the state for which that is valid.
#[derive(Debug, Default)]
struct CampaignCache {
    /// The registry, and the sequence of the last change to a campaign, for which the entries are valid.
    valid_for: Option<(Arc<Registry>, u64)>,
    /// Whether the reader sees a campaign: now (`None`), or immediately after an entry.
    visible: HashMap<(Option<u64>, CampaignId), bool>,
}

/// The most entries of a [`CampaignCache`]. A full cache is cleared.
const MAX_CACHED_CAMPAIGNS: usize = 1_000;

/// The point in time for which a decision is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Now, at this time.
    Now(Timestamp),
    /// Immediately after this entry was applied.
    Sequence(u64),
}

/// The part of a version that access rules and filters look at.
#[derive(Clone, Copy, Debug)]
pub struct VersionMeta<'a> {
    /// The author.
    pub author: &'a PartnerId,
    /// The position of the version.
    pub version: Position,
    /// The sharing, with the releases that are in force now.
    pub sharing: &'a Sharing,
    /// The fields that filters match. The content itself may already be deleted.
    pub assessment: &'a Assessment,
}

impl Visibility {
    /// The visibility of a partner with the rights of `registry`. Fails if it is no partner.
    pub fn new(registry: &Arc<Registry>, partner: &PartnerId, filter: Filter) -> Result<Self> {
        let registry = Arc::clone(registry);
        let reader = Arc::new(rights_of(&registry, partner)?);
        Ok(Self {
            partner: partner.clone(),
            filter,
            public_only: false,
            registry,
            reader,
            historical_reader: Mutex::default(),
            campaigns: Mutex::default(),
        })
    }

    /// Restricts a liaison to what its purpose covers: with purpose `public`, to public objects.
    #[must_use]
    pub fn for_purpose(mut self, purpose: Option<&Purpose>) -> Self {
        self.public_only = purpose.is_some_and(|purpose| purpose.kind == PurposeKind::Public);
        self
    }

    /// Whether the reader sees public objects only.
    pub fn public_only(&self) -> bool {
        self.public_only
    }

    /// Whether the reader is a liaison: releases decide what it sees.
    pub fn is_liaison(&self) -> bool {
        self.reader.role == Role::Liaison
    }

    /// The reader with its current rights.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The registry with the current rights.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// This visibility with the rights of `view`. The same value if the registry did not change.
    pub fn at(self: &Arc<Self>, view: &View<'_>) -> Result<Arc<Self>> {
        if Arc::ptr_eq(view.registry(), &self.registry) {
            return Ok(Arc::clone(self));
        }
        let new = Self::new(view.registry(), &self.partner, self.filter.clone())?;
        Ok(Arc::new(Self { public_only: self.public_only, ..new }))
    }

    /// The reader with its rights immediately after an entry; `None` if it was no partner then.
    pub fn reader_at(&self, sequence: u64) -> Option<Arc<Reader>> {
        let changed = self.registry.visibility_changed_at(sequence);
        if changed == self.registry.visibility_changed_at(u64::MAX) {
            return Some(Arc::clone(&self.reader));
        }
        let mut cached = self.historical_reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some((at, reader)) if *at == changed => reader.clone(),
            _ => {
                let reader = self.registry.reader_at(&self.partner, changed).map(Arc::new);
                *cached = Some((changed, reader.clone()));
                reader
            }
        }
    }

    /// Whether `reader` may see the version and its filter matches it.
    pub fn should_deliver(
        &self,
        view: &View<'_>,
        reader: &Reader,
        as_of: AsOf,
        version: VersionMeta<'_>,
    ) -> Result<bool> {
        Ok(Self::may_see_version(reader, version)
            && self.matches_filter(view, reader, as_of, version)?)
    }

    /// Like [`Visibility::should_deliver`], for the content of a current version. Releases are checked against
    /// `now`, so a release that has run out denies even before its expiry entry is written.
    pub fn may_deliver_content(
        &self,
        view: &View<'_>,
        version: VersionMeta<'_>,
        now: Timestamp,
    ) -> Result<bool> {
        let VersionMeta { author, version: position, sharing, .. } = version;
        Ok(self.may_deliver(author, sharing, position, now)
            && self.matches_filter(view, &self.reader, AsOf::Now(now), version)?)
    }

    /// Whether the reader may see an object at `now`, for its purpose.
    pub fn may_deliver(
        &self,
        author: &PartnerId,
        sharing: &Sharing,
        position: Position,
        now: Timestamp,
    ) -> bool {
        may_see(&self.reader, sharing, author, position, now)
            && (!self.public_only || sharing.audience == Audience::Public)
    }

    /// Whether a reader may see a version by its audience and releases. Ignores the clock.
    pub fn may_see_version(reader: &Reader, version: VersionMeta<'_>) -> bool {
        let VersionMeta { author, version, sharing, .. } = version;
        // An expired release ends with its expiry entry, which is itself delivered.
        may_see(reader, sharing, author, version, NO_RELEASE_EXPIRED)
    }

    /// Whether the filter matches a version that a reader may see. A filter by campaign matches campaigns that the
    /// reader sees.
    pub fn matches_filter(
        &self,
        view: &View<'_>,
        reader: &Reader,
        as_of: AsOf,
        version: VersionMeta<'_>,
    ) -> Result<bool> {
        let VersionMeta { author, version, sharing, assessment } = version;
        if self.filter.is_empty() {
            return Ok(true);
        }
        if !self.filter.matches(assessment, sharing, author, version, reader) {
            return Ok(false);
        }
        match assessment.campaign {
            Some(campaign) if !self.filter.campaigns.is_empty() => {
                self.sees_campaign(view, reader, as_of, campaign)
            }
            _ => Ok(true),
        }
    }

    /// Whether the filter matches an enforcement against a campaign. A filter by campaign matches campaigns that the reader sees.
    pub fn matches_enforcement(
        &self,
        view: &View<'_>,
        campaign: Option<CampaignId>,
        now: Timestamp,
    ) -> Result<bool> {
        if self.filter.is_empty() {
            return Ok(true);
        }
        match campaign.filter(|id| self.filter.matches_campaign(Some(*id))) {
            Some(campaign) => self.sees_campaign(view, &self.reader, AsOf::Now(now), campaign),
            None => Ok(false),
        }
    }

    /// Whether a reader sees a campaign.
    pub fn sees_campaign(
        &self,
        view: &View<'_>,
        reader: &Reader,
        as_of: AsOf,
        campaign: CampaignId,
    ) -> Result<bool> {
        if let AsOf::Now(now) = as_of
            && self.is_liaison()
        {
            // Releases expire by the clock, which does not clear the cache.
            return campaign_visible(view, &self.partner, campaign, now);
        }
        let key = match as_of {
            AsOf::Now(_) => (None, campaign),
            AsOf::Sequence(sequence) => (Some(sequence), campaign),
        };
        let (registry, changed) = (view.registry(), view.campaigns_changed()?);
        let is_valid = |cache: &CampaignCache| {
            cache.valid_for.as_ref().is_some_and(|(cached_registry, cached_change)| {
                Arc::ptr_eq(cached_registry, registry) && *cached_change == changed
            })
        };
        {
            let mut cache = self.campaigns.lock().unwrap_or_else(PoisonError::into_inner);
            if !is_valid(&cache) || cache.visible.len() >= MAX_CACHED_CAMPAIGNS {
                let valid_for = Some((Arc::clone(registry), changed));
                *cache = CampaignCache { valid_for, visible: HashMap::new() };
            }
            if let Some(sees) = cache.visible.get(&key) {
                return Ok(*sees);
            }
        }
        let sees = match as_of {
            AsOf::Now(now) => campaign_visible(view, &self.partner, campaign, now)?,
            AsOf::Sequence(sequence) => view.campaign_visible_at(campaign, reader, sequence)?,
        };
        let mut cache = self.campaigns.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have cleared it for a newer registry.
        if is_valid(&cache) {
            cache.visible.insert(key, sees);
        }
        Ok(sees)
    }

    /// The campaigns among `campaigns` that the reader sees.
    pub fn visible_campaigns(
        &self,
        view: &View<'_>,
        campaigns: &[CampaignId],
        now: Timestamp,
    ) -> Result<BTreeSet<CampaignId>> {
        let mut visible = BTreeSet::new();
        for campaign in campaigns {
            if self.sees_campaign(view, &self.reader, AsOf::Now(now), *campaign)? {
                visible.insert(*campaign);
            }
        }
        Ok(visible)
    }

    /// Removes fields that the reader may not see from another author's assessment: the raw spelling, and a campaign
    /// that the reader does not see.
    pub fn redact(
        &self,
        view: &View<'_>,
        author: &PartnerId,
        assessment: &mut Assessment,
        now: Timestamp,
    ) -> Result<()> {
        if self.partner == *author {
            return Ok(());
        }
        assessment.raw = None;
        if let Some(campaign) = assessment.campaign
            && !self.sees_campaign(view, &self.reader, AsOf::Now(now), campaign)?
        {
            assessment.campaign = None;
        }
        Ok(())
    }
}
