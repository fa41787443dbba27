//! Reads any bytes as an entry of the journal. What decodes is encoded as something that decodes to the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tipoff::domain::entry::AppendId;
use tipoff::journal::Append;

fuzz_target!(|bytes: &[u8]| {
    let id = AppendId::derive(&[b"fuzz"]);
    let Ok(append) = Append::with_id(id, bytes) else { return };
    let again = Append::with_id(id, append.encoded()).unwrap();
    assert_eq!(again.encoded(), append.encoded());
});
