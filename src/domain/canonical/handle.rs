//! Handles, slugs and ids on platforms.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::Canonical;

const MAX_BYTES: usize = 128;
/// An invite may contain a key.
const MAX_INVITE_BYTES: usize = 256;

/// A handle: without leading `@`, percent-decoded, in lower case. YouTube's prefixes `c/`, `user/`
/// and `channel/` are kept, and a channel id keeps its case.
pub fn account<'a>(platform: &str, text: &'a str) -> Canonical<'a> {
    let text = percent_decoded(text)?;
    let text = without_at(text);
    if platform == "youtube"
        && let Some(canonical) = youtube(&text)?
    {
        return Ok(canonical);
    }
    let text = match platform {
        "cashapp" => Cow::Owned(text.trim_start_matches(['$', '@']).to_owned()),
        "line" => Cow::Owned(text.trim_start_matches(['~', '@']).to_owned()),
        "reddit" => strip(strip(text, "/"), "u/"),
        _ => text,
    };
    let limits = match platform {
        "x" => Limits { max_bytes: 50, allows: |c| c.is_ascii_alphanumeric() || c == '_' },
        "instagram" | "tiktok" | "threads" => Limits {
            max_bytes: 64,
            allows: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'),
        },
        "reddit" => Limits {
            max_bytes: 64,
            allows: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'),
        },
        // `spotify:track:…` is a track.
        "spotify" => Limits { max_bytes: MAX_BYTES, allows: |c| c != ':' && is_handle_char(c) },
        _ => Limits { max_bytes: MAX_BYTES, allows: is_handle_char },
    };
    check(&text, limits, "a handle")?;
    Ok(folded(text))
}

/// A platform's stable id of an account, unchanged. An address is none, whatever stands before it.
pub fn account_id(text: &str) -> Canonical<'_> {
    if text.contains("://") {
        return Err("is a web address, not an id".into());
    }
    let limits = Limits { max_bytes: MAX_BYTES, allows: |c| c.is_ascii_graphic() };
    check(text, limits, "an id")?;
    Ok(Cow::Borrowed(text))
}

/// The slug or id of a page or community, in lower case; on Reddit without `r/`.
pub fn slug<'a>(platform: &str, text: &'a str) -> Canonical<'a> {
    let text = without_at(percent_decoded(text)?);
    let text = match platform {
        "reddit" => strip(strip(text, "/"), "r/"),
        // An invite keeps its case: it is a random code.
        "discord" | "kakaotalk" | "line" | "signal" | "slack" | "viber" | "wechat" | "whatsapp" => {
            // Some are Base64.
            let allows = |c: char| is_handle_char(c) || matches!(c, '=' | '/');
            check(&text, Limits { max_bytes: MAX_INVITE_BYTES, allows }, "an invite")?;
            return Ok(text);
        }
        _ => text,
    };
    check(&text, Limits { max_bytes: MAX_BYTES, allows: is_handle_char }, "a slug or id")?;
    Ok(folded(text))
}

/// A channel. On Telegram a name in lower case, or an invite with its `+` and its case; elsewhere a
/// slug.
pub fn channel<'a>(platform: &str, text: &'a str) -> Canonical<'a> {
    let text = without_at(percent_decoded(text)?);
    if platform != "telegram" {
        check(&text, Limits { max_bytes: MAX_BYTES, allows: is_handle_char }, "a channel's name")?;
        // These are random codes, in which case counts.
        let is_code =
            matches!(platform, "bitchute" | "instagram" | "kakaotalk" | "spotify" | "whatsapp");
        return Ok(if is_code { text } else { folded(text) });
    }
    if let Some(invite) = text.strip_prefix('+') {
        let allows = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        check(invite, Limits { max_bytes: 64, allows }, "an invite")?;
        return Ok(text);
    }
    let limits = Limits { max_bytes: 64, allows: |c| c.is_ascii_alphanumeric() || c == '_' };
    check(&text, limits, "a channel's name")?;
    Ok(folded(text))
}

