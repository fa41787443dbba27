//! Counts in prose: in sentences about removals.

use super::Count;
use super::metric::is_reach;
use super::number::{is_year, number};
use super::phrase::Context;
use super::words::{DATE_WORDS, is_filler, parts, platform_named, tokens, without_parts};

/// Beginnings of words for removals. Other sentences count posts, followers or money.
const REMOVALS: &[&str] =
    &["remov", "disabl", "suspend", "bann", "terminat", "delet", "block", "dismantl", "takedown"];

/// Words in front of a number of people who were reached, and of those who were not removed.
const REACHED: &[&str] = &[
    "reached",
    "reaching",
    "targeted",
    "targeting",
    "contacted",
    "messaged",
    "by",
    "among",
    "followed",
    "gained",
    "amassed",
];

/// Words that negate the verb of their clause.
const NEGATIONS: &[&str] = &[
    "not", "never", "cannot", "no", "nobody", "neither", "nor", "without", "failed", "refused",
    "declined",
];
/// Words in front of a verb that say what may happen.
const MODALS: &[&str] = &["may", "might", "should", "could", "would", "will", "must", "can"];
/// Words that begin another clause.
const CLAUSES: &[&str] = &[
    "and", "but", "that", "which", "who", "because", "while", "so", "we", "they", "were", "was",
    "had", "have", "has", ":",
];

/// Words in front of a year, besides those of dates.
const BEFORE_YEARS: &[&str] = &["in", "since", "of", "during", "until", "from", "by", ","];

/// Words after a count in which its reach is stated.
const REACH_WORDS: usize = 4;

/// The counts in prose: those of sentences about removals. A Page or group without a platform is on that of the
/// count before it.
pub fn in_prose(text: &str) -> Vec<Count> {
    let mut counts = Vec::new();
    if !text.contains(char::is_whitespace) {
        return counts;
    }
    let lower = without_parts(&text.to_lowercase());
    let mut context = Context::on(None);
    for sentence in sentences(&lower).flat_map(contrasts) {
        let tokens = tokens(sentence);
        if !states_removal(&tokens) {
            continue;
        }
        context.begin_sentence(remover(&tokens));
        // The first count of the enumeration, and whether only `,`, `and` and the like stand after its last one.
        let (mut first, mut is_joined) = (counts.len(), false);
        let (mut at, mut whole) = (0, None);
        while at < tokens.len() && !begins_reach(&tokens[at..]) {
            let single = Some(&tokens[at..]).filter(|_| is_joined);
            let single = single.and_then(|tokens| context.read_single(tokens));
            let Some((count, rest)) = single.or_else(|| context.read_one(&tokens[at..])) else {
                is_joined &= is_filler(tokens[at]);
                at += 1;
                continue;
            };
            first = if is_joined { first } else { counts.len() };
            is_joined = true;
            // `30 accounts, of which 12 on Instagram`
            let asset = count.asset;
            let is_part = whole == Some(asset);
            whole = whole.or_else(|| parts(rest).map(|_| asset));
            if count.count > 0
                && !is_part
                && !counts_audience(&tokens[..at], rest)
                && !begins_with_year(&tokens[..at], &count, tokens[at])
            {
                counts.push(count);
                context.spread_platform(&mut counts[first..]);
            }
            at = tokens.len() - rest.len();
        }
    }
    counts
}

/// The platform that removed something, in front of the verb: `YouTube terminated 30 channels`.
fn remover(tokens: &[&str]) -> Option<&'static str> {
    let verb = tokens.iter().position(|word| is_removal(word) || *word == "took")?;
    // `TikTok said that it had removed …`
    let is_between = |word: &&&str| {
        matches!(
            **word,
            "has"
                | "have"
                | "had"
                | "also"
                | "later"
                | "said"
                | "says"
                | "announced"
                | "that"
                | "it"
        )
    };
    let between = tokens[..verb].iter().rev().take_while(is_between).count();
    let front = &tokens[..verb - between];
    // `30 accounts on X were removed`
    let is_place = |at: usize| {
        at.checked_sub(1)
            .is_some_and(|at| matches!(front[at], "on" | "from" | "across" | "by" | "of"))
    };
    let starts = (1..=2).filter_map(|length| front.len().checked_sub(length));
    starts.filter(|at| !is_place(*at)).find_map(|at| {
        platform_named(&front[at..]).filter(|(_, rest)| rest.is_empty()).map(|(id, _)| id)
    })
}

