//! Feed messages assembled from pre-encoded bytes, which all readers share.

use bytes::{Buf, BufMut, Bytes};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType};

use super::pb;

/// A `SubscribeResponse`, `PullResponse` or `SnapshotResponse` as a list of encoded pieces. In
/// protobuf, concatenated fields form a message. Encode-only: decoding skips every field.
#[derive(Clone, Debug, Default)]
pub struct EncodedFeed {
    pieces: Vec<Bytes>,
    len: usize,
}

impl EncodedFeed {
    /// Appends one or more complete encoded fields.
    pub fn push(&mut self, fields: Bytes) {
        self.len += fields.len();
        self.pieces.push(fields);
    }

    /// The encoded length, in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no bytes were appended.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl EncodedFeed {
    /// Encodes a whole message into a single piece.
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
