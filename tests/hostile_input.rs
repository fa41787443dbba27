//! Input that is made to take long: reading time grows with the size of the input, and not faster.
//!
//! Measures time, so it runs alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use tipoff::clock::{Clock, SystemClock};
use tipoff::domain::{Indicator, Platform};
use tipoff::formats::{self, Format};

/// What is repeated.
const PARTS: &[&str] = &[
    "a,",
    "[",
    "]",
    "(",
    ")",
    "[a](",
    "](",
    "`",
    "\"",
    "\"\" ",
    "'",
    "{",
    "}",
    "| ",
    "|a",
    " - ",
    "a.",
    "a[.]",
    " and ",
    " (",
    "(a",
    "a@b ",
    "hxxp://",
    "http://a.example/",
    ";http://a.example",
    "12 ",
    "12 accounts ",
    "#",
    "#a ",
    "# ",
    "a: ",
    "/",
    "%41",
    "é",
    "\u{200b}",
    "word ",
    "a.example ",
    "192.0.2.1 ",
    "->",
    "*",
    "_",
    "<a",
    "<b>",
    "</b>",
    "&amp;",
    "\\",
    "0123456789abcdef",
    "0123456789abcdef0123456789abcdef ",
    "+1 202 555 0143 ",
    "AND ",
    "OR ",
    "[a:b = 'c'] AND ",
    "removed 3 accounts. ",
    "over ",
    "one hundred ",
    "30-40 ",
    "3 fake ",
    "accounts: 3, ",
    "facebook and ",
    "@a ",
    "lookalike of a[.]example ",
    "contact us at a[at]a.example or ",
    "a\n---\n",
    "## Telegram\n- a\n",
    "- a:\n",
    "> ",
    ">\n",
    "[^1]: ",
    "[1]: ",
    "a | b\n--- | ---\n",
    "| ---",
    "\n\na:\n",
    "<li>",
    "<ul><li>",
    "<table><tr><td>",
    "<td rowspan=1000 colspan=1000>a",
    "<tr><td rowspan=1000>a",
    "<tr><th>a<td>b",
    "<pre>",
    " <b>",
    " <br>",
    "\n,",
    "value,",
    "asn,",
    ")\"",
    "**",
    "__a",
];

/// What stands in front, so that each format is detected.
const FRONTS: &[&str] = &[
    "",
    "value\n",
    "kind,value\ndomain,\"",
    "Tactic,Technique,Procedure,Indicator\n,,0.9.1,",
    "# A\n\n# B\n\n[x](y)\n\n",
    "# A\n\n## Telegram\n\n- ",
    "The desk wrote some sentences of six words.\n\nDomains:\n",
    "Platform,Accounts removed\nFacebook,",
    "<html><body><p>",
    "<html><body><pre>",
    "<html><body><pre><td>a<br>",
    "domain,asn,",
    "[\n{\"value\":\"",
    "{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"",
];

fn time(text: &str) -> Duration {
    let started = SystemClock.instant();
    let _ = formats::read(text.as_bytes(), None);
    SystemClock.instant().duration_since(started)
}

/// Every file of the corpus of the fuzz targets, in every format.
#[test]
fn the_corpus_of_the_fuzz_targets_is_read_without_a_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/read_file");
    let mut files = 0;
    for file in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        files += 1;
        for format in Format::ALL.iter().copied().map(Some).chain([None]) {
            let _ = formats::read(&bytes, format);
        }
    }
    assert!(files > 5, "{files} files");
}

/// Every value of their corpus, which is read again as itself.
#[test]
fn the_values_of_the_corpus_are_read_again_as_themselves() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/read_value");
    let mut read_values = 0;
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        // Some values were read, and not read again as themselves, until they were refused.
        let Ok(read) = Indicator::read(&text, None) else { continue };
        let platform = read.platform().map(Platform::as_str);
        for spelling in [read.value().to_owned(), read.defanged()] {
            let again = Indicator::parse(read.kind(), platform, &spelling);
            assert_eq!(again.as_ref(), Ok(&read), "{spelling}");
        }
        read_values += 1;
    }
    assert!(read_values > 3, "{read_values} values");
}

#[test]
fn reading_time_grows_with_the_size_and_not_faster() {
    let mut slow = Vec::new();
    for front in FRONTS {
        for part in PARTS {
            let text = |bytes: usize| format!("{front}{}", part.repeat(bytes / part.len()));
            let (small, large) = (time(&text(2 * 1024)), time(&text(16 * 1024)));
            // Eight times the size; a quadratic time is 64 times. A margin for what else the machine does.
            if large > small * 16 + Duration::from_millis(300) {
                slow.push(format!("{front:?} {part:?}: {small:?}, then {large:?}"));
            }
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}
