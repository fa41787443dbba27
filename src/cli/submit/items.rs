//! Converts the records of files to the items of a submission.

use std::collections::HashMap;

use crate::cli::numbers;
use crate::domain::assessment::{Basis, Severity, Verdict};
use crate::domain::{CampaignId, Indicator, IndicatorId, Platform};
use crate::formats::{Class, Count, Details, Record};
use crate::wire::{pb, timestamp};

/// Maximum length of a note in bytes. An exchange accepts 2,000 characters per note and 4,000 bytes
/// per item.
const MAX_NOTE_BYTES: usize = 1_900;
/// Characters of a record that are shown.
const MAX_RAW_CHARS: usize = 200;
/// Techniques per item. The maximum that an exchange accepts.
const MAX_TECHNIQUES: usize = 20;

/// Defaults for all items of the input.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ItemDefaults {
    /// Verdict for values that have none in the input: malicious, suspicious, unknown,
    /// `non_malicious`
    #[arg(long)]
    pub verdict: Option<Verdict>,
    /// Confidence, 0 to 100
    #[arg(long, value_name = "PERCENT", value_parser = numbers::within::<u32>(0..=100))]
    confidence: Option<u32>,
    /// Severity: info, low, medium, high, critical
    #[arg(long)]
    severity: Option<Severity>,
    /// Source of the information: own, received, public
    #[arg(long)]
    basis: Option<Basis>,
    /// Harm label; may be repeated
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Id of the campaign that it belongs to: see `tipoff campaign list`
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
}

impl ItemDefaults {
    /// The defaults as an item without a value.
    pub fn as_item(&self) -> pb::SubmittedIndicator {
        pb::SubmittedIndicator {
            assessment: Some(pb::Assessment {
                verdict: self.verdict.map(pb::Verdict::from).unwrap_or_default().into(),
                confidence: self.confidence,
                severity: self.severity.map(pb::Severity::from).unwrap_or_default().into(),
                basis: self.basis.map(pb::Basis::from).unwrap_or_default().into(),
                labels: self.labels.clone(),
                campaign: self.campaign.clone().unwrap_or_default(),
                ..pb::Assessment::default()
            }),
            ..pb::SubmittedIndicator::default()
        }
    }

    /// Gives every item a label.
    pub fn labelled(label: &str) -> Self {
        Self { labels: vec![label.to_owned()], ..Self::default() }
    }
}

/// The place of a record in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub file: String,
    /// The row in the file.
    pub row: usize,
    /// The text of the record, cut where it is long.
    pub raw: String,
}

impl Source {
    /// The place of a record in a file.
    pub fn of(file: &str, record: &Record) -> Self {
        let raw = record.raw.chars().take(MAX_RAW_CHARS).collect();
        Self { file: file.to_owned(), row: record.row, raw }
    }
}

/// The result of reading a small input.
#[derive(Debug, Default)]
pub struct Submittable {
    /// The items, one per indicator.
    pub items: Vec<pb::SubmittedIndicator>,
    /// Counts of removed assets.
    pub aggregates: Vec<(Source, Count)>,
    /// Number of records that are neither indicators nor counts.
    pub neither: usize,
    /// Number of records that cannot be read, or contradict another.
    pub unreadable: usize,
    /// Number of records that repeat an earlier indicator.
    pub repeated: usize,
}

impl Submittable {
    /// Assigns every item to a campaign.
    pub fn assign_campaign(&mut self, campaign: &str) {
        for item in &mut self.items {
            campaign.clone_into(&mut item.assessment.get_or_insert_default().campaign);
        }
    }
}

/// Merges the records of an input that is in memory. An indicator that occurs several times becomes one item with all
/// its techniques.
pub fn merge<'a>(
    records: impl IntoIterator<Item = (&'a str, &'a Record)>,
    defaults: &ItemDefaults,
) -> Submittable {
    let mut items = ItemSet::default();
    let mut read = Submittable::default();
    for (file, record) in records {
        let source = Source::of(file, record);
        match &record.class {
            Class::Indicator(indicator) => {
                match items.add(source, indicator, &record.details, defaults) {
                    Ok(Added::New) => {}
                    Ok(Added::Merged) => read.repeated += 1,
                    Err(_) => read.unreadable += 1,
                }
            }
            Class::Aggregate(count) => read.aggregates.push((source, count.clone())),
            Class::Neither(_) => read.neither += 1,
            Class::Unreadable(_) => read.unreadable += 1,
        }
    }
    Submittable { items: items.items, ..read }
}

/// Items of distinct indicators, in the order in which they were read.
#[derive(Debug, Default)]
pub struct ItemSet {
    /// The items.
    pub items: Vec<pb::SubmittedIndicator>,
    /// The first place of each item.
    pub sources: Vec<Source>,
    index_by_id: HashMap<IndicatorId, usize>,
}

