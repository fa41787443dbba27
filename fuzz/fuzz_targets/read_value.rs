//! Reads any text as a value. What is read is read again as itself, also from its defanged form.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tipoff::domain::{Indicator, Platform};

fuzz_target!(|text: &str| {
    let Ok(read) = Indicator::read(text, None) else { return };
    let platform = read.platform().map(Platform::as_str);
    for spelling in [read.value().to_owned(), read.defanged()] {
        let again = Indicator::parse(read.kind(), platform, &spelling);
        assert_eq!(again.as_ref(), Ok(&read), "{spelling}");
    }
});
