//! What one partner says of one indicator to one audience.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::campaign::CampaignId;
use super::indicator::{Indicator, Kind};
use super::invalid::Invalid;
use super::label::Label;
use super::time::Timestamp;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $field:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// Every one, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word for it in files, on the command line and in output.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                $name::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| {
                    let known = [$($word,)+].join(", ");
                    Invalid::new($field, format!("`{text}` is not one of: {known}"))
                })
            }
        }
    };
}

pub(super) use words;

words! {
    /// What the author holds the indicator to be, from the weakest to the strongest.
    Verdict, "verdict" {
        /// Looked at, and no threat. Disputes the others.
        NonMalicious = "non_malicious",
        /// Seen, not judged.
        Unknown = "unknown",
        /// Signs of abuse, not established.
        Suspicious = "suspicious",
        /// Established abuse.
        Malicious = "malicious",
    }
}

words! {
    /// How much harm follows if it is acted upon late, from the least to the most.
    Severity, "severity" {
        /// For knowledge only.
        Info = "info",
        /// A nuisance.
        Low = "low",
        /// Harm to some users.
        Medium = "medium",
        /// Serious harm, or harm to many.
        High = "high",
        /// Danger to life, or to a society's institutions.
        Critical = "critical",
    }
}

words! {
    /// The part that the thing behind the value has in the abuse.
    Involvement, "involvement" {
        /// Run by whoever does the harm.
        Attacker = "attacker",
        /// Harmed, imitated or taken over.
        Victim = "victim",
        /// A lawful service that is made use of, such as a link shortener.
        AbusedService = "abused_service",
        /// Neither: amplified, quoted or otherwise near it.
        ThirdParty = "third_party",
    }
}

words! {
    /// Where the author has its knowledge from.
    Basis, "basis" {
        /// Its own finding.
        Own = "own",
        /// Told by somebody else.
        Received = "received",
        /// Published.
        Public = "public",
    }
}

/// How sure the author is, from 0 (a guess) to 100 (confirmed): the scale of STIX 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Confidence(u8);

impl Confidence {
    /// Takes 0 to 100.
    pub fn new(percent: u32) -> Result<Self, Invalid> {
        u8::try_from(percent)
            .ok()
            .filter(|p| *p <= 100)
            .map(Self)
            .ok_or_else(|| Invalid::new("confidence", format!("{percent} is not within 0 to 100")))
    }

    /// The number, 0 to 100.
    pub const fn percent(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Confidence {
    type Error = Invalid;

    fn try_from(percent: u8) -> Result<Self, Invalid> {
        Self::new(percent.into())
    }
}

/// A technique by its number in Meta's online operations kill chain (`0.9.4`) or in DISARM
/// (`T0090`, `T0090.001`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Technique(Box<str>);

impl Technique {
    /// Takes a number of either scheme.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if is_kill_chain_procedure(text) || is_disarm(text) {
            return Ok(Self(text.into()));
        }
        let shown: String = text.chars().take(40).collect();
        Err(Invalid::new(
            "techniques",
            format!(
                "`{}` is neither a kill-chain procedure such as 0.9.4 nor DISARM such as T0090",
                shown.escape_debug()
            ),
        ))
    }

    /// Takes a number from the journal or the index as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_kill_chain_procedure(text: &str) -> bool {
    let mut parts = 0;
    for part in text.split('.') {
        if part.is_empty() || part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return false;
        }
        parts += 1;
    }
    (2..=4).contains(&parts)
}

fn is_disarm(text: &str) -> bool {
    let digits = |part: &str, n| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    let Some(number) = text.strip_prefix('T') else { return false };
    match number.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(number, 4),
    }
}

/// One assessment as its author sent it, before defaults: two of them are equal when they say the
/// same, which is what `unchanged` means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// What it is about, in this author's own spelling.
    pub indicator: Indicator,
    /// What the author wrote, where that differs from the canonical value. For its author only.
    /// Not serialised: assessments that differ in it alone say the same.
    #[serde(skip)]
    pub raw: Option<Box<str>>,
    /// The judgement.
    pub verdict: Option<Verdict>,
    /// How sure the author is.
    pub confidence: Option<Confidence>,
    /// How much harm follows.
    pub severity: Option<Severity>,
    /// The value's part in it.
    pub involvement: Option<Involvement>,
    /// Where the knowledge comes from.
    pub basis: Option<Basis>,
    /// The harms, in order, each once.
    pub labels: Vec<Label>,
    /// The techniques, in order, each once.
    pub techniques: Vec<Technique>,
    /// When it was first seen in this part.
    pub first_seen: Option<Timestamp>,
    /// When it was last seen in this part.
    pub last_seen: Option<Timestamp>,
    /// When the assessment ends.
    pub valid_until: Option<Timestamp>,
    /// Free text for those who may see the assessment.
    pub note: Option<Box<str>>,
    /// Web addresses of reports.
    pub references: Vec<Box<str>>,
    /// The campaign that it belongs to: one that the author could see.
    pub campaign: Option<CampaignId>,
}

