//! What other makers write for a verdict, a confidence, a severity and a marking.

use super::super::kinds::DeclaredType;
use super::super::wording;
use crate::domain::assessment::{Severity, Verdict};
use crate::domain::sharing::Tlp;

/// Words for each verdict beside its own name.
pub const VERDICTS: &[(Verdict, &[&str])] = &[
    (
        Verdict::NonMalicious,
        &[
            "benign",
            "clean",
            "harmless",
            "safe",
            "good",
            "whitelist",
            "whitelisted",
            "allowlist",
            "allowlisted",
            "false_positive",
            "fp",
            "goodware",
            "known_good",
            "legitimate",
            "falsepos",
            "not_malicious",
        ],
    ),
    (Verdict::Unknown, &["undetermined", "unrated", "unclassified", "neutral", "to_be_confirmed"]),
    (
        Verdict::Suspicious,
        &["anomalous_activity", "questionable", "likely_malicious", "probably_malicious"],
    ),
    (
        Verdict::Malicious,
        &[
            "malicious_activity",
            "bad",
            "confirmed_malicious",
            "malign",
            "known_malicious",
            "true_positive",
        ],
    ),
];

/// Words for each severity beside its own name. `ThreatExchange`'s are among them.
pub const SEVERITIES: &[(Severity, &[&str])] = &[
    (Severity::Info, &["informational", "information", "none", "very_low"]),
    (Severity::Low, &["warning", "minor"]),
    (Severity::Medium, &["moderate", "suspicious", "med"]),
    (Severity::High, &["severe", "major", "important"]),
    (Severity::Critical, &["apocalypse", "very_high", "urgent"]),
];

/// Words for a confidence, in percent: the scale of STIX 2.1, appendix A, and MISP's taxonomy.
pub const CONFIDENCES: &[(u32, &[&str])] = &[
    (0, &["none", "unconfident"]),
    (15, &["low", "very_low", "rarely_confident"]),
    (50, &["medium", "med", "moderate", "fairly_confident", "possible"]),
    (75, &["usually_confident", "probable"]),
    (85, &["high", "likely", "very_high"]),
    (100, &["certain", "confirmed", "completely_confident"]),
];

/// Words for each marking beside its own name, in upper case without `TLP:`.
pub const TLPS: &[(Tlp, &[&str])] = &[
    (Tlp::Clear, &["WHITE"]),
    (Tlp::AmberStrict, &["AMBER STRICT", "AMBER_STRICT", "AMBER-STRICT", "AMBERSTRICT"]),
];

/// A verdict by its own name or by a word of others.
pub fn verdict(text: &str) -> Option<Verdict> {
    let word = plain(text);
    word.parse().ok().or_else(|| named(VERDICTS, &word))
}

/// Whether a text is a word for `non_malicious`.
pub fn is_harmless(text: &str) -> bool {
    verdict(text) == Some(Verdict::NonMalicious)
}

/// Words that may stand beside a verdict and a kind in a heading: `Known benign domains`.
const BESIDE_VERDICTS: &[&str] = &[
    "a",
    "address",
    "addresse",
    "and",
    "candidate",
    "confirmed",
    "entry",
    "entrie",
    "indicator",
    "ioc",
    "item",
    "known",
    "likely",
    "list",
    "observable",
    "of",
    "or",
    "other",
    "possible",
    "probable",
    "result",
    "site",
    "the",
    "value",
    "website",
];

/// Headings of what is let through, beside the words of [`is_allowing`].
const ALLOWING_HEADINGS: &[&str] = &[
    "allow_list",
    "white_list",
    "exception",
    "exclusion",
    "excluded",
    "not_blocked",
    "do_not_block",
];

/// Words that a heading with a verdict has at most.
const MAX_HEADING_WORDS: usize = 6;