/// Whether a word is a verb or a noun for removals.
fn is_removal(word: &str) -> bool {
    REMOVALS.iter().any(|start| word.starts_with(start))
}

/// The sentences of a text. A full stop after an abbreviation ends none.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let ends = rest.match_indices(['.', '!', '?', ';']).map(|(at, end)| at + end.len());
        let is_end = |at: &usize| {
            let (front, behind) = rest.split_at(*at);
            behind.starts_with(char::is_whitespace)
                && !["approx.", " ca.", " no.", "e.g.", "i.e."]
                    .iter()
                    .any(|short| front.ends_with(short))
        };
        let end = ends.into_iter().find(is_end).unwrap_or(rest.len());
        let (sentence, behind) = rest.split_at(end);
        rest = behind;
        Some(sentence)
    })
}

/// The parts of a sentence of which one contradicts the other: `We identified 120 accounts but removed 30`.
fn contrasts(sentence: &str) -> impl Iterator<Item = &str> {
    let end = sentence.find(" but ").filter(|end| !sentence[*end..].starts_with(" but also "));
    let (front, behind) = sentence.split_at(end.unwrap_or(sentence.len()));
    [front, behind].into_iter().filter(|part| !part.is_empty())
}

/// Whether a text says that something was removed: `We removed:`.
pub fn is_about_removals(text: &str) -> bool {
    let lower = text.to_lowercase();
    sentences(&lower).last().is_some_and(|sentence| states_removal(&tokens(sentence)))
}

/// Whether a sentence says that something was removed: `removed`, `took down`, but not `did not in any way
/// remove` and `may remove`. `Presence on Facebook:` is in front of what was removed in Meta's reports.
fn states_removal(tokens: &[&str]) -> bool {
    if tokens.starts_with(&["presence", "on"]) {
        return true;
    }
    // Whether the verb of the clause is negated: `not` counts for `remove` beyond a comma, and for `removed` up to it.
    let (mut is_negated, mut is_part_negated) = (false, false);
    for (at, word) in tokens.iter().enumerate() {
        let is_taken_down = matches!(*word, "took" | "taken" | "take")
            && tokens[at + 1..].iter().take(8).any(|word| *word == "down");
        if is_taken_down || is_removal(word) {
            let is_past = word.ends_with("ed") || matches!(*word, "took" | "taken");
            let is_denied = if is_past { is_part_negated } else { is_negated };
            if !is_denied {
                return true;
            }
        } else if NEGATIONS.contains(word) || word.ends_with("n't") || word.ends_with("n’t") {
            (is_negated, is_part_negated) = (true, true);
        } else if MODALS.contains(word) {
            // `may remove` and `should be removed`, but not `in May Meta removed`
            (is_negated, is_part_negated) = (true, tokens.get(at + 1) == Some(&"be"));
        } else if CLAUSES.contains(word) {
            (is_negated, is_part_negated) = (false, false);
        } else if *word == "," {
            is_part_negated = false;
        }
    }
    false
}

/// Whether tokens begin a clause on those who were reached, in numbers: `that messaged 2,000 Facebook users`.
fn begins_reach(tokens: &[&str]) -> bool {
    let ["that" | "who" | "which", behind @ ..] = tokens else { return false };
    let verb = behind.iter().take(3).position(|word| REACHED.contains(word));
    verb.is_some_and(|at| number(&behind[at + 1..]).is_some())
}

/// Whether a count is of people who followed or were reached: `reached 2,000 accounts`, `2,000 accounts joined`.
fn counts_audience(before: &[&str], behind: &[&str]) -> bool {
    let is_reached = before.iter().rev().take(2).any(|word| REACHED.contains(word));
    // `5 Pages with 40,000 followers`, `5 Pages that were followed by 40,000 accounts`
    let states_followers = matches!(behind, ["with" | "having", ..]);
    let is_active = |at: usize| is_reach(behind[at]) && behind.get(at + 1) != Some(&"by");
    let is_following = !states_followers && (0..behind.len().min(REACH_WORDS)).any(is_active);
    is_reached || is_following
}

/// Whether a number is a year: `in 2023 accounts were removed`.
fn begins_with_year(before: &[&str], count: &Count, number: &str) -> bool {
    let is_plain = number.len() == 4 && is_year(count.count);
    is_plain
        && before.last().is_none_or(|word| BEFORE_YEARS.contains(word) || DATE_WORDS.contains(word))
}
