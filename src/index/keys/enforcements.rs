//! The keys of enforcements.

use super::text;
use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::EnforcementId;
use crate::domain::{CampaignId, PartnerId, Position};

/// What enforcements are listed by, each in the order in which they were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedBy<'a> {
    /// All of them.
    All,
    /// Those of an author.
    Author(&'a PartnerId),
    /// Those against a campaign.
    Campaign(CampaignId),
    /// Those that a tip caused.
    Tip([u8; 16]),
}

/// An author's enforcement under an id, to one audience.
pub fn enforcement(author: &PartnerId, id: &EnforcementId, audience: AudienceDigest) -> Vec<u8> {
    let mut key = enforcement_versions(author, id);
    key.extend_from_slice(&audience.0);
    key
}

/// The prefix of an author's enforcements under one id.
pub fn enforcement_versions(author: &PartnerId, id: &EnforcementId) -> Vec<u8> {
    let mut key = vec![b'a'];
    text(&mut key, author.as_str());
    text(&mut key, id.as_str());
    key
}

/// The prefix of a list of enforcements. What stands in it is the key of the enforcement itself.
pub fn enforcements(by: ListedBy<'_>) -> Vec<u8> {
    let mut key = vec![b'A'];
    match by {
        ListedBy::All => key.push(b'a'),
        ListedBy::Author(author) => {
            key.push(b'p');
            text(&mut key, author.as_str());
        }
        ListedBy::Campaign(campaign) => {
            key.push(b'c');
            key.extend_from_slice(campaign.as_bytes());
        }
        ListedBy::Tip(tip) => {
            key.push(b't');
            key.extend_from_slice(&tip);
        }
    }
    key
}

/// The place of an enforcement in a list.
pub fn enforcement_at(by: ListedBy<'_>, at: Position) -> Vec<u8> {
    let mut key = enforcements(by);
    key.extend_from_slice(&at.sequence.to_be_bytes());
    key.extend_from_slice(&at.index.to_be_bytes());
    key
}

/// Where the enforcement of a place in a list was accepted.
pub fn read_enforcement_place(key: &[u8]) -> Option<Position> {
    super::read_position(key.last_chunk::<12>()?)
}
