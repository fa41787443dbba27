//! Who sees what: access rights and the filter of one reader, now and as of an entry.

pub mod campaign;
pub mod enforcement;
pub mod hold;
pub mod indicator;
pub mod reaction;
pub mod restricted;
pub mod tip;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::domain::filter::Filter;
use crate::domain::partner::Role;
use crate::domain::purpose::{Purpose, PurposeKind};
use crate::domain::sharing::{Audience, Reader};
use crate::domain::{Assessment, CampaignId, PartnerId, Position, Sharing, Timestamp, may_see};
use crate::error::Result;
use crate::exchange::core::{Core, reader};
use crate::exchange::visibility::campaign::campaign_visible;
use crate::index::{Registry, View};

/// The index as one reader may see it at one moment.
#[derive(Clone, Copy, Debug)]
pub struct ReaderView<'a> {
    /// The index.
    pub view: &'a View<'a>,
    /// Whose rights count.
    pub reader: &'a Reader,
    /// Releases that end by then are over.
    pub now: Timestamp,
}

impl<'a> ReaderView<'a> {
    /// What `reader` may see of `view` at `now`.
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

/// One partner's sight, through a filter.
#[derive(Debug)]
pub struct Visibility {
    partner: PartnerId,
    filter: Filter,
    /// Whether the reader is given what is public alone.
    public_only: bool,
    registry: Arc<Registry>,
    reader: Arc<Reader>,
    /// The reader as it was asked for last: who reads on through the past asks for it again.
    historical_reader: Mutex<Option<(u64, Option<Arc<Reader>>)>>,
    clock: Arc<dyn Clock>,
    /// Which campaigns the reader sees, as of when it was asked, until something changes it.
    campaigns: Mutex<Campaigns>,
}

/// What was looked up of campaigns, and the rights and the last change of a campaign that it holds under.
#[derive(Debug, Default)]
struct Campaigns {
    under: Option<(Arc<Registry>, u64)>,
    seen: HashMap<(AsOf, CampaignId), bool>,
}

/// How many answers on campaigns are kept.
const MAX_CACHED_CAMPAIGNS: usize = 1_000;

/// As of when a reader is asked whether it wants a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AsOf {
    /// Now.
    Now,
    /// Once this entry had been applied.
    Sequence(u64),
}

/// A version, as far as the rule of sight and filters look at it.
#[derive(Clone, Copy, Debug)]
pub struct VersionMeta<'a> {
    /// Whose it is.
    pub author: &'a PartnerId,
    /// Where it was accepted.
    pub version: Position,
    /// Who receives it.
    pub sharing: &'a Sharing,
    /// What it says; its content may be gone.
    pub assessment: &'a Assessment,
}

impl Visibility {
    /// The sight of a partner as of now.
    pub fn new(
        core: &Core,
        registry: &Arc<Registry>,
        partner: &PartnerId,
        filter: Filter,
    ) -> Result<Self> {
        let registry = Arc::clone(registry);
        let reader = Arc::new(reader(&registry, partner)?);
        Ok(Self {
            partner: partner.clone(),
            filter,
            public_only: false,
            registry,
            reader,
            historical_reader: Mutex::default(),
            clock: Arc::clone(&core.clock),
            campaigns: Mutex::default(),
        })
    }

    /// The same, as far as a purpose goes: who reads what is public is given that alone.
    #[must_use]
    pub fn for_purpose(mut self, purpose: Option<&Purpose>) -> Self {
        self.public_only = purpose.is_some_and(|it| it.kind == PurposeKind::Public);
        self
    }