impl Assessment {
    /// An assessment that says nothing yet but what it is about.
    pub fn of(indicator: Indicator) -> Self {
        Self {
            indicator,
            raw: None,
            verdict: None,
            confidence: None,
            severity: None,
            involvement: None,
            basis: None,
            labels: Vec::new(),
            techniques: Vec::new(),
            first_seen: None,
            last_seen: None,
            valid_until: None,
            note: None,
            references: Vec::new(),
            campaign: None,
        }
    }

    /// The verdict, `suspicious` by default: a value in a report is not yet proof.
    pub fn verdict(&self) -> Verdict {
        self.verdict.unwrap_or(Verdict::Suspicious)
    }

    /// The confidence, 50 by default.
    pub fn confidence(&self) -> Confidence {
        self.confidence.unwrap_or(Confidence(50))
    }

    /// The severity, `medium` by default.
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or(Severity::Medium)
    }

    /// The involvement, `attacker` by default.
    pub fn involvement(&self) -> Involvement {
        self.involvement.unwrap_or(Involvement::Attacker)
    }

    /// The basis, `own` by default.
    pub fn basis(&self) -> Basis {
        self.basis.unwrap_or(Basis::Own)
    }

    /// When an assessment that was accepted at `accepted` ends: as its author says, else after the
    /// kind's default life.
    pub fn ends(&self, accepted: Timestamp) -> Timestamp {
        self.valid_until
            .unwrap_or_else(|| accepted.plus(Lifetime::of(self.indicator.kind()).default))
    }

    /// Whether saying the same again at `now` renews an assessment that was accepted at
    /// `accepted`: without an end of its own, once half of the kind's default life is gone.
    pub fn is_renewal(&self, accepted: Timestamp, now: Timestamp) -> bool {
        let half = Lifetime::of(self.indicator.kind()).default / 2;
        self.valid_until.is_none() && now.since(accepted) >= half
    }

    /// Checks the times against one another and against the kind's maximum life.
    pub fn check_times(&self, now: Timestamp) -> Result<(), Invalid> {
        if let (Some(first), Some(last)) = (self.first_seen, self.last_seen)
            && last < first
        {
            return Err(Invalid::new("last_seen", "is before first_seen"));
        }
        if let Some(end) = self.valid_until {
            let lifetime = Lifetime::of(self.indicator.kind());
            if end <= now {
                return Err(Invalid::new("valid_until", "is in the past"));
            }
            if end > now.plus(lifetime.maximum) {
                let days = lifetime.maximum.as_secs() / 86_400;
                let reason = format!(
                    "is further off than the {days} days that {} may live",
                    self.indicator.kind()
                );
                return Err(Invalid::new("valid_until", reason));
            }
        }
        Ok(())
    }
}

/// How long an assessment of a kind lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// When its author says nothing.
    pub default: Duration,
    /// At most.
    pub maximum: Duration,
}

impl Lifetime {
    /// Addresses change hands within weeks, names within years, and the digest of a file is the
    /// digest of that file for good.
    pub const fn of(kind: Kind) -> Lifetime {
        const DAY: u64 = 86_400;
        let (default, maximum) = match kind {
            Kind::Ip => (30, 365),
            Kind::Url | Kind::Phone | Kind::Email | Kind::Hashtag => (180, 730),
            Kind::Domain => (365, 1_825),
            Kind::Account
            | Kind::AccountId
            | Kind::Page
            | Kind::Community
            | Kind::Channel
            | Kind::AndroidPackage
            | Kind::IosAppId
            | Kind::CryptoAddress => (730, 3_650),
            Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Pdq | Kind::Tlsh => (1_825, 7_300),
        };
        Lifetime {
            default: Duration::from_secs(default * DAY),
            maximum: Duration::from_secs(maximum * DAY),
        }
    }
}

#[cfg(test)]
#[path = "assessment_tests.rs"]
mod tests;
