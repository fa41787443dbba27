//! Taking sightings and feedback, and what a reader may see of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::caller::reader;
use super::lookup::IndicatorView;
use super::submit::refused;
use super::{Caller, Exchange, restricted};
use crate::domain::entry::{
    Body, Feedback, Rejection, RequestId, Sighting, Sightings, Target, VoidReason,
};
use crate::domain::feedback::Opinion;
use crate::domain::sharing::{Audience, Reader, SharingRequest};
use crate::domain::{IndicatorId, Invalid, PartnerId, Position, Sharing, Timestamp, Tlp, may_see};
use crate::error::Result;
use crate::exchange::feeds::{FeedbackEvent, SightingEvent};
use crate::index::{Registry, View};

/// The most sightings, and the most feedback, in one answer: the newest.
const MOST_SHOWN: usize = 100;

/// Sightings as they were sent.
#[derive(Clone, Debug)]
pub struct SightingsRequest {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Who is to be told.
    pub sharing: SharingRequest,
    /// Those that could be read.
    pub items: Vec<Sighting>,
    /// Those that could not.
    pub rejected: Vec<Rejection>,
}

/// Feedback as it was sent.
#[derive(Clone, Debug)]
pub struct FeedbackRequest {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The assessment's version.
    pub about: Position,
    /// How far the caller agrees.
    pub opinion: Opinion,
    /// Why.
    pub note: Option<Box<str>>,
    /// Who is to be told besides the assessment's author; `None` for nobody.
    pub sharing: Option<SharingRequest>,
}

/// What became of a request under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestReceipt {
    /// Its entry.
    pub sequence: u64,
    /// When it was taken.
    pub accepted: Timestamp,
    /// How many of its items count.
    pub counted: usize,
    /// The items that do not, and why.
    pub rejected: Vec<Rejection>,
    /// Whether it had been taken before.
    pub replayed: bool,
}

/// What a reader may see of how others met an indicator.
#[derive(Clone, Debug, Default)]
pub struct Reactions {
    /// How often it was seen.
    pub seen_count: u64,
    /// The newest sightings, oldest first.
    pub sightings: Vec<SightingEvent>,
    /// The newest feedback on what the reader may see, oldest first.
    pub feedback: Vec<FeedbackEvent>,
}

impl Exchange {
    /// Counts sightings, once for one key. Each is of something that the caller knows.
    pub async fn report_sightings(
        &self,
        caller: &Caller,
        request: SightingsRequest,
    ) -> Result<RequestReceipt> {
        if let Some(noted) = self.noted_before(caller, &request.request, request.digest).await? {
            return Ok(noted);
        }
        let view = self.index.read()?;
        let (registry, reader) = (view.registry(), reader(view.registry(), caller.partner())?);
        let sharing = Sharing::resolve(request.sharing, caller.partner(), registry.as_ref())?;
        check_no_release(&sharing)?;
        let (mut items, mut rejected) = (Vec::new(), request.rejected);
        let mut decided: BTreeMap<IndicatorId, Option<Invalid>> = BTreeMap::new();
        for sighting in request.items {
            let refusal = match decided.entry(sighting.id) {
                Entry::Occupied(decided) => decided.get().clone(),
                Entry::Vacant(vacant) => {
                    // Many of them: others get their turn.
                    tokio::task::yield_now().await;
                    let known = self.known_to(&view, &reader, sighting.id)?;
                    vacant.insert(refuses_sighting(known.as_ref(), &sharing, registry)).clone()
                }
            };
            match refusal {
                None => items.push(sighting),
                Some(invalid) => rejected.push(Rejection { index: sighting.index, invalid }),
            }
        }
        drop(view);
        rejected.sort_by_key(|one| one.index);
        let (key, digest) = (request.request.clone(), request.digest);
        let body = Body::Sightings(Sightings { request: key, digest, sharing, items, rejected });
        self.note(caller, &request.request, digest, body).await
    }

    /// Takes feedback on what the caller may see of another partner.
    pub async fn give_feedback(
        &self,
        caller: &Caller,
        request: FeedbackRequest,
    ) -> Result<RequestReceipt> {
        if let Some(noted) = self.noted_before(caller, &request.request, request.digest).await? {
            return Ok(noted);
        }
        let (key, digest) = (request.request.clone(), request.digest);
        let body = Body::Feedback(self.check_feedback(caller, request)?);
        self.note(caller, &key, digest, body).await
    }

    /// Feedback that its giver may give.
    fn check_feedback(&self, caller: &Caller, request: FeedbackRequest) -> Result<Feedback> {
        let view = self.index.read()?;
        let (registry, reader) = (view.registry(), reader(view.registry(), caller.partner())?);
        let unknown = || refused(&VoidReason::VersionGone);
        let (of, target) = find_version(&view, request.about)?.ok_or_else(unknown)?;
        let current = view.current(target.id, &of, target.audience)?;
        let now = self.clock.now();
        let current = current
            .filter(|current| Some(current.version) == target.version)
            .filter(|current| may_see(&reader, &current.sharing, &of, current.version, now))
            .ok_or_else(unknown)?;
        if of == *caller.partner() {
            let reason = "is your own assessment: replace or withdraw it";
            return Err(Invalid::new("version", reason).into());
        }
        let sharing = match request.sharing {
            Some(sharing) => Sharing::resolve(sharing, caller.partner(), registry.as_ref())?,
            None => to_author_alone(&of),
        };
        check_no_release(&sharing)?;
        let is_wider = sharing != to_author_alone(&of);
        if restricted::is_restricted(&current.assessment)
            && is_wider
            && !restricted::stays(&sharing, registry.restricted_group())
        {
            let reason = "is too wide: the assessment is under a restricted label";
            return Err(Invalid::new("sharing", reason).into());
        }
        let FeedbackRequest { request, digest, opinion, note, .. } = request;
        Ok(Feedback { request, digest, of, target, opinion, note, sharing })
    }

