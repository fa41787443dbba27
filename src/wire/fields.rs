//! Writes messages field by field, straight from what is at hand: for what is written for each of many
//! items, where building the message first would allocate every text of it.
//!
//! Fields are written in the order of their numbers and left out where proto3 leaves them out, so that the
//! bytes are those that the message itself would have.

use bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::pb;
use crate::domain::{Indicator, IndicatorId, Platform, Position, Timestamp};

/// The fields of one message, as far as they are written.
#[derive(Debug)]
pub struct Fields<'a>(&'a mut Vec<u8>);

impl<'a> Fields<'a> {
    /// Writes behind what is there.
    pub fn behind(bytes: &'a mut Vec<u8>) -> Self {
        Self(bytes)
    }

    /// A text, unless it is empty.
    pub fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// A text or bytes, empty ones too: one of a repeated field.
    pub fn bytes(&mut self, field: u32, bytes: &[u8]) {
        encode_key(field, WireType::LengthDelimited, self.0);
        encode_varint(bytes.len() as u64, self.0);
        self.0.put_slice(bytes);
    }

    /// A number, unless it is zero.
    pub fn number(&mut self, field: u32, number: u64) {
        if number != 0 {
            self.present(field, number);
        }
    }

    /// A number of an enumeration.
    pub fn word(&mut self, field: u32, word: i32) {
        self.number(field, u64::from(word.unsigned_abs()));
    }

    /// A number of a field that tells zero from nothing.
    pub fn present(&mut self, field: u32, number: u64) {
        encode_key(field, WireType::Varint, self.0);
        encode_varint(number, self.0);
    }

    /// A message.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Fields<'_>)) {
        encode_key(field, WireType::LengthDelimited, self.0);
        let begin = self.0.len();
        // Room for the shortest length; what was written moves where that is not enough.
        self.0.put_u8(0);
        write(&mut Fields(self.0));
        let end = self.0.len();
        let written = (end - begin - 1) as u64;
        let taken = encoded_len_varint(written);
        self.0.resize(end + taken - 1, 0);
        self.0.copy_within(begin + 1..end, begin + taken);
        encode_varint(written, &mut &mut self.0[begin..begin + taken]);
    }

    /// What is behind the fields that are written, for what is no field.
    pub fn rest(&mut self) -> &mut Vec<u8> {
        self.0
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
            fields.word(2, pb::Kind::from(indicator.kind()).into());
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
            let mut fields = Fields::behind(&mut written);
            fields.text(3, "b");
            fields.message(4, |fields| fields.text(11, &label));
            assert_eq!(written[1..], message.encode_to_vec(), "{length}");
        }
    }
}
