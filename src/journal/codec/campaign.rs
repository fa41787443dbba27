//! Converts campaign contributions.

use super::batch::read_confidence;
use super::enforcement::read_uuid;
use super::reactions::read_request_digest;
use super::sharing::{read_sharing, write_sharing};
use super::{DecodeError, Decoded, boxed, pb};
use crate::domain::CampaignId;
use crate::domain::assessment::Technique;
use crate::domain::campaign::{Attribution, Contribution};
use crate::domain::entry::{CampaignPut, RequestId};

pub fn write(put: &CampaignPut) -> pb::CampaignPut {
    pb::CampaignPut {
        request: put.request.to_string(),
        digest: put.digest.to_vec(),
        campaign: put.campaign.as_bytes().to_vec(),
        founds: put.founds,
        sharing: Some(write_sharing(&put.sharing)),
        contribution: Some(write_contribution(&put.contribution)),
    }
}

pub fn read(put: pb::CampaignPut) -> Decoded<CampaignPut> {
    let campaign = read_uuid("campaign", put.campaign)?;
    Ok(CampaignPut {
        request: RequestId::from_stored(&put.request),
        digest: read_request_digest(put.digest)?,
        campaign: CampaignId::from_bytes(campaign.ok_or(DecodeError::Length("campaign"))?),
        founds: put.founds,
        sharing: read_sharing(put.sharing.unwrap_or_default())?,
        contribution: read_contribution(put.contribution.unwrap_or_default())?,
    })
}

fn write_contribution(contribution: &Contribution) -> pb::Contribution {
    let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    let texts = |all: &[Box<str>]| all.iter().map(ToString::to_string).collect();
    let attribution = contribution.attribution.as_ref().map(|by| pb::Attribution {
        actor: text(&by.actor),
        country: text(&by.country),
        confidence_plus_one: by.confidence.map_or(0, |c| u32::from(c.percent()) + 1),
        basis: text(&by.basis),
    });
    pb::Contribution {
        name: contribution.name.to_string(),
        description: text(&contribution.description),
        attribution,
        techniques: contribution.techniques.iter().map(|t| t.as_str().to_owned()).collect(),
        targets: texts(&contribution.targets),
        references: texts(&contribution.references),
    }
}

fn read_contribution(contribution: pb::Contribution) -> Decoded<Contribution> {
    let texts = |all: Vec<String>| all.into_iter().map(String::into_boxed_str).collect();
    let attribution = contribution.attribution.map(|by| -> Decoded<Attribution> {
        Ok(Attribution {
            actor: boxed(by.actor),
            country: boxed(by.country),
            confidence: read_confidence(by.confidence_plus_one)?,
            basis: boxed(by.basis),
        })
    });
    Ok(Contribution {
        name: contribution.name.into_boxed_str(),
        description: boxed(contribution.description),
        attribution: attribution.transpose()?,
        techniques: contribution
            .techniques
            .iter()
            .map(|text| Technique::from_stored(text))
            .collect(),
        targets: texts(contribution.targets),
        references: texts(contribution.references),
    })
}
