//! Lists of tips: received or sent. The cost of a page does not depend on the number of tips.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::accepted::TipRecord;
use crate::domain::page::page_size;
use crate::domain::purpose::Purpose;
use crate::domain::tip::{TipBox, TipState, Urgency};
use crate::domain::{CampaignId, Invalid, PartnerId, Timestamp, TipId};
use crate::error::Result;
use crate::exchange::core::{Caller, reader};
use crate::exchange::liaison::AccessedObjects;
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::index::keys::tips::ThreadRow;

/// Threads that one page reads at most. A page that ends early has a next page.
const LOOKED_AT: usize = 2_000;

/// A query for threads.
#[derive(Clone, Debug)]
pub struct TipQuery {
    /// Received or sent.
    pub of: TipBox,
    /// In these states. Empty for any.
    pub states: Vec<TipState>,
    /// Of these urgencies. Empty for any.
    pub urgencies: Vec<Urgency>,
    /// Only overdue ones, the longest overdue first.
    pub overdue: bool,
    /// Only those with this partner.
    pub with: Option<PartnerId>,
    /// Only those of this campaign.
    pub campaign: Option<CampaignId>,
    /// The page size. 0 for the default.
    pub size: usize,
    /// The last page's `next`; empty for the first.
    pub token: String,
    /// The purpose of a liaison.
    pub purpose: Option<Purpose>,
}

/// A page of threads, each as a tip with that thread alone.
#[derive(Clone, Debug)]
pub struct TipsPage {
    /// The threads: the newest first, or the longest overdue.
    pub tips: Vec<TipRecord>,
    /// The token of the next page; empty on the last one.
    pub next: String,
    /// The time by the exchange's clock.
    pub now: Timestamp,
    /// For a liaison: what the access log has to record before it is sent.
    pub accessed: AccessedObjects,
}

impl Queries {
    /// A page of the caller's threads.
    pub fn list_tips(&self, caller: &Caller, query: &TipQuery) -> Result<TipsPage> {
        let token = read_token(&query.token)?;
        if !self.core.may_read_tips(caller, query.purpose.as_ref())? {
            let (now, accessed) = (self.core.clock.now(), AccessedObjects::default());
            return Ok(TipsPage { tips: Vec::new(), next: String::new(), now, accessed });
        }
        if query.overdue {
            self.list_overdue(caller, query, token)
        } else {
            self.list_newest(caller, query, token)
        }
    }

    fn list_newest(
        &self,
        caller: &Caller,
        query: &TipQuery,
        token: Option<Vec<u8>>,
    ) -> Result<TipsPage> {
        let me = caller.partner();
        let behind =
            token.map(|bytes| ThreadRow::read(&bytes).ok_or_else(invalid_token)).transpose()?;
        let mut states = query.states.clone();
        states.sort_unstable();
        states.dedup();
        let view = self.core.index.read()?;
        let rows = view.threads_in_box(me, query.of, &states, behind.as_ref());
        let rows = rows.map(|row| row.map(|row| (row.bytes(), row.tip, row.recipient)));
        let reader = reader(view.registry(), me)?;
        page(ReaderView::new(&view, &reader, self.core.clock.now()), query, rows)
    }

    fn list_overdue(
        &self,
        caller: &Caller,
        query: &TipQuery,
        token: Option<Vec<u8>>,
    ) -> Result<TipsPage> {
        let (me, now) = (caller.partner(), self.core.clock.now());
        let read =
            |bytes: Vec<u8>| crate::index::keys::tips::read_due(&bytes).ok_or_else(invalid_token);
        let behind = token.map(read).transpose()?;
        let behind = behind.as_ref().map(|(at, tip, recipient)| (*at, *tip, recipient));
        let view = self.core.index.read()?;
        let rows = view.overdue_in_box(me, query.of, now, behind).map(|due| {
            let (at, tip, recipient) = due?;
            let mut key = u64::try_from(at.as_millis()).unwrap_or(0).to_be_bytes().to_vec();
            key.extend_from_slice(tip.as_bytes());
            key.extend_from_slice(recipient.as_str().as_bytes());
            Ok((key, tip, recipient))
        });
        let reader = reader(view.registry(), me)?;
        page(ReaderView::new(&view, &reader, now), query, rows)
    }

    /// The number of overdue threads on the exchange.
    pub fn overdue_tips(&self) -> Result<u64> {
        self.core.index.read()?.overdue_tips(self.core.clock.now())
    }
}

/// A page of threads, each as a tip with that thread alone.
fn page(
    seen: ReaderView<'_>,
    query: &TipQuery,
    rows: impl Iterator<Item = Result<(Vec<u8>, TipId, PartnerId)>>,
) -> Result<TipsPage> {
    let size = page_size(query.size);
    let mut rows = rows.peekable();
    let (mut tips, mut last, mut accessed) = (Vec::new(), Vec::new(), AccessedObjects::default());
    for _ in 0..LOOKED_AT {
        if tips.len() == size {
            break;
        }
        let Some(row) = rows.next() else { break };
        let (key, id, recipient) = row?;
        last = key;
        let Some(tip) = seen.view.tip(id)? else { continue };
        let mut tip = seen.tip(tip)?;
        tip.threads.retain(|thread| thread.recipient == recipient);
        if matches(query, &tip) {
            accessed.append(seen.accessed_of_tip(&tip, &[], &[]));
            tips.push(tip);
        }
    }
    let next = if rows.peek().is_some() { URL_SAFE_NO_PAD.encode(last) } else { String::new() };
    Ok(TipsPage { tips, next, now: seen.now, accessed })
}

fn matches(query: &TipQuery, tip: &TipRecord) -> bool {
    let Some(thread) = tip.threads.first() else { return false };
    let with = match query.of {
        TipBox::Received => &tip.sender,
        TipBox::Sent => &thread.recipient,
    };
    (query.states.is_empty() || query.states.contains(&thread.state))
        && (query.urgencies.is_empty() || query.urgencies.contains(&tip.urgency))
        && query.with.as_ref().is_none_or(|named| named == with)
        && (query.campaign.is_none() || query.campaign == tip.campaign)
}

fn read_token(token: &str) -> Result<Option<Vec<u8>>> {
    if token.is_empty() {
        return Ok(None);
    }
    URL_SAFE_NO_PAD.decode(token).map(Some).map_err(|_| invalid_token().into())
}

fn invalid_token() -> Invalid {
    Invalid::new("page_token", "is not one that the exchange handed out")
}