/// The verdict that a heading or a key states for the values below it: `Benign domains`, `false_positives`. Only
/// `non_malicious` is read. All other words of the heading must name kinds or qualify it: `Safe Browsing` and `How to
/// report false positives` state nothing.
pub fn verdict_of_heading(text: &str) -> Option<Verdict> {
    let lower = text.to_lowercase();
    let words = wording::words(&lower);
    if words.is_empty() || words.len() > MAX_HEADING_WORDS || lower.contains("://") {
        return None;
    }
    let is_verdict = |words: &[&str]| {
        let word = words.join("_");
        let singular = word.strip_suffix('s').unwrap_or(&word);
        [&*word, singular]
            .iter()
            .any(|word| is_harmless(word) || is_allowing(word) || ALLOWING_HEADINGS.contains(word))
    };
    let is_beside = |word: &&str| {
        BESIDE_VERDICTS.contains(&word.strip_suffix('s').unwrap_or(word))
            || DeclaredType::of(word).is_some()
    };
    let states = |length: usize| {
        words.windows(length).enumerate().any(|(at, window)| {
            is_verdict(window)
                && words[..at].iter().all(is_beside)
                && words[at + length..].iter().all(is_beside)
        })
    };
    // `Allowlist of the desk`
    let is_list_of = || {
        let end = words.iter().position(|word| matches!(*word, "of" | "for"));
        end.is_some_and(|end| is_verdict(&words[..end]) && words[end - 1].ends_with("list"))
    };
    ((1..=3).any(states) || is_list_of()).then_some(Verdict::NonMalicious)
}

/// A severity by its own name or by a word of others.
pub fn severity(text: &str) -> Option<Severity> {
    let word = plain(text);
    word.parse().ok().or_else(|| named(SEVERITIES, &word))
}

/// A confidence in percent: `80`, `80%`, `8/10`, `0.8`, `high`.
pub fn confidence(text: &str) -> Option<u32> {
    let text = text.trim();
    let number = text.trim_end_matches('%').trim_end();
    if let Ok(percent) = number.parse::<u32>() {
        return (percent <= 100).then_some(percent);
    }
    if let Some((number, of)) = number.split_once('/') {
        let (number, of) = (number.trim().parse::<u32>().ok()?, of.trim().parse::<u32>().ok()?);
        return (number <= of && matches!(of, 5 | 10 | 100)).then(|| number * 100 / of);
    }
    if let Ok(fraction) = number.parse::<f64>()
        && (0.0..=100.0).contains(&fraction)
    {
        // `0.8` is a fraction, `80.0` are percent.
        let percent = if fraction <= 1.0 { fraction * 100.0 } else { fraction };
        return (0..=100).find(|whole| (f64::from(*whole) - percent).abs() <= 0.5);
    }
    let word = plain(text);
    let word = word.strip_suffix("_confidence").unwrap_or(&word);
    named(CONFIDENCES, word)
}

/// A marking of TLP 1 or 2: `TLP:WHITE`, `amber`, `AMBER STRICT`.
pub fn tlp(text: &str) -> Option<Tlp> {
    let upper = text.trim().to_ascii_uppercase();
    let name = upper.strip_prefix("TLP").unwrap_or(&upper);
    let name = name.trim_start_matches(['2', '.', '0', '-', '_', ' ', ':']);
    // A suffix may restrict more than its colour.
    named(TLPS, name).or_else(|| name.parse().ok())
}

/// A marking, or its number in `TheHive`: 0 is CLEAR. Newer versions have AMBER+STRICT between AMBER and RED; from there
/// on the number is RED.
pub fn tlp_or_number(text: &str) -> Option<Tlp> {
    tlp(text).or_else(|| match text.trim() {
        "0" => Some(Tlp::Clear),
        "1" => Some(Tlp::Green),
        "2" => Some(Tlp::Amber),
        "3" | "4" => Some(Tlp::Red),
        _ => None,
    })
}

/// The stricter of two markings.
pub fn stricter(one: Option<Tlp>, other: Option<Tlp>) -> Option<Tlp> {
    one.into_iter().chain(other).min()
}

/// Whether a rule lets through what it names: `Allow`, `whitelist`.
pub fn is_allowing(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "allow",
        "allowed",
        "allowlist",
        "whitelist",
        "whitelisted",
        "permit",
        "permitted",
        "accept",
        "pass",
        "exclude",
        "excluded",
        "exclusion",
        "exempt",
        "ignore",
        "bypass",
        "trust",
    ];
    WORDS.contains(&plain(text).as_str())
}

