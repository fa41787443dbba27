//! Enforcements.

use uuid::Uuid;

use super::enums::ProtoEnum;
use super::{indicator, pb, sharing, timestamp};
use crate::domain::enforcement::{
    Enforcement, EnforcementCount, EnforcementId, EnforcementSource, MAX_COUNTS,
};
use crate::domain::sharing::SharingView;
use crate::domain::{CampaignId, Day, Invalid, PartnerId, Platform, Position, Timestamp};

/// Parses an enforcement and checks its fields against each other. Whether its author may see the
/// campaign and the tip is checked by the exchange.
pub fn read(enforcement: &pb::Enforcement) -> Result<Enforcement, Invalid> {
    let parsed = Enforcement {
        id: EnforcementId::parse(&enforcement.id)?,
        counts: read_counts(&enforcement.counts)?,
        method: ProtoEnum::read(enforcement.method)?,
        from: read_day("from", &enforcement.from)?,
        until: read_day("until", &enforcement.until)?,
        campaign: read_campaign("campaign", &enforcement.campaign)?,
        tip: read_tip(&enforcement.tip)?,
        note: (!enforcement.note.is_empty()).then(|| enforcement.note.as_str().into()),
        source: ProtoEnum::read(enforcement.source)?.unwrap_or(EnforcementSource::Own),
    };
    parsed.check()?;
    Ok(parsed)
}

/// Parses counts. An empty list is allowed.
pub fn read_counts(counts: &[pb::EnforcementCount]) -> Result<Vec<EnforcementCount>, Invalid> {
    if counts.len() > MAX_COUNTS {
        let reason = format!("has {} entries: the limit is {MAX_COUNTS}", counts.len());
        return Err(Invalid::new("counts", reason));
    }
    let read = |count: &pb::EnforcementCount| {
        let platform = Some(count.platform.as_str()).filter(|text| !text.is_empty());
        let platform = platform.map(Platform::parse).transpose();
        let parsed = EnforcementCount {
            asset: ProtoEnum::read(count.asset)?
                .ok_or_else(|| Invalid::new("counts.asset", "is missing"))?,
            platform: platform.map_err(|e| Invalid::new("counts.platform", e.reason))?,
            count: count.count,
            already_disabled: count.already_disabled,
            approximate: count.approximate,
        };
        parsed.check()?;
        Ok(parsed)
    };
    counts.iter().map(read).collect()
}

/// Parses a campaign's id. A malformed id gives the same error as a campaign that the author cannot
/// see.
pub fn read_campaign(field: &'static str, text: &str) -> Result<Option<CampaignId>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    CampaignId::parse(text).map(Some).map_err(|_| Invalid::new(field, UNSEEN_CAMPAIGN))
}

/// The error for a campaign that the caller cannot see. The same for one that does not exist, so
/// that the answer does not reveal which.
pub const UNSEEN_CAMPAIGN: &str = "is not a campaign that you see";

/// Converts an enforcement. The caller must first clear the campaign and the tip if the reader may
/// not know them.
pub fn write(enforcement: &Enforcement) -> pb::Enforcement {
    pb::Enforcement {
        id: enforcement.id.to_string(),
        counts: write_counts(&enforcement.counts),
        method: enforcement.method.map(pb::EnforcementMethod::from).unwrap_or_default().into(),
        from: enforcement.from.map(|day| day.to_string()).unwrap_or_default(),
        until: enforcement.until.map(|day| day.to_string()).unwrap_or_default(),
        campaign: enforcement.campaign.map(|id| id.to_string()).unwrap_or_default(),
        tip: enforcement.tip.map(write_tip).unwrap_or_default(),
        note: enforcement.note.as_deref().unwrap_or_default().to_owned(),
        source: pb::EnforcementSource::from(enforcement.source).into(),
    }
}

