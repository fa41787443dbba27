//! Selections of a partner's own objects, and requests over many objects that are split into several entries.

use std::collections::BTreeSet;

use crate::domain::accepted::{AssessmentRecord, EnforcementRecord};
use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::EnforcementId;
use crate::domain::entry::{
    AppendId, Body, LastPart, Outcome, Rejection, Releasable, RequestId, SubmissionId, Target,
    VoidReason,
};
use crate::domain::{CampaignId, IndicatorId, Invalid, PartnerId, Sharing};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commands::withdraw::batches_of;
use crate::exchange::commit::refused;
use crate::exchange::core::Caller;
use crate::index::View;
use crate::index::keys::ListedBy;
use crate::index::record::EntryVersions;

/// A selection of a partner's own current objects.
#[derive(Clone, Debug)]
pub enum Selection {
    /// Assessments of these indicators.
    Indicators {
        /// The keys in request order. For an invalid key, the reason.
        keys: Vec<std::result::Result<IndicatorId, Invalid>>,
        /// Only assessments for this audience. `None` selects all audiences.
        audience: Option<AudienceDigest>,
    },
    /// The versions of a submission.
    Submission(SubmissionId),
    /// Contributions to a campaign, enforcements against it, and assessments that name it.
    Campaign(CampaignId),
    /// Enforcements with these ids. For an invalid id, the reason.
    Enforcements(Vec<std::result::Result<EnforcementId, Invalid>>),
}

/// The kinds of objects that a request selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) enum Scope {
    /// Assessments only.
    Assessments,
    /// Assessments, contributions and enforcements.
    All,
}

/// An object that the selection matches. The request may still reject it.
#[derive(Clone, Copy, Debug)]
pub(in crate::exchange) enum Candidate<'a> {
    /// An assessment.
    Assessment(&'a AssessmentRecord),
    /// A contribution or an enforcement, by its sharing.
    Other(&'a Sharing),
}

/// The objects of a selection.
#[derive(Clone, Debug, Default)]
pub(in crate::exchange) struct ResolvedSelection {
    pub objects: Vec<Releasable>,
    /// Keys that select nothing, or only rejected objects, by index.
    pub rejected: Vec<Rejection>,
    /// The number of rejected objects that were not named by a key.
    pub left_out: u64,
}

/// A request for many objects, which is split into several entries.
pub(in crate::exchange) struct SplitRequest<'a> {
    pub request: &'a RequestId,
    pub digest: [u8; 32],
    pub selected: ResolvedSelection,
    pub objects_per_entry: usize,
}

impl Commands {
    /// Resolves a selection. `reject` returns the reason if an object cannot be selected.
    pub(in crate::exchange) async fn select(
        &self,
        caller: &Caller,
        selection: Selection,
        scope: Scope,
        reject: impl Fn(Candidate<'_>) -> Option<Invalid> + Send + 'static,
    ) -> Result<ResolvedSelection> {
        self.core.catch_up_with_others().await?;
        let author = caller.partner().clone();
        let resolving = self.core.blocking(move |core| {
            resolve(&core.index.read()?, &author, &selection, scope, &reject)
        });
        resolving.await
    }

    /// Commits a request for many objects as several entries, so that it does not delay other requests. The last entry
    /// holds the request's key. Returns its sequence, and whether an earlier attempt stored it.
    pub(in crate::exchange) async fn commit_split(
        &self,
        caller: &Caller,
        split: SplitRequest<'_>,
        body: impl Fn(Vec<Releasable>, Option<LastPart>) -> Body,
    ) -> Result<(u64, bool)> {
        let SplitRequest { request, digest, selected, objects_per_entry } = split;
        let ResolvedSelection { objects, rejected, left_out } = selected;
        let (mut remaining, mut earlier) = (objects.as_slice(), Vec::new());
        loop {
            let (part, after) = remaining.split_at(objects_per_entry.min(remaining.len()));
            remaining = after;
            let last = remaining.is_empty().then(|| LastPart {
                earlier: earlier.clone(),
                rejected: rejected.clone(),
                left_out,
            });
            let id = AppendId::derive(&[
                b"request",
                caller.partner().as_str().as_bytes(),
                request.as_str().as_bytes(),
                &digest,
                &(earlier.len() as u64).to_be_bytes(),
                &self.core.index.checkpoint().to_be_bytes(),
            ]);
            let body = body(part.to_vec(), last);
            let committed = self.core.commit(id, Some(caller.partner()), body).await?;
            match &*committed.outcome {
                Outcome::Applied(_) if remaining.is_empty() => {
                    return Ok((committed.sequence, committed.repeated));
                }
                Outcome::Applied(_) => earlier.push(committed.sequence),
                Outcome::Void(VoidReason::Repeats(first)) => return Ok((*first, true)),
                Outcome::Void(reason) => return Err(refused(reason)),
            }
        }
    }
}

impl ResolvedSelection {
    /// Adds the assessment of a target if that version is current.
    fn add(
        &mut self,
        view: &View<'_>,
        author: &PartnerId,
        target: Target,
        index: Option<u32>,
        reject: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    ) -> Result<()> {
        let current = view.current(target.id, author, target.audience)?;
        if let Some(current) = current.filter(|current| Some(current.version) == target.version) {
            let rejection = reject(Candidate::Assessment(&current));
            self.push(Releasable::Assessment(target), rejection, index);
        }
        Ok(())
    }

    /// Adds the current versions of an entry.
    fn add_all(
        &mut self,
        view: &View<'_>,
        entry_versions: &EntryVersions,
        sequence: u64,
        reject: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    ) -> Result<()> {
        for target in entry_versions.targets(sequence) {
            self.add(view, &entry_versions.author, target, None, reject)?;
        }
        Ok(())
    }

