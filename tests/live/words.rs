//! Converts between the types of the protocol and those of a trace. Times are left out, because
//! they differ in every run.

use std::fmt::Debug;

use tipoff::client::{ClientError, FeedEvent};
use tipoff::domain::sharing::Audience;
use tipoff::domain::{Position, Sharing, Tlp};
use tipoff::wire::pb;

use crate::cast::{bits, group, id};
use crate::history::{AudienceBits, FilterSpec, GROUPS, PARTNERS};
use crate::trace::{Observed, observation};

pub fn value(number: u8) -> String {
    format!("n{number}.example")
}

/// A value as its author writes it. Only the author sees this form.
pub fn written(number: u8) -> String {
    format!("N{number}[.]example")
}

pub fn key(number: u8) -> pb::IndicatorKey {
    pb::IndicatorKey {
        kind: pb::Kind::Domain.into(),
        value: value(number),
        ..pb::IndicatorKey::default()
    }
}

pub fn filter(spec: FilterSpec) -> Option<pb::Filter> {
    let mut filter = pb::Filter::default();
    match spec {
        FilterSpec::Everything | FilterSpec::Campaign(_) => return None,
        FilterSpec::Confident => filter.min_confidence = Some(50),
        FilterSpec::Group(which) => filter.groups = vec![group(which).to_string()],
        FilterSpec::Author(author) => filter.authors = vec![id(author).to_string()],
    }
    Some(filter)
}

pub fn sharing(to: &AudienceBits) -> pb::Sharing {
    use pb::sharing::Audience;
    let (tlp, audience) = match to {
        AudienceBits::Everyone => (pb::Tlp::Green, Audience::Everyone(pb::Everyone {})),
        AudienceBits::Public => (pb::Tlp::Clear, Audience::Public(pb::Public {})),
        AudienceBits::Named { groups, partners } => {
            (pb::Tlp::Amber, Audience::Named(named(*groups, *partners)))
        }
    };
    crate::support::sharing(tlp, Some(audience))
}

pub fn audience(to: &AudienceBits) -> pb::Audience {
    use pb::audience::Audience;
    let audience = match to {
        AudienceBits::Everyone => Audience::Everyone(pb::Everyone {}),
        AudienceBits::Public => Audience::Public(pb::Public {}),
        AudienceBits::Named { groups, partners } => Audience::Named(named(*groups, *partners)),
    };
    pb::Audience { audience: Some(audience) }
}

fn named(groups: u8, partners: u8) -> pb::NamedAudience {
    pb::NamedAudience {
        groups: bits(groups, GROUPS.len()).map(|which| group(which).to_string()).collect(),
        partners: bits(partners, PARTNERS.len()).map(|which| id(which).to_string()).collect(),
    }
}

/// A sharing as the model takes it.
pub fn model_sharing(to: &AudienceBits) -> Sharing {
    let audience = match to {
        AudienceBits::Everyone => Audience::Everyone,
        AudienceBits::Public => Audience::Public,
        AudienceBits::Named { groups, partners } => Audience::Named {
            groups: bits(*groups, GROUPS.len()).map(group).collect(),
            partners: bits(*partners, PARTNERS.len()).map(id).collect(),
        },
    };
    Sharing { tlp: Tlp::Amber, audience, releases: Vec::new() }
}

pub fn position(version: Option<pb::Version>) -> Position {
    let version = version.expect("a version");
    Position::new(version.sequence, version.index)
}

pub fn refused(error: &ClientError) -> Observed {
    observation(&format!("{error:?}"), [])
}

/// A receipt without its `replayed` mark, which a kill may change.
pub fn receipt(receipt: &pb::Receipt) -> Observed {
    let items = receipt
        .items
        .iter()
        .map(|item| format!(" {} {:?} {} {}", item.index, item.status(), item.field, item.reason));
    let versions = receipt.items.iter().filter_map(|item| item.version);
    let versions = versions.map(|version| position(Some(version)));
    let positions: Vec<_> =
        std::iter::once(Position::new(receipt.sequence, 0)).chain(versions).collect();
    observation(&format!("receipt{}", items.collect::<String>()), positions)
}

pub fn withdrawal(response: &pb::WithdrawIndicatorsResponse) -> Observed {
    let counts: Vec<_> = response.items.iter().map(|item| item.versions.len()).collect();
    let versions = response.items.iter().flat_map(|item| &item.versions);
    let entries = response.sequences.iter().map(|sequence| Position::new(*sequence, 0));
    let positions: Vec<_> = versions.map(|at| position(Some(*at))).chain(entries).collect();
    observation(&format!("withdrawn {} {counts:?}", response.withdrawn), positions)
}

pub fn sightings_receipt(response: &pb::ReportSightingsResponse) -> Observed {
    let text = format!("counted {} {:?}", response.counted, response.rejected);
    observation(&text, [Position::new(response.sequence, 0)])
}

pub fn feedback_receipt(response: &pb::GiveFeedbackResponse) -> Observed {
    observation("accepted", [Position::new(response.sequence, 0)])
}

pub fn event(event: &FeedEvent) -> Observed {
    match event {
        FeedEvent::Item(event) => item(event),
        FeedEvent::Removal(removal) => {
            let (author, indicator) = (&removal.author, &removal.indicator_id);
            let text = format!("removal {author} {indicator} {:?}", removal.reason());
            observation(&text, [position(removal.version)])
        }
        FeedEvent::GroupChange(change) => {
            let text =
                format!("{} joined {:?} left {:?}", change.group, change.joined, change.left);
            observation(&text, [])
        }
        FeedEvent::Sighting(event) => sighting(event.sighting.as_ref().unwrap()),
        FeedEvent::Feedback(event) => feedback(event.feedback.as_ref().unwrap()),
        other => panic!("{other:?} is new: add how it is observed"),
    }
}

pub fn item(item: &pb::FeedItem) -> Observed {
    let pb::FeedItem { author, indicator, assessment, sharing, replaces, raw, .. } = item;
    let content = content(indicator, assessment.as_ref(), sharing, raw);
    let text = format!("item {author} {content} {}", replaces.is_some());
    let replaces = replaces.map(|version| position(Some(version)));
    observation(&text, [position(item.version)].into_iter().chain(replaces).collect::<Vec<_>>())
}

pub fn assessment(visible: &pb::VisibleAssessment) -> Observed {
    let pb::VisibleAssessment { author, indicator, assessment, sharing, raw, .. } = visible;
    let content = content(indicator, assessment.as_ref(), sharing, raw);
    observation(&format!("assessment {author} {content}"), [position(visible.version)])
}

fn content(
    indicator: &impl Debug,
    assessment: Option<&pb::Assessment>,
    sharing: &impl Debug,
    raw: &str,
) -> String {
    let assessment = pb::Assessment { valid_until: None, ..assessment.unwrap().clone() };
    format!("{indicator:?} {assessment:?} {sharing:?} {raw}")
}

pub fn sighting(visible: &pb::VisibleSighting) -> Observed {
    let pb::VisibleSighting { author, indicator, count, sharing, .. } = visible;
    observation(
        &format!("{author} saw {indicator:?} {count} {sharing:?}"),
        [position(visible.version)],
    )
}

pub fn feedback(visible: &pb::VisibleFeedback) -> Observed {
    let pb::VisibleFeedback { author, indicator_id, note, sharing, .. } = visible;
    let opinion = visible.opinion();
    let text = format!("{author} on {indicator_id} {opinion:?} {note} {sharing:?}");
    observation(&text, [position(visible.version), position(visible.about)])
}