/// Converts counts.
pub fn write_counts(counts: &[EnforcementCount]) -> Vec<pb::EnforcementCount> {
    let counts = counts.iter().map(|count| pb::EnforcementCount {
        asset: pb::AssetKind::from(count.asset).into(),
        platform: count.platform.as_ref().map(ToString::to_string).unwrap_or_default(),
        count: count.count,
        already_disabled: count.already_disabled,
        approximate: count.approximate,
    });
    counts.collect()
}

/// Metadata of an enforcement, for one reader.
#[derive(Clone, Debug)]
pub struct EnforcementMeta<'a> {
    /// Its version.
    pub position: Position,
    /// Its author.
    pub author: &'a PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The version that it replaced, if the reader could see that one.
    pub replaces: Option<Position>,
    /// The reader's part of the sharing.
    pub view: &'a SharingView,
}

/// Converts an enforcement for one reader.
pub fn visible(enforcement: &Enforcement, meta: &EnforcementMeta<'_>) -> pb::VisibleEnforcement {
    pb::VisibleEnforcement {
        version: Some(indicator::version(meta.position)),
        author: meta.author.to_string(),
        accepted_at: Some(timestamp(meta.accepted)),
        enforcement: Some(write(enforcement)),
        sharing: Some(sharing::write(meta.view)),
        replaces: meta.replaces.map(indicator::version),
    }
}

/// Parses a day; `None` if empty.
pub fn read_day(field: &'static str, text: &str) -> Result<Option<Day>, Invalid> {
    let day = Some(text).filter(|text| !text.is_empty());
    day.map(|text| text.parse().map_err(|e: Invalid| Invalid::new(field, e.reason))).transpose()
}

/// Parses a tip's id; `None` if empty.
pub fn read_tip(text: &str) -> Result<Option<[u8; 16]>, Invalid> {
    match text {
        "" => Ok(None),
        text => match Uuid::try_parse(text) {
            Ok(id) if text.len() == 36 => Ok(Some(id.into_bytes())),
            _ => Err(Invalid::new("tip", UNSEEN_TIP)),
        },
    }
}

/// The error for a tip that is not the author's. The same for one that does not exist.
pub const UNSEEN_TIP: &str = "is not a tip of yours";

fn write_tip(tip: [u8; 16]) -> String {
    Uuid::from_bytes(tip).hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> pb::Enforcement {
        let pages = pb::EnforcementCount {
            asset: pb::AssetKind::Page.into(),
            platform: "facebook".into(),
            count: 7,
            already_disabled: 2,
            approximate: false,
        };
        pb::Enforcement {
            id: "2019-08:1".into(),
            counts: vec![pages],
            method: pb::EnforcementMethod::AfterTip.into(),
            from: "2019-08-19".into(),
            until: "2019-08-20".into(),
            campaign: CampaignId::from_bytes([7; 16]).to_string(),
            tip: write_tip([9; 16]),
            note: "on the tip of birdsite".into(),
            source: pb::EnforcementSource::Own.into(),
        }
    }

    #[test]
    fn an_enforcement_is_written_as_it_was_read() {
        assert_eq!(write(&read(&sent()).unwrap()), sent());
        let least = pb::Enforcement { counts: sent().counts, id: "1".into(), ..Default::default() };
        let own = pb::EnforcementSource::Own.into();
        assert_eq!(write(&read(&least).unwrap()), pb::Enforcement { source: own, ..least });
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_field() {
        type Spoil = fn(&mut pb::Enforcement);
        let table: [(&str, Spoil); 9] = [
            ("id", |one| one.id = "a b".into()),
            ("counts", |one| one.counts.clear()),
            ("counts.asset", |one| one.counts[0].asset = 0),
            ("counts.platform", |one| one.counts[0].platform = "two words".into()),
            ("counts.already_disabled", |one| one.counts[0].already_disabled = 8),
            ("method", |one| one.method = 99),
            ("from", |one| one.from = "yesterday".into()),
            ("campaign", |one| one.campaign = "spamouflage".into()),
            ("tip", |one| one.tip = "1".into()),
        ];
        for (field, spoil) in table {
            let mut sent = sent();
            spoil(&mut sent);
            assert_eq!(read(&sent).unwrap_err().field, field);
        }
    }
}
