//! Converts any bytes as each message that a caller may send.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/mutated/requests.rs"]
mod requests;

fuzz_target!(|bytes: &[u8]| {
    requests::convert(bytes);
});
