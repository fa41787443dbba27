//! From the records of a file to the items of a submission.

use std::collections::HashMap;

use crate::domain::assessment::{Basis, Severity, Verdict};
use crate::domain::{CampaignId, Indicator, IndicatorId, Invalid, Platform};
use crate::formats::{Class, Count, Details, Record};
use crate::wire::{pb, timestamp};

/// The most bytes of a note: an exchange takes 2,000 characters, and 4,000 bytes of an item.
const NOTE_BYTES: usize = 1_900;
/// The most techniques of an item that an exchange takes.
const TECHNIQUES: usize = 20;

/// What is said of every item of the input.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ItemDefaults {
    /// What you hold the values to be, where the input does not say: malicious, suspicious,
    /// unknown, `non_malicious`
    #[arg(long)]
    verdict: Option<Verdict>,
    /// How sure you are, 0 to 100
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
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
    /// The campaign that it belongs to, by its id: see `tipoff campaign list`
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
}

impl ItemDefaults {
    /// Says of every item that it has a label.
    pub fn labelled(label: &str) -> Self {
        Self { labels: vec![label.to_owned()], ..Self::default() }
    }
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
    /// How many records name a campaign by something else than an id, which is left out.
    pub campaigns_left_out: usize,
}

impl Submittable {
    /// Says of every item that it belongs to a campaign.
    pub fn name_campaign(&mut self, campaign: &str) {
        for item in &mut self.items {
            campaign.clone_into(&mut item.assessment.get_or_insert_default().campaign);
        }
    }
}

/// Puts together what an input says: an indicator that stands in it more than once is one item,
/// under all the techniques that it stands under.
pub fn merge<'a>(
    records: impl IntoIterator<Item = (&'a str, &'a Record)>,
    saying: &ItemDefaults,
) -> Submittable {
    let mut made = Submittable::default();
    let mut seen: HashMap<IndicatorId, usize> = HashMap::new();
    for (file, record) in records {
        let source = Source { file: file.to_owned(), row: record.row, raw: record.raw.clone() };
        match &record.class {
            Class::Indicator(indicator) => {
                made.campaigns_left_out += usize::from(has_name_alone(&record.details));
                if let Some(at) = seen.get(&indicator.id()) {
                    match add_to(&mut made.items[*at], &record.details) {
                        Ok(()) => made.repeated += 1,
                        Err(reason) => {
                            let first = &made.sources[*at];
                            let where_else = format!("{} {}", first.file, first.row);
                            made.unreadable.push((source, format!("{reason} in {where_else}")));
                        }
                    }
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

fn item(indicator: &Indicator, record: &Record, saying: &ItemDefaults) -> pb::SubmittedIndicator {
    let details = &record.details;
    let mut labels = saying.labels.clone();
    labels.extend(details.labels.iter().filter(|label| !saying.labels.contains(label)).cloned());
    let verdict = details.verdict.or(saying.verdict).map(pb::Verdict::from);
    let severity = details.severity.or(saying.severity).map(pb::Severity::from);
    let basis = details.basis.or(saying.basis).map(pb::Basis::from);
    // What a file calls a campaign is no id: only who founded one knows which is meant.
    let named = details.campaign.as_ref().filter(|_| !has_name_alone(details));
    let campaign = named.or(saying.campaign.as_ref());
    let said = pb::Assessment {
        verdict: verdict.unwrap_or_default().into(),
        confidence: details.confidence.or(saying.confidence),
        severity: severity.unwrap_or_default().into(),
        involvement: details.involvement.map(pb::Involvement::from).unwrap_or_default().into(),
        basis: basis.unwrap_or_default().into(),
        labels,
        techniques: details.techniques.iter().map(|t| t.as_str().to_owned()).collect(),
        first_seen: details.first_seen.map(timestamp),
        last_seen: details.last_seen.map(timestamp),
        valid_until: details.valid_until.map(timestamp),
        note: details.note.as_deref().map(short).unwrap_or_default(),
        references: details.references.clone(),
        campaign: campaign.cloned().unwrap_or_default(),
    };
    pb::SubmittedIndicator {
        kind: pb::Kind::from(indicator.kind()).into(),
        platform: indicator.platform().map(Platform::as_str).unwrap_or_default().to_owned(),
        value: indicator.value().to_owned(),
        assessment: Some(said),
    }
}

/// Adds what a further record says of an indicator. Labels and techniques add up, and what the first
/// left open is taken; two verdicts of one author on one value are an error.
fn add_to(item: &mut pb::SubmittedIndicator, details: &Details) -> Result<(), String> {
    let said = item.assessment.get_or_insert_default();
    if let Some(verdict) = details.verdict.map(pb::Verdict::from) {
        if said.verdict() != pb::Verdict::Unspecified && said.verdict() != verdict {
            return Err("verdict is not the one that this indicator has".into());
        }
        said.verdict = verdict.into();
    }
    for technique in &details.techniques {
        let technique = technique.as_str();
        if said.techniques.len() < TECHNIQUES && !said.techniques.iter().any(|t| t == technique) {
            said.techniques.push(technique.to_owned());
        }
    }
    for label in &details.labels {
        if !said.labels.contains(label) {
            said.labels.push(label.clone());
        }
    }
    // A victim anywhere in the report is one: nobody should block it.
    if let Some(involvement) = details.involvement {
        said.involvement = pb::Involvement::from(involvement).into();
    }
    said.confidence = said.confidence.or(details.confidence);
    if let (true, Some(note)) = (said.note.is_empty(), &details.note) {
        said.note = short(note);
    }
    Ok(())
}

/// Whether a record names a campaign by something else than an id.
fn has_name_alone(details: &Details) -> bool {
    details.campaign.as_ref().is_some_and(|text| CampaignId::parse(text).is_err())
}

fn short(note: &str) -> String {
    if note.len() <= NOTE_BYTES {
        return note.to_owned();
    }
    let end = (0..=NOTE_BYTES).rev().find(|at| note.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &note[..end])
}
