//! Encoding of fields that many messages of the API share.

use super::pb;
use crate::domain::{Indicator, IndicatorId, Platform, Position, Timestamp};
pub use crate::protobuf::Fields;

impl Fields<'_> {
    /// An enumeration value.
    pub fn enumeration(&mut self, field: u32, value: i32) {
        self.number(field, u64::from(value.unsigned_abs()));
    }

    /// A version.
    pub fn version(&mut self, field: u32, version: Position) {
        self.message(field, |fields| {
            fields.number(1, version.sequence);
            fields.number(2, version.index.into());
        });
    }

    /// A time.
    pub fn time(&mut self, field: u32, time: Timestamp) {
        let prost_types::Timestamp { seconds, nanos } = super::timestamp(time);
        self.message(field, |fields| {
            // A negative number is written as its 64 bits.
            fields.number(1, seconds.cast_unsigned());
            fields.number(2, u64::from(nanos.unsigned_abs()));
        });
    }

    /// An indicator with its id.
    pub fn indicator(&mut self, field: u32, indicator: &Indicator, id: IndicatorId) {
        self.message(field, |fields| {
            fields.text(1, id.write(&mut [0; IndicatorId::TEXT_BYTES]));
            fields.enumeration(2, pb::Kind::from(indicator.kind()).into());
            fields.text(3, indicator.platform().map(Platform::as_str).unwrap_or_default());
            fields.text(4, indicator.value());
        });
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn lengths_of_every_size_are_written_as_the_message_would_have_them() {
        for length in [0, 1, 127 - 2, 127, 128, 16_383, 16_384, 70_000] {
            let label = "a".repeat(length);
            let message = pb::SubmittedIndicator {
                value: "b".into(),
                assessment: Some(pb::Assessment { note: label.clone(), ..Default::default() }),
                ..Default::default()
            };
            let mut written = vec![7];
            let mut fields = Fields::append_to(&mut written);
            fields.text(3, "b");
            fields.message(4, |fields| fields.text(11, &label));
            assert_eq!(written[1..], message.encode_to_vec(), "{length}");
        }
    }
}