    /// Whether the reader is a liaison, which is judged by the releases in force and the clock.
    pub fn is_liaison(&self) -> bool {
        self.reader.role == Role::Liaison
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

    /// Rights are those of the moment that is read: the registry may have changed since the last entry.
    pub fn refresh(&mut self, view: &View<'_>) -> Result<()> {
        if !Arc::ptr_eq(view.registry(), &self.registry) {
            self.reader = Arc::new(reader(view.registry(), &self.partner)?);
            self.registry = Arc::clone(view.registry());
        }
        Ok(())
    }

    /// The partner as it was once an entry had been applied; `None` when it was none then.
    pub fn reader_at(&self, sequence: u64) -> Option<Arc<Reader>> {
        let changed = self.registry.visibility_changed_at(sequence);
        if changed == self.registry.visibility_changed_at(u64::MAX) {
            return Some(Arc::clone(&self.reader));
        }
        let mut earlier = self.historical_reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &*earlier {
            Some((at, reader)) if *at == changed => reader.clone(),
            _ => {
                let reader = self.registry.reader_at(&self.partner, changed).map(Arc::new);
                *earlier = Some((changed, reader.clone()));
                reader
            }
        }
    }

    /// Whether a reader may see a version and asks for it; both as of when the reader is as it is
    /// given.
    pub fn should_deliver(
        &self,
        view: &View<'_>,
        reader: &Reader,
        when: AsOf,
        version: VersionMeta<'_>,
    ) -> Result<bool> {
        Ok(Self::may_see_version(reader, version)
            && self.matches_filter(view, reader, when, version)?)
    }

    /// Whether a version's content is given to the reader at a time. `sharing` is the one that stands.
    pub fn may_deliver_content(
        &self,
        view: &View<'_>,
        version: VersionMeta<'_>,
        now: Timestamp,
    ) -> Result<bool> {
        let VersionMeta { author, version: at, sharing, .. } = version;
        Ok(self.may_deliver(author, sharing, at, now)
            && self.matches_filter(view, &self.reader, AsOf::Now, version)?)
    }

    /// Whether the reader may see an object at a time, for what it reads. `sharing` is the one that stands.
    pub fn may_deliver(
        &self,
        author: &PartnerId,
        sharing: &Sharing,
        at: Position,
        now: Timestamp,
    ) -> bool {
        may_see(&self.reader, sharing, author, at, now)
            && (!self.public_only || sharing.audience == Audience::Public)
    }

    /// Whether a reader may see a version by what is written, whatever the clock says.
    pub fn may_see_version(reader: &Reader, version: VersionMeta<'_>) -> bool {
        let VersionMeta { author, version, sharing, .. } = version;
        // The clock alone ends nothing that was given: the entry that follows does.
        may_see(reader, sharing, author, version, Timestamp::default())
    }

    /// Whether the filter asks for a version that a reader may see. A campaign that is hidden from the
    /// reader is none that it could ask for.
    pub fn matches_filter(
        &self,
        view: &View<'_>,
        reader: &Reader,
        when: AsOf,
        version: VersionMeta<'_>,
    ) -> Result<bool> {
        let VersionMeta { author, version, sharing, assessment: said } = version;
        if self.filter.is_empty() {
            return Ok(true);
        }
        if !self.filter.matches(said, sharing, author, version, reader) {
            return Ok(false);
        }
        match said.campaign {
            Some(campaign) if !self.filter.campaigns.is_empty() => {
                self.sees_campaign(view, reader, when, campaign)
            }
            _ => Ok(true),
        }
    }

    /// Whether a reader sees a campaign.
    pub fn sees_campaign(
        &self,
        view: &View<'_>,
        reader: &Reader,
        when: AsOf,
        campaign: CampaignId,
    ) -> Result<bool> {
        if self.is_liaison() {
            // The clock ends its releases: nothing that was looked up holds.
            return campaign_visible(view, &self.partner, campaign, self.clock.now());
        }
        let (registry, changed) = (view.registry(), view.campaigns_changed()?);
        let holds = |known: &Campaigns| {
            known.under.as_ref().is_some_and(|(of, at)| Arc::ptr_eq(of, registry) && *at == changed)
        };
        {
            let mut known = self.campaigns.lock().unwrap_or_else(PoisonError::into_inner);
            if !holds(&known) || known.seen.len() >= MAX_CACHED_CAMPAIGNS {
                let under = Some((Arc::clone(registry), changed));
                *known = Campaigns { under, seen: HashMap::new() };
            }
            if let Some(sees) = known.seen.get(&(when, campaign)) {
                return Ok(*sees);
            }
        }
        let sees = match when {
            AsOf::Now => campaign_visible(view, &self.partner, campaign, self.clock.now())?,
            AsOf::Sequence(sequence) => view.campaign_visible_at(campaign, reader, sequence)?,
        };
        let mut known = self.campaigns.lock().unwrap_or_else(PoisonError::into_inner);
        // Who reads beside this one may stand elsewhere.
        if holds(&known) {
            known.seen.insert((when, campaign), sees);
        }
        Ok(sees)
    }

    /// Those of some campaigns that the reader sees now.
    pub fn visible_campaigns(
        &self,
        view: &View<'_>,
        campaigns: &[CampaignId],
    ) -> Result<BTreeSet<CampaignId>> {
        let mut seen = BTreeSet::new();
        for campaign in campaigns {
            if self.sees_campaign(view, &self.reader, AsOf::Now, *campaign)? {
                seen.insert(*campaign);
            }
        }
        Ok(seen)
    }

    /// Takes out of what another says what the reader may not know: its spelling, and a campaign that
    /// is hidden.
    pub fn redact(&self, view: &View<'_>, author: &PartnerId, said: &mut Assessment) -> Result<()> {
        if self.partner == *author {
            return Ok(());
        }
        said.raw = None;
        if let Some(campaign) = said.campaign
            && !self.sees_campaign(view, &self.reader, AsOf::Now, campaign)?
        {
            said.campaign = None;
        }
        Ok(())
    }
}
