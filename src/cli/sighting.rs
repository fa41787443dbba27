//! `tipoff sighting`

use serde_json::json;

use super::audience::SharingFlags;
use super::failure::{Completion, Failure, Outcome};
use super::values::{self, ReadAs, Reading};
use super::{Global, identity, numbers, output, request, text};
use crate::domain::Indicator;
use crate::wire::pb;

/// Sightings per request. The maximum that an exchange accepts.
const MAX_REQUEST_SIGHTINGS: usize = 1_000;

/// Report that you saw an indicator
#[derive(Debug, clap::Args)]
#[command(
    after_help = "You can report sightings of indicators that you can see on the exchange. A sighting is \
                  shared like your own reports. Running the same command again counts nothing twice. \
                  If you can see none of the values, the exit code is 1, and if you cannot see some of \
                  them, 5. Without --kind, a value is counted as every known indicator that it can be."
)]
pub struct Sighting {
    /// Values; `-` reads them from stdin, one per line
    #[arg(required = true, value_name = "VALUE|-")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
    /// How often each value was seen
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = numbers::at_least::<u64>(1))]
    count: u64,
    /// Time of the first sighting, such as 2026-11-24 or 2026-11-24T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = text::read_time)]
    first_seen: Option<prost_types::Timestamp>,
    /// Time of the last sighting
    #[arg(long, value_name = "TIME", value_parser = text::read_time)]
    last_seen: Option<prost_types::Timestamp>,
    /// Count it as a new sighting even if the same was reported before
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    sharing: SharingFlags,
}

/// The sum of the receipts of all requests.
#[derive(Debug, Default)]
struct SightingTotals {
    counted: u64,
    /// Number of requests that the exchange had already counted.
    replayed: usize,
    requests: usize,
    sequences: Vec<u64>,
    /// For each sighting sent, the receipt if it was rejected.
    rejected: Vec<Option<pb::ItemReceipt>>,
}

impl Sighting {
    pub async fn run(&self, global: &Global) -> Outcome {
        let readings = self.read_as.read(&self.values)?;
        let sightings = self.sightings(&readings);
        let totals = self.send(sightings, global).await?;
        let outcomes = outcomes(&readings, &totals.rejected);
        if global.json {
            for one in &outcomes {
                output::json(&one.object())?;
            }
            output::json(&json!({
                "counted": totals.counted,
                "rejected": outcomes.iter().filter(|one| one.reason.is_some()).count(),
                "sequences": totals.sequences,
                "replayed": totals.requests > 0 && totals.replayed == totals.requests,
            }))?;
        } else {
            let header = ["VALUE", "KIND", "COUNTED"];
            output::line(&output::table(header, outcomes.iter().map(ReadingOutcome::row)))?;
            let before = if totals.requests > 0 && totals.replayed == totals.requests {
                " (already reported: this is the earlier receipt; --again counts it again)"
            } else {
                ""
            };
            output::line(&format!("{} counted{before}", text::count(totals.counted, "sighting")))?;
        }
        if let Some(failure) = values::none_readable(&readings) {
            return Err(failure);
        }
        if totals.counted == 0 {
            let nothing = "nothing was counted: you can see none of these values on the exchange";
            return Err(Failure::failed(nothing));
        }
        let whole = outcomes.iter().all(|one| one.reason.is_none());
        Ok(if whole { Completion::Whole } else { Completion::InPart })
    }

    fn sightings(&self, readings: &[Reading]) -> Vec<pb::Sighting> {
        let sighting = |key| pb::Sighting {
            indicator: Some(key),
            count: self.count,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
        };
        values::keys(readings).into_iter().map(sighting).collect()
    }

    async fn send(
        &self,
        sightings: Vec<pb::Sighting>,
        global: &Global,
    ) -> Result<SightingTotals, Failure> {
        let client = identity::client(global)?;
        let mut totals = SightingTotals::default();
        for sightings in sightings.chunks(MAX_REQUEST_SIGHTINGS) {
            let sharing = self.sharing.sharing();
            let mut request = pb::ReportSightingsRequest {
                request_id: String::new(),
                sharing,
                sightings: sightings.to_vec(),
            };
            request.request_id = request::id_of(&request, self.again);
            let response = client.report_sightings(request).await;
            let receipt = response.map_err(|error| Failure::of_write(error, self.again))?;
            totals.add(receipt, sightings.len());
        }
        Ok(totals)
    }
}

