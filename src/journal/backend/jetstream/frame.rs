//! The payload of a message: one entry. Numbers are big-endian.
//!
//! | bytes | content |
//! |---|---|
//! | 4 | CRC-32C over the rest |
//! | 1 | version of the layout |
//! | 1 | 0 for an append, 1 for an entry that had its time already |
//! | 8 | time of the node that appended it, in milliseconds |
//! | … | the entry |
//!
//! The message's sequence is the entry's. Its header `Nats-Msg-Id` is the append id in hex, with `@` and the
//! sequence for an entry that had its time already: such a journal may hold an id twice, and both are kept.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::domain::entry::AppendId;
use crate::domain::{Timestamp, hex};

const VERSION: u8 = 1;
/// Bytes before the entry.
const HEADER_BYTES: usize = 14;
/// How far an entry's time may be past its message's, in milliseconds. It bounds what a node with a wrong
/// clock does to the times of all.
const MAX_AHEAD_MS: i64 = 1_000;

/// An entry in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Who decided the time.
    pub kind: Kind,
    /// The time of the node that appended it.
    pub time: Timestamp,
    /// The encoded entry.
    pub entry: Bytes,
}

/// Who decided the time of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The node that appended it. The message's time bounds it.
    Append,
    /// The journal that it came from: it stays as it is.
    Restored,
}

impl Frame {
    /// Encodes it.
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(HEADER_BYTES + self.entry.len());
        bytes.put_u32(0);
        bytes.put_u8(VERSION);
        bytes.put_u8(match self.kind {
            Kind::Append => 0,
            Kind::Restored => 1,
        });
        bytes.put_i64(self.time.as_millis());
        bytes.put_slice(&self.entry);
        if let Some((checksum, rest)) = bytes.split_first_chunk_mut() {
            *checksum = crc32c::crc32c(rest).to_be_bytes();
        }
        bytes.freeze()
    }

    /// Decodes the payload of a message.
    pub fn decode(mut payload: Bytes) -> Result<Self, String> {
        if payload.len() < HEADER_BYTES {
            return Err(format!("it has only {} bytes", payload.len()));
        }
        if payload.get_u32() != crc32c::crc32c(&payload) {
            return Err("its checksum does not match".into());
        }
        let version = payload.get_u8();
        if version != VERSION {
            return Err(format!(
                "its version is {version}, and this version of Tipoff reads {VERSION}"
            ));
        }
        let kind = match payload.get_u8() {
            0 => Kind::Append,
            1 => Kind::Restored,
            other => {
                return Err(format!("its kind {other} is not known to this version of Tipoff"));
            }
        };
        let time = Timestamp::from_millis(payload.get_i64());
        Ok(Self { kind, time, entry: payload })
    }

    /// The entry's time. The same on each node, since it depends on the stream alone.
    ///
    /// `message` is the time at which the stream's leader stored the message. Leaders' clocks may differ, so
    /// the time is never before its predecessor's.
    pub fn entry_time(&self, message: Timestamp, predecessor: Timestamp) -> Timestamp {
        let latest = Timestamp::from_millis(message.as_millis().saturating_add(MAX_AHEAD_MS));
        let time = match self.kind {
            Kind::Append => self.time.min(latest),
            Kind::Restored => self.time,
        };
        time.max(predecessor)
    }
}

impl Kind {
    /// The `Nats-Msg-Id` of an entry.
    pub fn message_id(self, id: AppendId, sequence: u64) -> String {
        let id = hex::encode(id.as_bytes());
        match self {
            Self::Append => id,
            Self::Restored => format!("{id}@{sequence}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(time: i64, kind: Kind) -> Frame {
        Frame { kind, time: at(time), entry: Bytes::from_static(b"entry") }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_frame_comes_back_and_a_changed_byte_is_noticed() {
        for kind in [Kind::Append, Kind::Restored] {
            let frame = frame(-7, kind);
            let encoded = frame.encode();
            assert_eq!(Frame::decode(encoded.clone()).unwrap(), frame);
            for at in 0..encoded.len() {
                let mut changed = encoded.to_vec();
                changed[at] ^= 1;
                assert!(Frame::decode(changed.into()).is_err(), "byte {at}");
                assert!(Frame::decode(encoded.slice(..at)).is_err(), "cut at {at}");
            }
        }
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let mut bytes = frame(1, Kind::Append).encode().to_vec();
        bytes[4] = 9;
        let checksum = crc32c::crc32c(&bytes[4..]).to_be_bytes();
        bytes[..4].copy_from_slice(&checksum);
        let error = Frame::decode(bytes.into()).unwrap_err();
        assert_eq!(error, "its version is 9, and this version of Tipoff reads 1");
    }

    #[test]
    fn an_entrys_time_follows_the_stream_and_its_predecessor() {
        // (node's time, message's time, predecessor's time, entry's time)
        let cases = [
            (5_000, 5_003, 4_000, 5_000),
            (9_000, 5_003, 4_000, 6_003),
            (5_000, 3_000, 4_500, 4_500),
            (1_000, 5_003, 4_000, 4_000),
            (9_000, 5_003, 8_000, 8_000),
        ];
        for (node, message, predecessor, expected) in cases {
            let time = frame(node, Kind::Append).entry_time(at(message), at(predecessor));
            assert_eq!(time, at(expected), "{node} {message} {predecessor}");
        }
        assert_eq!(frame(9_000, Kind::Restored).entry_time(at(1), at(2)), at(9_000));
    }
}
