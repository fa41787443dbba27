//! Keys of enforcements.

use super::{positioned, text};
use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::EnforcementId;
use crate::domain::{CampaignId, PartnerId, Position};

/// A list of enforcements, ordered by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedBy<'a> {
    /// All enforcements.
    All,
    /// Those of an author.
    Author(&'a PartnerId),
    /// Those against a campaign.
    Campaign(CampaignId),
    /// Those in response to a tip.
    Tip([u8; 16]),
}

/// An author's enforcement with an id, for one audience.
pub fn enforcement(author: &PartnerId, id: &EnforcementId, audience: AudienceDigest) -> Vec<u8> {
    let mut key = enforcement_versions(author, id);
    key.extend_from_slice(&audience.0);
    key
}

/// Prefix of an author's enforcements with an id, over all audiences.
pub fn enforcement_versions(author: &PartnerId, id: &EnforcementId) -> Vec<u8> {
    let mut key = vec![b'a'];
    text(&mut key, author.as_str());
    text(&mut key, id.as_str());
    key
}

/// Prefix of a list of enforcements. The value is the enforcement's own key.
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

/// The list entry of the enforcement at a position.
pub fn enforcement_at(by: ListedBy<'_>, at: Position) -> Vec<u8> {
    let mut key = enforcements(by);
    key.extend_from_slice(&at.sequence.to_be_bytes());
    key.extend_from_slice(&at.index.to_be_bytes());
    key
}

/// The enforcement that the target at a position withdrew.
pub fn withdrawn_enforcement(by: Position) -> Vec<u8> {
    [b"Ve".as_slice(), &positioned(0, by)[1..]].concat()
}

/// The position in the key of a list entry.
pub fn read_enforcement_position(key: &[u8]) -> Option<Position> {
    super::read_position(key.last_chunk::<12>()?)
}
