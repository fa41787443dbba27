//! Tags and labels of other makers: harm labels, markings, techniques, confidence, and what is none of these.

mod aliases;

use std::borrow::Cow;

pub use self::aliases::ALIASES;
use super::Details;
use super::details::{read_time, words};
use super::export::TIPOFF_NAMESPACE;
use crate::domain::assessment::{Technique, Verdict};
use crate::domain::label::HARMS;

/// Tags that only repeat the structure of an object, as MISP's converter to STIX writes them.
const STRUCTURE: &[&str] =
    &["misp:type", "misp:category", "misp:name", "misp:meta-category", "misp:to_ids", "misp:tool"];

/// Tags that do not fit anywhere are listed in the note: no more of them, and no more characters, than these.
const MAX_OTHERS: usize = 50;
const MAX_OTHERS_CHARS: usize = 300;
/// Characters of a note that are kept: as many as an exchange accepts.
pub const MAX_NOTE_CHARS: usize = 2_000;
/// Techniques that an exchange accepts of one indicator.
const MAX_TECHNIQUES: usize = 20;

/// Adds what tags say to the details of a record. A tag that is no label, marking, technique or confidence is named in
/// the note.
pub fn add<'a>(tags: impl IntoIterator<Item = &'a str>, details: &mut Details) {
    let mut others: Vec<&str> = Vec::new();
    for tag in tags.into_iter().map(str::trim).filter(|tag| !words::is_absent(tag)) {
        // What is not for detection is not judged.
        if tag.eq_ignore_ascii_case("misp:to_ids=\"False\"") {
            details.verdict = details.verdict.or(Some(Verdict::Unknown));
        }
        if STRUCTURE.iter().any(|known| tag.starts_with(known)) {
            continue;
        }
        if !read(tag, details) && others.len() < MAX_OTHERS && !others.contains(&tag) {
            others.push(tag);
        }
    }
    if !others.is_empty() {
        add_note(details, &format!("Tags: {}", cut(&others.join(", "), MAX_OTHERS_CHARS)));
    }
}

/// Appends a sentence to a note. One that it has already is not repeated, and a long note is cut.
pub fn add_note(details: &mut Details, text: &str) {
    let text = text.trim();
    let note = match details.note.take() {
        Some(note) if text.is_empty() || note.contains(text) => note,
        Some(note) => format!("{note}\n{text}"),
        None if text.is_empty() => return,
        None => text.to_owned(),
    };
    details.note = Some(match cut(&note, MAX_NOTE_CHARS) {
        Cow::Borrowed(_) => note,
        Cow::Owned(cut) => cut,
    });
}

/// A text of at most so many characters. The last is an ellipsis where it was longer.
pub fn cut(text: &str, chars: usize) -> Cow<'_, str> {
    if text.len() <= chars || text.chars().count() <= chars {
        return Cow::Borrowed(text);
    }
    let kept: String = text.chars().take(chars.saturating_sub(1)).collect();
    Cow::Owned(format!("{kept}…"))
}

/// Adds a label, unless the record has it.
pub fn add_label(details: &mut Details, label: &str) {
    if !details.labels.iter().any(|known| known == label) {
        details.labels.push(label.to_owned());
    }
}

/// Adds a technique, unless the record has it or has as many as an exchange accepts.
pub fn add_technique(details: &mut Details, technique: Technique) {
    let techniques = &mut details.techniques;
    if techniques.len() < MAX_TECHNIQUES && !techniques.contains(&technique) {
        techniques.push(technique);
    }
}

/// Whether a tag is one of the exchange's own, as its exports write them.
pub fn is_tipoff_tag(tag: &str) -> bool {
    tag.starts_with(TIPOFF_NAMESPACE)
}

/// The value of one of the exchange's own tags: `tipoff:kind="page"` of the name `kind`.
pub fn tipoff_tag_value<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let rest = tag.strip_prefix(TIPOFF_NAMESPACE)?.strip_prefix(name)?;
    rest.strip_prefix("=\"")?.strip_suffix('"')
}

/// Adds what one of the exchange's own tags says. Kind and platform are read with the value; groups and partners are
/// those of another exchange.
fn read_tipoff_tag(tag: &str, details: &mut Details) {
    let value = |name: &str| tipoff_tag_value(tag, name);
    details.names_audience |=
        ["audience", "group", "partner"].iter().any(|name| value(name).is_some());
    if let Some(verdict) = value("verdict").and_then(|text| text.parse().ok()) {
        details.verdict = Some(verdict);
    }
    let technique = value("technique").and_then(|text| Technique::parse(text).ok());
    if let Some(technique) = technique {
        add_technique(details, technique);
    }
    if let Some(campaign) = value("campaign") {
        details.campaign = Some(campaign.to_owned());
    }
    let involvement = value("involvement").and_then(|text| text.parse().ok());
    details.involvement = involvement.or(details.involvement);
    details.basis = value("basis").and_then(|text| text.parse().ok()).or(details.basis);
    details.severity = value("severity").and_then(|text| text.parse().ok()).or(details.severity);
    details.confidence = value("confidence").and_then(words::confidence).or(details.confidence);
    if let Some(label) = value("label") {
        add_label(details, label);
    }
    details.account_id = value("account-id").map(str::to_owned).or(details.account_id.take());
    details.former_handles.extend(value("former-handle").map(str::to_owned));
    details.valid_until = value("valid-until").and_then(read_time).or(details.valid_until);
}

