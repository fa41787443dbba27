//! Assessments.

use super::enforcement::read_campaign;
use super::enums::ProtoEnum;
use super::fields::Fields;
use super::{pb, read_timestamp, timestamp};
use crate::domain::account::AccountNames;
use crate::domain::assessment::{Confidence, Technique};
use crate::domain::label::{Label, Labels, MAX_LABELS};
use crate::domain::{Assessment, Indicator, Invalid, Timestamp, text};

const MAX_TECHNIQUES: usize = 20;
const MAX_NOTE_CHARS: usize = 2_000;
const MAX_REFERENCES: usize = 10;
const MAX_REFERENCE_BYTES: usize = 2_048;

/// Parses an assessment. Absent fields stay absent: readers apply the defaults.
pub fn read(
    indicator: Indicator,
    raw: &str,
    message: &pb::Assessment,
    labels: &Labels,
    now: Timestamp,
) -> Result<Assessment, Invalid> {
    let time = |field, time: &Option<prost_types::Timestamp>| {
        time.as_ref().map(|time| read_timestamp(field, time)).transpose()
    };
    let account = AccountNames::parse(&indicator, &message.account_id, &message.former_handles)?;
    let assessment = Assessment {
        raw: self::raw(raw, &indicator),
        indicator,
        verdict: ProtoEnum::read(message.verdict)?,
        confidence: message.confidence.map(Confidence::new).transpose()?,
        severity: ProtoEnum::read(message.severity)?,
        involvement: ProtoEnum::read(message.involvement)?,
        basis: ProtoEnum::read(message.basis)?,
        labels: read_labels(&message.labels, labels)?,
        techniques: read_item_techniques(&message.techniques)?,
        first_seen: time("first_seen", &message.first_seen)?,
        last_seen: time("last_seen", &message.last_seen)?,
        valid_until: time("valid_until", &message.valid_until)?,
        note: read_note(&message.note)?,
        references: read_references(&message.references)?,
        campaign: read_campaign("campaign", &message.campaign)?,
        account,
    };
    assessment.check_times(now)?;
    Ok(assessment)
}

/// The value as it was sent, if it differs from the canonical one. Characters that nobody sees or that act on a terminal
/// are left out.
pub(super) fn raw(sent: &str, indicator: &Indicator) -> Option<Box<str>> {
    let sent = text::cleaned_line(sent);
    (sent != indicator.value()).then(|| sent.into())
}

/// Converts an assessment, with every default filled in. `accepted` gives the default expiry.
pub fn write(assessment: &Assessment, accepted: Timestamp) -> pb::Assessment {
    pb::Assessment {
        verdict: pb::Verdict::from(assessment.verdict()).into(),
        confidence: Some(assessment.confidence().percent().into()),
        severity: pb::Severity::from(assessment.severity()).into(),
        involvement: pb::Involvement::from(assessment.involvement()).into(),
        basis: pb::Basis::from(assessment.basis()).into(),
        labels: assessment.labels.iter().map(|label| label.as_str().to_owned()).collect(),
        techniques: assessment.techniques.iter().map(|t| t.as_str().to_owned()).collect(),
        first_seen: assessment.first_seen.map(timestamp),
        last_seen: assessment.last_seen.map(timestamp),
        valid_until: Some(timestamp(assessment.expires_at(accepted))),
        note: assessment.note.as_deref().unwrap_or_default().to_owned(),
        references: texts(&assessment.references),
        campaign: assessment.campaign.map(|id| id.to_string()).unwrap_or_default(),
        account_id: assessment.account.account_id.as_deref().unwrap_or_default().to_owned(),
        former_handles: texts(&assessment.account.former_handles),
    }
}

/// Encodes an assessment into `fields` like [`write`], but without its campaign.
pub(super) fn put(assessment: &Assessment, accepted: Timestamp, fields: &mut Fields<'_>) {
    fields.enumeration(1, pb::Verdict::from(assessment.verdict()).into());
    fields.present(2, assessment.confidence().percent().into());
    fields.enumeration(3, pb::Severity::from(assessment.severity()).into());
    fields.enumeration(4, pb::Involvement::from(assessment.involvement()).into());
    fields.enumeration(5, pb::Basis::from(assessment.basis()).into());
    assessment.labels.iter().for_each(|label| fields.bytes(6, label.as_str().as_bytes()));
    assessment.techniques.iter().for_each(|one| fields.bytes(7, one.as_str().as_bytes()));
    assessment.first_seen.into_iter().for_each(|time| fields.time(8, time));
    assessment.last_seen.into_iter().for_each(|time| fields.time(9, time));
    fields.time(10, assessment.expires_at(accepted));
    fields.text(11, assessment.note.as_deref().unwrap_or_default());
    assessment.references.iter().for_each(|one| fields.bytes(12, one.as_bytes()));
    fields.text(14, assessment.account.account_id.as_deref().unwrap_or_default());
    assessment.account.former_handles.iter().for_each(|one| fields.bytes(15, one.as_bytes()));
}

fn texts(texts: &[Box<str>]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn read_labels(texts: &[String], labels: &Labels) -> Result<Vec<Label>, Invalid> {
    check_count("labels", texts.len(), MAX_LABELS)?;
    let parsed = texts.iter().map(|text| labels.parse(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(sorted_set(parsed))
}

fn read_item_techniques(texts: &[String]) -> Result<Vec<Technique>, Invalid> {
    check_count("techniques", texts.len(), MAX_TECHNIQUES)?;
    read_techniques(texts.iter().map(String::as_str))
}

/// Parses techniques, without a limit on their number.
pub(super) fn read_techniques<'a>(
    texts: impl Iterator<Item = &'a str>,
) -> Result<Vec<Technique>, Invalid> {
    Ok(sorted_set(texts.map(Technique::parse).collect::<Result<Vec<_>, _>>()?))
}

fn read_note(text: &str) -> Result<Option<Box<str>>, Invalid> {
    text::check("note", text, MAX_NOTE_CHARS)?;
    Ok((!text.is_empty()).then(|| text.into()))
}

/// Parses URLs.
pub(super) fn read_references(texts: &[String]) -> Result<Vec<Box<str>>, Invalid> {
    check_count("references", texts.len(), MAX_REFERENCES)?;
    let web = |text: &String| text.starts_with("https://") || text.starts_with("http://");
    for text in texts {
        if text.len() > MAX_REFERENCE_BYTES {
            let reason = format!("one is longer than {MAX_REFERENCE_BYTES} bytes");
            return Err(Invalid::new("references", reason));
        }
        text::check_line("references", text, MAX_REFERENCE_BYTES)?;
        if !web(text) || text.contains(char::is_whitespace) {
            return Err(Invalid::new("references", "one is not an http or https address"));
        }
    }
    Ok(texts.iter().map(|text| text.as_str().into()).collect())
}

fn check_count(field: &'static str, count: usize, max: usize) -> Result<(), Invalid> {
    if count > max {
        return Err(Invalid::new(field, format!("has {count} entries: the limit is {max}")));
    }
    Ok(())
}

/// Sorts and deduplicates, so that equal sets compare equal however they were written.
fn sorted_set<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}
