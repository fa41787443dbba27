//! Keys of campaigns.

use super::{positioned, read_position, text};
use crate::domain::audience::AudienceDigest;
use crate::domain::{CampaignId, PartnerId, Position};

/// An author's contribution to a campaign, for one audience.
pub fn contribution(campaign: CampaignId, author: &PartnerId, audience: AudienceDigest) -> Vec<u8> {
    let mut key = contributions(campaign).to_vec();
    text(&mut key, author.as_str());
    key.extend_from_slice(&audience.0);
    key
}

/// Prefix of the contributions to a campaign.
pub fn contributions(campaign: CampaignId) -> [u8; 17] {
    of_campaign(b'v', campaign)
}

/// Prefix of all contributions by position. The value is the contribution's own key.
pub fn contributions_by_time() -> &'static [u8] {
    b"Vt"
}

/// The contribution at a position.
pub fn contribution_at(at: Position) -> Vec<u8> {
    [contributions_by_time(), &positioned(0, at)[1..]].concat()
}

/// The position in the key of [`contribution_at`].
pub fn read_contribution_position(key: &[u8]) -> Option<Position> {
    read_position(key.get(contributions_by_time().len()..)?)
}

/// Who could see a campaign through the contribution at a position.
pub fn visibility_at(campaign: CampaignId, at: Position) -> Vec<u8> {
    [visibilities(campaign).as_slice(), &positioned(0, at)[1..]].concat()
}

/// Prefix of a campaign's visibility history.
pub fn visibilities(campaign: CampaignId) -> Vec<u8> {
    [b"Vs".as_slice(), campaign.as_bytes()].concat()
}

/// The position in the key of [`visibility_at`].
pub fn read_visibility_position(key: &[u8]) -> Option<Position> {
    read_position(key.get(18..)?)
}

/// The versions of an entry that name a campaign.
pub fn naming_entry(campaign: CampaignId, sequence: u64) -> Vec<u8> {
    [naming(campaign).as_slice(), &sequence.to_be_bytes()].concat()
}

/// Prefix of the versions that ever named a campaign.
pub fn naming(campaign: CampaignId) -> [u8; 17] {
    of_campaign(b'y', campaign)
}

fn of_campaign(prefix: u8, campaign: CampaignId) -> [u8; 17] {
    let mut key = [prefix; 17];
    key[1..].copy_from_slice(campaign.as_bytes());
    key
}
