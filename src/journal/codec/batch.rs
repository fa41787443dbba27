//! What is said of indicators to the journal's form and back: written field by field, since there is much of it.

use prost::Message;

use super::sharing::{read_sharing, write_sharing};
use super::{
    DecodeError, Decoded, boxed, number, optional, pb, read_digest, read_id, read_rejected,
    required, write_rejected,
};
use crate::domain::assessment::{Basis, Confidence, Involvement, Severity, Technique, Verdict};
use crate::domain::entry::{Batch, Item, SubmissionId};
use crate::domain::indicator::CANONICAL_RULES_VERSION;
use crate::domain::label::Label;
use crate::domain::{Assessment, CampaignId, Indicator, IndicatorId, Kind, Platform, Timestamp};
use crate::protobuf::Fields;

/// Writes a batch.
pub fn put_batch(batch: &Batch, fields: &mut Fields<'_>) {
    fields.text(1, batch.submission.as_str());
    fields.number(2, batch.number.into());
    fields.bytes(3, &batch.digest);
    fields.bytes(4, &write_sharing(&batch.sharing).encode_to_vec());
    for item in &batch.items {
        fields.message(5, |fields| {
            fields.number(1, item.index.into());
            fields.message(2, |fields| put_assessment(&item.assessment, item.id, fields));
            fields.text(3, item.assessment.raw.as_deref().unwrap_or_default());
        });
    }
    for one in write_rejected(&batch.rejected) {
        fields.bytes(6, &one.encode_to_vec());
    }
    fields.number(7, CANONICAL_RULES_VERSION.into());
    if let Some(digest) = batch.replaces {
        fields.bytes(8, &digest.0);
    }
}

/// A batch from its message.
pub fn read_batch(batch: pb::Batch) -> Decoded<Batch> {
    let items = batch.items.into_iter().map(|item| {
        let said = item.assessment.unwrap_or_default();
        let (id, mut assessment) = read_assessment(said)?;
        assessment.raw = boxed(item.raw);
        Ok(Item { index: item.index, id, assessment })
    });
    let replaces = (!batch.replaces.is_empty()).then_some(batch.replaces);
    Ok(Batch {
        submission: SubmissionId::from_stored(&batch.submission),
        number: batch.number,
        digest: batch.digest.try_into().map_err(|_| DecodeError::Length("digest"))?,
        sharing: read_sharing(batch.sharing.unwrap_or_default())?,
        replaces: replaces.map(read_digest).transpose()?,
        items: items.collect::<Decoded<_>>()?,
        rejected: read_rejected(batch.rejected),
    })
}

/// Writes what is said, but for the spelling.
pub fn put_assessment(said: &Assessment, id: IndicatorId, fields: &mut Fields<'_>) {
    let indicator = &said.indicator;
    fields.bytes(1, id.as_bytes());
    fields.number(2, number(Kind::ALL, &indicator.kind()).into());
    fields.text(3, indicator.platform().map(Platform::as_str).unwrap_or_default());
    fields.text(4, indicator.value());
    fields.number(5, said.verdict.map_or(0, |word| number(Verdict::ALL, &word)).into());
    fields.number(6, said.confidence.map_or(0, |c| u64::from(c.percent()) + 1));
    fields.number(7, said.severity.map_or(0, |word| number(Severity::ALL, &word)).into());
    fields.number(8, said.involvement.map_or(0, |word| number(Involvement::ALL, &word)).into());
    fields.number(9, said.basis.map_or(0, |word| number(Basis::ALL, &word)).into());
    said.labels.iter().for_each(|label| fields.bytes(10, label.as_str().as_bytes()));
    said.techniques.iter().for_each(|one| fields.bytes(11, one.as_str().as_bytes()));
    for (field, time) in [(12, said.first_seen), (13, said.last_seen), (14, said.valid_until)] {
        if let Some(time) = time {
            fields.signed(field, time.as_millis());
        }
    }
    fields.text(15, said.note.as_deref().unwrap_or_default());
    said.references.iter().for_each(|one| fields.bytes(16, one.as_bytes()));
    if let Some(campaign) = said.campaign {
        fields.text(17, &campaign.to_string());
    }
}

/// What is said from its message, and the indicator's id.
pub fn read_assessment(said: pb::Assessment) -> Decoded<(IndicatorId, Assessment)> {
    let id = read_id(said.id)?;
    let platform = (!said.platform.is_empty()).then(|| Platform::from_stored(said.platform));
    let kind = required("kind", Kind::ALL, said.kind)?;
    let assessment = Assessment {
        indicator: Indicator::from_stored(kind, platform, said.value),
        raw: None,
        verdict: optional("verdict", Verdict::ALL, said.verdict)?,
        confidence: read_confidence(said.confidence_plus_one)?,
        severity: optional("severity", Severity::ALL, said.severity)?,
        involvement: optional("involvement", Involvement::ALL, said.involvement)?,
        basis: optional("basis", Basis::ALL, said.basis)?,
        labels: said.labels.iter().map(|text| Label::from_stored(text)).collect(),
        techniques: said.techniques.iter().map(|text| Technique::from_stored(text)).collect(),
        first_seen: said.first_seen_ms.map(Timestamp::from_millis),
        last_seen: said.last_seen_ms.map(Timestamp::from_millis),
        valid_until: said.valid_until_ms.map(Timestamp::from_millis),
        note: boxed(said.note),
        references: said.references.into_iter().map(String::into_boxed_str).collect(),
        // What was written before campaigns had ids names none.
        campaign: CampaignId::parse(&said.campaign).ok(),
    };
    Ok((id, assessment))
}

/// A confidence from its number and one more.
pub fn read_confidence(plus_one: u32) -> Decoded<Option<Confidence>> {
    let percent = plus_one.checked_sub(1);
    let read = percent.map(|percent| {
        Confidence::new(percent).map_err(|_| DecodeError::Unknown("confidence", percent))
    });
    read.transpose()
}
