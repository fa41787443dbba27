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
        /// The keys in request order; for an invalid key, why.
        keys: Vec<std::result::Result<IndicatorId, Invalid>>,
        /// For this audience only. `None` for all.
        audience: Option<AudienceDigest>,
    },
    /// The versions of a submission.
    Submission(SubmissionId),
    /// Contributions to a campaign, enforcements against it, and assessments that name it.
    Campaign(CampaignId),
    /// Enforcements with these ids; for an invalid id, why.
    Enforcements(Vec<std::result::Result<EnforcementId, Invalid>>),
}

/// The kinds of objects that a request selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) enum Scope {
    /// Assessments only.
    Assessments,
    /// Contributions and enforcements too.
    All,
}

/// An object that is about to be selected.
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
    /// Keys that select nothing, by index.
    pub rejected: Vec<Rejection>,
    /// How many objects were refused that no key named.
    pub left_out: u64,
}

/// A request over many objects.
pub(in crate::exchange) struct Parts<'a> {
    pub request: &'a RequestId,
    pub digest: [u8; 32],
    pub selected: ResolvedSelection,
    /// Objects in one entry.
    pub at_once: usize,
}

impl Commands {
    /// Resolves a selection. `refuses` tells why an object cannot be selected.
    pub(in crate::exchange) async fn select(
        &self,
        author: &PartnerId,
        selection: &Selection,
        scope: Scope,
        refuses: impl Fn(Candidate<'_>) -> Option<Invalid>,
    ) -> Result<ResolvedSelection> {
        let (mut selected, view) = (ResolvedSelection::default(), self.core.index.read()?);
        match selection {
            Selection::Indicators { keys, audience } => {
                let mut seen = BTreeSet::new();
                for (index, key) in (0u32..).zip(keys) {
                    match key {
                        Err(invalid) => {
                            let invalid = invalid.clone();
                            selected.rejected.push(Rejection { index, invalid });
                        }
                        Ok(id) if !seen.insert(*id) => {}
                        Ok(id) => {
                            let current = view.current_by(*id, author)?.into_iter();
                            let meant =
                                current.filter(|one| audience.is_none_or(|a| a == one.audience));
                            let before = selected.objects.len();
                            for target in meant {
                                selected.add(&view, author, target, Some(index), &refuses)?;
                            }
                            // The receipt of a release lists the objects, so an empty key needs no rejection.
                            if scope == Scope::Assessments && selected.objects.len() == before {
                                let invalid = Invalid::new("keys", "is nothing that you speak of");
                                selected.rejected.push(Rejection { index, invalid });
                            }
                        }
                    }
                }
            }
            Selection::Submission(submission) => {
                select_submission(&view, author, submission, &refuses, &mut selected).await?;
            }
            Selection::Campaign(campaign) => {
                // Contributions first: a liaison that has one sees the campaign of what follows.
                if scope == Scope::All {
                    select_contributions(&view, author, *campaign, &refuses, &mut selected).await?;
                }
                select_campaign(&view, author, *campaign, &refuses, &mut selected).await?;
            }
            Selection::Enforcements(ids) => {
                select_enforcements(&view, author, ids, &refuses, &mut selected)?;
            }
        }
        Ok(selected)
    }

    /// Commits a request over many objects as several entries, so that it delays no receipt. The last entry holds the
    /// request's key. Returns its sequence, and whether an earlier try had stored it.
    pub(in crate::exchange) async fn commit_split(
        &self,
        caller: &Caller,
        parts: Parts<'_>,
        body: impl Fn(Vec<Releasable>, Option<LastPart>) -> Body,
    ) -> Result<(u64, bool)> {
        let Parts { request, digest, selected, at_once } = parts;
        let ResolvedSelection { objects, rejected, left_out } = selected;
        let (mut rest, mut earlier) = (objects.as_slice(), Vec::new());
        loop {
            let (now, behind) = rest.split_at(at_once.min(rest.len()));
            rest = behind;
            let last = rest.is_empty().then(|| LastPart {
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
            let body = body(now.to_vec(), last);
            let committed = self.core.commit(id, Some(caller.partner()), body).await?;
            match &*committed.outcome {
                Outcome::Applied(_) if rest.is_empty() => {
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
        refuses: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    ) -> Result<()> {
        let current = view.current(target.id, author, target.audience)?;
        if let Some(current) = current.filter(|current| Some(current.version) == target.version) {
            let why = refuses(Candidate::Assessment(&current));
            self.push(Releasable::Assessment(target), why, index);
        }
        Ok(())
    }

    /// Adds the current versions of an entry.
    fn add_all(
        &mut self,
        view: &View<'_>,
        brought: &EntryVersions,
        sequence: u64,
        refuses: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    ) -> Result<()> {
        for target in brought.targets(sequence) {
            self.add(view, &brought.author, target, None, refuses)?;
        }
        Ok(())
    }

    fn push(&mut self, object: Releasable, refused: Option<Invalid>, index: Option<u32>) {
        match (refused, index) {
            (None, _) => self.objects.push(object),
            (Some(invalid), Some(index)) => self.rejected.push(Rejection { index, invalid }),
            (Some(_), None) => self.left_out += 1,
        }
    }
}

async fn select_submission(
    view: &View<'_>,
    author: &PartnerId,
    submission: &SubmissionId,
    refuses: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    selected: &mut ResolvedSelection,
) -> Result<()> {
    for sequence in batches_of(view, author, submission)? {
        if let Some(brought) = view.versions_of(sequence)? {
            selected.add_all(view, &brought, sequence, refuses)?;
        }
        // A selection may be large: yield to other requests.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Selects an author's contributions to a campaign, and its enforcements against it.
async fn select_contributions(
    view: &View<'_>,
    author: &PartnerId,
    campaign: CampaignId,
    refuses: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    selected: &mut ResolvedSelection,
) -> Result<()> {
    for kept in view.contributions(campaign) {
        let kept = kept?;
        if kept.author == *author {
            let audience = AudienceDigest::of(&kept.sharing.audience);
            let object = Releasable::Contribution { campaign, audience, version: kept.position };
            selected.push(object, refuses(Candidate::Other(&kept.sharing)), None);
        }
    }
    for kept in view.enforcements_back(ListedBy::Campaign(campaign), None) {
        let kept = kept?;
        if kept.author == *author {
            let object = enforcement(&kept);
            selected.push(object, refuses(Candidate::Other(&kept.sharing)), None);
        }
        // A selection may be large: yield to other requests.
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn select_enforcements(
    view: &View<'_>,
    author: &PartnerId,
    ids: &[std::result::Result<EnforcementId, Invalid>],
    refuses: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    selected: &mut ResolvedSelection,
) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (index, id) in (0u32..).zip(ids) {
        match id {
            Err(invalid) => {
                selected.rejected.push(Rejection { index, invalid: invalid.clone() });
            }
            Ok(id) if !seen.insert(id) => {}
            Ok(id) => {
                for kept in view.enforcement_versions(author, id) {
                    let kept = kept?;
                    let why = refuses(Candidate::Other(&kept.sharing));
                    selected.push(enforcement(&kept), why, Some(index));
                }
            }
        }
    }
    Ok(())
}

async fn select_campaign(
    view: &View<'_>,
    author: &PartnerId,
    campaign: CampaignId,
    refuses: &impl Fn(Candidate<'_>) -> Option<Invalid>,
    selected: &mut ResolvedSelection,
) -> Result<()> {
    for named in view.campaign_versions(campaign, 0) {
        let (sequence, named) = named?;
        if named.entry_versions.author == *author {
            selected.add_all(view, &named.entry_versions, sequence, refuses)?;
        }
        // A selection may be large: yield to other requests.
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn enforcement(kept: &EnforcementRecord) -> Releasable {
    let audience = AudienceDigest::of(&kept.sharing.audience);
    Releasable::Enforcement { id: kept.enforcement.id.clone(), audience, version: kept.position }
}
