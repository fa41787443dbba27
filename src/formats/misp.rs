//! MISP events: single ones, several in an array or below `response`, files of a feed, and collections of attributes
//! and objects.

pub mod attribute;
mod event;

use std::collections::HashMap;

pub use self::attribute::REFERENCE_CATEGORIES;
use self::attribute::{ObjectContext, RECIPIENT_RELATIONS, classes};
use self::event::{Attribute, Event, Galaxy, Many, Object, Scalar, Tag};
use super::details::{self, read_end, read_time, words};
use super::export::MISP_REFERENCE;
use super::json_elements::{JsonElements, Place};
use super::record::raw_text;
use super::stix::observable::LOCAL_ACCOUNTS;
use super::{Class, Details, Error, Input, Output, Record, SkipReason, json_shape, tags};
use crate::domain::IndicatorId;
use crate::domain::assessment::{Involvement, Severity, Verdict};
use crate::domain::sharing::Tlp;

/// Characters of an event's title that each of its values carries in its note.
const MAX_INFO_CHARS: usize = 300;
/// Addresses of reports that an event gives to its values.
const MAX_REFERENCES: usize = 5;

/// Addresses of reports that a comment may name.
const MAX_OWN_REFERENCES: usize = 20;

/// The marking of an event or attribute that has no `tlp:` tag, by its distribution: the organisation itself, this
/// community, connected communities, all communities, a sharing group. What is for the organisation itself becomes
/// RED: the exchange takes it only for partners that are named. Distribution 5 is that of the event.
pub const DISTRIBUTIONS: &[(&str, Option<Tlp>)] = &[
    ("0", Some(Tlp::Red)),
    ("1", Some(Tlp::Amber)),
    ("2", Some(Tlp::Green)),
    ("3", None),
    ("4", Some(Tlp::AmberStrict)),
];

/// The severity of an event by its threat level.
pub const THREAT_LEVELS: &[(&str, Severity)] =
    &[("1", Severity::High), ("2", Severity::Medium), ("3", Severity::Low)];

/// Categories of what was attacked, not of what attacks.
pub const TARGETS: &[&str] = &["Targeting data"];
/// Types of addresses to which messages went.
pub const RECIPIENTS: &[&str] = &["email-dst", "target-email"];

/// Objects that describe what was attacked.
pub const VICTIMS: &[&str] = &["victim", "target-system"];

/// The involvement of a person by the role that its object names.
pub const ROLES: &[(&str, Involvement)] =
    &[("Victim", Involvement::Victim), ("Witness", Involvement::ThirdParty)];

/// Relations that name the platform or chain of an object's other attributes.
pub const PLATFORM_RELATIONS: &[&str] =
    &["account-type", "symbol", "service", "platform", "app-used"];

/// Reads events. The row is the number of the attribute.
pub fn read(input: &Input, out: &mut Output<'_>) -> Result<(), Error> {
    if json_shape::is_manifest(input.head()) {
        return Err(Error::MispManifest);
    }
    let place = Place::detect(input, "response", |_| true)?;
    let mut elements = JsonElements::of(input.reader(), place);
    let mut row = 0;
    while let Some((number, bytes)) = elements.next()? {
        let event: Event = serde_json::from_slice(bytes).map_err(|error| Error::Broken {
            row: number,
            reason: format!("is not a MISP event: {error}"),
        })?;
        read_event(&event, &mut row, out);
        if out.is_stopped() {
            break;
        }
    }
    if out.is_empty() {
        return Err(Error::NoValues("events of MISP without attributes"));
    }
    Ok(())
}

/// Reads an event, or what is around events. Bounded by the depth at which JSON is parsed.
fn read_event(event: &Event, row: &mut usize, out: &mut Output<'_>) {
    for inner in event.response.iter().chain(event.events.iter()) {
        read_event(inner, row, out);
    }
    skip_proposals(event.proposals.len(), out);
    let mut reader = EventReader::of(event, *row);
    for attribute in event.attributes.iter() {
        reader.read(attribute, &Object::default(), &ObjectContext::default(), out);
    }
    for object in event.objects.iter() {
        if is_true(&object.deleted) {
            out.skipped("deleted object");
            continue;
        }
        let context = ObjectContext { object: object.name.text(), platform: platform_of(object) };
        for attribute in object.attributes.iter() {
            reader.read(attribute, object, &context, out);
        }
    }
    *row = reader.row;
    reader.finish(out);
}

