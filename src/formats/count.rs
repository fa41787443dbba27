//! Counts of removed assets, such as `7,704 Facebook accounts`, and figures that are not counts.

use super::SkipReason;
use crate::domain::Platform;

/// A count of removed assets in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub count: u64,
    /// Whether the number is approximate.
    pub approximate: bool,
    /// Platforms by id, from the wording or else from the procedure. Empty if unknown.
    pub platforms: Vec<String>,
    /// Kind of asset: `account`, `page`, `group` …
    pub asset: &'static str,
}

impl Count {
    /// The asset with its platforms: `facebook_account`, `facebook+instagram_account`.
    pub fn kind(&self) -> String {
        match self.platforms.as_slice() {
            [] => self.asset.to_owned(),
            platforms => format!("{}_{}", platforms.join("+"), self.asset),
        }
    }
}

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
];

const ABOUT: &[&str] = &[
    "about",
    "around",
    "approximately",
    "approx",
    "roughly",
    "nearly",
    "almost",
    "over",
    "~",
    "circa",
];

const NUMBERS: [&str; 10] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// The platform of a procedure of the online operations kill chain (`0.9.1` …).
pub fn platform_of_procedure(procedure: &str) -> Option<&'static str> {
    Some(match procedure {
        "0.9.1" => "facebook",
        "0.9.2" => "instagram",
        "0.9.3" => "threads",
        "0.9.4" => "x",
        "0.9.5" => "youtube",
        "0.9.6" => "tiktok",
        "0.9.7" => "telegram",
        _ => return None,
    })
}

/// Parses a text that consists only of counts, joined by commas and "and". `None` if it says
/// anything else: a number of accounts that followed a page is reach.
pub fn read(text: &str, platform: Option<&str>) -> Option<Vec<Count>> {
    let lower = text.trim().trim_end_matches(['.', ';']).to_lowercase();
    // Parenthesised words such as `(X)`, `(formerly Twitter)` and `(removed)` read like plain
    // words.
    let lower = lower.replace(['(', ')'], " ").replace("formerly", " ").replace(';', ", ");
    let lower = joined_thousands(&lower);
    let words: Vec<&str> = lower.split_whitespace().collect();
    if let Some(count) = asset_first(&words, platform) {
        return Some(vec![count]);
    }
    let mut rest = words.as_slice();
    let mut counts = Vec::new();
    while !rest.is_empty() {
        if !counts.is_empty() {
            rest = rest.strip_prefix(&["and"]).unwrap_or(rest);
        }
        let (count, remaining) = read_one(rest, platform)?;
        counts.push(count);
        rest = remaining;
    }
    (!counts.is_empty()).then_some(counts)
}

/// Joins thousands that are apart by a blank: `30 000`.
fn joined_thousands(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_digits = |word: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit())
    };
    let mut joined = String::with_capacity(text.len());
    let mut is_open = false;
    for word in words {
        let continues = is_open && is_digits(word, 3..=3);
        if !continues && !joined.is_empty() {
            joined.push(' ');
        }
        is_open = continues || (is_digits(word, 1..=3) && !word.starts_with('0'));
        joined.push_str(word);
    }
    joined
}

/// Parses `accounts: 30` and `Facebook accounts - 30`.
fn asset_first(words: &[&str], platform: Option<&str>) -> Option<Count> {
    let [front @ .., last] = words else { return None };
    let front = match front {
        [front @ .., "-" | "–" | ":" | "="] => front,
        [.., name] if name.ends_with(':') => front,
        _ => return None,
    };
    let (count, about, []) = number(std::slice::from_ref(last))? else { return None };
    let mut platforms = Vec::new();
    let mut asset = None;
    for word in front {
        let bare = word.trim_end_matches(':');
        if let Some(found) = asset_named(bare) {
            asset = Some(found);
        } else if let Some(id) = Platform::known_id(bare) {
            platforms.push(id.to_owned());
        } else if !ADJECTIVES.contains(&bare) {
            return None;
        }
    }
    if platforms.is_empty() {
        platforms.extend(platform.map(str::to_owned));
    }
    Some(Count { count, approximate: about, platforms, asset: asset? })
}

/// The asset of a word, also if one letter of it is wrong, missing or swapped with the next.
fn asset_named(word: &str) -> Option<&'static str> {
    let exact = ASSETS.iter().find(|(name, _)| *name == word);
    let is_misspelt = |name: &str| name.len() > 5 && strsim::osa_distance(name, word) == 1;
    let close = || ASSETS.iter().find(|(name, _)| is_misspelt(name));
    exact.or_else(close).map(|(_, asset)| *asset)
}

