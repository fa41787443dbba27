//! What one partner thinks of another's assessment.

use super::assessment::words;
use super::invalid::Invalid;
use std::fmt;
use std::str::FromStr;

words! {
    /// How far a partner agrees with an assessment: the scale of an opinion in STIX 2.1.
    Opinion, "opinion" {
        /// It is wrong, such as a false positive.
        StronglyDisagree = "strongly-disagree",
        /// It is probably wrong.
        Disagree = "disagree",
        /// Neither.
        Neutral = "neutral",
        /// It is probably right.
        Agree = "agree",
        /// It is right, or was of use.
        StronglyAgree = "strongly-agree",
    }
}
