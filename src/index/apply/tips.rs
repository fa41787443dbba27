//! Applies tips. Each request counts once under its idempotency key; state changes are decided in
//! journal order.

use super::Applier;
use crate::domain::accepted::{ThreadRecord, TipAction, TipEntryRecord, TipMove, TipRecord};
use crate::domain::entry::{
    Entry, ItemOutcome, Outcome, Target, TipIndicator, TipResponse, TipSent, TipThread,
    TipsReopened, VoidReason,
};
use crate::domain::tip::{TipBox, TipState};
use crate::domain::{CampaignId, PartnerId, Position, TipId, may_see};
use crate::error::Result;
use crate::index::keys::tips::{self, ThreadRow};
use crate::index::record::{self, IdempotencyRecord, RawAssessment};
use crate::index::{corrupt, keys};

/// Tips that one entry reopens at most.
pub const MAX_REOPENED_PER_ENTRY: usize = 10;

impl Applier {
    pub(super) fn tip_sent(&mut self, entry: &Entry, sent: &TipSent) -> Result<Outcome> {
        let Some(author) = &entry.author else { return Ok(Outcome::Void(VoidReason::TipUnknown)) };
        let key = keys::request(author, &sent.request);
        if let Some(void) = self.check_idempotency(&key, sent.digest)? {
            return Ok(Outcome::Void(void));
        }
        self.put(key, idempotency_record(entry, sent.digest).encode());
        let mut added = tip_entry(entry, TipAction::Sent, &sent.indicators);
        let moved = |recipient: &PartnerId| TipMove {
            recipient: recipient.clone(),
            from: None,
            to: TipState::Sent,
        };
        added.threads = sent.recipients.iter().map(moved).collect();
        let tip = TipRecord {
            id: sent.id,
            sender: author.clone(),
            sequence: entry.sequence,
            accepted: entry.time,
            subject: sent.subject.clone(),
            urgency: sent.urgency,
            respond_by: sent.respond_by,
            tlp: sent.tlp,
            campaign: sent.campaign,
            submission: sent.submission.clone(),
            referral: None,
            withdrawn: false,
            threads: sent.recipients.iter().map(|one| new_thread(one, entry)).collect(),
        };
        if let Some(campaign) = tip.campaign {
            let key = tips::in_campaign(campaign, author, tip.sequence, tip.id);
            self.put(key, Vec::new());
        }
        self.put_tip_entry(&tip, &added, &sent.narrative)?;
        self.index_entry(entry.sequence, sent.id, &sent.indicators)
    }

    pub(super) fn tip_responded(
        &mut self,
        entry: &Entry,
        response: &TipResponse,
    ) -> Result<Outcome> {
        let Some(author) = &entry.author else { return Ok(Outcome::Void(VoidReason::TipUnknown)) };
        let key = keys::request(author, &response.request);
        if let Some(void) = self.check_idempotency(&key, response.digest)? {
            return Ok(Outcome::Void(void));
        }
        let Some(tip) = self.tip(response.tip)? else {
            return Ok(Outcome::Void(VoidReason::TipUnknown));
        };
        let threads = match tip.decide(author, response) {
            Ok(threads) => threads,
            Err(void) => return Ok(Outcome::Void(void)),
        };
        self.put(key, idempotency_record(entry, response.digest).encode());
        let (recipient, shown) = match &response.thread {
            TipThread::All => (None, false),
            TipThread::Recipient(recipient) => (Some(recipient.clone()), false),
            TipThread::RecipientToAll(recipient) => (Some(recipient.clone()), true),
        };
        let added = tip_entry(entry, TipAction::Responded, &response.indicators);
        let enforcement = response.enforcement.as_ref().map(|(done, _)| done.clone());
        let added = TipEntryRecord { recipient, shown, threads, enforcement, ..added };
        if let Some((done, sharing)) = &response.enforcement {
            let at = Position::new(entry.sequence, 0);
            self.put_enforcement(at, entry.time, author, done, sharing)?;
        }
        self.put_tip_entry(&tip, &added, response.message.as_deref().unwrap_or_default())?;
        self.index_entry(entry.sequence, response.tip, &response.indicators)
    }

