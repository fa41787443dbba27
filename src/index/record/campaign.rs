//! What is said of campaigns, and what names them, as the index keeps it.

use bytes::{Buf, BufMut};

use super::{Lane, Part, corrupt, put_block, put_position, take_position, take_text};
use crate::domain::campaign::Contribution;
use crate::domain::{CampaignId, PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;
use crate::journal::stored;

/// What a partner says of a campaign to one audience: its newest word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptContribution {
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Where it was accepted.
    pub position: Position,
    /// Whose it is.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Where the author's first word to this audience was accepted, and when.
    pub first: (Position, Timestamp),
    /// Whether that one founded the campaign.
    pub founded: bool,
    /// The version that it took the place of.
    pub replaced: Option<Position>,
    /// Who is told, and to which liaisons it is released now.
    pub sharing: Sharing,
    /// What was sent of releases, and since when each is in force.
    pub lane: Lane,
    /// What is said.
    pub contribution: Contribution,
}

impl KeptContribution {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        bytes.put_slice(self.campaign.as_bytes());
        put_position(&mut bytes, self.position);
        put_block(&mut bytes, self.author.as_str().as_bytes());
        bytes.put_i64(self.accepted.as_millis());
        put_position(&mut bytes, self.first.0);
        bytes.put_i64(self.first.1.as_millis());
        bytes.put_u8(u8::from(self.founded));
        put_position(&mut bytes, self.replaced.unwrap_or_default());
        self.lane.encode(&self.sharing, &mut bytes);
        stored::put_contribution(&self.contribution, &mut bytes);
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "what is said of a campaign";
        let mut campaign = [0; 16];
        bytes.try_copy_to_slice(&mut campaign).map_err(|_| corrupt(WHAT))?;
        let position = take_position(&mut bytes, WHAT)?;
        let author = PartnerId::from_stored(&take_text(&mut bytes, WHAT)?);
        let accepted = bytes.try_get_i64().map_err(|_| corrupt(WHAT))?;
        let first = take_position(&mut bytes, WHAT)?;
        let first_at = bytes.try_get_i64().map_err(|_| corrupt(WHAT))?;
        let founded = bytes.try_get_u8().map_err(|_| corrupt(WHAT))? != 0;
        let replaced = take_position(&mut bytes, WHAT)?;
        let (sharing, lane) = Lane::decode(&mut bytes, WHAT)?;
        Ok(Self {
            campaign: CampaignId::from_bytes(campaign),
            position,
            author,
            accepted: Timestamp::from_millis(accepted),
            first: (first, Timestamp::from_millis(first_at)),
            founded,
            replaced: (replaced != Position::default()).then_some(replaced),
            sharing,
            lane,
            contribution: stored::read_contribution(bytes)?,
        })
    }

    /// Whether another says the same to the same recipients: as it was sent. What was released or retracted
    /// since makes no difference.
    pub fn says(&self, sharing: &Sharing, contribution: &Contribution) -> bool {
        self.lane.sent(&self.sharing) == *sharing && self.contribution == *contribution
    }
}

/// The bytes of who could see a contribution: kept of each, so that it can be said who saw a campaign as
/// of any entry.
pub fn campaign_sight(author: &PartnerId, sharing: &Sharing) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    put_block(&mut bytes, author.as_str().as_bytes());
    bytes.put_slice(&stored::sharing(sharing));
    bytes
}

/// Whose a contribution was, and with whom it was shared.
pub fn read_campaign_sight(mut bytes: &[u8]) -> Result<(PartnerId, Sharing)> {
    let author = take_text(&mut bytes, "the sight of a campaign")?;
    Ok((PartnerId::from_stored(&author), stored::read_sharing(bytes)?))
}

/// The versions of a part that name one campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Tells the submissions that they came with apart, and says nothing else.
    pub submission: [u8; 8],
    /// The versions.
    pub part: Part,
}

impl Named {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.submission.to_vec();
        bytes.put_slice(&self.part.encode());
        bytes
    }

    /// Reads the record.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let fault = || corrupt("the versions that name a campaign");
        let (submission, part) = bytes.split_first_chunk().ok_or_else(fault)?;
        Ok(Self { submission: *submission, part: Part::decode(part)? })
    }
}
