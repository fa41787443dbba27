//! What is current at the end of a pull, as a STIX bundle.

use std::collections::BTreeMap;

use super::super::failure::Failure;
use super::super::{output, shown, words};
use crate::client::FeedEvent;
use crate::domain::{
    Invalid, Position, ReceivedAssessment, ReceivedContribution, ReceivedEnforcement,
};
use crate::formats::stix::Bundle;
use crate::wire::{given, pb};

/// What stands of what was pulled so far.
#[derive(Debug, Default)]
pub struct CurrentObjects {
    held: BTreeMap<Position, BundleObject>,
    /// What is to be dropped of what an earlier pull gave: a bundle holds what is, and not what was.
    gone: Vec<(Position, String)>,
    left_out: u64,
}

/// An object that a bundle holds.
#[derive(Debug)]
enum BundleObject {
    Item(Box<ReceivedAssessment>),
    Said(Box<ReceivedContribution>),
    Done(Box<ReceivedEnforcement>),
}

fn unreadable(invalid: &Invalid) -> Failure {
    Failure::failed(format!("the exchange sent what this client cannot read: {invalid}"))
}

impl CurrentObjects {
    /// Takes an event.
    pub fn add(&mut self, event: &FeedEvent) -> Result<(), Failure> {
        match event {
            FeedEvent::Item(item) => {
                let given = given::read(item).map_err(|invalid| unreadable(&invalid))?;
                if let Some(old) = item.replaces {
                    self.drop_version(&old, "replaced");
                }
                self.held.insert(given.version, BundleObject::Item(Box::new(given)));
            }
            FeedEvent::Campaign(event) => {
                let told = event.contribution.clone().unwrap_or_default();
                let given = given::contribution(&told).map_err(|invalid| unreadable(&invalid))?;
                if let Some(old) = told.replaces {
                    self.drop_version(&old, "replaced");
                }
                self.held.insert(given.version, BundleObject::Said(Box::new(given)));
            }
            FeedEvent::Enforcement(event) => {
                let told = event.enforcement.clone().unwrap_or_default();
                let given = given::enforcement(&told).map_err(|invalid| unreadable(&invalid))?;
                if let Some(old) = told.replaces {
                    self.drop_version(&old, "replaced");
                }
                self.held.insert(given.version, BundleObject::Done(Box::new(given)));
            }
            FeedEvent::Removal(removal) => {
                if let Some(version) = &removal.version {
                    self.drop_version(version, &shown::reason(removal));
                }
            }
            _ => self.left_out += 1,
        }
        Ok(())
    }

    fn drop_version(&mut self, version: &pb::Version, reason: &str) {
        let version = Position::new(version.sequence, version.index);
        if self.held.remove(&version).is_none() {
            self.gone.push((version, reason.to_owned()));
        }
    }

    /// Prints the bundle, and on stderr what it cannot say.
    pub fn print(&self) -> Result<(), Failure> {
        let mut bundle = Bundle::default();
        for held in self.held.values() {
            match held {
                BundleObject::Item(given) => bundle.add(given),
                BundleObject::Said(given) => bundle.add_contribution(given),
                BundleObject::Done(given) => bundle.add_enforcement(given),
            }
        }
        let text = serde_json::to_string_pretty(&bundle.finish())
            .map_err(|error| Failure::failed(format!("cannot write STIX: {error}")))?;
        output::line(&text)?;
        for (version, reason) in &self.gone {
            output::remark(&format!(
                "drop version {version}, which an earlier pull may have given: {reason}"
            ));
        }
        if self.left_out > 0 {
            let what = words::count(self.left_out, "event");
            output::remark(&format!("{what} left out of the bundle: see --format jsonl"));
        }
        Ok(())
    }
}
