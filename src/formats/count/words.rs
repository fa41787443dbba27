//! The words of counts.

use super::number::{self, begins_number};
use crate::domain::Platform;

const ASSETS: &[(&str, &str)] = &[
    ("account", "account"),
    ("accounts", "account"),
    ("profile", "account"),
    ("profiles", "account"),
    ("page", "page"),
    ("pages", "page"),
    ("group", "group"),
    ("groups", "group"),
    ("community", "group"),
    ("communities", "group"),
    ("channel", "channel"),
    ("channels", "channel"),
    ("bot", "bot"),
    ("bots", "bot"),
    ("event", "event"),
    ("events", "event"),
    ("asset", "asset"),
    ("assets", "asset"),
];

/// Words that may stand between a number and its asset: `30 fake accounts`.
const ADJECTIVES: &[&str] = &[
    "fake",
    "inauthentic",
    "coordinated",
    "user",
    "users",
    "personal",
    "business",
    "unique",
    "additional",
    "other",
    "more",
    "recidivist",
    "related",
    "linked",
    "violating",
    "ad",
    "new",
    "active",
    "distinct",
    "separate",
    "individual",
    "public",
    "private",
    "associated",
    "suspected",
    "malicious",
    "social",
    "media",
];

/// Words that may stand there as well, but in no header or label: a column `Accounts created` counts nothing that was
/// removed.
const DESCRIPTIONS: &[&str] = &[
    "duplicate",
    "fraudulent",
    "deceptive",
    "spam",
    "automated",
    "impersonating",
    "sockpuppet",
    "sock",
    "puppet",
    "compromised",
    "hacked",
    "stolen",
    "dormant",
    "inactive",
    "further",
    "similar",
    "verified",
    "unverified",
    "anonymous",
    "fictitious",
    "newly",
    "recently",
    "created",
    "connected",
    "involved",
];

/// Ends of such words: `30 Ruritanian accounts`, `12 state-linked Pages`.
const DESCRIPTION_ENDS: &[&str] = &[
    "ian",
    "nese",
    "mese",
    "-linked",
    "-based",
    "-backed",
    "-run",
    "-affiliated",
    "-controlled",
    "-owned",
    "-generated",
    "-aligned",
];

/// Words in front of a year that say when something was removed.
const BEFORE_DATES: &[&str] = &["in", "on", "during", "since", "until", "by", "between", "from"];

/// Months, and other words that stand in front of a year.
pub const DATE_WORDS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "early",
    "late",
    "mid",
    "q1",
    "q2",
    "q3",
    "q4",
];

/// Words which say that a number, or a column, is a count.
pub const COUNT_WORDS: &[&str] = &[
    "number",
    "count",
    "counts",
    "total",
    "removed",
    "disabled",
    "suspended",
    "banned",
    "deleted",
    "terminated",
    "takedowns",
    "removals",
    "#",
];

/// Other words between counts. They change neither the number nor what is counted.
const FILLERS: &[&str] = &[
    ",",
    "and",
    "we",
    "a",
    "an",
    "the",
    "of",
    "plus",
    "also",
    "another",
    "additional",
    "including",
    "in",
    "network",
    "took",
    "taken",
    "down",
    "were",
    "have",
    "been",
    "identified",
    "overall",
    "altogether",
    "presence",
];

/// Splits a text in lower case into words, `,` and `:`. Semicolons and full stops become `,`; dashes and `=` become `:`;
/// `&` and `/` become `and`.
pub fn tokens(lower: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for word in lower.split_whitespace() {
        match word {
            "-" | "–" | "—" | "*" | "•" | "·" if tokens.is_empty() => {}
            "-" | "–" | "—" | ":" | "=" => tokens.push(":"),
            "&" | "+" | "/" | "and/or" => tokens.push("and"),
            "|" | "•" | "·" => tokens.push(","),
            _ => push_word(&mut tokens, word),
        }
    }
    tokens
}

fn push_word<'a>(tokens: &mut Vec<&'a str>, word: &'a str) {
    let is_quote =
        |c: char| matches!(c, '"' | '“' | '”' | '`' | '*' | '\'' | '(' | ')' | '[' | ']');
    // `Accounts (30), Pages (4)`
    let is_count =
        word.strip_prefix('(').is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()));
    if is_count && tokens.last().is_some_and(|last| !matches!(*last, ":" | ",")) {
        tokens.push(":");
    }
    let word = word.trim_start_matches(is_quote);
    let bare = word.trim_end_matches(|c| is_quote(c) || ".,;:!?=".contains(c));
    let end = match word[bare.len()..].chars().find(|c| ".,;:!?=".contains(*c)) {
        Some(':' | '=') => Some(":"),
        Some('.') if matches!(bare, "approx" | "ca" | "no" | "incl") => None,
        Some(_) => Some(","),
        None => None,
    };
    match bare.split_once(':') {
        // `facebook:30`
        Some((name, count)) if begins_number(count) => tokens.extend([name, ":", count]),
        _ if bare == "formerly" || bare.is_empty() => {}
        // `facebook/instagram`, `30 accounts/4 Pages`
        _ if bare.contains('/')
            && bare.starts_with(char::is_alphabetic)
            && bare.chars().all(|c| c.is_alphanumeric() || c == '/') =>
        {
            for (at, part) in bare.split('/').enumerate() {
                tokens.extend((at > 0).then_some("and"));
                tokens.push(part);
            }
        }
        _ => tokens.push(bare),
    }
    tokens.extend(end.filter(|_| !tokens.is_empty()));
}

