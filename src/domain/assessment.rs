//! What one partner asserts about one indicator to one audience.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::AccountNames;
use super::campaign::CampaignId;
use super::indicator::{Indicator, Kind};
use super::invalid::Invalid;
use super::label::Label;
use super::time::Timestamp;

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident, $field:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// Every variant, in declaration order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The spelling in files, on the command line and in output.
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
                $name::ALL.iter().copied().find(|variant| variant.as_str() == text).ok_or_else(|| {
                    let known = [$($word,)+].join(", ");
                    Invalid::new($field, format!("`{text}` is not one of: {known}"))
                })
            }
        }
    };
}

pub(super) use text_enum;

text_enum! {
    /// The author's judgement of the indicator, from the weakest to the strongest.
    Verdict, "verdict" {
        /// Reviewed, and not a threat. Disputes the stronger verdicts.
        NonMalicious = "non_malicious",
        /// Seen, but not judged.
        Unknown = "unknown",
        /// Signs of abuse, not confirmed.
        Suspicious = "suspicious",
        /// Confirmed abuse.
        Malicious = "malicious",
    }
}

text_enum! {
    /// How much harm a late reaction causes, from the least to the most.
    Severity, "severity" {
        /// For information only.
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

text_enum! {
    /// The role that the indicator plays in the abuse.
    Involvement, "involvement" {
        /// Run by the attacker.
        Attacker = "attacker",
        /// Harmed, impersonated or taken over.
        Victim = "victim",
        /// A legitimate service that is abused, such as a link shortener.
        AbusedService = "abused_service",
        /// Neither: amplified, quoted or otherwise related.
        ThirdParty = "third_party",
    }
}

text_enum! {
    /// The source of the author's knowledge.
    Basis, "basis" {
        /// The author's own finding.
        Own = "own",
        /// Received from someone else.
        Received = "received",
        /// Published.
        Public = "public",
    }
}

/// The author's confidence, from 0 (a guess) to 100 (confirmed): the scale of STIX 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Confidence(u8);

impl Confidence {
    /// Accepts 0 to 100.
    pub fn new(percent: u32) -> Result<Self, Invalid> {
        u8::try_from(percent)
            .ok()
            .filter(|p| *p <= 100)
            .map(Self)
            .ok_or_else(|| Invalid::new("confidence", format!("{percent} is not within 0 to 100")))
    }

    /// The value, 0 to 100.
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

/// A technique, by its number in Meta's online operations kill chain (`0.9.4`) or in DISARM
/// (`T0090`, `T0090.001`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Technique(Box<str>);

impl Technique {
    /// Accepts a number of either scheme.
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

    /// Takes a number from the journal or the index, without validation.
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

/// One assessment as its author sent it, before defaults. Two assessments are equal if they say the
/// same; the exchange then answers `unchanged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The indicator, in this author's spelling.
    pub indicator: Indicator,
    /// The value as the author wrote it, if it differs from the canonical one. Shown to the author
    /// only. Not serialised, so it does not count in comparisons.
    #[serde(skip)]
    pub raw: Option<Box<str>>,
    /// The author's judgement.
    pub verdict: Option<Verdict>,
    /// How confident the author is.
    pub confidence: Option<Confidence>,
    /// How much harm a late reaction causes.
    pub severity: Option<Severity>,
    /// The role that the indicator plays.
    pub involvement: Option<Involvement>,
    /// The source of the author's knowledge.
    pub basis: Option<Basis>,
    /// Harm labels, sorted and without duplicates.
    pub labels: Vec<Label>,
    /// Techniques, sorted and without duplicates.
    pub techniques: Vec<Technique>,
    /// When the indicator was first seen in this role.
    pub first_seen: Option<Timestamp>,
    /// When the indicator was last seen in this role.
    pub last_seen: Option<Timestamp>,
    /// When the assessment expires.
    pub valid_until: Option<Timestamp>,
    /// Free text for everyone who may see the assessment.
    pub note: Option<Box<str>>,
    /// URLs of reports.
    pub references: Vec<Box<str>>,
    /// The campaign that the indicator belongs to. The author could see it when it wrote this.
    pub campaign: Option<CampaignId>,
    /// Other names of the account; none for other kinds.
    pub account: AccountNames,
}

impl Verdict {
    /// The verdict where none is stated: a value in a report is not yet proof.
    pub const DEFAULT: Self = Self::Suspicious;
}

impl Involvement {
    /// The involvement where none is stated.
    pub const DEFAULT: Self = Self::Attacker;
}

impl Assessment {
    /// An assessment with only its indicator set.
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
            account: AccountNames::default(),
        }
    }

    /// The verdict, or [`Verdict::DEFAULT`].
    pub fn verdict(&self) -> Verdict {
        self.verdict.unwrap_or(Verdict::DEFAULT)
    }

    /// The confidence. Defaults to 50.
    pub fn confidence(&self) -> Confidence {
        self.confidence.unwrap_or(Confidence(50))
    }

    /// The severity. Defaults to `medium`.
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or(Severity::Medium)
    }

    /// The involvement, or [`Involvement::DEFAULT`].
    pub fn involvement(&self) -> Involvement {
        self.involvement.unwrap_or(Involvement::DEFAULT)
    }

    /// The basis. Defaults to `own`.
    pub fn basis(&self) -> Basis {
        self.basis.unwrap_or(Basis::Own)
    }

    /// The other names of the account that it is about, as indicators.
    pub fn other_names(&self) -> Vec<Indicator> {
        let platform = self.indicator.platform().filter(|_| !self.account.is_empty());
        platform.map(|platform| self.account.indicators(platform).collect()).unwrap_or_default()
    }

    /// When an assessment accepted at `accepted` expires: `valid_until`, or the default lifetime of
    /// its kind.
    pub fn expires_at(&self, accepted: Timestamp) -> Timestamp {
        self.valid_until
            .unwrap_or_else(|| accepted.plus(Lifetime::of(self.indicator.kind()).default))
    }

    /// Whether an identical assessment at `now` renews one accepted at `accepted`. It does if there
    /// is no `valid_until` and half of the kind's default lifetime has passed.
    pub fn is_renewal(&self, accepted: Timestamp, now: Timestamp) -> bool {
        let half = Lifetime::of(self.indicator.kind()).default / 2;
        self.valid_until.is_none() && now.since(accepted) >= half
    }

    /// Checks the times against each other and against the kind's maximum lifetime.
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
                    "is later than the maximum for the kind {}: {days} days from now",
                    self.indicator.kind()
                );
                return Err(Invalid::new("valid_until", reason));
            }
        }
        Ok(())
    }
}

/// How long an assessment of a kind is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Used when the author sets no `valid_until`.
    pub default: Duration,
    /// The latest `valid_until`, counted from now.
    pub maximum: Duration,
}

impl Lifetime {
    /// The lifetime of a kind. IP addresses change owners within weeks, names within years; a
    /// file's digest never changes.
    pub const fn of(kind: Kind) -> Lifetime {
        const DAY: u64 = 86_400;
        let (default, maximum) = match kind {
            Kind::Ip | Kind::Network => (30, 365),
            Kind::Url | Kind::Phone | Kind::Email | Kind::Hashtag | Kind::Asn => (180, 730),
            Kind::Domain => (365, 1_825),
            Kind::Account
            | Kind::AccountId
            | Kind::Page
            | Kind::Community
            | Kind::Channel
            | Kind::AndroidPackage
            | Kind::IosAppId
            | Kind::CryptoAddress => (730, 3_650),
            Kind::Md5
            | Kind::Sha1
            | Kind::Sha256
            | Kind::Sha512
            | Kind::Pdq
            | Kind::Tlsh
            | Kind::Ssdeep => (1_825, 7_300),
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
