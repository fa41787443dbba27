//! Encoding of values: the [`LAYOUT`] byte, then the value in postcard. Equal values have equal bytes.

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize, Serializer};

use super::{LAYOUT, corrupt};
use crate::error::Result;

/// Initial capacity in bytes. Fits most values.
const USUAL_BYTES: usize = 256;

/// Encodes a value.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(LAYOUT);
    append(value, bytes)
}

/// Decodes a value, which may borrow from the bytes. Another layout, damage and trailing bytes give the
/// same error, which names `what`.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<T> {
    match bytes.split_first() {
        Some((&LAYOUT, value)) => decode_part(value, what),
        _ => Err(corrupt(what)),
    }
}

/// Appends an embedded value, without a layout byte.
pub fn append<T: Serialize + ?Sized>(value: &T, bytes: Vec<u8>) -> Vec<u8> {
    // Serialising into memory fails only for types that no record uses, such as sequences of unknown
    // length. The result would be empty, which `decode` rejects.
    postcard::serialize_with_flavor(value, Appended(bytes)).unwrap_or_default()
}

/// Decodes an embedded value that fills all the bytes.
pub fn decode_part<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<T> {
    match take_part(bytes, what)? {
        (value, []) => Ok(value),
        _ => Err(corrupt(what)),
    }
}

/// Decodes an embedded value, and returns the bytes after it.
pub fn take_part<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    what: &'static str,
) -> Result<(T, &'a [u8])> {
    postcard::take_from_bytes(bytes).map_err(|_| corrupt(what))
}

/// Serialises bytes in one copy. The default goes byte by byte, with the same result.
pub fn as_bytes<S: Serializer>(bytes: &&[u8], into: S) -> std::result::Result<S::Ok, S::Error> {
    into.serialize_bytes(bytes)
}

/// Appends to a vector. `postcard::to_extend` does the same byte by byte, which takes twice as long for
/// assessments.
struct Appended(Vec<u8>);

impl Flavor for Appended {
    type Output = Vec<u8>;

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        match bytes {
            [byte] => self.0.push(*byte),
            bytes => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// Gives a record its `encode` and `decode`. Only the index reads and writes bytes.
macro_rules! record {
    ($name:ty, $what:literal) => {
        impl $name {
            /// The bytes of the record.
            pub(in crate::index) fn encode(&self) -> Vec<u8> {
                $crate::index::record::codec::encode(self)
            }

            /// Reads the record.
            pub(in crate::index) fn decode(bytes: &[u8]) -> $crate::error::Result<Self> {
                $crate::index::record::codec::decode(bytes, $what)
            }
        }
    };
}

pub(super) use record;
