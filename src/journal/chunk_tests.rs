use super::*;
use crate::domain::PartnerId;
use crate::domain::entry::{Body, Close, SubmissionId};

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

fn assemble(chunks: &[(Key, Vec<u8>)]) -> Result<Entry, JournalError> {
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
        let chunks = split(&append, stamp(5)).unwrap();
        assert!(chunks.iter().all(|(_, value)| value.len() < 8_192));
        let entry = assemble(&chunks).unwrap();
        assert_eq!(entry, append.into_entry(stamp(5)));
    }
}

#[test]
fn a_chunk_in_the_place_of_another_is_found_out() {
    let mut chunks = split(&append(PART_BYTES * 3), stamp(5)).unwrap();
    let (second, third) = (chunks[1].1.clone(), chunks[2].1.clone());
    (chunks[1].1, chunks[2].1) = (third, second);
    assert!(matches!(assemble(&chunks), Err(JournalError::Damaged { sequence: 5, .. })));
}

#[test]
fn a_missing_chunk_is_found_out() {
    let mut chunks = split(&append(PART_BYTES * 3), stamp(5)).unwrap();
    chunks.remove(1);
    assert!(assemble(&chunks).unwrap_err().to_string().contains("chunk 1 is missing"));
    chunks.truncate(1);
    assert!(assemble(&chunks).unwrap_err().to_string().contains("1 of its"));
}