    /// Adds an object, or its rejection. `index` is the index of the key that named it.
    fn push(&mut self, object: Releasable, rejection: Option<Invalid>, index: Option<u32>) {
        match (rejection, index) {
            (None, _) => self.objects.push(object),
            (Some(invalid), Some(index)) => self.rejected.push(Rejection { index, invalid }),
            (Some(_), None) => self.left_out += 1,
        }
    }
}

/// Resolves a selection of the author's objects.
fn resolve(
    view: &View<'_>,
    author: &PartnerId,
    selection: &Selection,
    scope: Scope,
    reject: &impl Fn(Candidate<'_>) -> Option<Invalid>,
) -> Result<ResolvedSelection> {
    let mut selected = ResolvedSelection::default();
    match selection {
        Selection::Indicators { keys, audience } => {
            let keys = (keys.as_slice(), *audience);
            select_indicators(view, author, keys, scope, reject, &mut selected)?;
        }
        Selection::Submission(submission) => {
            select_submission(view, author, submission, reject, &mut selected)?;
        }
        Selection::Campaign(campaign) => {
            // Contributions come first: with one of them, a liaison may see the campaign of the other objects.
            if scope == Scope::All {
                select_contributions(view, author, *campaign, reject, &mut selected)?;
            }
            select_campaign(view, author, *campaign, reject, &mut selected)?;
        }
        Selection::Enforcements(ids) => {
            select_enforcements(view, author, ids, reject, &mut selected)?;
        }
    }
    Ok(selected)
}

/// Selects the author's current assessments of indicators, for one audience or all.
fn select_indicators(
    view: &View<'_>,
    author: &PartnerId,
    (keys, audience): (&[std::result::Result<IndicatorId, Invalid>], Option<AudienceDigest>),
    scope: Scope,
    reject: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    selected: &mut ResolvedSelection,
) -> Result<()> {
    let mut selected_ids = BTreeSet::new();
    for (index, key) in (0u32..).zip(keys) {
        let id = match key {
            Ok(id) => id,
            Err(invalid) => {
                selected.rejected.push(Rejection { index, invalid: invalid.clone() });
                continue;
            }
        };
        if !selected_ids.insert(*id) {
            continue;
        }
        let current = view.current_by(*id, author)?.into_iter();
        let targets = current.filter(|target| audience.is_none_or(|a| a == target.audience));
        let count_before = selected.objects.len();
        for target in targets {
            selected.add(view, author, target, Some(index), reject)?;
        }
        // The receipt of a release lists the objects, so a key without objects needs no rejection there.
        if scope == Scope::Assessments && selected.objects.len() == count_before {
            let invalid = Invalid::new("keys", "matches none of your current assessments");
            selected.rejected.push(Rejection { index, invalid });
        }
    }
    Ok(())
}

/// Selects the current versions of a submission.
fn select_submission(
    view: &View<'_>,
    author: &PartnerId,
    submission: &SubmissionId,
    reject: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    selected: &mut ResolvedSelection,
) -> Result<()> {
    for sequence in batches_of(view, author, submission)? {
        if let Some(entry_versions) = view.versions_of(sequence)? {
            selected.add_all(view, &entry_versions, sequence, reject)?;
        }
    }
    Ok(())
}

/// Selects the author's contributions to a campaign, and its enforcements against it.
fn select_contributions(
    view: &View<'_>,
    author: &PartnerId,
    campaign: CampaignId,
    reject: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    selected: &mut ResolvedSelection,
) -> Result<()> {
    for record in view.contributions(campaign) {
        let record = record?;
        if record.author == *author {
            let audience = AudienceDigest::of(&record.sharing.audience);
            let object = Releasable::Contribution { campaign, audience, version: record.position };
            selected.push(object, reject(Candidate::Other(&record.sharing)), None);
        }
    }
    for record in view.enforcements_back(ListedBy::Campaign(campaign), None) {
        let record = record?;
        if record.author == *author {
            let object = releasable(&record);
            selected.push(object, reject(Candidate::Other(&record.sharing)), None);
        }
    }
    Ok(())
}

/// Selects the author's enforcements with these ids.
fn select_enforcements(
    view: &View<'_>,
    author: &PartnerId,
    ids: &[std::result::Result<EnforcementId, Invalid>],
    reject: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    selected: &mut ResolvedSelection,
) -> Result<()> {
    let mut selected_ids = BTreeSet::new();
    for (index, id) in (0u32..).zip(ids) {
        match id {
            Err(invalid) => {
                selected.rejected.push(Rejection { index, invalid: invalid.clone() });
            }
            Ok(id) if !selected_ids.insert(id) => {}
            Ok(id) => {
                for record in view.enforcement_versions(author, id) {
                    let record = record?;
                    let rejection = reject(Candidate::Other(&record.sharing));
                    selected.push(releasable(&record), rejection, Some(index));
                }
            }
        }
    }
    Ok(())
}

/// Selects the author's current assessments that name a campaign.
fn select_campaign(
    view: &View<'_>,
    author: &PartnerId,
    campaign: CampaignId,
    reject: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    selected: &mut ResolvedSelection,
) -> Result<()> {
    for named in view.campaign_versions(campaign, 0) {
        let (sequence, named) = named?;
        if named.entry_versions.author == *author {
            selected.add_all(view, &named.entry_versions, sequence, reject)?;
        }
    }
    Ok(())
}

/// The key of an enforcement.
fn releasable(record: &EnforcementRecord) -> Releasable {
    let audience = AudienceDigest::of(&record.sharing.audience);
    Releasable::Enforcement {
        id: record.enforcement.id.clone(),
        audience,
        version: record.position,
    }
}