/// Whether a word says what a rule does with what it names: `allow`, `block`.
pub fn is_action(text: &str) -> bool {
    const BLOCKING: [&str; 10] = [
        "block",
        "blocked",
        "deny",
        "denied",
        "drop",
        "reject",
        "alert",
        "detect",
        "monitor",
        "quarantine",
    ];
    is_allowing(text) || BLOCKING.contains(&plain(text).as_str())
}

/// Whether a cell is left blank: by nothing in it, or by what programs and people write for nothing.
pub fn is_blank(text: &str) -> bool {
    const BLANKS: [&str; 8] = ["", "-", "--", "n/a", "null", "(null)", "nan", "nil"];
    let text = trim(text);
    BLANKS.iter().any(|blank| text.eq_ignore_ascii_case(blank))
}

/// Like [`is_blank`], for fields in which `none` is no word of its own, as it is for a severity.
pub fn is_absent(text: &str) -> bool {
    is_blank(text) || trim(text).eq_ignore_ascii_case("none")
}

/// The text without blanks around it. A no-break space is no blank here: exports set it before a value that spells like
/// nothing, such as the handle `-`.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() && c != '\u{a0}')
}

/// Whether a text says yes or no: `1`, `TRUE`, `yes`.
pub fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "y" => Some(true),
        "0" | "false" | "no" | "n" => Some(false),
        _ => None,
    }
}

/// Lower case, with `_` for blanks and hyphens.
pub fn plain(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

fn named<T: Copy>(table: &[(T, &[&str])], word: &str) -> Option<T> {
    table.iter().find(|(_, words)| words.contains(&word)).map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_is_read_as_number_fraction_or_word() {
        let table = [
            ("80", 80),
            ("80%", 80),
            ("80.0", 80),
            ("8/10", 80),
            ("0.8", 80),
            ("1.0", 100),
            ("High", 85),
            ("medium", 50),
            ("Low confidence", 15),
            ("Confirmed", 100),
        ];
        for (text, percent) in table {
            assert_eq!(confidence(text), Some(percent), "{text}");
        }
        for text in ["101", "very sure", "-1", "", "9/7", "1e9", "NaN"] {
            assert_eq!(confidence(text), None, "{text}");
        }
    }

    #[test]
    fn a_heading_of_benign_values_states_their_verdict() {
        for text in [
            "## Benign domains",
            "False positive URLs",
            "Whitelisted domains:",
            "false_positives",
            "benign",
            "whitelist",
            "Known safe IP addresses",
            "Non-malicious domains",
            "Allow:",
            "Allowed domains",
            "Do not block:",
            "# Allowlist of the desk",
        ] {
            assert_eq!(verdict_of_heading(text), Some(Verdict::NonMalicious), "{text}");
        }
        for text in [
            "Domains",
            "Not benign",
            "Safe Browsing lookalikes",
            "Report false positives to the desk",
            "Whitelist bypass domains",
            "Malicious domains",
            "Of interest",
            "Allow rules that were bypassed",
            "",
        ] {
            assert_eq!(verdict_of_heading(text), None, "{text}");
        }
    }

    #[test]
    fn verdicts_severities_and_markings_are_known_by_the_words_of_others() {
        assert_eq!(verdict("Malicious Activity"), Some(Verdict::Malicious));
        assert_eq!(verdict("NON_MALICIOUS"), Some(Verdict::NonMalicious));
        assert_eq!(verdict("online"), None);
        assert_eq!(severity("SEVERE"), Some(Severity::High));
        assert_eq!(tlp("tlp:white"), Some(Tlp::Clear));
        assert_eq!(tlp("TLP:AMBER+STRICT"), Some(Tlp::AmberStrict));
        assert_eq!(tlp("amber"), Some(Tlp::Amber));
        assert_eq!(tlp("tlp:ex:chr"), None);
        assert_eq!(stricter(Some(Tlp::Clear), Some(Tlp::Red)), Some(Tlp::Red));
    }
}
