//! Puts what is read into batches: sharing is a batch's, so objects with different markings are in different ones.

use std::collections::BTreeMap;

use prost::Message;

use super::items::{Added, ItemDefaults, ItemSet, Source, has_campaign_name};
use crate::client::SubmissionOptions;
use crate::domain::sharing::Tlp;
use crate::formats::{Class, Record};
use crate::wire::pb;

/// Bytes of items in a batch. An exchange accepts messages of 1 MB by default, and a merged item grows.
const MAX_BATCH_BYTES: usize = 640 * 1024;

/// Items with one marking.
#[derive(Debug)]
pub struct Batch {
    /// The marking of its objects. `None`: they have none.
    pub tlp: Option<Tlp>,
    /// The items.
    pub items: Vec<pb::SubmittedIndicator>,
    /// The first place of each.
    pub sources: Vec<Source>,
}

/// Collects items until a batch is full.
#[derive(Debug)]
pub struct Batches {
    defaults: ItemDefaults,
    /// Whether partners are named, without whom nothing marked RED can be shared.
    names_partners: bool,
    open: BTreeMap<Option<Tlp>, (ItemSet, usize)>,
    /// Indicators that repeat one of the same batch.
    pub repeated: u64,
    /// Records that name a campaign by something other than an id. The name is ignored.
    pub campaigns_left_out: u64,
}

impl Batches {
    /// Collects items that have `defaults`.
    pub fn new(defaults: ItemDefaults, names_partners: bool) -> Self {
        Self {
            defaults,
            names_partners,
            open: BTreeMap::default(),
            repeated: 0,
            campaigns_left_out: 0,
        }
    }

    /// Adds the indicator of a record. Returns the batch that it filled.
    pub fn add(&mut self, file: &str, record: &Record) -> Result<Option<Batch>, String> {
        let Class::Indicator(indicator) = &record.class else { return Ok(None) };
        self.campaigns_left_out += u64::from(has_campaign_name(&record.details));
        let tlp = record.details.tlp;
        if tlp == Some(Tlp::Red) && !self.names_partners {
            return Err("tlp is RED: name the partners that receive it with --to".into());
        }
        let (set, bytes) = self.open.entry(tlp).or_default();
        match set.add(Source::of(file, record), indicator, &record.details, &self.defaults)? {
            Added::Merged => self.repeated += 1,
            Added::New => *bytes += set.items.last().map_or(0, |item| item.encoded_len() + 8),
        }
        let is_full =
            set.items.len() >= SubmissionOptions::BATCH_ITEMS || *bytes >= MAX_BATCH_BYTES;
        Ok(is_full.then(|| self.take(tlp)).flatten())
    }

    /// The batches that are not full.
    pub fn finish(&mut self) -> Vec<Batch> {
        let markings: Vec<_> = self.open.keys().copied().collect();
        markings.into_iter().filter_map(|tlp| self.take(tlp)).collect()
    }

    fn take(&mut self, tlp: Option<Tlp>) -> Option<Batch> {
        let (ItemSet { items, sources, .. }, _) = self.open.remove(&tlp)?;
        Some(Batch { tlp, items, sources })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Indicator;
    use crate::formats::{Details, SkipReason};

    fn record(value: &str, tlp: Option<Tlp>) -> Record {
        let class =
            Indicator::read(value, None).map_or(Class::Neither(SkipReason::Text), Class::Indicator);
        Record { row: 1, raw: value.into(), class, details: Details { tlp, ..Details::default() } }
    }

    #[test]
    fn objects_with_different_markings_are_in_different_batches() {
        let mut batches = Batches::new(ItemDefaults::default(), false);
        for (value, tlp) in [
            ("a.example", None),
            ("b.example", Some(Tlp::Green)),
            ("c.example", Some(Tlp::Amber)),
            ("d.example", Some(Tlp::Green)),
            ("a.example", None),
        ] {
            assert!(batches.add("f", &record(value, tlp)).unwrap().is_none());
        }
        assert!(batches.add("f", &record("e.example", Some(Tlp::Red))).is_err());
        let sizes: Vec<_> = batches.finish().into_iter().map(|b| (b.tlp, b.items.len())).collect();
        assert_eq!(sizes, [(None, 1), (Some(Tlp::Amber), 1), (Some(Tlp::Green), 2)]);
        assert_eq!(batches.repeated, 1);
    }

    #[test]
    fn a_batch_is_given_out_when_it_is_full() {
        let mut batches = Batches::new(ItemDefaults::default(), false);
        let mut sizes = Vec::new();
        for number in 0..=SubmissionOptions::BATCH_ITEMS {
            let full = batches.add("f", &record(&format!("a{number}.example"), None)).unwrap();
            sizes.extend(full.map(|batch| batch.items.len()));
        }
        sizes.extend(batches.finish().into_iter().map(|batch| batch.items.len()));
        assert_eq!(sizes, [SubmissionOptions::BATCH_ITEMS, 1]);
    }
}
