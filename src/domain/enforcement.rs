//! Enforcements: what a platform acted against, in counts per kind of asset, with method and dates.

pub mod totals;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::assessment::text_enum;
use super::campaign::CampaignId;
use super::day::Day;
use super::entry::SubmissionId;
use super::invalid::Invalid;
use super::partner::PartnerId;
use super::platform::Platform;
use super::text;
use super::time::Timestamp;

/// Maximum number of counts in one enforcement.
pub const MAX_COUNTS: usize = 50;
/// Maximum length of a note on an enforcement, in characters and in bytes. The bytes keep it within
/// one value of the index.
pub const MAX_NOTE: (usize, usize) = (1_000, 3_000);

text_enum! {
    /// The kind of asset that was acted against.
    AssetKind, "asset" {
        /// Accounts and profiles.
        Account = "account",
        /// Pages.
        Page = "page",
        /// Groups and communities.
        Group = "group",
        /// Channels.
        Channel = "channel",
        /// Automated accounts, if the author counts them separately.
        Bot = "bot",
        /// Posts and comments.
        Post = "post",
        /// Events.
        Event = "event",
        /// Advertisements.
        Ad = "ad",
        /// Domains.
        Domain = "domain",
        /// Websites.
        Website = "website",
        /// Apps.
        App = "app",
        /// Assets of kinds that the author does not distinguish.
        Asset = "asset",
        /// Anything else.
        Other = "other",
    }
}

text_enum! {
    /// What led to the enforcement.
    EnforcementMethod, "method" {
        /// The author's automated systems detected it.
        ProactiveAutomated = "proactive_automated",
        /// A tip.
        AfterTip = "after_tip",
        /// An investigation by the author's own staff.
        AfterInvestigation = "after_investigation",
    }
}

text_enum! {
    /// Who enforced.
    EnforcementSource, "source" {
        /// The author itself.
        Own = "own",
        /// Someone else; the author only reports it.
        Reported = "reported",
    }
}

/// The author's id for an enforcement, scoped to the author: 1 to 128 of `A-Z a-z 0-9 . _ : -`.
/// Reusing an id corrects the earlier enforcement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EnforcementId(SubmissionId);

impl EnforcementId {
    /// Validates an author's id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let read = SubmissionId::parse(text);
        read.map(Self).map_err(|invalid| Invalid::new("id", invalid.reason))
    }

    /// Takes an id from the journal or the index, without validation.
    pub fn from_stored(text: &str) -> Self {
        Self(SubmissionId::from_stored(text))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for EnforcementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A number of assets of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnforcementCount {
    /// The kind of asset.
    pub asset: AssetKind,
    /// The platform; `None` if there is none, or several.
    pub platform: Option<Platform>,
    /// The number of assets, at least 1.
    pub count: u64,
    /// How many of them automated systems had already disabled; at most `count`.
    pub already_disabled: u64,
    /// Whether the number is an estimate.
    pub approximate: bool,
}

impl EnforcementCount {
    /// An exact count with no assets already disabled.
    pub const fn new(asset: AssetKind, platform: Option<Platform>, count: u64) -> Self {
        Self { asset, platform, count, already_disabled: 0, approximate: false }
    }

    /// Checks the numbers against each other.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.count == 0 {
            return Err(Invalid::new("counts.count", "is missing: it must be at least 1"));
        }
        if self.already_disabled > self.count {
            let reason =
                format!("is {}, more than the count of {}", self.already_disabled, self.count);
            return Err(Invalid::new("counts.already_disabled", reason));
        }
        Ok(())
    }
}

/// One enforcement, own or reported, as its author sent it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Enforcement {
    /// The author's id.
    pub id: EnforcementId,
    /// The affected assets: 1 to [`MAX_COUNTS`] counts.
    pub counts: Vec<EnforcementCount>,
    /// What led to it; `None` if it is only reported.
    pub method: Option<EnforcementMethod>,
    /// The day, or the first day, of the enforcement.
    pub from: Option<Day>,
    /// The last day.
    pub until: Option<Day>,
    /// The campaign that it was directed against.
    pub campaign: Option<CampaignId>,
    /// The id of the tip that led to it, 16 bytes.
    pub tip: Option<[u8; 16]>,
    /// Free text for everyone who may see the enforcement.
    pub note: Option<Box<str>>,
    /// Who enforced.
    pub source: EnforcementSource,
}