/// Parses one count: `[about] N [adjectives] asset [on platform [and platform]] [removed]`.
fn read_one<'a, 'b>(
    words: &'a [&'b str],
    platform: Option<&str>,
) -> Option<(Count, &'a [&'b str])> {
    let (approximate, words) = match words {
        [about, rest @ ..] if ABOUT.contains(&about.trim_end_matches('.')) => (true, rest),
        ["more", "than", rest @ ..] | ["at", "least", rest @ ..] => (true, rest),
        words => (false, words),
    };
    let (number, about, mut rest) = number(words)?;
    let approximate = approximate || about;
    let mut platforms: Vec<String> = Vec::new();
    let asset = loop {
        let [word, remaining @ ..] = rest else { return None };
        // `12 on Facebook, 4 on Instagram`: accounts.
        if *word == "on"
            && remaining.first().is_some_and(|next| Platform::is_named(next.trim_end_matches(',')))
        {
            break "account";
        }
        rest = remaining;
        let bare = word.trim_end_matches(',');
        if let Some(asset) = asset_named(bare) {
            // `30 accounts and Pages` is one count of both.
            if let ["and", other, remaining @ ..] = rest
                && let Some(second) = asset_named(other.trim_end_matches(','))
                && second != asset
                && !word.ends_with(',')
            {
                rest = remaining;
                break "asset";
            }
            break asset;
        }
        if let Some(id) = Platform::known_id(bare) {
            if !platforms.iter().any(|known| known == id) {
                platforms.push(id.to_owned());
            }
        } else if !ADJECTIVES.contains(&bare) && !matches!(bare, "and" | "ad") {
            return None;
        }
    };
    if let ["on", remaining @ ..] = rest {
        rest = remaining;
        while let [word, remaining @ ..] = rest {
            match Platform::known_id(word.trim_end_matches(',')) {
                Some(id) => platforms.push(id.to_owned()),
                // In "… on Facebook and 3 Pages" another count follows.
                None if *word == "and"
                    && remaining.first().is_some_and(|w| Platform::is_named(w)) => {}
                None => break,
            }
            rest = remaining;
        }
    }
    if let ["removed" | "disabled" | "suspended", remaining @ ..] = rest {
        rest = remaining;
    }
    if platforms.is_empty() {
        platforms.extend(platform.map(str::to_owned));
    }
    Some((Count { count: number, approximate, platforms, asset }, rest))
}

/// Parses a number: `7,704`, `1326`, `12k`, `1.9 million`, `three`. The flag tells whether it is
/// approximate: `~30`, `30+`.
fn number<'a, 'b>(words: &'a [&'b str]) -> Option<(u64, bool, &'a [&'b str])> {
    let [first, rest @ ..] = words else { return None };
    if let Some(word) = NUMBERS.iter().position(|word| word == first) {
        return Some((word as u64 + 1, false, rest));
    }
    let bare = first.trim_start_matches('~').trim_end_matches('+');
    let about = bare.len() < first.len();
    let first = &bare;
    let (digits, scale) = match first.strip_suffix('k') {
        Some(digits) => (digits, 1_000),
        None => (
            first.strip_suffix('m').unwrap_or(first),
            if first.ends_with('m') { 1_000_000 } else { 1 },
        ),
    };
    let (scale, rest) = match rest {
        ["million", remaining @ ..] => (scale * 1_000_000, remaining),
        ["thousand", remaining @ ..] => (scale * 1_000, remaining),
        _ => (scale, rest),
    };
    let plain = digits.replace(',', "");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    if whole.is_empty() || fraction.len() > 3 || (scale == 1 && !fraction.is_empty()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let thousandths: u64 = format!("{fraction:0<3}").parse().ok()?;
    let number = whole.checked_mul(scale)?.checked_add(thousandths.checked_mul(scale)? / 1_000)?;
    Some((number, about, rest))
}

/// Words of sentences about removals. Other sentences count posts, followers or money.
const REMOVALS: &[&str] = &[
    "removed",
    "disabled",
    "suspended",
    "banned",
    "took down",
    "taken down",
    "terminated",
    "deleted",
    "blocked",
];

/// The counts in prose: those of sentences about removals. A Page or group without a platform is on that of the
/// count before it.
pub fn in_prose(text: &str) -> Vec<Count> {
    let mut counts: Vec<Count> = Vec::new();
    for sentence in text.split_inclusive(". ") {
        let lower = sentence.to_lowercase();
        if metric(&lower).is_some() || !REMOVALS.iter().any(|word| lower.contains(word)) {
            continue;
        }
        let lower = joined_thousands(&lower.replace(['(', ')', '*', '`'], " "));
        let words: Vec<&str> = lower.split_whitespace().collect();
        let mut rest = words.as_slice();
        while !rest.is_empty() {
            let Some((mut count, remaining)) = read_one(rest, None) else {
                rest = &rest[1..];
                continue;
            };
            if count.platforms.is_empty()
                && matches!(count.asset, "page" | "group")
                && let Some(before) = counts.last()
            {
                count.platforms.clone_from(&before.platforms);
            }
            counts.push(count);
            rest = remaining;
        }
    }
    counts
}

/// Detects a figure of reach or spend.
pub fn metric(text: &str) -> Option<SkipReason> {
    let lower = text.to_lowercase();
    if !lower.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["spending", "ad spend", "spent on ads", "in ads"]) {
        return Some(SkipReason::Spend);
    }
    let begins_with_number =
        lower.split_whitespace().take(3).any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let reach = has(&["followed", "joined", "followers", "subscribers", "members", "views"]);
    (begins_with_number && reach).then_some(SkipReason::Reach)
}

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;