impl SightingTotals {
    fn add(&mut self, receipt: pb::ReportSightingsResponse, sent: usize) {
        let first = self.rejected.len();
        self.requests += 1;
        self.replayed += usize::from(receipt.replayed);
        self.counted += u64::from(receipt.counted);
        self.sequences.extend((receipt.sequence > 0).then_some(receipt.sequence));
        self.rejected.resize(first + sent, None);
        for item in receipt.rejected {
            if let Some(slot) = self.rejected.get_mut(first + item.index as usize) {
                *slot = Some(item);
            }
        }
    }
}

/// The outcome of one reading of a value.
#[derive(Debug)]
struct ReadingOutcome<'a> {
    value: &'a str,
    indicator: Option<&'a Indicator>,
    /// Field and reason if it was rejected.
    reason: Option<(String, String)>,
}

/// The outcome of each value: of its counted readings, or of the most likely one.
fn outcomes<'a>(
    readings: &'a [Reading],
    rejected: &[Option<pb::ItemReceipt>],
) -> Vec<ReadingOutcome<'a>> {
    let mut rejected = rejected.iter();
    let mut all = Vec::new();
    for (value, readings) in readings {
        match readings {
            Ok(readings) => {
                let outcomes =
                    readings.iter().zip(rejected.by_ref().cloned()).map(|(indicator, why)| {
                        let reason = why.map(|item| (item.field, item.reason));
                        ReadingOutcome { value, indicator: Some(indicator), reason }
                    });
                all.extend(values::relevant_answers(outcomes.collect(), |one: &ReadingOutcome| {
                    one.reason.is_none()
                }));
            }
            Err(invalid) => {
                let reason = Some((invalid.field.to_string(), invalid.reason.to_string()));
                all.push(ReadingOutcome { value, indicator: None, reason });
            }
        }
    }
    all
}

impl ReadingOutcome<'_> {
    fn row(&self) -> [String; 3] {
        let counted = match &self.reason {
            None => output::paint(output::GOOD, "yes"),
            Some((field, reason)) => format!("no: {field} {reason}"),
        };
        let kind = self.indicator.map(|indicator| indicator.kind().to_string());
        [self.value.to_owned(), kind.unwrap_or_default(), counted]
    }

    fn object(&self) -> serde_json::Value {
        let (result, field, reason) = match &self.reason {
            None => ("counted", None, None),
            Some((field, reason)) => ("rejected", Some(field), Some(reason)),
        };
        json!({
            "asked": self.value,
            "result": result,
            "kind": self.indicator.map(|indicator| indicator.kind().as_str()),
            "platform": self.indicator.map(|one| one.platform().map(ToString::to_string).unwrap_or_default()),
            "value": self.indicator.map(Indicator::value),
            "indicator_id": self.indicator.map(|indicator| indicator.id().to_string()),
            "field": field,
            "reason": reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(index: u32) -> pb::ItemReceipt {
        pb::ItemReceipt {
            index,
            field: "indicator".into(),
            reason: "is not known to you".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_rejected_reading_is_listed_unless_another_one_was_counted() {
        let digits = "0123456789abcdef".repeat(4);
        let values = [digits, "just words".to_owned(), "a.example".to_owned()];
        let readings = ReadAs::default().read(&values).unwrap();
        let sent = values::keys(&readings).len();
        let mut totals = SightingTotals::default();
        // The digits as SHA-256, and everything that `a.example` can be.
        let indexes = [0].into_iter().chain(2..u32::try_from(sent).unwrap());
        totals.add(
            pb::ReportSightingsResponse {
                counted: 1,
                sequence: 7,
                rejected: indexes.map(rejected).collect(),
                ..Default::default()
            },
            sent,
        );
        assert_eq!((totals.counted, totals.sequences.as_slice()), (1, [7].as_slice()));
        let outcomes = outcomes(&readings, &totals.rejected);
        let objects: Vec<_> = outcomes.iter().map(ReadingOutcome::object).collect();
        let results: Vec<_> = objects.iter().map(|one| (&one["result"], &one["kind"])).collect();
        assert_eq!(
            results,
            [
                (&json!("counted"), &json!("pdq")),
                (&json!("rejected"), &json!(null)),
                (&json!("rejected"), &json!("domain"))
            ]
        );
    }

    #[test]
    fn receipts_of_several_requests_add_up() {
        let mut totals = SightingTotals::default();
        for (counted, replayed) in [(2, true), (1, false)] {
            let rejected = vec![rejected(1)];
            let receipt =
                pb::ReportSightingsResponse { counted, replayed, rejected, ..Default::default() };
            totals.add(receipt, 2);
        }
        let places: Vec<_> = totals.rejected.iter().map(Option::is_some).collect();
        assert_eq!(places, [false, true, false, true]);
        assert_eq!((totals.counted, totals.replayed, totals.requests), (3, 1, 2));
    }
}
