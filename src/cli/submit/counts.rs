//! Sends the counts of removed assets in a report as enforcements: the submitter's own if it owns
//! the platform, otherwise as reported removals by others.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::{output, render, request, text};
use super::items::Source;
use crate::client::Client;
use crate::domain::enforcement::AssetKind;
use crate::domain::hex;
use crate::formats::Count;
use crate::wire::pb;

/// Enforcements per request. The maximum that an exchange accepts.
const MAX_REQUEST_ENFORCEMENTS: usize = 1_000;

/// The receipts of all counts of an input.
#[derive(Debug, Default)]
pub struct CountReceipts {
    receipts: Vec<CountReceipt>,
}

/// The receipt of one count.
#[derive(Debug)]
struct CountReceipt {
    source: Source,
    sent: pb::Enforcement,
    item: pb::ItemReceipt,
    /// Whether the exchange had already counted it.
    counted_before: bool,
}

/// A count, its place in the input, and the digest of the file. The digest makes it count once.
pub type SourcedCount = (Source, Count, [u8; 32]);

/// The counts of an input as enforcements. The id of each is derived from the content of the file and the row, so that it
/// counts once however often it is sent.
pub fn enforcements(
    input: &[SourcedCount],
    own_platforms: &[String],
    campaign: Option<&str>,
) -> Vec<(Source, pb::Enforcement)> {
    let mut counts_per_row: HashMap<(String, usize), usize> = HashMap::new();
    let counts = input.iter().map(|(source, count, digest)| {
        let file = hex::encode(&digest[..16]);
        // A row may hold several counts.
        let nth = counts_per_row.entry((file.clone(), source.row)).or_default();
        *nth += 1;
        let id = match nth {
            1 => format!("report:{file}:{}", source.row),
            nth => format!("report:{file}:{}:{nth}", source.row),
        };
        (source.clone(), enforcement(id, count, own_platforms, campaign))
    });
    counts.collect()
}

/// Sends enforcements.
pub async fn send(
    client: &Client,
    counts: Vec<(Source, pb::Enforcement)>,
    sharing: &pb::Sharing,
) -> Result<CountReceipts, Failure> {
    let mut receipts = CountReceipts::default();
    for counts in counts.chunks(MAX_REQUEST_ENFORCEMENTS) {
        let enforcements = counts.iter().map(|(_, one)| one.clone()).collect();
        let sharing = Some(sharing.clone());
        let mut request =
            pb::ReportEnforcementRequest { request_id: String::new(), sharing, enforcements };
        request.request_id = request::id_of(&request, false);
        let response = client.report_enforcement(request).await?;
        for ((source, sent), item) in counts.iter().zip(response.items) {
            let counted_before = response.replayed || item.status() == pb::ItemStatus::Unchanged;
            let (source, sent) = (source.clone(), sent.clone());
            receipts.receipts.push(CountReceipt { source, sent, item, counted_before });
        }
    }
    Ok(receipts)
}

fn enforcement(
    id: String,
    count: &Count,
    own_platforms: &[String],
    campaign: Option<&str>,
) -> pb::Enforcement {
    let asset: AssetKind = count.asset.parse().unwrap_or(AssetKind::Other);
    let is_own =
        !count.platforms.is_empty() && count.platforms.iter().all(|on| own_platforms.contains(on));
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
    /// Whether any count was rejected.
    pub fn any_rejected(&self) -> bool {
        self.receipts.iter().any(|one| one.item.status() == pb::ItemStatus::Rejected)
    }

    /// Prints one line per count.
    pub fn print(&self) -> Result<(), Failure> {
        for CountReceipt { source, sent, item, counted_before } in &self.receipts {
            let what: Vec<_> = sent.counts.iter().map(render::enforcement::count).collect();
            let separator = if sent.note.is_empty() { "" } else { " " };
            let outcome = match item.status() {
                pb::ItemStatus::Rejected => {
                    let rejected = output::paint(output::BAD, "rejected");
                    format!("{rejected}: {} {}", item.field, item.reason)
                }
                _ if *counted_before => format!("{}, counted before", kind(sent)),
                _ => kind(sent).to_owned(),
            };
            output::line(&format!(
                "count     {} {}: {}{separator}{}, {outcome}",
                source.file,
                source.row,
                what.join(", "),
                sent.note
            ))?;
        }
        Ok(())
    }

    /// One JSON object per count.
    pub fn objects(&self) -> impl Iterator<Item = Value> {
        self.receipts.iter().map(|CountReceipt { source, sent, item, counted_before }| {
            let count = sent.counts.first().cloned().unwrap_or_default();
            let reason = format!("{} {}", item.field, item.reason);
            json!({ "count": {
                "file": source.file,
                "row": source.row,
                "enforcement_id": sent.id,
                "source": render::enforcement::source(sent.source()),
                "asset": render::enforcement::asset(count.asset()),
                "platform": count.platform,
                "count": count.count,
                "approximate": count.approximate,
                "status": text::enum_name(item.status().as_str_name(), "ITEM_STATUS_"),
                "counted_before": counted_before,
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
    fn a_count_is_an_own_enforcement_if_the_submitter_owns_every_platform_else_a_report() {
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
            let enforcement = enforcement("1".into(), &count(platforms), &own, None);
            let counted = &enforcement.counts[0];
            assert_eq!(
                (enforcement.source(), counted.platform.as_str(), enforcement.note.as_str()),
                (source, platform, note)
            );
            assert_eq!((counted.count, counted.approximate), (936, true));
            assert!(crate::wire::enforcement::read(&enforcement).is_ok());
        }
    }
}