    pub(super) fn tip_withdrawn(&mut self, entry: &Entry, id: TipId) -> Result<Outcome> {
        let own = self.tip(id)?.filter(|tip| Some(&tip.sender) == entry.author.as_ref());
        let Some(mut tip) = own else { return Ok(Outcome::Void(VoidReason::TipUnknown)) };
        if tip.withdrawn {
            return Ok(Outcome::Void(VoidReason::TipWithdrawn));
        }
        tip.withdrawn = true;
        let threads = tip.threads.iter().map(|thread| moved(thread, TipState::Withdrawn));
        let threads = threads.collect();
        let added = TipEntryRecord { threads, ..tip_entry(entry, TipAction::Withdrawn, &[]) };
        self.put_tip_entry(&tip, &added, "")?;
        self.index_entry(entry.sequence, id, &[])
    }

    /// Reopens each waiting thread whose two parties may both see the new version.
    pub(super) fn tips_reopened(
        &mut self,
        entry: &Entry,
        reopened: &TipsReopened,
    ) -> Result<Outcome> {
        let mark = tips::news(reopened.campaign, reopened.batch);
        if self.read(&mark)?.is_none() {
            return Ok(Outcome::Void(VoidReason::AlreadyApplied));
        }
        if reopened.last {
            self.remove(mark);
        }
        let mut outcomes = Vec::new();
        for (id, recipient, target) in reopened.threads.iter().take(MAX_REOPENED_PER_ENTRY) {
            let done = self.reopen(entry, reopened, *id, recipient, target)?;
            outcomes.push(if done { ItemOutcome::Created } else { ItemOutcome::NoCurrentVersion });
        }
        Ok(Outcome::Applied(outcomes))
    }

    fn reopen(
        &mut self,
        entry: &Entry,
        reopened: &TipsReopened,
        id: TipId,
        recipient: &PartnerId,
        target: &Target,
    ) -> Result<bool> {
        let Some(tip) = self.tip(id)?.filter(|tip| tip.campaign == Some(reopened.campaign)) else {
            return Ok(false);
        };
        let waits = tip.thread(recipient).filter(|thread| thread.state.reopens()).cloned();
        let is_party = reopened.author == tip.sender || reopened.author == *recipient;
        // An entry adds to a tip at most once.
        let added_before = self.read(&tips::added(id, entry.sequence))?.is_some();
        let Some(thread) = waits.filter(|_| is_party && !added_before) else { return Ok(false) };
        if !self.both_see(entry, &reopened.author, target, [&tip.sender, recipient])? {
            return Ok(false);
        }
        let added = TipEntryRecord {
            recipient: Some(recipient.clone()),
            threads: vec![moved(&thread, TipState::Investigating)],
            ..tip_entry(entry, TipAction::Reopened, &[])
        };
        let tip = self.put_tip_entry(&tip, &added, "")?;
        self.put_in_thread(&tip, &added, recipient);
        Ok(true)
    }

    /// Whether the version is current and both partners may see it.
    fn both_see(
        &self,
        entry: &Entry,
        author: &PartnerId,
        target: &Target,
        both: [&PartnerId; 2],
    ) -> Result<bool> {
        let stored = self.read(&keys::assessment(target.id, author, target.audience))?;
        let Some(stored) = stored else { return Ok(false) };
        let current = RawAssessment::of(&stored)?.decode()?;
        let sees = |partner| {
            let reader = self.registry.reader(partner);
            reader.is_some_and(|reader| {
                may_see(&reader, &current.sharing, author, current.version, entry.time)
            })
        };
        Ok(target.version == Some(current.version) && both.into_iter().all(sees))
    }

