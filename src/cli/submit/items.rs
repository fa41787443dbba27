//! Converts the records of files to the items of a submission.

use std::collections::HashMap;

use crate::domain::assessment::{Basis, Severity, Verdict};
use crate::domain::{CampaignId, Indicator, IndicatorId, Invalid, Platform};
use crate::formats::{Class, Count, Details, Record};
use crate::wire::{pb, timestamp};

/// Maximum length of a note in bytes. An exchange accepts 2,000 characters per note and 4,000 bytes
/// per item.
const MAX_NOTE_BYTES: usize = 1_900;
/// Techniques per item. The maximum that an exchange accepts.
const MAX_TECHNIQUES: usize = 20;

/// Defaults for all items of the input.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ItemDefaults {
    /// Verdict for values that have none in the input: malicious, suspicious, unknown,
    /// `non_malicious`
    #[arg(long)]
    verdict: Option<Verdict>,
    /// Confidence, 0 to 100
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
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
    /// The text of the record.
    pub raw: String,
}

/// The result of reading an input.
#[derive(Debug, Default)]
pub struct Submittable {
    /// The items, one per indicator.
    pub items: Vec<pb::SubmittedIndicator>,
    /// The first place of each item.
    pub sources: Vec<Source>,
    /// Records that look like indicators but cannot be read, with the reason.
    pub unreadable: Vec<(Source, String)>,
    /// Counts of removed assets.
    pub aggregates: Vec<(Source, Count)>,
    /// Number of records that are neither indicators nor counts.
    pub neither: usize,
    /// Number of records that repeat an earlier indicator.
    pub repeated: usize,
    /// Number of records that name a campaign by something other than an id. The name is ignored.
    pub campaigns_left_out: usize,
}

impl Submittable {
    /// Assigns every item to a campaign.
    pub fn assign_campaign(&mut self, campaign: &str) {
        for item in &mut self.items {
            campaign.clone_into(&mut item.assessment.get_or_insert_default().campaign);
        }
    }
}

/// Merges the records of an input. An indicator that occurs several times becomes one item with all
/// its techniques.
pub fn merge<'a>(
    records: impl IntoIterator<Item = (&'a str, &'a Record)>,
    defaults: &ItemDefaults,
) -> Submittable {
    let mut submittable = Submittable::default();
    let mut index_by_id: HashMap<IndicatorId, usize> = HashMap::new();
    for (file, record) in records {
        let source = Source { file: file.to_owned(), row: record.row, raw: record.raw.clone() };
        match &record.class {
            Class::Indicator(indicator) => {
                submittable.campaigns_left_out += usize::from(has_campaign_name(&record.details));
                if let Some(index) = index_by_id.get(&indicator.id()) {
                    match merge_into(&mut submittable.items[*index], &record.details) {
                        Ok(()) => submittable.repeated += 1,
                        Err(reason) => {
                            let first = &submittable.sources[*index];
                            let first = format!("{} {}", first.file, first.row);
                            submittable.unreadable.push((source, format!("{reason} in {first}")));
                        }
                    }
                } else {
                    index_by_id.insert(indicator.id(), submittable.items.len());
                    submittable.items.push(item(indicator, record, defaults));
                    submittable.sources.push(source);
                }
            }
            Class::Aggregate(count) => submittable.aggregates.push((source, count.clone())),
            Class::Neither(_) => submittable.neither += 1,
            Class::Unreadable(Invalid { field, reason }) => {
                submittable.unreadable.push((source, format!("{field} {reason}")));
            }
        }
    }
    submittable
}

fn item(indicator: &Indicator, record: &Record, defaults: &ItemDefaults) -> pb::SubmittedIndicator {
    let details = &record.details;
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
fn has_campaign_name(details: &Details) -> bool {
    details.campaign.as_ref().is_some_and(|text| CampaignId::parse(text).is_err())
}

fn truncate(note: &str) -> String {
    if note.len() <= MAX_NOTE_BYTES {
        return note.to_owned();
    }
    let end = (0..=MAX_NOTE_BYTES).rev().find(|at| note.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &note[..end])
}
