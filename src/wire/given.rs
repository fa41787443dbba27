//! What a reader was given, from the protocol's form. Nothing is held against the rules of today: it
//! was by the exchange that took it, under those of its day.

use super::words::ProtoEnum;
use super::{campaign, enforcement, pb, read_timestamp};
use crate::domain::assessment::{Assessment, Confidence, Technique};
use crate::domain::label::Label;
use crate::domain::{
    CampaignId, Indicator, Invalid, Kind, Platform, Position, ReceivedAssessment,
    ReceivedContribution, ReceivedEnforcement, Tlp,
};

/// Reads an item of a feed, a page or a snapshot. An error names the field that this version of the
/// client does not understand.
pub fn read(item: &pb::FeedItem) -> Result<ReceivedAssessment, Invalid> {
    let missing = |field| move || Invalid::new(field, "is missing");
    let version = item.version.ok_or_else(missing("version"))?;
    let accepted = item.accepted_at.as_ref().ok_or_else(missing("accepted_at"))?;
    let about = item.indicator.as_ref().ok_or_else(missing("indicator"))?;
    let said = item.assessment.as_ref().ok_or_else(missing("assessment"))?;
    let kind = Kind::read(about.kind)?.ok_or_else(missing("kind"))?;
    let platform = (!about.platform.is_empty()).then(|| about.platform.clone());
    let platform = platform.map(Platform::from_stored);
    let indicator = Indicator::from_stored(kind, platform, about.value.as_str());
    Ok(ReceivedAssessment {
        version: Position::new(version.sequence, version.index),
        author: item.author.clone(),
        accepted: read_timestamp("accepted_at", accepted)?,
        id: about.id.parse()?,
        said: read_said(said, indicator)?,
        tlp: read_tlp(item.sharing.as_ref())?,
    })
}

/// Reads what is said of a campaign, as [`read`] reads an item.
pub fn contribution(given: &pb::VisibleContribution) -> Result<ReceivedContribution, Invalid> {
    let missing = |field| move || Invalid::new(field, "is missing");
    let version = given.version.ok_or_else(missing("version"))?;
    let accepted = given.accepted_at.as_ref().ok_or_else(missing("accepted_at"))?;
    Ok(ReceivedContribution {
        version: Position::new(version.sequence, version.index),
        author: given.author.clone(),
        accepted: read_timestamp("accepted_at", accepted)?,
        campaign: CampaignId::parse(&given.campaign_id)?,
        said: campaign::read(given.contribution.as_ref())?,
        tlp: read_tlp(given.sharing.as_ref())?,
    })
}

/// Reads what was done, as [`read`] reads an item.
pub fn enforcement(given: &pb::VisibleEnforcement) -> Result<ReceivedEnforcement, Invalid> {
    let missing = |field| move || Invalid::new(field, "is missing");
    let version = given.version.ok_or_else(missing("version"))?;
    let accepted = given.accepted_at.as_ref().ok_or_else(missing("accepted_at"))?;
    let done = given.enforcement.as_ref().ok_or_else(missing("enforcement"))?;
    Ok(ReceivedEnforcement {
        version: Position::new(version.sequence, version.index),
        author: given.author.clone(),
        accepted: read_timestamp("accepted_at", accepted)?,
        done: enforcement::read(done)?,
        tlp: read_tlp(given.sharing.as_ref())?,
    })
}

/// Without a marking it is for nobody else.
fn read_tlp(sharing: Option<&pb::Sharing>) -> Result<Tlp, Invalid> {
    let tlp = sharing.map_or(Ok(None), |sharing| Tlp::read(sharing.tlp))?;
    Ok(tlp.unwrap_or(Tlp::Red))
}

fn read_said(said: &pb::Assessment, indicator: Indicator) -> Result<Assessment, Invalid> {
    let time = |field, time: &Option<prost_types::Timestamp>| {
        time.as_ref().map(|time| read_timestamp(field, time)).transpose()
    };
    Ok(Assessment {
        verdict: ProtoEnum::read(said.verdict)?,
        confidence: said.confidence.map(Confidence::new).transpose()?,
        severity: ProtoEnum::read(said.severity)?,
        involvement: ProtoEnum::read(said.involvement)?,
        basis: ProtoEnum::read(said.basis)?,
        labels: said.labels.iter().map(|text| Label::from_stored(text)).collect(),
        techniques: said.techniques.iter().map(|text| Technique::from_stored(text)).collect(),
        first_seen: time("first_seen", &said.first_seen)?,
        last_seen: time("last_seen", &said.last_seen)?,
        valid_until: time("valid_until", &said.valid_until)?,
        campaign: (!said.campaign.is_empty())
            .then(|| CampaignId::parse(&said.campaign))
            .transpose()?,
        note: (!said.note.is_empty()).then(|| said.note.as_str().into()),
        references: said.references.iter().map(|text| text.as_str().into()).collect(),
        ..Assessment::of(indicator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sharing::{Audience, SharingView};
    use crate::domain::{PartnerId, Timestamp};
    use crate::wire::feed::{self, ItemRef};

    #[test]
    fn what_was_written_for_a_reader_is_read_as_it_was_said() {
        let indicator = Indicator::read("x:harbour", None).unwrap();
        let accepted = Timestamp::from_millis(1_764_057_600_123);
        let said = Assessment {
            labels: vec![Label::from_stored("spam")],
            note: Some("seen twice".into()),
            first_seen: Some(Timestamp::from_millis(-1)),
            ..Assessment::of(indicator.clone())
        };
        let view =
            SharingView { tlp: Tlp::Green, audience: Audience::Everyone, releases: Vec::new() };
        let (version, author) = (Position::new(7, 3), PartnerId::from_stored("birdsite"));
        let id = indicator.id();
        let (author_of, said_of) = (&author, &said);
        let shown = ItemRef {
            version,
            author: author_of,
            accepted,
            id,
            said: said_of,
            view: &view,
            cursor: None,
        };
        let given = read(&feed::item(&shown)).unwrap();
        assert_eq!((given.version, given.tlp, given.accepted), (version, Tlp::Green, accepted));
        assert_eq!((given.id, given.author.as_str()), (id, "birdsite"));
        assert_eq!(given.said.ends(accepted), said.ends(accepted));
        assert_eq!(given.said.verdict(), said.verdict());
        assert_eq!(given.said.labels, said.labels);
        assert_eq!(given.said.note, said.note);
        assert_eq!(given.said.first_seen, said.first_seen);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(read(&pb::FeedItem::default()).unwrap_err().field, "version");
    }
}
