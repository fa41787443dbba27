//! Relations between the objects of a bundle. Keeps a few fields of each object that others refer to, by the hash of
//! its id.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use foldhash::{HashMap, HashSet};

use super::object::{Object, Text};
use super::{indicator, marking, observable};
use crate::domain::Timestamp;
use crate::domain::assessment::Verdict;
use crate::domain::sharing::Tlp;
use crate::formats::details::{read_time, words};

/// What the first reading collects.
#[derive(Debug, Default)]
pub struct Context {
    hasher: RandomState,
    /// Whether there are observables, so that a third reading makes sense.
    pub has_observables: bool,
    /// Markings that the bundle defines, if they are of TLP.
    markings: HashMap<u64, Option<Tlp>>,
    /// Names of campaigns and identities.
    names: HashMap<u64, Box<str>>,
    indicators: HashMap<u64, IndicatorMeta>,
    /// The campaign that an indicator indicates.
    campaign_of: HashMap<u64, u64>,
    /// The indicators that are based on an observation or an observable.
    based_on: HashMap<u64, Vec<u64>>,
    observations: HashMap<u64, Observation>,
    /// The observations that an observable belongs to.
    observations_of: HashMap<u64, Vec<u64>>,
    /// The marked reports and groupings that an object is in. Their marking counts where the object has none.
    reports_of: HashMap<u64, Vec<u64>>,
    report_tlps: HashMap<u64, Option<Tlp>>,
    /// Addresses to which messages went. They are not the attacker's.
    recipients: HashSet<u64>,
    sightings: HashMap<u64, Period>,
    /// Objects that an opinion disagrees with.
    disputed: HashSet<u64>,
}

/// What is kept of an indicator.
#[derive(Clone, Copy, Debug, Default)]
struct IndicatorMeta {
    /// When its newest version was made.
    modified: Option<Timestamp>,
    is_revoked: bool,
    verdict: Option<Verdict>,
    tlp: Option<Tlp>,
}

/// What is kept of an observation.
#[derive(Clone, Copy, Debug, Default)]
struct Observation {
    period: Period,
    tlp: Option<Tlp>,
}

/// The first and last time of something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

impl Period {
    fn of(first: Option<&Text<'_>>, last: Option<&Text<'_>>) -> Self {
        let read = |text: Option<&Text<'_>>| text.and_then(|text| read_time(text));
        Self { first: read(first), last: read(last) }
    }

    /// The period of both.
    fn join(self, other: Self) -> Self {
        Self {
            first: self.first.into_iter().chain(other.first).min(),
            last: self.last.into_iter().chain(other.last).max(),
        }
    }
}

impl Context {
    /// Indexes what an object states of others.
    pub fn index(&mut self, object: &Object<'_>) {
        let Some(id) = object.id.as_deref().map(|id| self.id(id)) else {
            self.has_observables |= object.objects.is_some();
            return;
        };
        match &*object.kind {
            "marking-definition" => {
                self.markings.insert(id, marking::defined(object));
            }
            "campaign" | "identity" => {
                if let Some(name) = &object.name {
                    self.names.insert(id, (&**name).into());
                }
            }
            "indicator" => self.index_indicator(id, object),
            "relationship" if !object.is_revoked() => self.index_relationship(object),
            "sighting" if !object.is_revoked() => {
                if let Some(of) = &object.sighting_of_ref {
                    let period = Period::of(object.first_seen.as_ref(), object.last_seen.as_ref());
                    let of = self.id(of);
                    let known = self.sightings.entry(of).or_default();
                    *known = known.join(period);
                }
            }
            "opinion" if disagrees(object) && !object.is_revoked() => {
                for of in &object.object_refs {
                    let of = self.id(of);
                    self.disputed.insert(of);
                }
            }
            "observed-data" => self.index_observation(id, object),
            "report" | "grouping" if !object.object_marking_refs.is_empty() => {
                self.report_tlps.insert(id, self.tlp_of_refs(object));
                for of in &object.object_refs {
                    let of = self.id(of);
                    self.reports_of.entry(of).or_default().push(id);
                }
            }
            "email-message" => {
                let refs = object.to_refs.iter().chain(&object.cc_refs).chain(&object.bcc_refs);
                for of in refs {
                    let of = self.id(of);
                    self.recipients.insert(of);
                }
            }
            kind => self.has_observables |= observable::is_observable(kind),
        }
    }