fn skip_proposals(count: usize, out: &mut Output<'_>) {
    (0..count).for_each(|_| out.skipped("proposal (ShadowAttribute)"));
}

/// The platform or chain that an attribute of an object names.
fn platform_of(object: &Object) -> Option<&str> {
    let is_platform = |one: &&Attribute| PLATFORM_RELATIONS.contains(&one.object_relation.text());
    let named = object.attributes.iter().find(is_platform)?;
    let name = named.value.text();
    (!matches!(name, "" | "other") && !LOCAL_ACCOUNTS.contains(&name)).then_some(name)
}

/// Reads the attributes of one event.
struct EventReader {
    /// What the event says of each of its values.
    common: Details,
    tlp: EventTlp,
    row: usize,
    /// The records, with whether each is for detection.
    records: Vec<(Record, bool)>,
}

/// The marking of an event.
struct EventTlp {
    by_tag: Option<Tlp>,
    by_distribution: Option<Tlp>,
}

impl EventReader {
    fn of(event: &Event, row: usize) -> Self {
        let mut common = Details {
            severity: by_name(THREAT_LEVELS, event.threat_level_id.text()),
            first_seen: read_time(event.date.text()),
            ..Details::default()
        };
        tags::add_note(&mut common, &tags::cut(event.info.text(), MAX_INFO_CHARS));
        add_tags(&event.tags, &event.galaxies, &mut common);
        let links = event
            .attributes
            .iter()
            .filter(|one| one.kind.text() == "link" && !is_true(&one.deleted));
        let links = links.map(|one| one.value.text()).filter(|url| details::is_web_address(url));
        common.references = links.take(MAX_REFERENCES).map(str::to_owned).collect();
        let by_distribution = by_name(DISTRIBUTIONS, event.distribution.text()).flatten();
        let tlp = EventTlp { by_tag: common.tlp.take(), by_distribution };
        Self { common, tlp, row, records: Vec::new() }
    }

    fn read(
        &mut self,
        attribute: &Attribute,
        object: &Object,
        context: &ObjectContext<'_>,
        out: &mut Output<'_>,
    ) {
        self.row += 1;
        skip_proposals(attribute.proposals.len(), out);
        if is_true(&attribute.deleted) {
            return out.skipped("deleted attribute");
        }
        let details = self.details(attribute, object);
        let is_for_detection = is_true(&attribute.to_ids);
        for class in classes(attribute, context) {
            let raw = raw_text(attribute.value.text());
            let record = Record { row: self.row, raw, class, details: details.clone() };
            self.records.push((record, is_for_detection));
        }
    }

    fn details(&self, attribute: &Attribute, object: &Object) -> Details {
        // Exports of the exchange state everything in the tags of each attribute. What the event says of all its
        // attributes is then somebody else's, except for the campaign and the audience.
        let is_tipoff_export =
            attribute.tags.iter().any(|tag| tags::is_tipoff_tag(tag.name.text()));
        let common = if is_tipoff_export {
            let Details { campaign, names_audience, .. } = self.common.clone();
            Details { campaign, names_audience, ..Details::default() }
        } else {
            self.common.clone()
        };
        let mut details = Details { note: None, ..common };
        add_comment(attribute.comment.text(), &mut details);
        tags::add_note(&mut details, object.comment.text());
        if !is_tipoff_export {
            tags::add_note(&mut details, self.common.note.as_deref().unwrap_or_default());
        }
        details.first_seen =
            first_time(&[&attribute.first_seen, &object.first_seen]).or(details.first_seen);
        details.last_seen = first_time(&[&attribute.last_seen, &object.last_seen]);
        if !is_true(&attribute.to_ids) {
            details.verdict = Some(Verdict::Unknown);
        }
        details.involvement = role_of(object).or(details.involvement);
        if is_target(attribute) {
            details.involvement = Some(Involvement::Victim);
        }
        add_tags(&attribute.tags, &attribute.galaxies, &mut details);
        add_sightings(attribute, &mut details);
        details.tlp = self.tlp(details.tlp, attribute, object);
        details::drop_later_first_seen(&mut details);
        details
    }

