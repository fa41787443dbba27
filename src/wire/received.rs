//! Parses objects that a client received. They are not validated against the current rules: the
//! exchange has validated them under the rules of their time.

use super::enums::ProtoEnum;
use super::{campaign, enforcement, pb, read_timestamp, sharing};
use crate::domain::account::AccountNames;
use crate::domain::assessment::{Assessment, Confidence, Technique};
use crate::domain::label::Label;
use crate::domain::{
    CampaignId, Indicator, Invalid, Kind, Platform, Position, ReceivedAssessment,
    ReceivedContribution, ReceivedEnforcement,
};

/// Parses an item of a feed, a page or a snapshot. The error names the field that this version of
/// the client does not understand.
pub fn read(item: &pb::FeedItem) -> Result<ReceivedAssessment, Invalid> {
    let missing = |field| move || Invalid::new(field, "is missing");
    let version = item.version.ok_or_else(missing("version"))?;
    let accepted = item.accepted_at.as_ref().ok_or_else(missing("accepted_at"))?;
    let message = item.indicator.as_ref().ok_or_else(missing("indicator"))?;
    let assessment = item.assessment.as_ref().ok_or_else(missing("assessment"))?;
    let kind = Kind::read(message.kind)?.ok_or_else(missing("kind"))?;
    let platform = (!message.platform.is_empty()).then(|| message.platform.clone());
    let platform = platform.map(Platform::from_stored);
    let indicator = Indicator::from_stored(kind, platform, message.value.as_str());
    let sharing = sharing::read_view(item.sharing.as_ref())?;
    Ok(ReceivedAssessment {
        version: Position::new(version.sequence, version.index),
        author: item.author.clone(),
        accepted: read_timestamp("accepted_at", accepted)?,
        id: message.id.parse()?,
        assessment: read_assessment(assessment, indicator)?,
        tlp: sharing.tlp,
        audience: sharing.audience,
    })
}

/// Parses a contribution, like [`read`].
pub fn contribution(message: &pb::VisibleContribution) -> Result<ReceivedContribution, Invalid> {
    let missing = |field| move || Invalid::new(field, "is missing");
    let version = message.version.ok_or_else(missing("version"))?;
    let accepted = message.accepted_at.as_ref().ok_or_else(missing("accepted_at"))?;
    Ok(ReceivedContribution {
        version: Position::new(version.sequence, version.index),
        author: message.author.clone(),
        accepted: read_timestamp("accepted_at", accepted)?,
        campaign: CampaignId::parse(&message.campaign_id)?,
        contribution: campaign::read(message.contribution.as_ref())?,
        tlp: sharing::read_view(message.sharing.as_ref())?.tlp,
    })
}

/// Parses an enforcement, like [`read`].
pub fn enforcement(message: &pb::VisibleEnforcement) -> Result<ReceivedEnforcement, Invalid> {
    let missing = |field| move || Invalid::new(field, "is missing");
    let version = message.version.ok_or_else(missing("version"))?;
    let accepted = message.accepted_at.as_ref().ok_or_else(missing("accepted_at"))?;
    let enforcement = message.enforcement.as_ref().ok_or_else(missing("enforcement"))?;
    Ok(ReceivedEnforcement {
        version: Position::new(version.sequence, version.index),
        author: message.author.clone(),
        accepted: read_timestamp("accepted_at", accepted)?,
        enforcement: enforcement::read(enforcement)?,
        tlp: sharing::read_view(message.sharing.as_ref())?.tlp,
    })
}

fn read_assessment(message: &pb::Assessment, indicator: Indicator) -> Result<Assessment, Invalid> {
    let time = |field, time: &Option<prost_types::Timestamp>| {
        time.as_ref().map(|time| read_timestamp(field, time)).transpose()
    };
    Ok(Assessment {
        verdict: ProtoEnum::read(message.verdict)?,
        confidence: message.confidence.map(Confidence::new).transpose()?,
        severity: ProtoEnum::read(message.severity)?,
        involvement: ProtoEnum::read(message.involvement)?,
        basis: ProtoEnum::read(message.basis)?,
        labels: message.labels.iter().map(|text| Label::from_stored(text)).collect(),
        techniques: message.techniques.iter().map(|text| Technique::from_stored(text)).collect(),
        first_seen: time("first_seen", &message.first_seen)?,
        last_seen: time("last_seen", &message.last_seen)?,
        valid_until: time("valid_until", &message.valid_until)?,
        campaign: (!message.campaign.is_empty())
            .then(|| CampaignId::parse(&message.campaign))
            .transpose()?,
        note: (!message.note.is_empty()).then(|| message.note.as_str().into()),
        references: message.references.iter().map(|text| text.as_str().into()).collect(),
        account: AccountNames {
            account_id: (!message.account_id.is_empty())
                .then(|| message.account_id.as_str().into()),
            former_handles: message.former_handles.iter().map(|one| one.as_str().into()).collect(),
        },
        ..Assessment::of(indicator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sharing::{Audience, SharingView};
    use crate::domain::{PartnerId, Timestamp, Tlp};
    use crate::wire::feed::{self, ItemRef};

    #[test]
    fn what_was_written_for_a_reader_is_read_as_it_was_said() {
        let indicator = Indicator::read("x:harbour", None).unwrap();
        let accepted = Timestamp::from_millis(1_764_057_600_123);
        let assessment = Assessment {
            labels: vec![Label::from_stored("spam")],
            note: Some("seen twice".into()),
            first_seen: Some(Timestamp::from_millis(-1)),
            ..Assessment::of(indicator.clone())
        };
        let view =
            SharingView { tlp: Tlp::Green, audience: Audience::Everyone, releases: Vec::new() };
        let (version, author) = (Position::new(7, 3), PartnerId::from_stored("birdsite"));
        let id = indicator.id();
        let (author_of, said_of) = (&author, &assessment);
        let shown = ItemRef {
            version,
            author: author_of,
            accepted,
            id,
            assessment: said_of,
            sharing: &view,
            cursor: None,
        };
        let given = read(&feed::item(&shown)).unwrap();
        assert_eq!((given.version, given.tlp, given.accepted), (version, Tlp::Green, accepted));
        assert_eq!((given.id, given.author.as_str()), (id, "birdsite"));
        assert_eq!(given.audience, Audience::Everyone);
        assert_eq!(given.assessment.expires_at(accepted), assessment.expires_at(accepted));
        assert_eq!(given.assessment.verdict(), assessment.verdict());
        assert_eq!(given.assessment.labels, assessment.labels);
        assert_eq!(given.assessment.note, assessment.note);
        assert_eq!(given.assessment.first_seen, assessment.first_seen);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(read(&pb::FeedItem::default()).unwrap_err().field, "version");
    }
}
