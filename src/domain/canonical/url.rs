//! URLs: scheme and host in lower case, the rest unchanged.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Canonical, host};
use crate::domain::refang::without_punctuation;

/// The parts of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The scheme in lower case, if the URL has one.
    pub scheme: Option<Cow<'a, str>>,
    /// User and password with the `@`, unchanged.
    pub user: &'a str,
    /// The canonical host.
    pub host: Cow<'a, str>,
    /// The port, with the `:`.
    pub port: &'a str,
    /// Path, query and fragment, unchanged except for trailing slashes and an empty `?`.
    pub rest: &'a str,
}

/// Lower-cases scheme and host; keeps path, query and fragment; trims trailing slashes and an empty
/// `?`. Adds no scheme.
pub fn canonical(text: &str) -> Canonical<'_> {
    if text.contains(char::is_whitespace) {
        return Err("is not a web address: it contains white space".into());
    }
    let parts = parts(text)?;
    let scheme = parts.scheme.as_deref();
    let mut url = String::with_capacity(text.len());
    if let Some(scheme) = scheme {
        url.push_str(scheme);
        url.push_str("://");
    }
    url.push_str(parts.user);
    url.push_str(&parts.host);
    url.push_str(parts.port);
    url.push_str(parts.rest);
    // Trimming a slash can leave punctuation at the end, which the next parse would trim. Canonical
    // values must parse to themselves.
    let plain = without_punctuation(&url);
    if plain.len() < url.len() {
        return canonical(plain).map(|plain| Cow::Owned(plain.into_owned()));
    }
    if url == text { Ok(Cow::Borrowed(text)) } else { Ok(Cow::Owned(url)) }
}

/// Splits a URL. The host must be a host name or an IP address.
pub fn parts(text: &str) -> Result<Parts<'_>, Cow<'static, str>> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(lower(scheme)), rest),
        Some((scheme, _)) if !scheme.contains(['/', '?', '#']) => {
            return Err("is not a web address: the text before `://` is not a scheme".into());
        }
        _ => (None, text),
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (user, authority) = match authority.rfind('@') {
        Some(at) => authority.split_at(at + 1),
        None => ("", authority),
    };
    let (name, port) = split_port(authority)?;
    Ok(Parts { scheme, user, host: host_of(name)?, port, rest: trim_end(rest) })
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

fn split_port(authority: &str) -> Result<(&str, &str), Cow<'static, str>> {
    let after_bracket = authority.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = authority[after_bracket..].find(':').map(|at| at + after_bracket) else {
        return Ok((authority, ""));
    };
    let (name, port) = authority.split_at(colon);
    match port[1..].parse::<u16>() {
        Ok(_) => Ok((name, port)),
        Err(_) if port == ":" => Ok((name, "")),
        Err(_) => Err("is not a web address: its port is not a number up to 65535".into()),
    }
}

fn host_of(name: &str) -> Canonical<'_> {
    if let Some(inner) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match inner.parse::<Ipv6Addr>() {
            Ok(address) => Ok(Cow::Owned(format!("[{address}]"))),
            Err(_) => Err("is not a web address: its host is not an IPv6 address".into()),
        };
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return Ok(Cow::Borrowed(name));
    }
    host::canonical(name)
        .map_err(|reason| format!("is not a web address: its host {reason}").into())
}

fn trim_end(mut rest: &str) -> &str {
    loop {
        let trimmed = rest.trim_end_matches('/');
        // A `?` is an empty query only if no other `?` or `#` precedes it.
        let trimmed = match trimmed.strip_suffix('?') {
            Some(before) if !before.contains(['?', '#']) => before,
            _ => trimmed,
        };
        if trimmed == rest {
            return rest;
        }
        rest = trimmed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_host_fold_and_the_rest_is_kept() {
        let table = [
            ("HTTPS://News.Example/Path?Q=1#F", "https://news.example/Path?Q=1#F"),
            ("https://news.example/", "https://news.example"),
            ("https://news.example/a/?", "https://news.example/a"),
            ("https://news.example/a//", "https://news.example/a"),
            ("news.example/a", "news.example/a"),
            ("news.example/]/", "news.example"),
            ("http://news.example:8080/x", "http://news.example:8080/x"),
            ("http://192.0.2.1/x", "http://192.0.2.1/x"),
            ("http://[2001:DB8::1]/x", "http://[2001:db8::1]/x"),
            ("https://bücher.example/ü", "https://xn--bcher-kva.example/ü"),
            ("https://a.example/x?y=http://b.example/", "https://a.example/x?y=http://b.example"),
        ];
        for (text, url) in table {
            assert_eq!(canonical(text).unwrap(), url, "{text}");
            assert_eq!(canonical(url).unwrap(), url, "twice");
        }
    }

    #[test]
    fn what_has_no_host_is_no_address() {
        for bad in
            ["https://", "t./name", "http://a b.example/", "ht!tp://a.example", "a.example:x"]
        {
            assert!(canonical(bad).is_err(), "{bad}");
        }
    }
}
