//! Feedback.

use crate::domain::entry::{Body, Feedback, RequestId, Target, VoidReason};
use crate::domain::feedback::Opinion;
use crate::domain::sharing::{Audience, SharingRequest};
use crate::domain::{Invalid, PartnerId, Position, Sharing, Tlp, may_see};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commands::sighting::check_no_release;
use crate::exchange::commit::{RequestReceipt, refused};
use crate::exchange::core::{Caller, rights_of};
use crate::exchange::visibility::restricted;
use crate::index::View;

/// A request to give feedback.
#[derive(Clone, Debug)]
pub struct FeedbackRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request. Distinguishes a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The version of the assessment that the feedback is about.
    pub about: Position,
    /// The opinion.
    pub opinion: Opinion,
    /// The reason.
    pub note: Option<Box<str>>,
    /// The sharing. `None` shares with the author of the assessment only.
    pub sharing: Option<SharingRequest>,
}

impl Commands {
    /// Gives feedback on a visible assessment of another partner. Idempotent by key.
    pub async fn give_feedback(
        &self,
        caller: &Caller,
        request: FeedbackRequest,
    ) -> Result<RequestReceipt> {
        if let Some(receipt) =
            self.core.find_receipt(caller, &request.request, request.digest).await?
        {
            return Ok(receipt);
        }
        let (key, digest) = (request.request.clone(), request.digest);
        let body = Body::Feedback(self.check_feedback(caller, request)?);
        self.core.commit_for_receipt(caller, &key, digest, body).await
    }

    /// Checks a request against what the caller may see, and builds the feedback.
    fn check_feedback(&self, caller: &Caller, request: FeedbackRequest) -> Result<Feedback> {
        let view = self.core.index.read()?;
        let (registry, reader) = (view.registry(), rights_of(view.registry(), caller.partner())?);
        let unknown = || refused(&VoidReason::VersionGone);
        let (author, target) = find_version(&view, request.about)?.ok_or_else(unknown)?;
        let current = view.current(target.id, &author, target.audience)?;
        let now = self.core.clock.now();
        let current = current
            .filter(|current| Some(current.version) == target.version)
            .filter(|current| may_see(&reader, &current.sharing, &author, current.version, now))
            .ok_or_else(unknown)?;
        if author == *caller.partner() {
            let reason = "is your own assessment: replace or withdraw it";
            return Err(Invalid::new("version", reason).into());
        }
        let sharing = match request.sharing {
            Some(sharing) => Sharing::resolve(sharing, caller.partner(), registry.as_ref())?,
            None => share_with_author(&author),
        };
        check_no_release(&sharing)?;
        let is_wider = sharing != share_with_author(&author);
        if restricted::is_restricted(&current.assessment)
            && is_wider
            && !restricted::stays_in_group(&sharing, registry.restricted_group())
        {
            let reason = "is too wide: the assessment is under a restricted label";
            return Err(Invalid::new("sharing", reason).into());
        }
        let FeedbackRequest { request, digest, opinion, note, .. } = request;
        Ok(Feedback { request, digest, assessment_author: author, target, opinion, note, sharing })
    }
}

/// The author and the key of a version. `None` if the version never existed.
fn find_version(view: &View<'_>, version: Position) -> Result<Option<(PartnerId, Target)>> {
    let Some(entry_versions) = view.versions_of(version.sequence)? else {
        return Ok(None);
    };
    let found =
        entry_versions.targets(version.sequence).find(|target| target.version == Some(version));
    Ok(found.map(|target| (entry_versions.author, target)))
}

/// The sharing with the author of the assessment only.
fn share_with_author(author: &PartnerId) -> Sharing {
    let audience = Audience::Named { groups: [].into(), partners: [author.clone()].into() };
    Sharing { tlp: Tlp::Amber, audience, releases: Vec::new() }
}
