//! Applies referrals: tips to platform owners about the new assets of a submission. Each close of a
//! submission that brought new assets is referred once.

use super::Applier;
use super::tips::{new_thread, tip_entry};
use crate::domain::accepted::{TipAction, TipEntryRecord, TipMove, TipRecord};
use crate::domain::entry::{
    Batch, Close, Entry, Item, ItemOutcome, Outcome, Referral, Referred, SubmissionId, VoidReason,
};
use crate::domain::tip::{TipState, Urgency};
use crate::domain::{Kind, PartnerId};
use crate::error::Result;
use crate::index::keys::tips;
use crate::index::record::ReferralProgress;

impl Applier {
    /// Marks a closed submission as waiting for referral.
    pub(super) fn mark_unreferred(&mut self, entry: &Entry, close: &Close) -> Result<()> {
        let (partner, submission) = (&close.partner, &close.submission);
        let mut referred = self.referral_progress(partner, submission)?;
        referred.close = entry.sequence;
        self.put(tips::referred(partner, submission), referred.encode());
        self.put(tips::unreferred(partner, submission), Vec::new());
        Ok(())
    }

    pub(super) fn referred(&mut self, entry: &Entry, referral: &Referral) -> Result<Outcome> {
        let (partner, submission) = (&referral.partner, &referral.submission);
        let mark = tips::unreferred(partner, submission);
        let mut referred = self.referral_progress(partner, submission)?;
        let is_due = self.read(&mark)?.is_some();
        if !is_due || referred.close != referral.close || referred.up_to != referral.after {
            return Ok(Outcome::Void(VoidReason::AlreadyApplied));
        }
        // The referral was computed with older access rights. It is void and gets computed again.
        if referral.visibility_sequence != self.registry.visibility_changed_at(u64::MAX) {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        }
        referred.up_to = referral.close;
        referred.not_referred = referred.not_referred.saturating_add(referral.not_referred);
        referral.to.iter().for_each(|one| referred.add(&one.owner, one.count));
        self.put(tips::referred(partner, submission), referred.encode());
        self.remove(mark);
        for one in &referral.to {
            self.refer(entry, referral, one)?;
        }
        Ok(Outcome::Applied(vec![ItemOutcome::Created; referral.to.len()]))
    }

    fn refer(&mut self, entry: &Entry, referral: &Referral, one: &Referred) -> Result<()> {
        let tip = TipRecord {
            id: one.id,
            sender: referral.partner.clone(),
            sequence: entry.sequence,
            accepted: entry.time,
            subject: None,
            urgency: Urgency::Routine,
            respond_by: None,
            tlp: one.tlp,
            campaign: None,
            submission: Some(referral.submission.clone()),
            referral: Some((referral.after, referral.close)),
            withdrawn: false,
            threads: vec![new_thread(&one.owner, entry)],
        };
        let sent = TipMove { recipient: one.owner.clone(), from: None, to: TipState::Sent };
        let added = TipEntryRecord {
            author: Some(referral.partner.clone()),
            indicators: one.count,
            threads: vec![sent],
            ..tip_entry(entry, TipAction::Sent, &[])
        };
        let tip = self.put_tip_entry(&tip, &added, "")?;
        self.put_in_thread(&tip, &added, &one.owner);
        Ok(())
    }

    /// Marks each campaign of a batch that has waiting tips.
    pub(super) fn mark_campaign_news(&mut self, entry: &Entry, items: &[Item]) -> Result<()> {
        for campaign in items.iter().filter_map(|item| item.assessment.campaign) {
            if self.waiting(campaign)? > 0 {
                self.put(tips::news(campaign, entry.sequence), Vec::new());
            }
        }
        Ok(())
    }

    fn referral_progress(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<ReferralProgress> {
        let stored = self.read(&tips::referred(partner, submission))?;
        Ok(stored.map(|bytes| ReferralProgress::decode(&bytes)).transpose()?.unwrap_or_default())
    }
}

/// Whether a batch contains assets on platforms.
pub fn has_assets(batch: &Batch) -> bool {
    batch.items.iter().any(|item| is_asset(item.assessment.indicator.kind()))
}

/// Whether objects of this kind live on a platform with an owner. A blockchain has no owner.
pub fn is_asset(kind: Kind) -> bool {
    kind.needs_platform() && kind != Kind::CryptoAddress
}