    fn index_indicator(&mut self, id: u64, object: &Object<'_>) {
        let modified = object.modified.as_deref().and_then(read_time);
        let known = self.indicators.get(&id);
        if known.is_some_and(|known| known.modified > modified) {
            return;
        }
        let meta = IndicatorMeta {
            modified,
            is_revoked: object.is_revoked(),
            verdict: indicator::verdict(object),
            tlp: None,
        };
        self.indicators.insert(id, meta);
    }

    fn index_relationship(&mut self, object: &Object<'_>) {
        let (Some(source), Some(target)) = (&object.source_ref, &object.target_ref) else { return };
        let (from, to) = (self.id(source), self.id(target));
        if is_campaign_relationship(object) {
            self.campaign_of.insert(from, to);
        } else if is_based_on(object) {
            self.based_on.entry(to).or_default().push(from);
        }
    }

    fn index_observation(&mut self, id: u64, object: &Object<'_>) {
        self.has_observables |= object.objects.is_some();
        let period = Period::of(object.first_observed.as_ref(), object.last_observed.as_ref());
        let observation = Observation { period, tlp: None };
        self.observations.insert(id, observation);
        for of in &object.object_refs {
            let of = self.id(of);
            self.observations_of.entry(of).or_default().push(id);
        }
    }

    /// Indexes the marking of an indicator, an observation or a report in the second reading, when all markings are
    /// known. What it is based on, or what belongs to it, is not shared wider.
    pub fn index_marking(&mut self, object: &Object<'_>) {
        let Some(id) = object.id.as_deref().map(|id| self.id(id)) else { return };
        let tlp = self.tlp_of_refs(object);
        if let Some(report) = self.report_tlps.get_mut(&id) {
            *report = tlp;
        } else if let Some(meta) = self.indicators.get_mut(&id) {
            meta.tlp = tlp;
        } else if let Some(observation) = self.observations.get_mut(&id) {
            observation.tlp = tlp;
        }
    }

