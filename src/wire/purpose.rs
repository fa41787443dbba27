//! The purpose of a liaison's request.

use super::enums::ProtoEnum;
use super::{pb, read_timestamp};
use crate::domain::Invalid;
use crate::domain::purpose::{Purpose, PurposeKind};
use crate::domain::text;

const MAX_REFERENCE_CHARS: usize = 200;
const MAX_JURISDICTION_BYTES: usize = 6;

/// Parses a purpose. The exchange checks it against the registry and the clock.
pub fn read(purpose: Option<&pb::Purpose>) -> Result<Option<Purpose>, Invalid> {
    let Some(purpose) = purpose else { return Ok(None) };
    let kind = PurposeKind::read(purpose.kind)?;
    let kind = kind.ok_or_else(|| Invalid::new("purpose.kind", "is missing"))?;
    let reference = purpose.reference.trim();
    text::check_line("purpose.reference", reference, MAX_REFERENCE_CHARS)?;
    if purpose.jurisdiction.len() > MAX_JURISDICTION_BYTES {
        return Err(Invalid::new("purpose.jurisdiction", "is not an ISO 3166 code such as `GB`"));
    }
    let until = purpose.until.as_ref();
    let until = until.ok_or_else(|| Invalid::new("purpose.until", "is missing"))?;
    Ok(Some(Purpose {
        kind,
        reference: reference.into(),
        jurisdiction: purpose.jurisdiction.as_str().into(),
        until: read_timestamp("purpose.until", until)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose() -> pb::Purpose {
        pb::Purpose {
            kind: pb::PurposeKind::Warrant.into(),
            reference: " W-17 ".into(),
            jurisdiction: "GB".into(),
            until: Some(prost_types::Timestamp { seconds: 9, nanos: 0 }),
        }
    }

    #[test]
    fn a_purpose_is_read_and_what_is_wrong_with_it_is_named() {
        let read_one = |purpose: &pb::Purpose| read(Some(purpose)).map(Option::unwrap);
        let good = read_one(&purpose()).unwrap();
        assert_eq!((good.kind, &*good.reference), (PurposeKind::Warrant, "W-17"));
        assert_eq!(read(None), Ok(None));
        let wrong = [
            (pb::Purpose { kind: 0, ..purpose() }, "purpose.kind"),
            (pb::Purpose { kind: 99, ..purpose() }, "purpose.kind"),
            (pb::Purpose { reference: "x".repeat(201), ..purpose() }, "purpose.reference"),
            (pb::Purpose { reference: "a\nb".into(), ..purpose() }, "purpose.reference"),
            (pb::Purpose { jurisdiction: "x".repeat(7), ..purpose() }, "purpose.jurisdiction"),
            (pb::Purpose { until: None, ..purpose() }, "purpose.until"),
        ];
        for (purpose, field) in wrong {
            assert_eq!(read_one(&purpose).unwrap_err().field, field);
        }
    }
}