impl Enforcement {
    /// Checks the fields against each other.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.counts.is_empty() || self.counts.len() > MAX_COUNTS {
            let reason =
                format!("has {} entries: the limit is 1 to {MAX_COUNTS}", self.counts.len());
            return Err(Invalid::new("counts", reason));
        }
        self.counts.iter().try_for_each(EnforcementCount::check)?;
        if self.from.zip(self.until).is_some_and(|(from, until)| until < from) {
            return Err(Invalid::new("until", "is before from"));
        }
        if self.source == EnforcementSource::Reported && self.method.is_some() {
            let reason = "is only for your own enforcements: leave it out for one that you report";
            return Err(Invalid::new("method", reason));
        }
        let note = self.note.as_deref().unwrap_or_default();
        let (chars, bytes) = MAX_NOTE;
        text::check("note", note, chars)?;
        if note.len() > bytes {
            return Err(Invalid::new("note", format!("is longer than {bytes} bytes")));
        }
        Ok(())
    }

    /// Refuses an own enforcement on a platform that another partner owns. Otherwise the owner's
    /// own enforcement would be counted twice.
    pub fn check_owners<'a>(
        &self,
        author: &PartnerId,
        owner: impl Fn(&Platform) -> Option<&'a PartnerId>,
    ) -> Result<(), Invalid> {
        if self.source == EnforcementSource::Reported {
            return Ok(());
        }
        let platforms = self.counts.iter().filter_map(|count| count.platform.as_ref());
        match platforms.into_iter().find(|platform| owner(platform).is_some_and(|id| id != author))
        {
            Some(platform) => {
                let reason = format!(
                    "`{platform}` belongs to another partner: what others removed has the source `reported`"
                );
                Err(Invalid::new("counts.platform", reason))
            }
            None => Ok(()),
        }
    }

    /// The first and last day: as the author gives them, else the day of acceptance.
    pub fn days(&self, accepted: Timestamp) -> (Day, Day) {
        let first = self.from.or(self.until).unwrap_or_else(|| Day::of(accepted));
        (first, self.until.unwrap_or(first))
    }

    /// The total number of assets, and how many of them were already disabled.
    pub fn sum(&self) -> (u64, u64) {
        self.counts.iter().fold((0, 0), |(total, disabled), item| {
            (total.saturating_add(item.count), disabled.saturating_add(item.already_disabled))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enforcement(counts: Vec<EnforcementCount>) -> Enforcement {
        Enforcement {
            id: EnforcementId::parse("2019-08:1").unwrap(),
            counts,
            method: None,
            from: None,
            until: None,
            campaign: None,
            tip: None,
            note: None,
            source: EnforcementSource::Own,
        }
    }

    fn accounts(count: u64) -> EnforcementCount {
        EnforcementCount::new(AssetKind::Account, Some(Platform::from_stored("x")), count)
    }

    #[test]
    fn what_does_not_hold_is_named_by_its_field() {
        let good = enforcement(vec![accounts(936)]);
        assert_eq!(good.check(), Ok(()));
        let day = |text: &str| Some(text.parse().unwrap());
        let table = [
            (enforcement(Vec::new()), "counts"),
            (enforcement(vec![accounts(1); MAX_COUNTS + 1]), "counts"),
            (enforcement(vec![accounts(0)]), "counts.count"),
            (
                enforcement(vec![EnforcementCount { already_disabled: 6, ..accounts(5) }]),
                "counts.already_disabled",
            ),
            (
                Enforcement { from: day("2019-08-20"), until: day("2019-08-19"), ..good.clone() },
                "until",
            ),
            (
                Enforcement {
                    source: EnforcementSource::Reported,
                    method: Some(EnforcementMethod::AfterTip),
                    ..good.clone()
                },
                "method",
            ),
            (Enforcement { note: Some("x".repeat(1_001).into()), ..good.clone() }, "note"),
        ];
        for (wrong, field) in table {
            assert_eq!(wrong.check().unwrap_err().field, field);
        }
        assert_eq!(EnforcementId::parse("a b").unwrap_err().field, "id");
    }

    #[test]
    fn nobody_counts_as_its_own_what_was_done_where_another_is_at_home() {
        let (birdsite, facegraph) =
            (PartnerId::from_stored("birdsite"), PartnerId::from_stored("facegraph"));
        let owner = |platform: &Platform| (platform.as_str() == "x").then_some(&birdsite);
        let own = enforcement(vec![accounts(936)]);
        assert_eq!(own.check_owners(&birdsite, owner), Ok(()));
        assert_eq!(own.check_owners(&facegraph, owner).unwrap_err().field, "counts.platform");
        let reported = Enforcement { source: EnforcementSource::Reported, ..own };
        assert_eq!(reported.check_owners(&facegraph, owner), Ok(()));
    }
}
