//! What a platform did: how many assets of which kind it acted against, how it came to, and when.

pub mod totals;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::assessment::words;
use super::campaign::CampaignId;
use super::day::Day;
use super::entry::SubmissionId;
use super::invalid::Invalid;
use super::partner::PartnerId;
use super::platform::Platform;
use super::time::Timestamp;

/// The most counts of one enforcement.
pub const MAX_COUNTS: usize = 50;
/// The most characters of a note on an enforcement; and of its bytes, so that it fits one value of
/// the index.
pub const MAX_NOTE: (usize, usize) = (1_000, 3_000);

words! {
    /// What sort of thing was acted against.
    AssetKind, "asset" {
        /// Accounts and profiles.
        Account = "account",
        /// Pages.
        Page = "page",
        /// Groups and communities.
        Group = "group",
        /// Channels.
        Channel = "channel",
        /// Automated accounts, where they are told apart.
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
        /// Assets that the author does not tell apart.
        Asset = "asset",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// How the author came to act.
    EnforcementMethod, "method" {
        /// Its automated systems found it by themselves.
        ProactiveAutomated = "proactive_automated",
        /// Somebody tipped it off.
        AfterTip = "after_tip",
        /// Its own people looked into it.
        AfterInvestigation = "after_investigation",
    }
}

words! {
    /// Whose deed it is.
    EnforcementSource, "source" {
        /// The author's own.
        Own = "own",
        /// Another's, which the author only reports.
        Reported = "reported",
    }
}

/// The author's name for what was done, scoped to it: 1 to 128 of `A-Z a-z 0-9 . _ : -`. The same
/// name again is a correction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EnforcementId(SubmissionId);

impl EnforcementId {
    /// Takes an author's id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let read = SubmissionId::parse(text);
        read.map(Self).map_err(|invalid| Invalid::new("id", invalid.reason))
    }

    /// Takes an id from the journal or the index as it was stored.
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

/// So many assets of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnforcementCount {
    /// Of which kind.
    pub asset: AssetKind,
    /// On which platform, where it is one.
    pub platform: Option<Platform>,
    /// How many: at least one.
    pub count: u64,
    /// How many of them automated systems had disabled before: at most `count`.
    pub already_disabled: u64,
    /// Whether the number is not exact.
    pub approximate: bool,
}

impl EnforcementCount {
    /// An exact count, none of it disabled before.
    pub const fn new(asset: AssetKind, platform: Option<Platform>, count: u64) -> Self {
        Self { asset, platform, count, already_disabled: 0, approximate: false }
    }

    /// Checks the numbers against one another.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.count == 0 {
            return Err(Invalid::new(
                "counts.count",
                "is missing: what was done was done at least once",
            ));
        }
        if self.already_disabled > self.count {
            let reason = format!(
                "is {}, and no more than the {} counted",
                self.already_disabled, self.count
            );
            return Err(Invalid::new("counts.already_disabled", reason));
        }
        Ok(())
    }
}

/// One deed, or the report of one, as its author sent it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Enforcement {
    /// The author's name for it.
    pub id: EnforcementId,
    /// What it came to: 1 to [`MAX_COUNTS`].
    pub counts: Vec<EnforcementCount>,
    /// How the author came to act; not of what it only reports.
    pub method: Option<EnforcementMethod>,
    /// On which day, or from which on.
    pub from: Option<Day>,
    /// Up to which day.
    pub until: Option<Day>,
    /// The campaign that it was done against.
    pub campaign: Option<CampaignId>,
    /// The tip that caused it, by its 16 bytes.
    pub tip: Option<[u8; 16]>,
    /// Free text for those who may see it.
    pub note: Option<Box<str>>,
    /// Whose deed it is.
    pub source: EnforcementSource,
}

impl Enforcement {
    /// Checks the fields against one another.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.counts.is_empty() || self.counts.len() > MAX_COUNTS {
            let reason =
                format!("has {} entries, and may have 1 to {MAX_COUNTS}", self.counts.len());
            return Err(Invalid::new("counts", reason));
        }
        self.counts.iter().try_for_each(EnforcementCount::check)?;
        if self.from.zip(self.until).is_some_and(|(from, until)| until < from) {
            return Err(Invalid::new("until", "is before from"));
        }
        if self.source == EnforcementSource::Reported && self.method.is_some() {
            let reason =
                "is for what you did yourself: how another came to act is not yours to say";
            return Err(Invalid::new("method", reason));
        }
        let note = self.note.as_deref().unwrap_or_default();
        let (chars, bytes) = MAX_NOTE;
        if note.chars().count() > chars || note.len() > bytes {
            let reason = format!("is longer than {chars} characters or {bytes} bytes");
            return Err(Invalid::new("note", reason));
        }
        Ok(())
    }

    /// Checks it against who owns which platform: nobody counts as its own deed what was done where
    /// another partner is at home, or the owner's own report of it would count it twice.
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
                    "`{platform}` is another partner's: what was done there is its deed, and `reported` \
                     by you"
                );
                Err(Invalid::new("counts.platform", reason))
            }
            None => Ok(()),
        }
    }

    /// The first and the last day on which it was done: as its author says, else the day on which it was
    /// accepted.
    pub fn days(&self, accepted: Timestamp) -> (Day, Day) {
        let first = self.from.or(self.until).unwrap_or_else(|| Day::of(accepted));
        (first, self.until.unwrap_or(first))
    }

    /// How many assets there are in sum, and how many of them were disabled before.
    pub fn sum(&self) -> (u64, u64) {
        self.counts.iter().fold((0, 0), |(count, disabled), one| {
            (count.saturating_add(one.count), disabled.saturating_add(one.already_disabled))
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
        let deed = enforcement(vec![accounts(936)]);
        assert_eq!(deed.check_owners(&birdsite, owner), Ok(()));
        assert_eq!(deed.check_owners(&facegraph, owner).unwrap_err().field, "counts.platform");
        let reported = Enforcement { source: EnforcementSource::Reported, ..deed };
        assert_eq!(reported.check_owners(&facegraph, owner), Ok(()));
    }
}
