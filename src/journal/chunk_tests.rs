use bytes::BufMut;

use super::super::Append;
use super::*;
use crate::domain::PartnerId;
use crate::domain::entry::{Body, Close, SubmissionId};

const FIRST_HEADER_BYTES: usize = HEADER_BYTES + 24;

/// The chunks of an append, as they were written.
pub fn split(append: &Append, stamp: Stamp) -> Vec<(Key, Vec<u8>)> {
    let bytes = append.encoded();
    let count = u16::try_from(bytes.len().div_ceil(PART_BYTES).max(1)).unwrap();
    let chunks = (0..count).map(|chunk| {
        let begin = usize::from(chunk) * PART_BYTES;
        let part = &bytes[begin..bytes.len().min(begin + PART_BYTES)];
        let key = key(stamp.sequence, chunk);
        let mut value = Vec::with_capacity(FIRST_HEADER_BYTES + part.len());
        value.put_u8(LAYOUT);
        value.put_u32(0);
        value.put_u16(count);
        if chunk == 0 {
            value.put_i64(stamp.time.as_millis());
            value.put_slice(append.id().as_bytes());
        }
        value.put_slice(part);
        let checksum = checksum(&key, &value);
        value[1..5].copy_from_slice(&checksum.to_be_bytes());
        (key, value)
    });
    chunks.collect()
}

fn append(submission: usize) -> Append {
    let body = Body::SubmissionClosed(Close {
        partner: PartnerId::from_stored("birdsite"),
        submission: SubmissionId::from_stored(&"s".repeat(submission)),
        batches: None,
    });
    Append::new(AppendId::derive(&[b"a"]), None, body)
}

fn stamp(sequence: u64) -> Stamp {
    Stamp { sequence, time: Timestamp::from_millis(9), repeated: false }
}

fn assemble(chunks: &[(Key, Vec<u8>)]) -> Result<(AppendId, Stamp, Vec<u8>), JournalError> {
    let mut assembly = Assembly::begin(5, &chunks[0].1)?;
    for (key, value) in &chunks[1..] {
        assembly.add(read_key(key)?.1, value)?;
    }
    assembly.finish()
}

#[test]
fn an_entry_of_any_size_is_split_below_eight_kilobytes_and_put_together_again() {
    for size in [1, PART_BYTES - 200, PART_BYTES, PART_BYTES * 3 + 1] {
        let append = append(size);
        let chunks = split(&append, stamp(5));
        assert!(chunks.iter().all(|(_, value)| value.len() < 8_192));
        let (id, stored, bytes) = assemble(&chunks).unwrap();
        assert_eq!((id, stored), (append.id(), stamp(5)));
        assert_eq!(bytes, *append.encoded());
    }
}

#[test]
fn a_chunk_in_the_place_of_another_is_found_out() {
    let mut chunks = split(&append(PART_BYTES * 3), stamp(5));
    let (second, third) = (chunks[1].1.clone(), chunks[2].1.clone());
    (chunks[1].1, chunks[2].1) = (third, second);
    assert!(matches!(assemble(&chunks), Err(JournalError::Damaged { sequence: 5, .. })));
}

#[test]
fn a_missing_chunk_is_found_out() {
    let mut chunks = split(&append(PART_BYTES * 3), stamp(5));
    chunks.remove(1);
    assert!(assemble(&chunks).unwrap_err().to_string().contains("chunk 1 is missing"));
    chunks.truncate(1);
    assert!(assemble(&chunks).unwrap_err().to_string().contains("1 of its"));
}