    /// A hash of bytes, the same within this reading.
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        self.hasher.hash_one(bytes)
    }

    fn id(&self, id: &str) -> u64 {
        self.hash(id.as_bytes())
    }

    /// Whether an object only describes others, and is read with them.
    pub fn is_context_object(object: &Object<'_>) -> bool {
        match &*object.kind {
            "marking-definition"
            | "campaign"
            | "identity"
            | "extension-definition"
            | "sighting"
            | "opinion"
            | "bundle" => true,
            "observed-data" => object.objects.is_none(),
            "relationship" => is_campaign_relationship(object) || is_based_on(object),
            _ => false,
        }
    }

    /// Whether a newer version of the indicator is in the bundle, or its newest version was revoked.
    pub fn is_outdated(&self, object: &Object<'_>) -> bool {
        let meta = object.id.as_deref().and_then(|id| self.indicators.get(&self.id(id)));
        meta.is_some_and(|meta| {
            meta.is_revoked || meta.modified > object.modified.as_deref().and_then(read_time)
        })
    }

    /// The strictest TLP marking of an object.
    pub fn tlp(&self, object: &Object<'_>) -> Option<Tlp> {
        let own = self.tlp_of_refs(object);
        let Some(id) = object.id.as_deref().map(|id| self.id(id)) else { return own };
        let of_observations = self.observations_of(id).filter_map(|observation| observation.tlp);
        let of_indicators = self.based_on(id).filter_map(|indicator| indicator.tlp);
        let bounds = of_observations.chain(of_indicators).min();
        let reports = self.reports_of.get(&id).into_iter().flatten();
        let of_reports = reports.filter_map(|id| self.report_tlps.get(id).copied().flatten()).min();
        words::stricter(own, bounds).or(of_reports)
    }

    /// Whether an object is the address of a recipient.
    pub fn is_recipient(&self, object: &Object<'_>) -> bool {
        object.id.as_deref().is_some_and(|id| self.recipients.contains(&self.id(id)))
    }

    fn tlp_of_refs(&self, object: &Object<'_>) -> Option<Tlp> {
        let granular = object.granular_markings.iter().filter_map(|one| one.marking_ref.as_ref());
        let refs = object.object_marking_refs.iter().chain(granular);
        let tlps = refs.filter_map(|id| {
            marking::published(id).or_else(|| self.markings.get(&self.id(id)).copied().flatten())
        });
        tlps.min()
    }

    /// The name of the campaign that an indicator belongs to.
    pub fn campaign(&self, object: &Object<'_>) -> Option<&str> {
        let campaign = self.campaign_of.get(&self.id(object.id.as_deref()?))?;
        self.names.get(campaign).map(|name| &**name)
    }

    /// The name of an object's author.
    pub fn author(&self, object: &Object<'_>) -> Option<&str> {
        let author = self.id(object.created_by_ref.as_deref()?);
        self.names.get(&author).map(|name| &**name)
    }

    /// When an object was seen: its sightings, and the observation that it belongs to.
    pub fn seen(&self, object: &Object<'_>) -> Period {
        let Some(id) = object.id.as_deref().map(|id| self.id(id)) else { return Period::default() };
        let sighted = self.sightings.get(&id).copied().unwrap_or_default();
        let itself = self.observations.get(&id).into_iter();
        let observations = itself.chain(self.observations_of(id));
        observations.fold(sighted, |period, observation| period.join(observation.period))
    }

    /// The observations that an observable belongs to.
    fn observations_of(&self, id: u64) -> impl Iterator<Item = &Observation> {
        let ids = self.observations_of.get(&id).into_iter().flatten();
        ids.filter_map(|id| self.observations.get(id))
    }

    /// The indicators that are based on an observation or an observable, or on an observation that it belongs to.
    fn based_on(&self, id: u64) -> impl Iterator<Item = &IndicatorMeta> {
        let observations = self.observations_of.get(&id).into_iter().flatten().copied();
        let objects = std::iter::once(id).chain(observations);
        let ids = objects.filter_map(|id| self.based_on.get(&id)).flatten();
        ids.filter_map(|id| self.indicators.get(id))
    }

    /// Whether somebody disagrees with an object.
    pub fn is_disputed(&self, object: &Object<'_>) -> bool {
        object.id.as_deref().is_some_and(|id| self.disputed.contains(&self.id(id)))
    }

    /// The verdict on an observable: the strongest of the indicators that are based on it, if one of them states any,
    /// and unknown if there is no such indicator.
    pub fn verdict_of_based_on(&self, object: &Object<'_>) -> Option<Verdict> {
        let id = object.id.as_deref().map(|id| self.id(id));
        let indicators = id.into_iter().flat_map(|id| self.based_on(id));
        let verdicts = indicators.filter(|meta| !meta.is_revoked).map(|meta| meta.verdict);
        verdicts.max().unwrap_or(Some(Verdict::Unknown))
    }
}

fn is_campaign_relationship(object: &Object<'_>) -> bool {
    object.relationship_type.as_deref() == Some("indicates")
        && object.target_ref.as_deref().is_some_and(|target| target.starts_with("campaign--"))
}

fn is_based_on(object: &Object<'_>) -> bool {
    object.relationship_type.as_deref() == Some("based-on")
}

fn disagrees(object: &Object<'_>) -> bool {
    matches!(object.opinion.as_deref(), Some("disagree" | "strongly-disagree"))
}
