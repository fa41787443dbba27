//! The keys of campaigns.

use super::{positioned, read_position, text};
use crate::domain::audience::AudienceDigest;
use crate::domain::{CampaignId, PartnerId, Position};

/// What an author says of a campaign to one audience.
pub fn contribution(campaign: CampaignId, author: &PartnerId, audience: AudienceDigest) -> Vec<u8> {
    let mut key = contributions(campaign).to_vec();
    text(&mut key, author.as_str());
    key.extend_from_slice(&audience.0);
    key
}

/// The prefix of all that is said of a campaign.
pub fn contributions(campaign: CampaignId) -> [u8; 17] {
    of_campaign(b'v', campaign)
}

/// The prefix of what is said of campaigns, in the order in which it was accepted. What stands there is
/// the key of the contribution itself.
pub fn contributions_by_time() -> &'static [u8] {
    b"Vt"
}

/// The place of a contribution in that order.
pub fn contribution_at(at: Position) -> Vec<u8> {
    [contributions_by_time(), &positioned(0, at)[1..]].concat()
}

/// Where the contribution of such a key was accepted.
pub fn read_contribution_place(key: &[u8]) -> Option<Position> {
    read_position(key.get(contributions_by_time().len()..)?)
}

/// Who could see a campaign by the contribution that was accepted there.
pub fn sight_of(campaign: CampaignId, at: Position) -> Vec<u8> {
    [sights_of(campaign).as_slice(), &positioned(0, at)[1..]].concat()
}

/// The prefix of who could ever see a campaign.
pub fn sights_of(campaign: CampaignId) -> Vec<u8> {
    [b"Vs".as_slice(), campaign.as_bytes()].concat()
}

/// Where the contribution of such a key was accepted.
pub fn read_sight_of(key: &[u8]) -> Option<Position> {
    read_position(key.get(18..)?)
}

/// The versions of an entry that name a campaign.
pub fn naming_entry(campaign: CampaignId, sequence: u64) -> Vec<u8> {
    [naming(campaign).as_slice(), &sequence.to_be_bytes()].concat()
}

/// The prefix of the versions that ever named a campaign.
pub fn naming(campaign: CampaignId) -> [u8; 17] {
    of_campaign(b'y', campaign)
}

fn of_campaign(prefix: u8, campaign: CampaignId) -> [u8; 17] {
    let mut key = [prefix; 17];
    key[1..].copy_from_slice(campaign.as_bytes());
    key
}
