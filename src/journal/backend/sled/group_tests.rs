use proptest::prelude::*;

use super::*;

fn entries(sizes: &[usize]) -> Vec<(Stamp, AppendId, Vec<u8>)> {
    let numbered = (5u64..).zip(sizes);
    let entry = |(sequence, size): (u64, &usize)| {
        let time = Timestamp::from_millis(-9 + i64::try_from(sequence).unwrap());
        let stamp = Stamp::new(sequence, time);
        let byte = u8::try_from(sequence % 251).unwrap();
        (stamp, AppendId::derive(&[&sequence.to_be_bytes()]), vec![byte; *size])
    };
    numbered.map(entry).collect()
}

fn packed(entries: &[(Stamp, AppendId, Vec<u8>)]) -> Vec<(Key, Vec<u8>)> {
    let stamped =
        entries.iter().map(|(stamp, id, bytes)| Stamped { stamp: *stamp, id: *id, bytes });
    pack(&stamped.collect::<Vec<_>>())
}

fn unpacked(values: &[(Key, Vec<u8>)]) -> Result<Vec<StoredEntry>, JournalError> {
    let mut entries = Vec::new();
    let mut group: Option<Assembly> = None;
    for (key, value) in values {
        match (read_key(key)?, &mut group) {
            ((first, 0), _) => {
                entries.extend(group.take().map_or(Ok(Vec::new()), Assembly::finish)?);
                group = Some(Assembly::begin(first, value)?);
            }
            ((_, part), Some(group)) => group.add(part, value)?,
            (_, None) => panic!("it begins with a part"),
        }
    }
    entries.extend(group.map_or(Ok(Vec::new()), Assembly::finish)?);
    Ok(entries)
}

proptest! {
    #[test]
    fn entries_of_any_size_come_back_as_they_were_from_values_of_at_most_8_kb(
        sizes in proptest::collection::vec(prop_oneof![0usize..600, 7_000usize..9_000, 0usize..70_000], 1..30)
    ) {
        let entries = entries(&sizes);
        let values = packed(&entries);
        prop_assert!(values.iter().all(|(_, value)| value.len() <= VALUE_BYTES));
        prop_assert!(values.is_sorted_by(|(one, _), (other, _)| one < other));
        let expected = entries.into_iter().map(|(stamp, id, bytes)| StoredEntry { stamp, id, bytes: bytes.into() });
        prop_assert_eq!(unpacked(&values).unwrap(), expected.collect::<Vec<_>>());
    }
}

#[test]
fn small_entries_of_one_commit_share_a_value() {
    assert_eq!(packed(&entries(&[400; 16])).len(), 1);
    assert_eq!(packed(&entries(&[400; 32])).len(), 2);
    assert_eq!(packed(&entries(&[70_000])).len(), 9);
}

#[test]
fn the_largest_entry_is_packed() {
    let entries = entries(&[crate::journal::MAX_ENTRY_BYTES, 3]);
    let read = unpacked(&packed(&entries)).unwrap();
    assert_eq!(read[0].bytes.len(), crate::journal::MAX_ENTRY_BYTES);
    assert_eq!(read[1].stamp.sequence, 6);
}

#[test]
fn every_flipped_bit_every_cut_and_every_swapped_key_is_found() {
    for sizes in [&[20, 30][..], &[9_000][..]] {
        let values = packed(&entries(sizes));
        for at in 0..values.len() {
            for bit in (0..values[at].1.len() * 8).step_by(if sizes.len() == 1 { 97 } else { 1 }) {
                let mut flipped = values.clone();
                flipped[at].1[bit / 8] ^= 1 << (bit % 8);
                assert!(
                    matches!(unpacked(&flipped), Err(JournalError::Damaged { sequence: 5, .. })),
                    "bit {bit}"
                );
            }
            for length in 0..values[at].1.len().min(60) {
                let mut cut = values.clone();
                cut[at].1.truncate(length);
                assert!(unpacked(&cut).is_err(), "{length} bytes");
            }
        }
        // A value under another key: its checksum covers the key.
        let mut moved = values.clone();
        moved[0].0 = key(6, 0);
        assert!(unpacked(&moved).is_err());
    }
}

#[test]
fn a_group_that_lacks_a_part_is_incomplete() {
    let values = packed(&entries(&[30_000]));
    assert_eq!(values.len(), 4);
    for missing in 1..4 {
        let mut some = values.clone();
        some.remove(missing);
        assert!(
            matches!(unpacked(&some), Err(JournalError::Damaged { sequence: 5, .. })),
            "{missing}"
        );
    }
}
