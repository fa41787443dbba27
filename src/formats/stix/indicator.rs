//! What an indicator says beside its pattern, and what an observation says.

use serde_json::Value;

use super::context::Context;
use super::object::Object;
use crate::domain::assessment::{Involvement, Verdict};
use crate::formats::details::{self, read_end, read_time, words};
use crate::formats::export::stix::default_description;
use crate::formats::misp::REFERENCE_CATEGORIES;
use crate::formats::{Details, tags};

/// The meaning of each value of the open vocabulary `indicator-type-ov`: the verdict, and the involvement of the value.
/// STIX 2.0 has them as labels.
pub const TYPES: &[(&str, Verdict, Option<Involvement>)] = &[
    ("benign", Verdict::NonMalicious, None),
    ("unknown", Verdict::Unknown, None),
    ("anomalous-activity", Verdict::Suspicious, None),
    ("compromised", Verdict::Suspicious, Some(Involvement::Victim)),
    ("anonymization", Verdict::Suspicious, Some(Involvement::AbusedService)),
    ("attribution", Verdict::Suspicious, None),
    ("malicious-activity", Verdict::Malicious, None),
];

/// URLs of reports that are taken from one object.
const MAX_REFERENCES: usize = 10;

/// The verdict of an indicator: its author's in the exchange's own extension, or that of its types. Types that
/// contradict one another are no verdict.
pub fn verdict(object: &Object<'_>) -> Option<Verdict> {
    if let Some(own) = tipoff_extension_text(object, "verdict").and_then(|text| text.parse().ok()) {
        return Some(own);
    }
    let verdicts: Vec<Verdict> = types(object).map(|(verdict, _)| verdict).collect();
    let strongest = verdicts.iter().copied().max()?;
    let is_contradiction =
        verdicts.contains(&Verdict::NonMalicious) && strongest > Verdict::Unknown;
    Some(if is_contradiction { Verdict::Unknown } else { strongest })
}

/// The meanings of the types of an indicator.
fn types(object: &Object<'_>) -> impl Iterator<Item = (Verdict, Option<Involvement>)> {
    let has_type =
        |name: &str| object.indicator_types.iter().chain(&object.labels).any(|one| &**one == name);
    let stated = TYPES.iter().filter(move |(name, ..)| has_type(name));
    stated.map(|(_, verdict, involvement)| (*verdict, *involvement))
}

/// The details of an indicator.
pub fn details(object: &Object<'_>, context: &Context) -> Details {
    let mut details = common(object, context);
    details.verdict = verdict(object);
    details.campaign = context.campaign(object).map(str::to_owned);
    details.valid_until = object.valid_until.as_deref().and_then(read_end);
    // A compromised service is first of all a victim.
    details.involvement = types(object).find_map(|(_, involvement)| involvement);
    if let Some(own) = tipoff_extension(object) {
        read_tipoff_extension(own, object, context, &mut details);
    } else {
        let valid_from = object.valid_from.as_deref().and_then(read_time);
        details.first_seen = details.first_seen.or(valid_from);
    }
    if context.is_disputed(object) {
        details.verdict = Some(Verdict::Unknown);
        tags::add_note(&mut details, "An opinion in the bundle disagrees with this indicator.");
    }
    details::drop_later_first_seen(&mut details);
    details
}

/// The details of an observable, or of an observation with the observables inside. It accuses nobody, unless an
/// indicator is based on it.
pub fn observation(object: &Object<'_>, context: &Context) -> Details {
    let mut details = common(object, context);
    details.verdict = context.verdict_of_based_on(object);
    if context.is_disputed(object) {
        details.verdict = Some(Verdict::Unknown);
    }
    if context.is_recipient(object) {
        details.verdict = Some(Verdict::Unknown);
        details.involvement = Some(Involvement::Victim);
    }
    details
}

