//! Figures that are not counts of assets: reach and spending; and cells in which a count is not understood.

use super::super::SkipReason;
use super::super::cell::may_contain_value;
use super::number::{begins_number, number};
use super::words::{asset_named, tokens};
use crate::domain::Platform;

/// Words for people who saw, followed or joined something.
const REACH: &[&str] = &[
    "followed",
    "follow",
    "follower",
    "followers",
    "following",
    "joined",
    "members",
    "subscribers",
    "subscribed",
    "fans",
    "views",
    "viewers",
    "likes",
    "impressions",
    "reach",
    "engagements",
    "interactions",
    "reactions",
    "shares",
    "downloads",
    "installs",
];

const SPENDING: &[&str] = &["spending", "ad spend", "spent on ads", "in ads"];
/// Words for money where an amount with its currency stands beside them.
const PAYMENTS: &[&str] = &["ads", "advertis", "spen", "paid", "budget"];

/// Longer cells are sentences.
const MAX_SHORT_BYTES: usize = 150;
const MAX_SHORT_TOKENS: usize = 12;

/// Whether a word means people who saw, followed or joined something.
pub fn is_reach(word: &str) -> bool {
    REACH.contains(&word)
}

/// Detects a figure of reach or spend.
pub fn metric(text: &str) -> Option<SkipReason> {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if !lower.bytes().any(|b| b.is_ascii_digit()) && !has(&["million", "thousand", "hundred"]) {
        return None;
    }
    if has(SPENDING) || (lower.contains(['$', '€', '£']) && has(PAYMENTS)) {
        return Some(SkipReason::Spend);
    }
    let tokens = tokens(&lower);
    // `About 1,000 accounts followed it`, `Followers: 30,000`
    let begins_with_number = (0..tokens.len().min(3)).any(|at| number(&tokens[at..]).is_some());
    let label = tokens.iter().take(4).position(|word| *word == ":");
    let is_labelled = label.is_some_and(|end| tokens[..end].iter().any(|word| is_reach(word)));
    let is_reached = begins_with_number && tokens.iter().any(|word| is_reach(word));
    (is_reached || is_labelled).then_some(SkipReason::Reach)
}

/// Whether a short text under an asset's procedure states a number, so that a count was not understood.
pub fn is_unread_count(text: &str) -> bool {
    if text.len() > MAX_SHORT_BYTES || may_contain_value(text) || metric(text).is_some() {
        return false;
    }
    // `0 accounts` is understood, and counts nothing.
    if super::read_all(text, None).is_some() {
        return false;
    }
    let lower = text.to_lowercase();
    let tokens = tokens(&lower);
    if tokens.len() > MAX_SHORT_TOKENS {
        return false;
    }
    let names_asset =
        || tokens.iter().any(|word| asset_named(word).is_some() || Platform::is_named(word));
    tokens.iter().any(|word| is_figure(word))
        || (tokens.iter().any(|word| is_quantity(word)) && names_asset())
}

/// Whether a word is a figure, in whatever form: `30`, `~1.2k`, `30%`, `1,20`.
pub fn is_figure(word: &str) -> bool {
    let bare = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    bare.starts_with(|c: char| c.is_ascii_digit())
        && bare.chars().filter(|c| c.is_alphabetic()).count() < 3
}

fn is_quantity(word: &str) -> bool {
    let is_vague = [
        "several",
        "many",
        "dozens",
        "hundreds",
        "thousands",
        "hundred",
        "thousand",
        "million",
        "millions",
    ]
    .contains(&word);
    is_vague || begins_number(word)
}
