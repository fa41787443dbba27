//! Feedback: one partner's opinion of another's assessment.

use super::assessment::text_enum;
use super::invalid::Invalid;
use std::fmt;
use std::str::FromStr;

text_enum! {
    /// How much a partner agrees with an assessment: the opinion scale of STIX 2.1.
    Opinion, "opinion" {
        /// It is wrong, such as a false positive.
        StronglyDisagree = "strongly-disagree",
        /// It is probably wrong.
        Disagree = "disagree",
        /// Neither agrees nor disagrees.
        Neutral = "neutral",
        /// It is probably right.
        Agree = "agree",
        /// It is right, or was useful.
        StronglyAgree = "strongly-agree",
    }
}
