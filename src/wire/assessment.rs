//! What an author says, in and out.

use super::enforcement::read_campaign;
use super::fields::Fields;
use super::words::ProtoEnum;
use super::{pb, read_timestamp, timestamp};
use crate::domain::assessment::{Confidence, Technique};
use crate::domain::label::{Label, Labels, MAX_LABELS};
use crate::domain::{Assessment, Indicator, Invalid, Timestamp};

const MAX_TECHNIQUES: usize = 20;
const MAX_NOTE_CHARS: usize = 2_000;
const MAX_REFERENCES: usize = 10;
const MAX_REFERENCE_BYTES: usize = 2_048;

/// Reads what an author says of an indicator. Absent fields stay absent: defaults are the
/// reader's.
pub fn read(
    indicator: Indicator,
    raw: &str,
    said: &pb::Assessment,
    labels: &Labels,
    now: Timestamp,
) -> Result<Assessment, Invalid> {
    let time = |field, time: &Option<prost_types::Timestamp>| {
        time.as_ref().map(|time| read_timestamp(field, time)).transpose()
    };
    let assessment = Assessment {
        raw: (raw != indicator.value()).then(|| raw.into()),
        indicator,
        verdict: ProtoEnum::read(said.verdict)?,
        confidence: said.confidence.map(Confidence::new).transpose()?,
        severity: ProtoEnum::read(said.severity)?,
        involvement: ProtoEnum::read(said.involvement)?,
        basis: ProtoEnum::read(said.basis)?,
        labels: read_labels(&said.labels, labels)?,
        techniques: read_item_techniques(&said.techniques)?,
        first_seen: time("first_seen", &said.first_seen)?,
        last_seen: time("last_seen", &said.last_seen)?,
        valid_until: time("valid_until", &said.valid_until)?,
        note: read_note(&said.note)?,
        references: read_references(&said.references)?,
        campaign: read_campaign("campaign", &said.campaign)?,
    };
    assessment.check_times(now)?;
    Ok(assessment)
}

/// Writes what an author says, with every default filled in. `accepted` gives the end its default.
pub fn write(said: &Assessment, accepted: Timestamp) -> pb::Assessment {
    pb::Assessment {
        verdict: pb::Verdict::from(said.verdict()).into(),
        confidence: Some(said.confidence().percent().into()),
        severity: pb::Severity::from(said.severity()).into(),
        involvement: pb::Involvement::from(said.involvement()).into(),
        basis: pb::Basis::from(said.basis()).into(),
        labels: said.labels.iter().map(|label| label.as_str().to_owned()).collect(),
        techniques: said.techniques.iter().map(|t| t.as_str().to_owned()).collect(),
        first_seen: said.first_seen.map(timestamp),
        last_seen: said.last_seen.map(timestamp),
        valid_until: Some(timestamp(said.ends(accepted))),
        note: said.note.as_deref().unwrap_or_default().to_owned(),
        references: said.references.iter().map(std::string::ToString::to_string).collect(),
        campaign: said.campaign.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// Writes the same behind other fields, but for the campaign.
pub(super) fn put(said: &Assessment, accepted: Timestamp, fields: &mut Fields<'_>) {
    fields.word(1, pb::Verdict::from(said.verdict()).into());
    fields.present(2, said.confidence().percent().into());
    fields.word(3, pb::Severity::from(said.severity()).into());
    fields.word(4, pb::Involvement::from(said.involvement()).into());
    fields.word(5, pb::Basis::from(said.basis()).into());
    said.labels.iter().for_each(|label| fields.bytes(6, label.as_str().as_bytes()));
    said.techniques.iter().for_each(|one| fields.bytes(7, one.as_str().as_bytes()));
    said.first_seen.into_iter().for_each(|time| fields.time(8, time));
    said.last_seen.into_iter().for_each(|time| fields.time(9, time));
    fields.time(10, said.ends(accepted));
    fields.text(11, said.note.as_deref().unwrap_or_default());
    said.references.iter().for_each(|one| fields.bytes(12, one.as_bytes()));
}

fn read_labels(texts: &[String], labels: &Labels) -> Result<Vec<Label>, Invalid> {
    at_most("labels", texts.len(), MAX_LABELS)?;
    let read = texts.iter().map(|text| labels.parse(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(each_once(read))
}

fn read_item_techniques(texts: &[String]) -> Result<Vec<Technique>, Invalid> {
    at_most("techniques", texts.len(), MAX_TECHNIQUES)?;
    read_techniques(texts.iter().map(String::as_str))
}

/// Reads techniques, however many.
pub(super) fn read_techniques<'a>(
    texts: impl Iterator<Item = &'a str>,
) -> Result<Vec<Technique>, Invalid> {
    Ok(each_once(texts.map(Technique::parse).collect::<Result<Vec<_>, _>>()?))
}

fn read_note(text: &str) -> Result<Option<Box<str>>, Invalid> {
    if text.len() > MAX_NOTE_CHARS && text.chars().count() > MAX_NOTE_CHARS {
        return Err(Invalid::new("note", format!("is longer than {MAX_NOTE_CHARS} characters")));
    }
    Ok((!text.is_empty()).then(|| text.into()))
}

/// Reads web addresses.
pub(super) fn read_references(texts: &[String]) -> Result<Vec<Box<str>>, Invalid> {
    at_most("references", texts.len(), MAX_REFERENCES)?;
    let web = |text: &String| text.starts_with("https://") || text.starts_with("http://");
    for text in texts {
        if text.len() > MAX_REFERENCE_BYTES {
            let reason = format!("one is longer than {MAX_REFERENCE_BYTES} bytes");
            return Err(Invalid::new("references", reason));
        }
        if !web(text) || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Invalid::new("references", "one is not an http or https address"));
        }
    }
    Ok(texts.iter().map(|text| text.as_str().into()).collect())
}

fn at_most(field: &'static str, count: usize, most: usize) -> Result<(), Invalid> {
    if count > most {
        return Err(Invalid::new(field, format!("has {count} entries, and may have {most}")));
    }
    Ok(())
}

/// In order, each once, so that two authors' spellings of one set are one set.
fn each_once<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all.dedup();
    all
}