/// How an indicator was added to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// As an item.
    New,
    /// Merged into the item of the same indicator.
    Merged,
}

impl ItemSet {
    /// Adds an indicator. What contradicts the item of the same indicator is an error.
    pub fn add(
        &mut self,
        source: Source,
        indicator: &Indicator,
        details: &Details,
        defaults: &ItemDefaults,
    ) -> Result<Added, String> {
        let Some(index) = self.index_by_id.get(&indicator.id()) else {
            self.index_by_id.insert(indicator.id(), self.items.len());
            self.items.push(item(indicator, details, defaults));
            self.sources.push(source);
            return Ok(Added::New);
        };
        let first = &self.sources[*index];
        merge_into(&mut self.items[*index], details)
            .map(|()| Added::Merged)
            .map_err(|reason| format!("{reason} in {} {}", first.file, first.row))
    }
}

fn item(
    indicator: &Indicator,
    details: &Details,
    defaults: &ItemDefaults,
) -> pb::SubmittedIndicator {
    let mut labels = defaults.labels.clone();
    labels.extend(details.labels.iter().filter(|label| !defaults.labels.contains(label)).cloned());
    let verdict = details.verdict.or(defaults.verdict).map(pb::Verdict::from);
    let severity = details.severity.or(defaults.severity).map(pb::Severity::from);
    let basis = details.basis.or(defaults.basis).map(pb::Basis::from);
    // A campaign name in a file is not an id: it may mean any campaign of that name.
    let named = details.campaign.as_ref().filter(|_| !has_campaign_name(details));
    let campaign = named.or(defaults.campaign.as_ref());
    let assessment = pb::Assessment {
        verdict: verdict.unwrap_or_default().into(),
        confidence: details.confidence.or(defaults.confidence),
        severity: severity.unwrap_or_default().into(),
        involvement: details.involvement.map(pb::Involvement::from).unwrap_or_default().into(),
        basis: basis.unwrap_or_default().into(),
        labels,
        techniques: details.techniques.iter().map(|t| t.as_str().to_owned()).collect(),
        first_seen: details.first_seen.map(timestamp),
        last_seen: details.last_seen.map(timestamp),
        valid_until: details.valid_until.map(timestamp),
        note: details.note.as_deref().map(truncate).unwrap_or_default(),
        references: details.references.clone(),
        campaign: campaign.cloned().unwrap_or_default(),
        account_id: details.account_id.clone().unwrap_or_default(),
        former_handles: details.former_handles.clone(),
    };
    pb::SubmittedIndicator {
        kind: pb::Kind::from(indicator.kind()).into(),
        platform: indicator.platform().map(Platform::as_str).unwrap_or_default().to_owned(),
        value: indicator.value().to_owned(),
        assessment: Some(assessment),
    }
}

/// Merges a repeated record into its item. Labels and techniques accumulate, and open fields are
/// filled in. Two different verdicts of one author on one value are an error.
fn merge_into(item: &mut pb::SubmittedIndicator, details: &Details) -> Result<(), String> {
    let assessment = item.assessment.get_or_insert_default();
    if let Some(verdict) = details.verdict.map(pb::Verdict::from) {
        if assessment.verdict() != pb::Verdict::Unspecified && assessment.verdict() != verdict {
            return Err("verdict differs from the one for the same indicator".into());
        }
        assessment.verdict = verdict.into();
    }
    for technique in &details.techniques {
        let technique = technique.as_str();
        if assessment.techniques.len() < MAX_TECHNIQUES
            && !assessment.techniques.iter().any(|t| t == technique)
        {
            assessment.techniques.push(technique.to_owned());
        }
    }
    for label in &details.labels {
        if !assessment.labels.contains(label) {
            assessment.labels.push(label.clone());
        }
    }
    if assessment.account_id.is_empty() {
        assessment.account_id = details.account_id.clone().unwrap_or_default();
    }
    for handle in &details.former_handles {
        if !assessment.former_handles.contains(handle) {
            assessment.former_handles.push(handle.clone());
        }
    }
    // One record that says "victim" is enough: nobody should block a victim.
    if let Some(involvement) = details.involvement {
        assessment.involvement = pb::Involvement::from(involvement).into();
    }
    assessment.confidence = assessment.confidence.or(details.confidence);
    if let (true, Some(note)) = (assessment.note.is_empty(), &details.note) {
        assessment.note = truncate(note);
    }
    Ok(())
}

/// Whether a record names a campaign by something other than an id.
pub fn has_campaign_name(details: &Details) -> bool {
    details.campaign.as_ref().is_some_and(|text| CampaignId::parse(text).is_err())
}

fn truncate(note: &str) -> String {
    if note.len() <= MAX_NOTE_BYTES {
        return note.to_owned();
    }
    format!("{}…", &note[..note.floor_char_boundary(MAX_NOTE_BYTES)])
}
