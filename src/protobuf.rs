//! Writes protobuf messages field by field into a buffer. Used where many items are encoded:
//! building each message first would allocate all of its texts.
//!
//! Fields must be written in ascending order. proto3 defaults are omitted. The bytes are then the
//! same as those of the encoded message.

use bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// A writer for the fields of one message.
#[derive(Debug)]
pub struct Fields<'a>(&'a mut Vec<u8>);

impl<'a> Fields<'a> {
    /// Appends to `bytes`.
    pub fn append_to(bytes: &'a mut Vec<u8>) -> Self {
        Self(bytes)
    }

    /// A string field, omitted if empty.
    pub fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// A string or bytes field, written even if empty: one element of a repeated field.
    pub fn bytes(&mut self, field: u32, bytes: &[u8]) {
        encode_key(field, WireType::LengthDelimited, self.0);
        encode_varint(bytes.len() as u64, self.0);
        self.0.put_slice(bytes);
    }

    /// An integer field, omitted if zero.
    pub fn number(&mut self, field: u32, number: u64) {
        if number != 0 {
            self.present(field, number);
        }
    }

    /// An integer field with explicit presence, written even if zero.
    pub fn present(&mut self, field: u32, number: u64) {
        encode_key(field, WireType::Varint, self.0);
        encode_varint(number, self.0);
    }

    /// A nested message.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Fields<'_>)) {
        encode_key(field, WireType::LengthDelimited, self.0);
        let begin = self.0.len();
        // Reserves one byte for the length; longer lengths move the content.
        self.0.put_u8(0);
        write(&mut Fields(self.0));
        let end = self.0.len();
        let written = (end - begin - 1) as u64;
        let taken = encoded_len_varint(written);
        self.0.resize(end + taken - 1, 0);
        self.0.copy_within(begin + 1..end, begin + taken);
        encode_varint(written, &mut &mut self.0[begin..begin + taken]);
    }

    /// A `sint64` field with explicit presence, in zigzag encoding.
    pub fn signed(&mut self, field: u32, number: i64) {
        self.present(field, ((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    /// The buffer itself, for bytes that are not fields.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.0
    }
}
