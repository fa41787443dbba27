//! Campaign contributions.

use prost::Message;

use super::assessment::{read_references, read_techniques};
use super::{indicator, pb, sharing, timestamp};
use crate::domain::assessment::Confidence;
use crate::domain::campaign::{Attribution, Contribution, MAX_LISTED};
use crate::domain::sharing::SharingView;
use crate::domain::{CampaignId, Invalid, PartnerId, Position, Timestamp};

/// Maximum encoded size of a contribution, in bytes. Together with its sharing it must fit into one
/// index value, which is limited to 8 KB.
const MAX_BYTES: usize = 5_000;

/// Parses a contribution and checks its fields against each other.
pub fn read(message: Option<&pb::Contribution>) -> Result<Contribution, Invalid> {
    let message = message.ok_or_else(|| Invalid::new("contribution", "is missing"))?;
    if message.encoded_len() > MAX_BYTES {
        return Err(Invalid::new("contribution", format!("is larger than {MAX_BYTES} bytes")));
    }
    let listed = [
        ("contribution.techniques", message.techniques.len()),
        ("contribution.targets", message.targets.len()),
    ];
    for (field, count) in listed {
        if count > MAX_LISTED {
            let reason = format!("has {count} entries: the limit is {MAX_LISTED}");
            return Err(Invalid::new(field, reason));
        }
    }
    let with_field =
        |field: &'static str| move |invalid: Invalid| Invalid::new(field, invalid.reason);
    let techniques = message.techniques.iter().map(String::as_str);
    let contribution = Contribution {
        name: message.name.trim().into(),
        description: text(&message.description),
        attribution: message.attribution.as_ref().map(read_attribution).transpose()?,
        techniques: read_techniques(techniques).map_err(with_field("contribution.techniques"))?,
        targets: message.targets.iter().map(|text| text.as_str().into()).collect(),
        references: read_references(&message.references)
            .map_err(with_field("contribution.references"))?,
    };
    contribution.check()?;
    Ok(contribution)
}

fn read_attribution(message: &pb::Attribution) -> Result<Attribution, Invalid> {
    let confidence = message.confidence.map(Confidence::new).transpose();
    let with_field = |e: Invalid| Invalid::new("contribution.attribution.confidence", e.reason);
    Ok(Attribution {
        actor: text(&message.actor),
        country: text(&message.country),
        confidence: confidence.map_err(with_field)?,
        basis: text(&message.basis),
    })
}

/// Converts a contribution.
pub fn write(contribution: &Contribution) -> pb::Contribution {
    let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    let attribution = contribution.attribution.as_ref().map(|attribution| pb::Attribution {
        actor: text(&attribution.actor),
        country: text(&attribution.country),
        confidence: attribution.confidence.map(|confidence| confidence.percent().into()),
        basis: text(&attribution.basis),
    });
    pb::Contribution {
        name: contribution.name.to_string(),
        description: text(&contribution.description),
        attribution,
        techniques: contribution.techniques.iter().map(|t| t.as_str().to_owned()).collect(),
        targets: contribution.targets.iter().map(ToString::to_string).collect(),
        references: contribution.references.iter().map(ToString::to_string).collect(),
    }
}

/// Metadata of a contribution, for one reader.
#[derive(Clone, Debug)]
pub struct ContributionMeta<'a> {
    /// The campaign.
    pub campaign: CampaignId,
    /// Its version.
    pub position: Position,
    /// Its author.
    pub author: &'a PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Whether its author founded the campaign.
    pub founds: bool,
    /// The version that it replaced, if the reader could see that one.
    pub replaces: Option<Position>,
    /// The reader's part of the sharing.
    pub view: &'a SharingView,
}

/// Converts a contribution for one reader.
pub fn visible(
    contribution: &Contribution,
    meta: &ContributionMeta<'_>,
) -> pb::VisibleContribution {
    pb::VisibleContribution {
        campaign_id: meta.campaign.to_string(),
        version: Some(indicator::version(meta.position)),
        author: meta.author.to_string(),
        accepted_at: Some(timestamp(meta.accepted)),
        contribution: Some(write(contribution)),
        sharing: Some(sharing::write(meta.view)),
        founds: meta.founds,
        replaces: meta.replaces.map(indicator::version),
    }
}

fn text(text: &str) -> Option<Box<str>> {
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> pb::Contribution {
        let attribution = pb::Attribution {
            actor: "a marketing firm".into(),
            country: "CN".into(),
            confidence: Some(0),
            basis: "payments".into(),
        };
        pb::Contribution {
            name: "Spamouflage".into(),
            description: "posts about Hong Kong".into(),
            attribution: Some(attribution),
            techniques: vec!["0.9.4".into(), "T0090".into()],
            targets: vec!["protesters".into()],
            references: vec!["https://a.example/report".into()],
        }
    }

    #[test]
    fn a_contribution_is_written_as_it_was_read() {
        assert_eq!(write(&read(Some(&message())).unwrap()), message());
        let least = pb::Contribution { name: "a".into(), ..Default::default() };
        assert_eq!(write(&read(Some(&least)).unwrap()), least);
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_field() {
        type Spoil = fn(&mut pb::Contribution);
        let table: [(&str, Spoil); 6] = [
            ("contribution.name", |contribution| contribution.name = " ".into()),
            ("contribution.techniques", |contribution| {
                contribution.techniques = vec!["lying".into()];
            }),
            ("contribution.techniques", |contribution| {
                contribution.techniques = vec!["0.9.4".into(); 51];
            }),
            ("contribution.references", |contribution| {
                contribution.references = vec!["a.example".into()];
            }),
            ("contribution.attribution.confidence", |contribution| {
                contribution.attribution.as_mut().unwrap().confidence = Some(101);
            }),
            ("contribution", |contribution| contribution.targets = vec!["é".repeat(499); 10]),
        ];
        for (field, spoil) in table {
            let mut contribution = message();
            spoil(&mut contribution);
            assert_eq!(read(Some(&contribution)).unwrap_err().field, field);
        }
        assert_eq!(read(None).unwrap_err().field, "contribution");
    }
}
