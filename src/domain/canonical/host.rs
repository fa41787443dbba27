//! Host names, as lower-case A-labels.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::Canonical;

const MAX_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// ASCII characters that a host name may not contain: those of STD 3, except the underscore. RFC
/// 952 has no underscore in host names, but DNS names with one are in use.
const DENIED: AsciiDenyList = AsciiDenyList::new(true, r##"!"#$%&'()*+,/:;<=>?@[\]^`{|}~"##);

/// A host name of at least two labels, in lower case, each label an A-label where needed (IDNA, UTS
/// 46 non-transitional), without a trailing dot. `www.` is kept.
pub fn canonical(text: &str) -> Canonical<'_> {
    let text = text.strip_suffix('.').unwrap_or(text);
    // Fast path: what programs send is lower-case ASCII already.
    let is_plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    if text.bytes().all(is_plain) && !text.contains("xn--") {
        return check(text).map(|()| Cow::Borrowed(text));
    }
    if text.bytes().all(|b| is_plain(b.to_ascii_lowercase())) {
        let lower = text.to_ascii_lowercase();
        if !lower.contains("xn--") {
            check(&lower)?;
            return Ok(Cow::Owned(lower));
        }
    }
    let ascii = Uts46::new()
        .to_ascii(text.as_bytes(), DENIED, Hyphens::Allow, DnsLength::Ignore)
        .map_err(|_| "is not a host name: it does not pass IDNA (UTS 46)")?;
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii).to_owned();
    check(&ascii)?;
    Ok(Cow::Owned(ascii))
}

/// Whether a canonical host ends with a public suffix, or with a name reserved for examples and
/// tests (RFC 2606, RFC 6761).
pub fn has_known_suffix(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    matches!(last, "example" | "test" | "invalid" | "localhost" | "onion" | "i2p")
        || psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

fn check(host: &str) -> Result<(), Cow<'static, str>> {
    if host.len() > MAX_BYTES {
        return Err(format!("is not a host name: it is longer than {MAX_BYTES} bytes").into());
    }
    let mut labels = 0;
    let mut last = "";
    for label in host.split('.') {
        if label.is_empty() {
            return Err("is not a host name: a label is empty".into());
        }
        if label.len() > MAX_LABEL_BYTES {
            let reason = "is not a host name: a label is longer than 63 bytes";
            return Err(reason.into());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("is not a host name: a label begins or ends with a hyphen".into());
        }
        if let Some(bad) =
            label.bytes().find(|b| !matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        {
            let bad = char::from(bad).escape_debug();
            return Err(format!("is not a host name: it contains `{bad}`").into());
        }
        labels += 1;
        last = label;
    }
    if labels < 2 {
        return Err("is not a host name: it has no dot".into());
    }
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err("is not a host name: its last label is a number".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_lower_case_a_labels_without_a_trailing_dot() {
        let table = [
            ("News.Example", "news.example"),
            ("www.news.example.", "www.news.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("ｎｅｗｓ。example", "news.example"),
            ("Under_score.example", "under_score.example"),
            ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"),
        ];
        for (text, host) in table {
            assert_eq!(canonical(text).unwrap(), host, "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_the_reason() {
        let long = format!("{}.example", "a".repeat(64));
        let table = [
            ("nodots", "no dot"),
            ("a..example", "empty"),
            ("-a.example", "hyphen"),
            ("semi;colon.example", "`;`"),
            ("two words.example", "` `"),
            ("1.2.3.4", "number"),
            ("xn--zzzzzzzzz.example", "IDNA"),
            (&long, "63"),
        ];
        for (text, reason) in table {
            let refused = canonical(text).unwrap_err();
            assert!(refused.contains(reason) || refused.contains("IDNA"), "{text}: {refused}");
        }
    }
}