/// Whether a word between counts can be skipped.
pub fn is_filler(token: &str) -> bool {
    FILLERS.contains(&token) || COUNT_WORDS.contains(&token)
}

/// The asset that a word names. One letter may be wrong, missing, or swapped with the next.
pub fn asset_named(word: &str) -> Option<&'static str> {
    let exact = ASSETS.iter().find(|(name, _)| *name == word);
    let is_misspelt = |name: &str| {
        name.len() > 5
            && name.len().abs_diff(word.len()) < 2
            && strsim::osa_distance(name, word) == 1
    };
    let close = || ASSETS.iter().find(|(name, _)| is_misspelt(name));
    exact.or_else(close).map(|(_, asset)| *asset)
}

/// The platform that the first one or two tokens name, and the tokens after its name.
pub fn platform_named<'t, 'a>(tokens: &'t [&'a str]) -> Option<(&'static str, &'t [&'a str])> {
    if let [first, second, rest @ ..] = tokens
        && first.len() + second.len() < 24
        && let Some(id) = Platform::known_id(&format!("{first} {second}"))
    {
        return Some((id, rest));
    }
    let [first, rest @ ..] = tokens else { return None };
    Platform::known_id(first).map(|id| (id, rest))
}

/// Whether a word may stand beside an asset, also in a header.
pub fn is_adjective(word: &&str) -> bool {
    ADJECTIVES.contains(word)
}

/// Whether a word between a number and its asset describes the asset.
pub fn is_description(word: &&str) -> bool {
    is_adjective(word)
        || DESCRIPTIONS.contains(word)
        || DESCRIPTION_ENDS.iter().any(|end| word.ends_with(end))
}

/// Bytes of such parts.
const MAX_PART_BYTES: usize = 200;

/// A text without parts of a count in brackets: `7 Pages (2 with blue badges)`. The parts are in the count already.
pub fn without_parts(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((front, behind)) = rest.split_once('(') {
        plain.push_str(front);
        // In `Accounts (30), Pages (4)`, the number in brackets is the count.
        let since_bracket = front.rsplit(')').next().unwrap_or(front);
        let has_number = since_bracket.contains(|c: char| c.is_ascii_digit());
        let near = &behind[..behind.floor_char_boundary(MAX_PART_BYTES)];
        let is_part = has_number && near.split_whitespace().next().is_some_and(begins_number);
        if let Some(end) = near.find(')').filter(|_| is_part) {
            rest = &behind[end + 1..];
        } else {
            plain.push('(');
            rest = behind;
        }
    }
    plain.push_str(rest);
    plain
}

/// Skips the words in front of parts of a count, which are in it already: `30 accounts, of which 12 on Instagram`.
/// `None` for other tokens.
pub fn parts<'t, 'a>(tokens: &'t [&'a str]) -> Option<&'t [&'a str]> {
    let tokens = if tokens.first() == Some(&",") { &tokens[1..] } else { tokens };
    match tokens {
        ["including", rest @ ..]
        | ["of", "which" | "whom", rest @ ..]
        | ["among", "them", rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Whether tokens are nothing but a date: `in 2023`, `were removed on 5 May 2023`, `between May 2022 and 2023`.
pub fn is_date(tokens: &[&str]) -> bool {
    let is_verb = |token: &&&str| is_filler(token) && !BEFORE_DATES.contains(token);
    let tokens = &tokens[tokens.iter().take_while(is_verb).count()..];
    let is_year = |token: &str| token.parse().is_ok_and(number::is_year);
    let is_day = |token: &str| token.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day));
    let is_part = |token: &str| {
        is_year(token)
            || is_day(token)
            || DATE_WORDS.contains(&token)
            || matches!(token, "and" | "to" | ",")
    };
    tokens.first().is_some_and(|first| BEFORE_DATES.contains(first) || DATE_WORDS.contains(first))
        && tokens.iter().any(|token| is_year(token))
        && tokens[1..].iter().all(|token| is_part(token))
}
