//! A feed's message, put together from bytes that were encoded once for all its readers.

use bytes::{Buf, BufMut, Bytes};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType};

use super::pb;

/// A `SubscribeResponse`, `PullResponse` or `SnapshotResponse` in pieces: protobuf lets a message be the bytes of its fields put one
/// after the other. Only ever written, never read.
#[derive(Clone, Debug, Default)]
pub struct EncodedFeed {
    pieces: Vec<Bytes>,
    len: usize,
}

impl EncodedFeed {
    /// Appends the bytes of whole fields.
    pub fn push(&mut self, fields: Bytes) {
        self.len += fields.len();
        self.pieces.push(fields);
    }

    /// The length of what was appended so far, in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl EncodedFeed {
    /// A whole message, in one piece.
    pub fn of(message: &impl prost::Message) -> Self {
        let mut feed = EncodedFeed::default();
        feed.push(message.encode_to_vec().into());
        feed
    }
}

impl From<pb::SubscribeResponse> for EncodedFeed {
    fn from(message: pb::SubscribeResponse) -> Self {
        Self::of(&message)
    }
}

impl prost::Message for EncodedFeed {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        for piece in &self.pieces {
            buf.put_slice(piece);
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buf, ctx)
    }

    fn encoded_len(&self) -> usize {
        self.len
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
