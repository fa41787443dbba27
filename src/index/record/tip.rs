//! Records of tips: the progress of referrals, and chunks of indicators.

use serde::{Deserialize, Serialize};

use super::codec::{decode, encode, record};
use crate::domain::PartnerId;
use crate::domain::entry::TipIndicator;
use crate::error::Result;

/// Indicators per key, so that a page is read without the rest.
pub const INDICATORS_PER_KEY: u32 = 64;

/// The referral progress of a submission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralProgress {
    /// Batches up to this sequence are referred.
    pub up_to: u64,
    /// The sequence of its last close.
    pub close: u64,
    /// Number of assets without an owner to refer to.
    pub not_referred: u32,
    /// Number of assets referred to each owner, ordered by owner.
    pub to: Vec<(PartnerId, u32)>,
}

record!(ReferralProgress, "the progress of a referral");

impl ReferralProgress {
    /// Counts assets referred to an owner.
    pub fn add(&mut self, owner: &PartnerId, count: u32) {
        match self.to.binary_search_by(|(one, _)| one.cmp(owner)) {
            Ok(at) => self.to[at].1 += count,
            Err(at) => self.to.insert(at, (owner.clone(), count)),
        }
    }
}

/// Encodes indicators in chunks, each with the number of its first indicator.
pub fn encode_indicators(indicators: &[TipIndicator]) -> impl Iterator<Item = (u32, Vec<u8>)> {
    let size = INDICATORS_PER_KEY as usize;
    (0..).step_by(size).zip(indicators.chunks(size).map(encode))
}

/// Decodes a chunk of indicators.
pub fn read_indicators(bytes: &[u8]) -> Result<Vec<TipIndicator>> {
    decode(bytes, "the indicators of a tip")
}

#[cfg(test)]
#[path = "tip_tests.rs"]
mod tests;
