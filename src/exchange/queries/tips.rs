//! Lists of received or sent tips. The cost of a page does not depend on the number of tips.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::accepted::TipRecord;
use crate::domain::page::page_size;
use crate::domain::purpose::Purpose;
use crate::domain::tip::{TipBox, TipState, Urgency};
use crate::domain::{CampaignId, Invalid, PartnerId, Timestamp, TipId};
use crate::error::Result;
use crate::exchange::core::{Caller, rights_of};
use crate::exchange::liaison::AccessedObjects;
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::index::keys::tips::ThreadRow;

/// The most threads that one page scans. A page that ends early has a next page.
const MAX_SCANNED: usize = 2_000;

/// A query for threads.
#[derive(Clone, Debug)]
pub struct TipQuery {
    /// Received or sent tips.
    pub tip_box: TipBox,
    /// Only threads in these states. Empty for any state.
    pub states: Vec<TipState>,
    /// Only tips of these urgencies. Empty for any urgency.
    pub urgencies: Vec<Urgency>,
    /// Only overdue threads, the longest overdue first.
    pub overdue: bool,
    /// Only threads with this partner: the sender of a received tip, the recipient of a sent one.
    pub partner: Option<PartnerId>,
    /// Only tips of this campaign.
    pub campaign: Option<CampaignId>,
    /// The page size. 0 for the default.
    pub size: usize,
    /// The `next` of the page before; empty for the first page.
    pub token: String,
    /// The purpose of a liaison.
    pub purpose: Option<Purpose>,
}

/// A page of threads. Each is a tip with only that thread.
#[derive(Clone, Debug)]
pub struct TipsPage {
    /// The threads: newest first, or longest overdue first.
    pub tips: Vec<TipRecord>,
    /// The token of the next page; empty on the last one.
    pub next: String,
    /// The time by the exchange's clock.
    pub now: Timestamp,
    /// For a liaison: the objects to record in the access log before the page is sent.
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
        let after =
            token.map(|bytes| ThreadRow::read(&bytes).ok_or_else(invalid_token)).transpose()?;
        let mut states = query.states.clone();
        states.sort_unstable();
        states.dedup();
        let view = self.core.index.read()?;
        let rows = view.threads_in_box(me, query.tip_box, &states, after.as_ref());
        let rows = rows.map(|row| row.map(|row| (row.bytes(), row.tip, row.recipient)));
        let reader = rights_of(view.registry(), me)?;
        page(ReaderView::new(&view, &reader, self.core.clock.now()), query, rows)
    }

    fn list_overdue(
        &self,
        caller: &Caller,
        query: &TipQuery,
        token: Option<Vec<u8>>,
    ) -> Result<TipsPage> {
        let (me, now) = (caller.partner(), self.core.clock.now());
        let decode =
            |bytes: Vec<u8>| crate::index::keys::tips::read_due(&bytes).ok_or_else(invalid_token);
        let after = token.map(decode).transpose()?;
        let after = after.as_ref().map(|(at, tip, recipient)| (*at, *tip, recipient));
        let view = self.core.index.read()?;
        let rows = view.overdue_in_box(me, query.tip_box, now, after).map(|row| {
            let (at, tip, recipient) = row?;
            let mut token = u64::try_from(at.as_millis()).unwrap_or(0).to_be_bytes().to_vec();
            token.extend_from_slice(tip.as_bytes());
            token.extend_from_slice(recipient.as_str().as_bytes());
            Ok((token, tip, recipient))
        });
        let reader = rights_of(view.registry(), me)?;
        page(ReaderView::new(&view, &reader, now), query, rows)
    }

    /// The number of overdue threads on the exchange.
    pub fn overdue_tips(&self) -> Result<u64> {
        self.core.index.read()?.overdue_tips(self.core.clock.now())
    }
}

/// Collects a page of threads from rows of the index. Each row has the bytes of its page token.
fn page(
    reader_view: ReaderView<'_>,
    query: &TipQuery,
    rows: impl Iterator<Item = Result<(Vec<u8>, TipId, PartnerId)>>,
) -> Result<TipsPage> {
    let size = page_size(query.size);
    let mut rows = rows.peekable();
    let (mut tips, mut last_token, mut accessed) =
        (Vec::new(), Vec::new(), AccessedObjects::default());
    for _ in 0..MAX_SCANNED {
        if tips.len() == size {
            break;
        }
        let Some(row) = rows.next() else { break };
        let (token, id, recipient) = row?;
        last_token = token;
        let Some(tip) = reader_view.view.tip(id)? else { continue };
        let mut tip = reader_view.tip(tip)?;
        tip.threads.retain(|thread| thread.recipient == recipient);
        if matches(query, &tip) {
            accessed.append(reader_view.accessed_of_tip(&tip, &[], &[]));
            tips.push(tip);
        }
    }
    let next =
        if rows.peek().is_some() { URL_SAFE_NO_PAD.encode(last_token) } else { String::new() };
    Ok(TipsPage { tips, next, now: reader_view.now, accessed })
}

/// Whether a tip with one thread matches the query.
fn matches(query: &TipQuery, tip: &TipRecord) -> bool {
    let Some(thread) = tip.threads.first() else { return false };
    let other_party = match query.tip_box {
        TipBox::Received => &tip.sender,
        TipBox::Sent => &thread.recipient,
    };
    (query.states.is_empty() || query.states.contains(&thread.state))
        && (query.urgencies.is_empty() || query.urgencies.contains(&tip.urgency))
        && query.partner.as_ref().is_none_or(|partner| partner == other_party)
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