/// Whether an observation of MISP is a reference to what others wrote.
pub fn is_reference(object: &Object<'_>) -> bool {
    object.labels.iter().any(|label| {
        label
            .strip_prefix("misp:category=\"")
            .and_then(|category| category.strip_suffix('"'))
            .is_some_and(|category| REFERENCE_CATEGORIES.contains(&category))
    })
}

/// What any object may have.
fn common(object: &Object<'_>, context: &Context) -> Details {
    let seen = context.seen(object);
    let mut details = Details {
        confidence: object.confidence.filter(|percent| *percent <= 100),
        first_seen: seen.first,
        last_seen: seen.last,
        tlp: context.tlp(object),
        ..Details::default()
    };
    tags::add_note(&mut details, object.description.as_deref().unwrap_or_default());
    for reference in &object.external_references {
        let source = reference.source_name.as_deref().unwrap_or_default();
        let external_id = reference.external_id.as_deref().unwrap_or_default();
        if let Some(technique) = tags::technique(source, external_id) {
            tags::add_technique(&mut details, technique);
        }
        let url = reference
            .url
            .as_deref()
            .or(Some(external_id))
            .filter(|url| details::is_web_address(url));
        if let Some(url) = url.filter(|_| details.references.len() < MAX_REFERENCES) {
            details.references.push(url.to_owned());
        }
    }
    for phase in &object.kill_chain_phases {
        let chain = phase.kill_chain_name.as_deref().unwrap_or_default();
        let phase = phase.phase_name.as_deref().unwrap_or_default();
        if let Some(technique) = tags::technique(chain, phase) {
            tags::add_technique(&mut details, technique);
        }
    }
    let is_type = |label: &str| TYPES.iter().any(|(known, ..)| *known == label);
    let labels = object.labels.iter().map(|label| &**label);
    if tipoff_extension(object).is_some() {
        // An operator may have added labels that are no words of others.
        labels.for_each(|label| tags::add_label(&mut details, label));
    } else {
        tags::add(labels.filter(|label| !is_type(label)), &mut details);
    }
    details
}

/// The exchange's own extension of an indicator, by the properties that only it has.
fn tipoff_extension<'a>(object: &'a Object<'_>) -> Option<&'a Value> {
    object.extensions.values().find(|extension| {
        extension.get("assessment_version").is_some() && extension.get("kind").is_some()
    })
}

fn tipoff_extension_text<'a>(object: &'a Object<'_>, name: &str) -> Option<&'a str> {
    tipoff_extension(object)?.get(name)?.as_str()
}

/// The kind and platform that the exchange's own extension states.
pub fn stated_kind<'a>(object: &'a Object<'_>) -> Option<(&'a str, Option<&'a str>)> {
    tipoff_extension_text(object, "kind")
        .map(|kind| (kind, tipoff_extension_text(object, "platform")))
}

/// Reads the exchange's own extension.
fn read_tipoff_extension(
    own: &Value,
    object: &Object<'_>,
    context: &Context,
    details: &mut Details,
) {
    let text = |name: &str| own.get(name).and_then(Value::as_str);
    details.names_audience = own.get("audience").is_some();
    details.severity = text("severity").and_then(words::severity);
    details.involvement = text("involvement").and_then(|text| text.parse().ok());
    details.basis = text("basis").and_then(|text| text.parse().ok());
    details.first_seen = text("first_seen").and_then(read_time);
    details.last_seen = text("last_seen").and_then(read_time);
    details.account_id = text("account_id").map(str::to_owned);
    let handles = own.get("former_handles").and_then(Value::as_array).into_iter().flatten();
    details.former_handles = handles.filter_map(Value::as_str).map(str::to_owned).collect();
    // Every indicator has a description. This one stands for a note that is not there.
    let verdict = text("verdict").unwrap_or_default();
    let author = context.author(object).unwrap_or_default();
    if details.note.as_deref() == Some(&default_description(verdict, author)) {
        details.note = None;
    }
}