    /// What a reader may see of sightings of an indicator that it knows, and of feedback on it.
    pub fn reactions_to(&self, caller: &Caller, known: &IndicatorView) -> Result<Reactions> {
        let view = self.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        let mut reactions = Reactions::default();
        self.sightings_of(&view, &reader, known, &mut reactions)?;
        self.feedback_on(&view, &reader, known, &mut reactions)?;
        Ok(reactions)
    }

    fn sightings_of(
        &self,
        view: &View<'_>,
        reader: &Reader,
        known: &IndicatorView,
        reactions: &mut Reactions,
    ) -> Result<()> {
        reactions.sightings = self.seen_of(view, reader, known.strongest().current.id)?;
        let counts = reactions.sightings.iter().map(|seen| seen.kept.sighting.count);
        reactions.seen_count = counts.fold(0, u64::saturating_add);
        newest(&mut reactions.sightings, |seen| seen.position);
        Ok(())
    }

    fn feedback_on(
        &self,
        view: &View<'_>,
        reader: &Reader,
        known: &IndicatorView,
        reactions: &mut Reactions,
    ) -> Result<()> {
        let now = self.clock.now();
        for sight in &known.assessments {
            for found in view.feedback(sight.current.version) {
                let (giver, kept) = found?;
                let concerns = reader.id == sight.author
                    || may_see(reader, &kept.sharing, &giver, kept.position, now);
                if concerns {
                    let part = kept.sharing.seen_by(reader, &giver, kept.position);
                    let about = sight.current.version;
                    reactions.feedback.push(FeedbackEvent { giver, about, kept, view: part });
                }
            }
        }
        newest(&mut reactions.feedback, |one| one.kept.position);
        Ok(())
    }

    pub(super) async fn noted_before(
        &self,
        caller: &Caller,
        request: &RequestId,
        digest: [u8; 32],
    ) -> Result<Option<RequestReceipt>> {
        match self.keyed_before(caller, request, digest)? {
            Some(sequence) => self.noted(sequence, true).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn note(
        &self,
        caller: &Caller,
        request: &RequestId,
        digest: [u8; 32],
        body: Body,
    ) -> Result<RequestReceipt> {
        let (sequence, replayed) = self.keyed(caller, request, digest, body).await?;
        self.noted(sequence, replayed).await
    }

    async fn noted(&self, sequence: u64, replayed: bool) -> Result<RequestReceipt> {
        let entry = self.entry(sequence).await?;
        let accepted = entry.entry.time;
        let (counted, rejected) = match &entry.entry.body {
            Body::Sightings(sightings) => (sightings.items.len(), sightings.rejected.clone()),
            Body::Feedback(_) => (1, Vec::new()),
            Body::TipSent(sent) => (sent.indicators.len(), sent.rejected.clone()),
            Body::TipResponded(response) => (response.indicators.len(), response.rejected.clone()),
            _ => return Err(refused(&VoidReason::Conflicts(sequence))),
        };
        Ok(RequestReceipt { sequence, accepted, counted, rejected, replayed })
    }
}

/// Whose version this is, and where the index holds it, if it was ever one.
fn find_version(view: &View<'_>, version: Position) -> Result<Option<(PartnerId, Target)>> {
    let Some(brought) = view.versions_of(version.sequence)? else {
        return Ok(None);
    };
    let found = brought.targets(version.sequence).find(|one| one.version == Some(version));
    Ok(found.map(|target| (brought.author, target)))
}

/// Sightings and feedback do not go by the liaisons' lane.
fn check_no_release(sharing: &Sharing) -> Result<()> {
    if sharing.releases.is_empty() {
        return Ok(());
    }
    let reason = "are not possible here: assessments, what is said of campaigns and what was done \
                  can be released";
    Err(Invalid::new("sharing.releases", reason).into())
}

/// Why a sighting does not count: of what the caller does not know, and of what may not leave the
/// closed group.
fn refuses_sighting(
    known: Option<&IndicatorView>,
    sharing: &Sharing,
    registry: &Registry,
) -> Option<Invalid> {
    let Some(known) = known else {
        let reason = "is not known to you: submit it, and say when it was seen";
        return Some(Invalid::new("indicator", reason));
    };
    let is_restricted =
        known.assessments.iter().any(|sight| restricted::is_restricted(&sight.current.assessment));
    (is_restricted && !restricted::stays(sharing, registry.restricted_group())).then(|| {
        let reason = "is under a restricted label: a sighting of it goes to the group entitled to \
                      hold it, and to nobody else";
        Invalid::new("indicator", reason)
    })
}

fn to_author_alone(author: &PartnerId) -> Sharing {
    let audience = Audience::Named { groups: [].into(), partners: [author.clone()].into() };
    Sharing { tlp: Tlp::Amber, audience, releases: Vec::new() }
}

/// The newest of them, oldest first.
fn newest<T>(all: &mut Vec<T>, position: impl Fn(&T) -> Position) {
    all.sort_by_key(position);
    let older = all.len().saturating_sub(MOST_SHOWN);
    all.drain(..older);
}
