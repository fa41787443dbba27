//! Converts submission batches. Written field by field for speed: they are most of the journal.

use prost::Message;

use super::sharing::{read_sharing, write_sharing};
use super::{
    DecodeError, Decoded, boxed, number, optional, pb, read_digest, read_id, read_rejected,
    required, write_rejected,
};
use crate::domain::account::AccountNames;
use crate::domain::assessment::{Basis, Confidence, Involvement, Severity, Technique, Verdict};
use crate::domain::entry::{Batch, Item, SubmissionId};
use crate::domain::indicator::CANONICAL_RULES_VERSION;
use crate::domain::label::Label;
use crate::domain::list::ListName;
use crate::domain::{Assessment, CampaignId, Indicator, IndicatorId, Kind, Platform, Timestamp};
use crate::protobuf::Fields;

/// Encodes a batch.
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
    fields.text(9, batch.list.as_ref().map(ListName::as_str).unwrap_or_default());
}

/// Decodes a batch.
pub fn read_batch(batch: pb::Batch) -> Decoded<Batch> {
    if batch.canonical_rules != CANONICAL_RULES_VERSION {
        return Err(DecodeError::Rules(batch.canonical_rules));
    }
    let items = batch.items.into_iter().map(|item| {
        let assessment = item.assessment.unwrap_or_default();
        let (id, mut assessment) = read_assessment(assessment)?;
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
        list: (!batch.list.is_empty()).then(|| ListName::from_stored(&batch.list)),
        items: items.collect::<Decoded<_>>()?,
        rejected: read_rejected(batch.rejected),
    })
}

/// Encodes an assessment, without the author's spelling of the value.
pub fn put_assessment(assessment: &Assessment, id: IndicatorId, fields: &mut Fields<'_>) {
    let indicator = &assessment.indicator;
    fields.bytes(1, id.as_bytes());
    fields.number(2, number(Kind::ALL, &indicator.kind()).into());
    fields.text(3, indicator.platform().map(Platform::as_str).unwrap_or_default());
    fields.text(4, indicator.value());
    fields.number(5, assessment.verdict.map_or(0, |word| number(Verdict::ALL, &word)).into());
    fields.number(6, assessment.confidence.map_or(0, |c| u64::from(c.percent()) + 1));
    fields.number(7, assessment.severity.map_or(0, |word| number(Severity::ALL, &word)).into());
    fields
        .number(8, assessment.involvement.map_or(0, |word| number(Involvement::ALL, &word)).into());
    fields.number(9, assessment.basis.map_or(0, |word| number(Basis::ALL, &word)).into());
    assessment.labels.iter().for_each(|label| fields.bytes(10, label.as_str().as_bytes()));
    assessment.techniques.iter().for_each(|one| fields.bytes(11, one.as_str().as_bytes()));
    for (field, time) in
        [(12, assessment.first_seen), (13, assessment.last_seen), (14, assessment.valid_until)]
    {
        if let Some(time) = time {
            fields.signed(field, time.as_millis());
        }
    }
    fields.text(15, assessment.note.as_deref().unwrap_or_default());
    assessment.references.iter().for_each(|one| fields.bytes(16, one.as_bytes()));
    if let Some(campaign) = assessment.campaign {
        fields.text(17, &campaign.to_string());
    }
    fields.text(18, assessment.account.account_id.as_deref().unwrap_or_default());
    assessment.account.former_handles.iter().for_each(|one| fields.bytes(19, one.as_bytes()));
}

/// Decodes an assessment and the id of its indicator.
pub fn read_assessment(assessment: pb::Assessment) -> Decoded<(IndicatorId, Assessment)> {
    let id = read_id(assessment.id)?;
    let platform =
        (!assessment.platform.is_empty()).then(|| Platform::from_stored(assessment.platform));
    let kind = required("kind", Kind::ALL, assessment.kind)?;
    let assessment = Assessment {
        indicator: Indicator::from_stored(kind, platform, assessment.value),
        raw: None,
        verdict: optional("verdict", Verdict::ALL, assessment.verdict)?,
        confidence: read_confidence(assessment.confidence_plus_one)?,
        severity: optional("severity", Severity::ALL, assessment.severity)?,
        involvement: optional("involvement", Involvement::ALL, assessment.involvement)?,
        basis: optional("basis", Basis::ALL, assessment.basis)?,
        labels: assessment.labels.iter().map(|text| Label::from_stored(text)).collect(),
        techniques: assessment.techniques.iter().map(|text| Technique::from_stored(text)).collect(),
        first_seen: assessment.first_seen_ms.map(Timestamp::from_millis),
        last_seen: assessment.last_seen_ms.map(Timestamp::from_millis),
        valid_until: assessment.valid_until_ms.map(Timestamp::from_millis),
        note: boxed(assessment.note),
        references: assessment.references.into_iter().map(String::into_boxed_str).collect(),
        // Entries from before campaigns had ids name none.
        campaign: CampaignId::parse(&assessment.campaign).ok(),
        account: AccountNames {
            account_id: boxed(assessment.account_id),
            former_handles: assessment
                .former_handles
                .into_iter()
                .map(String::into_boxed_str)
                .collect(),
        },
    };
    Ok((id, assessment))
}

/// Decodes a confidence, stored plus one; 0 is none.
pub fn read_confidence(plus_one: u32) -> Decoded<Option<Confidence>> {
    let percent = plus_one.checked_sub(1);
    let read = percent.map(|percent| {
        Confidence::new(percent).map_err(|_| DecodeError::Unknown("confidence", percent))
    });
    read.transpose()
}