    /// The marking by tags, or else by distribution: that of the attribute or its object where they have one, if it is
    /// stricter than the event's.
    fn tlp(&self, by_tag: Option<Tlp>, attribute: &Attribute, object: &Object) -> Option<Tlp> {
        let by_tag = words::stricter(by_tag, self.tlp.by_tag);
        let own = [&attribute.distribution, &object.distribution]
            .into_iter()
            .filter_map(|distribution| by_name(DISTRIBUTIONS, distribution.text()).flatten());
        by_tag.or_else(|| own.chain(self.tlp.by_distribution).min())
    }

    /// Gives the records on. A value that one attribute names for detection is not called unknown by another.
    fn finish(self, out: &mut Output<'_>) {
        let id = |record: &Record| match &record.class {
            Class::Indicator(read) => Some(read.id()),
            _ => None,
        };
        let mut verdicts: HashMap<IndicatorId, Option<Verdict>> = HashMap::new();
        for (record, is_for_detection) in &self.records {
            if let (Some(id), true) = (id(record), is_for_detection) {
                verdicts.entry(id).or_insert(record.details.verdict);
            }
        }
        for (mut record, _) in self.records {
            if let Some(verdict) = id(&record).and_then(|id| verdicts.get(&id)) {
                record.details.verdict = *verdict;
            }
            if record.class == Class::Neither(SkipReason::OtherKind) {
                record.details = Details::default();
            }
            out.record(record);
        }
    }
}

/// Whether an attribute is what was attacked.
fn is_target(attribute: &Attribute) -> bool {
    TARGETS.contains(&attribute.category.text())
        || RECIPIENTS.contains(&attribute.kind.text())
        || RECIPIENT_RELATIONS.contains(&attribute.object_relation.text())
}

/// The involvement that an object states for its attributes, or for a person.
fn role_of(object: &Object) -> Option<Involvement> {
    if VICTIMS.contains(&object.name.text()) {
        return Some(Involvement::Victim);
    }
    let roles = object.attributes.iter().filter(|one| one.object_relation.text() == "role");
    let mut stated = roles.filter_map(|one| by_name(ROLES, one.value.text()));
    stated.next().filter(|_| object.name.text() == "person")
}

/// Adds a comment. Lines such as `Reference: https://…`, as the exchange exports them, are references.
fn add_comment(comment: &str, details: &mut Details) {
    let address = |line: &str| {
        let address = line.strip_prefix(MISP_REFERENCE)?;
        details::is_web_address(address).then(|| address.to_owned())
    };
    let is_note = |line: &&str| address(line).is_none();
    details.references.extend(comment.lines().filter_map(address).take(MAX_OWN_REFERENCES));
    tags::add_note(details, &comment.lines().filter(is_note).collect::<Vec<_>>().join("\n"));
}

/// Adds what tags and the entries of galaxies say.
fn add_tags(tags: &Many<Tag>, galaxies: &Many<Galaxy>, details: &mut Details) {
    let entries = galaxies.iter().flat_map(|galaxy| {
        let kind = galaxy.kind.text();
        galaxy
            .clusters
            .iter()
            .map(move |cluster| format!("misp-galaxy:{kind}=\"{}\"", cluster.value.text()))
    });
    let entries: Vec<String> = entries.collect();
    let tags = tags.iter().map(|tag| tag.name.text());
    tags::add(tags.chain(entries.iter().map(String::as_str)), details);
}

/// Sightings say when a value was seen last, false positives that it is disputed, and expirations until when it counts.
fn add_sightings(attribute: &Attribute, details: &mut Details) {
    for sighting in attribute.sightings.iter() {
        let time = read_time(sighting.date_sighting.text());
        match sighting.kind.text() {
            "1" => {
                details.verdict = Some(Verdict::Unknown);
                tags::add_note(details, "It was reported as a false positive.");
            }
            "2" => {
                details.valid_until =
                    details.valid_until.or_else(|| read_end(sighting.date_sighting.text()));
            }
            _ => details.last_seen = details.last_seen.into_iter().chain(time).max(),
        }
    }
}

fn first_time(texts: &[&Scalar]) -> Option<crate::domain::Timestamp> {
    texts.iter().find_map(|text| read_time(text.text()))
}

fn is_true(flag: &Scalar) -> bool {
    words::boolean(flag.text()) == Some(true)
}

fn by_name<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

#[cfg(test)]
#[path = "misp/tests.rs"]
mod tests;
