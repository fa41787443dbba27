//! Counts of removed assets in a report, as enforcements: the submitter's own where it owns the platform,
//! and else what it reports that another removed.

use std::collections::HashMap;

use prost::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::failure::Failure;
use super::super::{deeds, output, request, words};
use super::Source;
use crate::client::Client;
use crate::domain::enforcement::AssetKind;
use crate::formats::Count;
use crate::wire::pb;

/// The most enforcements of one request.
const REQUEST_ENFORCEMENTS: usize = 1_000;

/// What became of each count of an input.
#[derive(Debug, Default)]
pub struct CountReceipts {
    counts: Vec<One>,
}

/// What became of one count.
#[derive(Debug)]
struct One {
    source: Source,
    sent: pb::Enforcement,
    item: pb::ItemReceipt,
    /// Whether it had been counted before.
    before: bool,
}

/// A count, and where it stands: with the digest of its file, by which it counts once.
pub type Placed<'a> = (&'a Source, &'a Count, [u8; 32]);

/// Sends the counts of an input. The id of each is derived from what the file holds and from the row
/// alone, so that nothing counts twice, however often it is sent.
pub async fn send(
    client: &Client,
    placed: &[Placed<'_>],
    sharing: &pb::Sharing,
    campaign: Option<&str>,
) -> Result<CountReceipts, Failure> {
    let mut counted = CountReceipts::default();
    if placed.is_empty() {
        return Ok(counted);
    }
    let own = client.who_am_i().await?.partner.unwrap_or_default().platforms;
    let mut seen: HashMap<(String, usize), usize> = HashMap::new();
    let counts: Vec<_> = placed
        .iter()
        .map(|(source, count, digest)| {
            let file: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
            // A row may hold several counts.
            let nth = seen.entry((file.clone(), source.row)).or_default();
            *nth += 1;
            let id = match nth {
                1 => format!("report:{file}:{}", source.row),
                nth => format!("report:{file}:{}:{nth}", source.row),
            };
            ((*source).clone(), enforcement(id, count, &own, campaign))
        })
        .collect();
    for counts in counts.chunks(REQUEST_ENFORCEMENTS) {
        let enforcements = counts.iter().map(|(_, one)| one.clone()).collect();
        let sharing = Some(sharing.clone());
        let mut asked =
            pb::ReportEnforcementRequest { request_id: String::new(), sharing, enforcements };
        let digest = Sha256::new_with_prefix(asked.encode_to_vec());
        asked.request_id = request::id(digest, false);
        let answer = client.report_enforcement(asked).await?;
        for ((source, sent), item) in counts.iter().zip(answer.items) {
            let before = answer.replayed || item.status() == pb::ItemStatus::Unchanged;
            let (source, sent) = (source.clone(), sent.clone());
            counted.counts.push(One { source, sent, item, before });
        }
    }
    Ok(counted)
}

fn enforcement(
    id: String,
    count: &Count,
    own: &[String],
    campaign: Option<&str>,
) -> pb::Enforcement {
    let asset: AssetKind = count.asset.parse().unwrap_or(AssetKind::Other);
    let is_own = !count.platforms.is_empty() && count.platforms.iter().all(|on| own.contains(on));
    let source = if is_own { pb::EnforcementSource::Own } else { pb::EnforcementSource::Reported };
    let (platform, note) = match count.platforms.as_slice() {
        [] => (String::new(), String::new()),
        [one] => (one.clone(), String::new()),
        several => (String::new(), format!("on {} together", several.join(" and "))),
    };
    let counted = pb::EnforcementCount {
        asset: pb::AssetKind::from(asset).into(),
        platform,
        count: count.count,
        already_disabled: 0,
        approximate: count.approximate,
    };
    pb::Enforcement {
        id,
        counts: vec![counted],
        source: source.into(),
        campaign: campaign.unwrap_or_default().to_owned(),
        note,
        ..pb::Enforcement::default()
    }
}

impl CountReceipts {
    /// Whether one of them was rejected.
    pub fn is_in_part(&self) -> bool {
        self.counts.iter().any(|one| one.item.status() == pb::ItemStatus::Rejected)
    }

    /// Tells people of each.
    pub fn tell(&self) -> Result<(), Failure> {
        for One { source, sent, item, before } in &self.counts {
            let what: Vec<_> = sent.counts.iter().map(deeds::count).collect();
            let together = if sent.note.is_empty() { "" } else { " " };
            let became = match item.status() {
                pb::ItemStatus::Rejected => {
                    let rejected = output::paint(output::BAD, "rejected");
                    format!("{rejected}: {} {}", item.field, item.reason)
                }
                _ if *before => format!("{}, counted before", kind(sent)),
                _ => kind(sent).to_owned(),
            };
            output::line(&format!(
                "count     {} {}: {}{together}{}, {became}",
                source.file,
                source.row,
                what.join(", "),
                sent.note
            ))?;
        }
        Ok(())
    }

    /// An object for each, for scripts.
    pub fn objects(&self) -> impl Iterator<Item = Value> {
        self.counts.iter().map(|One { source, sent, item, before }| {
            let count = sent.counts.first().cloned().unwrap_or_default();
            let reason = format!("{} {}", item.field, item.reason);
            json!({ "count": {
                "file": source.file,
                "row": source.row,
                "enforcement": sent.id,
                "source": deeds::source(sent.source()),
                "asset": deeds::asset(count.asset()),
                "platform": count.platform,
                "count": count.count,
                "approximate": count.approximate,
                "status": words::name(item.status().as_str_name(), "ITEM_STATUS_"),
                "counted_before": before,
                "reason": (!item.reason.is_empty()).then_some(reason),
            }})
        })
    }
}

/// What a count was stored as.
fn kind(one: &pb::Enforcement) -> &'static str {
    match one.source() {
        pb::EnforcementSource::Reported => "a removal by another, as reported",
        pb::EnforcementSource::Own | pb::EnforcementSource::Unspecified => "enforcement",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(platforms: &[&str]) -> Count {
        let platforms = platforms.iter().map(ToString::to_string).collect();
        Count { count: 936, approximate: true, platforms, asset: "account" }
    }

    #[test]
    fn a_count_is_the_submitters_deed_where_it_owns_every_platform_and_else_a_report() {
        let own = ["facebook".to_owned(), "instagram".to_owned()];
        let table = [
            (&["facebook"][..], pb::EnforcementSource::Own, "facebook", ""),
            (&["x"], pb::EnforcementSource::Reported, "x", ""),
            (&[], pb::EnforcementSource::Reported, "", ""),
            (
                &["facebook", "instagram"],
                pb::EnforcementSource::Own,
                "",
                "on facebook and instagram together",
            ),
            (&["facebook", "x"], pb::EnforcementSource::Reported, "", "on facebook and x together"),
        ];
        for (platforms, source, platform, note) in table {
            let made = enforcement("1".into(), &count(platforms), &own, None);
            let counted = &made.counts[0];
            assert_eq!(
                (made.source(), counted.platform.as_str(), made.note.as_str()),
                (source, platform, note)
            );
            assert_eq!((counted.count, counted.approximate), (936, true));
            assert!(crate::wire::enforcement::read(&made).is_ok());
        }
    }
}
