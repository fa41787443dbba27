//! A short digest that identifies an audience.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::sharing::Audience;

/// The first 8 bytes of a SHA-256 hash over an audience: part of the key of an assessment.
///
/// Equal sets of groups and partners give the same digest, in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AudienceDigest(pub [u8; 8]);

impl AudienceDigest {
    /// The digest of an audience.
    pub fn of(audience: &Audience) -> Self {
        let mut hash = Sha256::new();
        match audience {
            Audience::Named { groups, partners } => {
                for group in groups {
                    hash.update([b'g']);
                    hash.update(group.as_str());
                    hash.update([0]);
                }
                for partner in partners {
                    hash.update([b'p']);
                    hash.update(partner.as_str());
                    hash.update([0]);
                }
            }
            Audience::Everyone => hash.update([b'e']),
            Audience::Public => hash.update([b'u']),
        }
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(first)
    }
}
