//! From the records of a file to the items of a submission.

use std::collections::HashMap;

use crate::domain::assessment::{Basis, Severity, Verdict};
use crate::domain::{Indicator, IndicatorId, Invalid, Platform};
use crate::formats::{Class, Count, Details, Record};
use crate::wire::pb;

/// The most bytes of a note: an exchange takes 2,000 characters, and 4,000 bytes of an item.
const NOTE_BYTES: usize = 1_900;
/// The most techniques of an item that an exchange takes.
const TECHNIQUES: usize = 20;

/// What is said of every item of the input.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Saying {
    /// What you hold the values to be: malicious, suspicious, unknown, `non_malicious`
    #[arg(long)]
    verdict: Option<Verdict>,
    /// How sure you are, 0 to 100
    #[arg(long, value_name = "PERCENT")]
    confidence: Option<u32>,
    /// How much harm follows: info, low, medium, high, critical
    #[arg(long)]
    severity: Option<Severity>,
    /// Where you know it from: own, received, public
    #[arg(long)]
    basis: Option<Basis>,
    /// A harm label
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// The campaign that it belongs to, by your id
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
}

/// Where an item stands in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub file: String,
    /// The record in it.
    pub row: usize,
    /// What stands there.
    pub raw: String,
}

/// What an input comes to.
#[derive(Debug, Default)]
pub struct Submittable {
    /// The items, each indicator once.
    pub items: Vec<pb::SubmittedIndicator>,
    /// Where each item stands first.
    pub sources: Vec<Source>,
    /// What was meant as an indicator and cannot be read, and why.
    pub unreadable: Vec<(Source, String)>,
    /// Counts of removed assets.
    pub aggregates: Vec<(Source, Count)>,
    /// How many records are neither.
    pub neither: usize,
    /// How many records name an indicator that stands before.
    pub repeated: usize,
}

/// Puts together what an input says: an indicator that stands in it more than once is one item,
/// under all the techniques that it stands under.
pub fn merge<'a>(
    records: impl IntoIterator<Item = (&'a str, &'a Record)>,
    saying: &Saying,
) -> Submittable {
    let mut made = Submittable::default();
    let mut seen: HashMap<IndicatorId, usize> = HashMap::new();
    for (file, record) in records {
        let source = Source { file: file.to_owned(), row: record.row, raw: record.raw.clone() };
        match &record.class {
            Class::Indicator(indicator) => {
                if let Some(at) = seen.get(&indicator.id()) {
                    made.repeated += 1;
                    add_to(&mut made.items[*at], &record.details);
                } else {
                    seen.insert(indicator.id(), made.items.len());
                    made.items.push(item(indicator, record, saying));
                    made.sources.push(source);
                }
            }
            Class::Aggregate(count) => made.aggregates.push((source, count.clone())),
            Class::Neither(_) => made.neither += 1,
            Class::Unreadable(Invalid { field, reason }) => {
                made.unreadable.push((source, format!("{field} {reason}")));
            }
        }
    }
    made
}

fn item(indicator: &Indicator, record: &Record, saying: &Saying) -> pb::SubmittedIndicator {
    let details = &record.details;
    let mut labels = saying.labels.clone();
    labels.extend(details.labels.iter().filter(|label| !saying.labels.contains(label)).cloned());
    let number = |word: Option<i32>| word.unwrap_or_default();
    let said = pb::Assessment {
        verdict: number(saying.verdict.map(|word| pb::Verdict::from(word).into())),
        confidence: details.confidence.or(saying.confidence),
        severity: number(saying.severity.map(|word| pb::Severity::from(word).into())),
        involvement: number(details.involvement.map(|word| pb::Involvement::from(word).into())),
        basis: number(saying.basis.map(|word| pb::Basis::from(word).into())),
        labels,
        techniques: details.techniques.iter().map(|t| t.as_str().to_owned()).collect(),
        note: details.note.as_deref().map(short).unwrap_or_default(),
        campaign: saying.campaign.clone().unwrap_or_default(),
        ..pb::Assessment::default()
    };
    pb::SubmittedIndicator {
        kind: pb::Kind::from(indicator.kind()).into(),
        platform: indicator.platform().map(Platform::as_str).unwrap_or_default().to_owned(),
        value: indicator.value().to_owned(),
        assessment: Some(said),
    }
}

fn add_to(item: &mut pb::SubmittedIndicator, details: &Details) {
    let Some(said) = &mut item.assessment else { return };
    for technique in &details.techniques {
        let technique = technique.as_str();
        if said.techniques.len() < TECHNIQUES && !said.techniques.iter().any(|t| t == technique) {
            said.techniques.push(technique.to_owned());
        }
    }
    // A victim anywhere in the report is one: nobody should block it.
    if let Some(involvement) = details.involvement {
        said.involvement = pb::Involvement::from(involvement).into();
    }
}

fn short(note: &str) -> String {
    if note.len() <= NOTE_BYTES {
        return note.to_owned();
    }
    let end = (0..=NOTE_BYTES).rev().find(|at| note.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &note[..end])
}
