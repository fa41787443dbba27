//! The corpora of the fuzz targets with seeded mutations: whatever the bytes, nothing panics.
//!
//! `TIPOFF_UPDATE_CORPUS=1` writes the corpora of entries and requests anew. `TIPOFF_MUTATIONS` sets how many mutations of
//! each are tried, `TIPOFF_SEED` the first seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../conformance/bodies.rs"]
mod bodies;
#[path = "../support/bodies.rs"]
mod campaign_bodies;
mod requests;
mod samples;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tipoff::domain::entry::AppendId;
use tipoff::domain::{Indicator, PartnerId, Platform};
use tipoff::formats::{self, Format};
use tipoff::journal::Append;

/// Mutations of each input.
const MUTATIONS: u64 = 50_000;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The files of a corpus, in order.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<_> =
        fs::read_dir(folder(target)).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 3, "{} files in {target}", files.len());
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Tries mutations of each input of a corpus, a part of `MUTATIONS` for slow readers.
fn try_mutations(target: &str, part: u64, read: impl Fn(&[u8])) {
    let inputs = corpus(target);
    let (seed, count) = (number("TIPOFF_SEED", 1), number("TIPOFF_MUTATIONS", MUTATIONS) / part);
    for (at, input) in inputs.iter().enumerate() {
        read(input);
        let mut random = StdRng::seed_from_u64(seed.wrapping_mul(1_000_003) + at as u64);
        for _ in 0..count {
            let other = &inputs[random.random_range(0..inputs.len())];
            read(&mutated(input, other, &mut random));
        }
    }
}

/// Bytes with one to four changes of the kinds that fuzzers make.
fn mutated(input: &[u8], other: &[u8], random: &mut StdRng) -> Vec<u8> {
    const EDGES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\n', b','];
    let mut bytes = input.to_vec();
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..=bytes.len());
        let length = random.random_range(0..=16.min(bytes.len() - at));
        match random.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = EDGES[random.random_range(0..EDGES.len())],
            2 => drop(bytes.splice(at..at, random.random::<[u8; 5]>())),
            3 => drop(bytes.drain(at..at + length)),
            4 => bytes.truncate(at),
            5 => {
                let part = bytes[at..at + length].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let from = random.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
    bytes
}

#[test]
fn no_bytes_of_a_journal_make_it_panic() {
    update("read_entry", entries);
    for (at, entry) in corpus("read_entry").iter().enumerate() {
        let read = Append::with_id(AppendId::derive(&[b"corpus"]), entry);
        assert!(read.is_ok(), "entry {at}: {read:?}; write the corpus anew");
    }
    try_mutations("read_entry", 1, |bytes| {
        let id = AppendId::derive(&[b"mutated"]);
        let Ok(append) = Append::with_id(id, bytes) else { return };
        // What decodes is encoded as something that decodes to the same.
        let again = Append::with_id(id, append.encoded()).unwrap();
        assert_eq!(again.encoded(), append.encoded());
    });
}

#[test]
fn no_bytes_of_a_request_make_its_conversion_panic() {
    update("read_request", samples::requests);
    for (at, request) in corpus("read_request").iter().enumerate() {
        assert!(requests::convert(request) > 0, "request {at} decodes as nothing");
    }
    try_mutations("read_request", 1, |bytes| {
        requests::convert(bytes);
    });
}

#[test]
fn no_bytes_of_a_file_make_its_reading_panic() {
    try_mutations("read_file", 100, |bytes| {
        for format in Format::ALL.iter().copied().map(Some).chain([None]) {
            let _ = formats::read(bytes, format);
        }
    });
}

#[test]
fn what_is_read_from_any_bytes_is_read_again_as_itself() {
    try_mutations("read_value", 1, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Ok(read) = Indicator::read(text, None) else { return };
        let platform = read.platform().map(Platform::as_str);
        for spelling in [read.value().to_owned(), read.defanged()] {
            let again = Indicator::parse(read.kind(), platform, &spelling);
            assert_eq!(again.as_ref(), Ok(&read), "{text:?}: {spelling}");
        }
    });
}

/// Writes a corpus anew if that is asked for.
fn update(target: &str, make: impl Fn() -> Vec<Vec<u8>>) {
    if std::env::var_os("TIPOFF_UPDATE_CORPUS").is_none() {
        return;
    }
    fs::create_dir_all(folder(target)).unwrap();
    for (at, bytes) in make().into_iter().enumerate() {
        fs::write(folder(target).join(format!("{at:03}")), bytes).unwrap();
    }
}

/// Encoded entries, of kinds at random.
fn entries() -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let author = PartnerId::from_stored("birdsite");
    let bodies = (0..60).map(|_| bodies::any_body().new_tree(&mut runner).unwrap().current());
    let encode = |body| {
        let id = AppendId::derive(&[b"corpus"]);
        Append::new(id, Some(author.clone()), body).encoded().to_vec()
    };
    bodies.map(encode).collect()
}
