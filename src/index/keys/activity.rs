//! The keys of what partners submit and withdraw. They start with `R`.

use super::text;
use crate::domain::PartnerId;
use crate::domain::activity::{HISTORY_HOURS, Hour};

/// The totals of a partner.
pub fn totals(partner: &PartnerId) -> Vec<u8> {
    [b"Rt", partner.as_str().as_bytes()].concat()
}

/// The numbers of an hour. An hour takes the place of the one that is no longer kept.
pub fn hour(partner: &PartnerId, hour: Hour) -> Vec<u8> {
    let mut key = hours(partner);
    key.extend_from_slice(&(hour.0 % (HISTORY_HOURS + 1)).to_be_bytes());
    key
}

/// Prefix of the hours of a partner.
pub fn hours(partner: &PartnerId) -> Vec<u8> {
    let mut key = b"Rh".to_vec();
    text(&mut key, partner.as_str());
    key
}
