//! Reads any bytes as a file, in the format that is detected and in each that can be named.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tipoff::formats::{self, Format};

fuzz_target!(|bytes: &[u8]| {
    for format in Format::ALL.iter().copied().map(Some).chain([None]) {
        let _ = formats::read(bytes, format);
    }
});
