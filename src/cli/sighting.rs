//! `tipoff sighting`

use prost::Message;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::audience::SharingFlags;
use super::failure::{Completion, Failure, Outcome};
use super::values::{self, ReadAs, Reading};
use super::{Global, identity, output, request, words};
use crate::domain::Indicator;
use crate::wire::pb;

/// The most sightings of one request.
const REQUEST_SIGHTINGS: usize = 1_000;

/// Say that you saw what others share
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A sighting is of what is known to you on the exchange, and goes to those whom you \
                  share it with, as a report of yours would. The same values with the same options are \
                  the same sighting, so running it again counts nothing twice. A value whose kind is \
                  not said is counted as each thing that it can be and that is known."
)]
pub struct Sighting {
    /// Values as people write them; `-` reads them from stdin, one a line
    #[arg(required = true, value_name = "VALUE|-")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
    /// How often each was seen
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// From when on, such as 2026-11-24 or 2026-11-24T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = words::read_time)]
    first_seen: Option<prost_types::Timestamp>,
    /// Up to when
    #[arg(long, value_name = "TIME", value_parser = words::read_time)]
    last_seen: Option<prost_types::Timestamp>,
    /// Count it as another sighting, though the same was reported before
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    sharing: SharingFlags,
}

/// What the exchange said of all requests together.
#[derive(Debug, Default)]
struct SightingTotals {
    counted: u64,
    /// How many requests had been counted before.
    replayed: usize,
    requests: usize,
    sequences: Vec<u64>,
    /// For each sighting that was sent, why it was not counted.
    rejected: Vec<Option<pb::ItemReceipt>>,
}

impl Sighting {
    pub async fn run(&self, global: &Global) -> Outcome {
        let readings = self.read_as.read(&self.values)?;
        let sightings = self.sightings(&readings);
        let answer = self.send(sightings, global).await?;
        let told = told(&readings, &answer.rejected);
        if global.json {
            for one in &told {
                output::json(&one.object())?;
            }
            output::json(&json!({
                "counted": answer.counted,
                "rejected": told.iter().filter(|one| one.reason.is_some()).count(),
                "sequences": answer.sequences,
                "replayed": answer.requests > 0 && answer.replayed == answer.requests,
            }))?;
        } else {
            let header = ["VALUE", "KIND", "COUNTED"];
            output::line(&output::table(header, told.iter().map(ReadingOutcome::row)))?;
            let before = if answer.requests > 0 && answer.replayed == answer.requests {
                " (reported before: this is the receipt of that time; --again counts it anew)"
            } else {
                ""
            };
            output::line(&format!("{} counted{before}", words::count(answer.counted, "sighting")))?;
        }
        let whole = told.iter().all(|one| one.reason.is_none());
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
        let mut answer = SightingTotals::default();
        for sightings in sightings.chunks(REQUEST_SIGHTINGS) {
            let sharing = self.sharing.sharing();
            let mut request = pb::ReportSightingsRequest {
                request_id: String::new(),
                sharing,
                sightings: sightings.to_vec(),
            };
            let digest = Sha256::new_with_prefix(request.encode_to_vec());
            request.request_id = request::id(digest, self.again);
            let sent = client.report_sightings(request).await;
            let receipt = sent
                .map_err(|error| if self.again { Failure::of_anew(error) } else { error.into() })?;
            answer.add(receipt, sightings.len());
        }
        Ok(answer)
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
            if let Some(place) = self.rejected.get_mut(first + item.index as usize) {
                *place = Some(item);
            }
        }
    }
}

/// What became of one reading of a value.
#[derive(Debug)]
struct ReadingOutcome<'a> {
    value: &'a str,
    indicator: Option<&'a Indicator>,
    /// The field and the reason for which it was not counted.
    reason: Option<(String, String)>,
}

/// What became of each value: under the readings that were counted, or else the likeliest.
fn told<'a>(
    readings: &'a [Reading],
    rejected: &[Option<pb::ItemReceipt>],
) -> Vec<ReadingOutcome<'a>> {
    let mut rejected = rejected.iter();
    let mut all = Vec::new();
    for (value, readings) in readings {
        match readings {
            Ok(readings) => {
                let of = readings.iter().zip(rejected.by_ref().cloned()).map(|(indicator, why)| {
                    let reason = why.map(|item| (item.field, item.reason));
                    ReadingOutcome { value, indicator: Some(indicator), reason }
                });
                all.extend(values::telling(of.collect(), |one: &ReadingOutcome| {
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
            "indicator": self.indicator.map(values::shown),
            "id": self.indicator.map(|indicator| indicator.id().to_string()),
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
    fn what_is_not_counted_is_named_unless_another_reading_of_it_is() {
        let digits = "0123456789abcdef".repeat(4);
        let values = [digits, "just words".to_owned(), "a.example".to_owned()];
        let readings = ReadAs::default().read(&values).unwrap();
        let sent = values::keys(&readings).len();
        let mut answer = SightingTotals::default();
        // The digits as SHA-256, and everything that `a.example` can be.
        let indexes = [0].into_iter().chain(2..u32::try_from(sent).unwrap());
        answer.add(
            pb::ReportSightingsResponse {
                counted: 1,
                sequence: 7,
                rejected: indexes.map(rejected).collect(),
                ..Default::default()
            },
            sent,
        );
        assert_eq!((answer.counted, answer.sequences.as_slice()), (1, [7].as_slice()));
        let told = told(&readings, &answer.rejected);
        let objects: Vec<_> = told.iter().map(ReadingOutcome::object).collect();
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
        let mut answer = SightingTotals::default();
        for (counted, replayed) in [(2, true), (1, false)] {
            let rejected = vec![rejected(1)];
            let receipt =
                pb::ReportSightingsResponse { counted, replayed, rejected, ..Default::default() };
            answer.add(receipt, 2);
        }
        let places: Vec<_> = answer.rejected.iter().map(Option::is_some).collect();
        assert_eq!(places, [false, true, false, true]);
        assert_eq!((answer.counted, answer.replayed, answer.requests), (3, 1, 2));
    }
}