    /// Stores what an entry adds to a tip, and the updated tip.
    pub(super) fn put_tip_entry(
        &mut self,
        tip: &TipRecord,
        added: &TipEntryRecord,
        text: &str,
    ) -> Result<TipRecord> {
        let (mut tip, mut added) = (tip.clone(), added.clone());
        for thread in &mut tip.threads {
            match added.thread(&thread.recipient) {
                Some(moved) => (thread.state, thread.changed) = (moved.to, added.accepted),
                None if added.is_in_thread(&thread.recipient) => {
                    added.threads.push(moved(thread, thread.state));
                }
                None => {}
            }
        }
        self.put(tips::tip(tip.id), tip.encode());
        self.put(tips::added(tip.id, added.sequence), added.encode());
        // One entry of the exchange itself may add to several tips, so only parties' entries map to one
        // tip.
        if added.action == TipAction::Responded
            || (added.action == TipAction::Sent && tip.referral.is_none())
        {
            self.put(tips::added_to(added.sequence), record::encode(&tip.id));
        }
        if !text.is_empty() {
            self.put(tips::added_text(tip.id, added.sequence), record::encode(text));
        }
        if let Some(campaign) = tip.campaign {
            let waited = added.threads.iter().filter(|moved| was_waiting(moved)).count();
            let wait = added.threads.iter().filter(|moved| moved.to.reopens()).count();
            self.update_waiting_count(campaign, waited, wait)?;
        }
        Ok(tip)
    }

    /// Indexes an entry of a tip: adds it to the threads and boxes that show it, and stores its
    /// indicators.
    fn index_entry(
        &mut self,
        sequence: u64,
        id: TipId,
        indicators: &[TipIndicator],
    ) -> Result<Outcome> {
        let missing = || corrupt("an entry of a tip");
        let tip = self.tip(id)?.ok_or_else(missing)?;
        let added = self.read(&tips::added(id, sequence))?.ok_or_else(missing)?;
        let added = TipEntryRecord::decode(&added)?;
        let threads = tip.threads.iter().map(|thread| &thread.recipient);
        let threads: Vec<_> = threads.filter(|recipient| added.is_in_thread(recipient)).collect();
        for recipient in &threads {
            self.put_in_thread(&tip, &added, recipient);
        }
        for (first, bytes) in record::encode_indicators(indicators) {
            self.put(tips::indicators_from(id, sequence, first), bytes);
        }
        Ok(Outcome::Applied(vec![ItemOutcome::Created; threads.len()]))
    }

    /// Adds an entry to a recipient's thread, and moves the thread between boxes if its state changed.
    pub(super) fn put_in_thread(
        &mut self,
        tip: &TipRecord,
        added: &TipEntryRecord,
        recipient: &PartnerId,
    ) {
        self.put(tips::in_thread(tip.id, recipient, added.sequence), Vec::new());
        let moved = added.thread(recipient).filter(|moved| moved.is_move());
        let Some(moved) = moved else { return };
        let row = ThreadRow::new(tip.sequence, tip.id, recipient.clone());
        let boxes = [(&tip.sender, TipBox::Sent), (recipient, TipBox::Received)];
        for (partner, of) in boxes {
            match moved.from {
                Some(from) => self.remove(tips::boxed(partner, of, Some(from), &row)),
                None => self.put(tips::boxed(partner, of, None, &row), Vec::new()),
            }
            self.put(tips::boxed(partner, of, Some(moved.to), &row), Vec::new());
        }
        if let Some(at) = tip.respond_by {
            let was_due = moved.from.is_some_and(TipState::is_open);
            let of_box = |(partner, of)| tips::due_in(partner, of, at, tip.id, recipient);
            let [sent, received] = boxes.map(of_box);
            for key in [tips::due(at, tip.id, recipient), sent, received] {
                self.set_marker(key, was_due, moved.to.is_open());
            }
        }
        if let Some(campaign) = tip.campaign {
            if moved.from.is_none() {
                let key = tips::in_campaign(campaign, recipient, tip.sequence, tip.id);
                self.put(key, Vec::new());
            }
            let key = tips::waiting(campaign, tip.id, recipient);
            self.set_marker(key, was_waiting(moved), moved.to.reopens());
        }
    }