/// A YouTube channel id, legacy name or user name; `None` for a handle.
fn youtube<'a>(text: &Cow<'a, str>) -> Result<Option<Cow<'a, str>>, Cow<'static, str>> {
    let Some((prefix, name)) = text.split_once('/') else {
        // Exports contain bare channel ids. A handle has no case and its `@` is stripped by now, so
        // 24 characters that start with `UC` are taken as a channel id.
        let is_id = text.len() == 24
            && text.starts_with("UC")
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        return Ok(is_id.then(|| Cow::Owned(format!("channel/{text}"))));
    };
    let limits = Limits { max_bytes: MAX_BYTES, allows: is_handle_char };
    match prefix.to_ascii_lowercase().as_str() {
        "channel" => {
            let allows = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            check(name, Limits { max_bytes: 64, allows }, "a channel's id")?;
            Ok(Some(Cow::Owned(format!("channel/{name}"))))
        }
        prefix @ ("c" | "user") => {
            check(name, limits, "a channel's name")?;
            Ok(Some(Cow::Owned(format!("{prefix}/{}", fold(name)))))
        }
        _ => Ok(None),
    }
}

#[derive(Clone, Copy)]
struct Limits {
    max_bytes: usize,
    allows: fn(char) -> bool,
}

fn check(text: &str, limits: Limits, what: &str) -> Result<(), Cow<'static, str>> {
    if text.is_empty() {
        return Err("is empty".into());
    }
    if text.len() > limits.max_bytes {
        return Err(format!("is not {what}: it is longer than {} bytes", limits.max_bytes).into());
    }
    match text.chars().find(|c| !(limits.allows)(*c)) {
        Some(bad) => Err(format!("is not {what}: it contains `{}`", bad.escape_debug()).into()),
        None => Ok(()),
    }
}

fn is_handle_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '~' | '+' | ':' | '@') || is_mark(c)
}

/// Combining marks, which scripts such as Thai and Devanagari need inside a word.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn percent_decoded(text: &str) -> Canonical<'_> {
    let mut decoded = Cow::Borrowed(text);
    // Decoded repeatedly, so that a handle has one spelling.
    while decoded.contains('%') {
        let next = percent_decode_str(&decoded)
            .decode_utf8()
            .map_err(|_| "has percent-encoding that is not UTF-8")?
            .into_owned();
        if next == decoded {
            break;
        }
        decoded = Cow::Owned(next);
    }
    if decoded.chars().any(|c| c.is_control() || crate::domain::refang::is_invisible(c)) {
        return Err("contains a control character".into());
    }
    Ok(decoded)
}

fn without_at(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('@')),
        Cow::Owned(text) => Cow::Owned(text.trim_start_matches('@').to_owned()),
    }
}

fn strip<'a>(text: Cow<'a, str>, prefix: &str) -> Cow<'a, str> {
    match text.strip_prefix(prefix) {
        Some(rest) => Cow::Owned(rest.to_owned()),
        None => text,
    }
}

/// Lower-cases the text until it no longer changes (at most twice).
fn folded(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return text;
    }
    Cow::Owned(fold(&text))
}

/// Lower case, until it stays so.
fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    let again = lower.to_lowercase();
    if again == lower { lower } else { again }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_lose_their_at_and_fold_their_case() {
        assert_eq!(account("x", "@Sample_User").unwrap(), "sample_user");
        assert_eq!(account("tiktok", "@govorit.md").unwrap(), "govorit.md");
        assert_eq!(account("medium", "sample%2Ename").unwrap(), "sample.name");
        assert_eq!(account("flickr", "123@N08").unwrap(), "123@n08");
        assert_eq!(account("youtube", "channel/UCAbC").unwrap(), "channel/UCAbC");
        assert_eq!(account("youtube", "c/Sample").unwrap(), "c/sample");
        assert_eq!(channel("telegram", "+AbC").unwrap(), "+AbC");
        assert_eq!(channel("telegram", "@Sample").unwrap(), "sample");
        assert_eq!(slug("reddit", "r/Sample").unwrap(), "sample");
    }

    #[test]
    fn what_is_no_handle_is_refused_with_the_reason() {
        for (platform, bad) in
            [("x", "two words"), ("x", "dots.no"), ("forum.example", "a/b"), ("x", "@")]
        {
            assert!(account(platform, bad).is_err(), "{bad}");
        }
    }
}
