//! Writes protobuf messages field by field, straight from what is at hand: for what is written for each of many
//! items, where building the message first would allocate every text of it.
//!
//! Fields are written in the order of their numbers and left out where proto3 leaves them out, so that the
//! bytes are those that the message itself would have.

use bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

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

    /// A signed number in its short form (`sint64`), of a field that tells zero from nothing.
    pub fn signed(&mut self, field: u32, number: i64) {
        self.present(field, ((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    /// What is behind the fields that are written, for what is no field.
    pub fn rest(&mut self) -> &mut Vec<u8> {
        self.0
    }
}