    fn set_marker(&mut self, key: Vec<u8>, was: bool, is: bool) {
        match (was, is) {
            (false, true) => self.put(key, Vec::new()),
            (true, false) => self.remove(key),
            _ => {}
        }
    }

    fn update_waiting_count(
        &mut self,
        campaign: CampaignId,
        waited: usize,
        wait: usize,
    ) -> Result<()> {
        if waited != wait {
            let count = (self.waiting(campaign)? + wait as u64).saturating_sub(waited as u64);
            let key = tips::waiting_count(campaign);
            if count == 0 {
                self.remove(key);
            } else {
                self.put(key, record::encode(&count));
            }
        }
        Ok(())
    }

    /// Number of waiting threads in a campaign.
    pub(super) fn waiting(&self, campaign: CampaignId) -> Result<u64> {
        let Some(count) = self.read(&tips::waiting_count(campaign))? else { return Ok(0) };
        record::decode(&count, "a count of tips")
    }

    fn tip(&self, id: TipId) -> Result<Option<TipRecord>> {
        self.read(&tips::tip(id))?.map(|bytes| TipRecord::decode(&bytes)).transpose()
    }
}

impl TipRecord {
    /// The state changes that a response causes, or why it is void.
    pub fn decide(
        &self,
        author: &PartnerId,
        response: &TipResponse,
    ) -> std::result::Result<Vec<TipMove>, VoidReason> {
        let named = match &response.thread {
            TipThread::All => None,
            TipThread::Recipient(recipient) | TipThread::RecipientToAll(recipient) => {
                Some(recipient)
            }
        };
        let is_sender = self.sender == *author;
        let named = match named {
            None if is_sender => None,
            Some(recipient) if is_sender || recipient == author => {
                Some(self.thread(recipient).ok_or(VoidReason::TipUnknown)?)
            }
            None | Some(_) => return Err(VoidReason::TipUnknown),
        };
        if self.withdrawn {
            return Err(VoidReason::TipWithdrawn);
        }
        if let (Some(thread), Some(to)) = (named.filter(|_| !is_sender), response.new_state) {
            let from = thread.state;
            return if from.may_move(to) {
                Ok(vec![moved(thread, to)])
            } else {
                Err(VoidReason::TransitionRefused { from, to })
            };
        }
        if !is_sender || response.indicators.is_empty() {
            return Ok(Vec::new());
        }
        // New indicators of the sender reopen waiting threads.
        let addressed = self.threads.iter().filter(|one| named.is_none_or(|named| named == *one));
        let waiting = addressed.filter(|thread| thread.state.reopens());
        Ok(waiting.map(|thread| moved(thread, TipState::Investigating)).collect())
    }
}

/// The record of what an entry adds, before its threads are known.
pub fn tip_entry(entry: &Entry, what: TipAction, indicators: &[TipIndicator]) -> TipEntryRecord {
    TipEntryRecord {
        sequence: entry.sequence,
        accepted: entry.time,
        author: entry.author.clone(),
        action: what,
        recipient: None,
        shown: false,
        indicators: u32::try_from(indicators.len()).unwrap_or(u32::MAX),
        threads: Vec::new(),
        enforcement: None,
    }
}

fn idempotency_record(entry: &Entry, digest: [u8; 32]) -> IdempotencyRecord {
    IdempotencyRecord { digest, sequence: entry.sequence, time: entry.time }
}

/// A thread that begins with an entry.
pub fn new_thread(recipient: &PartnerId, entry: &Entry) -> ThreadRecord {
    ThreadRecord { recipient: recipient.clone(), state: TipState::Sent, changed: entry.time }
}

fn moved(thread: &ThreadRecord, to: TipState) -> TipMove {
    TipMove { recipient: thread.recipient.clone(), from: Some(thread.state), to }
}

fn was_waiting(moved: &TipMove) -> bool {
    moved.from.is_some_and(TipState::reopens)
}