/// Adds what one tag says. Returns whether it says something that a record has a field for.
fn read(tag: &str, details: &mut Details) -> bool {
    if is_tipoff_tag(tag) {
        read_tipoff_tag(tag, details);
        return true;
    }
    let lower = tag.to_lowercase();
    if lower.starts_with("tlp")
        && let Some(tlp) = words::tlp(tag)
    {
        details.tlp = words::stricter(details.tlp, Some(tlp));
        return true;
    }
    let (namespace, value) = machine_tag(&lower).unwrap_or(("", &lower));
    if namespace == "misp:confidence-level"
        && let Some(confidence) = words::confidence(value)
    {
        details.confidence.get_or_insert(confidence);
        return true;
    }
    if let Some(technique) = technique(namespace, tag) {
        add_technique(details, technique);
        return true;
    }
    // The name of a group or a malware family may be a word of the table.
    if namespace.starts_with("misp-galaxy") {
        return false;
    }
    if words::is_harmless(value) {
        details.verdict.get_or_insert(Verdict::NonMalicious);
        return true;
    }
    match label(value) {
        Some(label) => {
            add_label(details, label);
            true
        }
        None => false,
    }
}

/// Splits a machine tag: `rsit:fraud="phishing"` has the namespace `rsit:fraud` and the value `phishing`.
fn machine_tag(tag: &str) -> Option<(&str, &str)> {
    if let Some((namespace, value)) = tag.split_once('=') {
        return Some((namespace, value.trim_matches('"')));
    }
    tag.rsplit_once(':').filter(|(_, value)| !value.starts_with("//"))
}

/// The harm label that a word of others means.
pub fn label(text: &str) -> Option<&'static str> {
    let word = text.trim().trim_start_matches('#').to_lowercase().replace(['_', ' '], "-");
    let known = HARMS.iter().map(|harm| harm.label).find(|label| *label == word);
    let alias =
        || ALIASES.iter().find(|(_, words)| words.contains(&&*word)).map(|(label, _)| *label);
    known.or_else(alias)
}

/// The technique of a tag that names DISARM or Meta's kill chain. ATT&CK has numbers of the same form.
pub fn technique(framework: &str, text: &str) -> Option<Technique> {
    if !names_framework(framework) && !names_framework(text) {
        return None;
    }
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    words
        .filter(|word| word.contains(|c: char| c.is_ascii_digit()))
        .find_map(|word| Technique::parse(word).ok())
}

/// Frameworks whose techniques are exchanged.
const FRAMEWORKS: &[&str] =
    &["disarm", "amitt", "online-operations-kill-chain", "online operations kill chain"];

/// Whether a text names a framework whose techniques are exchanged.
fn names_framework(text: &str) -> bool {
    let occurs = |name: &&str| {
        let mut windows = text.as_bytes().windows(name.len());
        windows.any(|window| window.eq_ignore_ascii_case(name.as_bytes()))
    };
    FRAMEWORKS.iter().any(occurs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sharing::Tlp;

    #[test]
    fn every_alias_belongs_to_a_label_and_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (label, words) in ALIASES {
            assert!(HARMS.iter().any(|harm| harm.label == *label), "{label}");
            for word in *words {
                assert!(seen.insert(*word), "{word} stands twice");
                assert_eq!(super::label(word), Some(*label), "{word} is another label");
            }
        }
    }

    #[test]
    fn tags_become_labels_markings_techniques_and_a_note() {
        let mut details = Details::default();
        let tags = [
            "tlp:green",
            "Phishing",
            "rsit:malicious-code=\"c2-server\"",
            "misp-galaxy:disarm-techniques=\"Develop Content - T0090\"",
            "misp-galaxy:threat-actor=\"Worm\"",
            "misp:confidence-level=\"usually-confident\"",
            "misp:type=\"domain\"",
            "type:OSINT",
        ];
        add(tags, &mut details);
        assert_eq!(details.tlp, Some(Tlp::Green));
        assert_eq!(details.labels, ["phishing", "command-and-control"]);
        assert_eq!(details.techniques[0].as_str(), "T0090");
        assert_eq!(details.confidence, Some(75));
        let note = "Tags: misp-galaxy:threat-actor=\"Worm\", type:OSINT";
        assert_eq!(details.note.as_deref(), Some(note));
    }

    #[test]
    fn a_technique_of_attack_is_none_of_disarm() {
        assert_eq!(technique("mitre-attack", "T1566"), None);
        assert_eq!(technique("DISARM", "T0085.004").unwrap().as_str(), "T0085.004");
    }
}
