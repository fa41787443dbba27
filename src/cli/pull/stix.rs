//! Collects what is current at the end of a pull, as a STIX bundle.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use super::super::failure::Failure;
use super::super::{output, render, text};
use crate::client::FeedEvent;
use crate::domain::{
    Invalid, Position, ReceivedAssessment, ReceivedContribution, ReceivedEnforcement,
};
use crate::formats::export::stix::BundleWriter;
use crate::wire::{pb, received};

/// The current objects among those pulled.
#[derive(Debug, Default)]
pub struct CurrentObjects {
    objects: BTreeMap<Position, BundleObject>,
    /// Versions of earlier pulls that must be dropped. A bundle cannot express a removal.
    removed: Vec<(Position, String)>,
    left_out: u64,
}

/// An object of the bundle.
#[derive(Debug)]
enum BundleObject {
    Item(Box<ReceivedAssessment>),
    Contribution(Box<ReceivedContribution>),
    Enforcement(Box<ReceivedEnforcement>),
}

fn unreadable(invalid: &Invalid) -> Failure {
    Failure::failed(format!("the exchange sent an object that this client cannot read: {invalid}"))
}

impl CurrentObjects {
    /// Applies an event.
    pub fn add(&mut self, event: &FeedEvent) -> Result<(), Failure> {
        match event {
            FeedEvent::Item(item) => {
                let given = received::read(item).map_err(|invalid| unreadable(&invalid))?;
                if let Some(old) = item.replaces {
                    self.drop_version(&old, "replaced");
                }
                self.objects.insert(given.version, BundleObject::Item(Box::new(given)));
            }
            FeedEvent::Campaign(event) => {
                let contribution = event.contribution.clone().unwrap_or_default();
                let given = received::contribution(&contribution)
                    .map_err(|invalid| unreadable(&invalid))?;
                if let Some(old) = contribution.replaces {
                    self.drop_version(&old, "replaced");
                }
                self.objects.insert(given.version, BundleObject::Contribution(Box::new(given)));
            }
            FeedEvent::Enforcement(event) => {
                let enforcement = event.enforcement.clone().unwrap_or_default();
                let given =
                    received::enforcement(&enforcement).map_err(|invalid| unreadable(&invalid))?;
                if let Some(old) = enforcement.replaces {
                    self.drop_version(&old, "replaced");
                }
                self.objects.insert(given.version, BundleObject::Enforcement(Box::new(given)));
            }
            FeedEvent::Removal(removal) => {
                if let Some(version) = &removal.version {
                    self.drop_version(version, &render::feed::removal_reason(removal));
                }
            }
            _ => self.left_out += 1,
        }
        Ok(())
    }

    fn drop_version(&mut self, version: &pb::Version, reason: &str) {
        let version = Position::new(version.sequence, version.index);
        if self.objects.remove(&version).is_none() {
            self.removed.push((version, reason.to_owned()));
        }
    }

    /// Prints the bundle to stdout, and what it cannot express to stderr.
    pub fn print(&self) -> Result<(), Failure> {
        self.write(io::stdout().lock()).map_err(|error| output::stdout_failure(&error))?;
        for (version, reason) in &self.removed {
            output::remark(&format!(
                "drop version {version} if you have it from an earlier pull: {reason}"
            ));
        }
        if self.left_out > 0 {
            let what = text::count(self.left_out, "event");
            output::remark(&format!("{what} left out of the bundle: use --format jsonl"));
        }
        Ok(())
    }

    /// Campaigns come first: the others refer to them.
    fn write(&self, out: impl Write) -> io::Result<()> {
        let mut bundle = BundleWriter::new(BufWriter::new(out));
        for object in self.objects.values() {
            if let BundleObject::Contribution(contribution) = object {
                bundle.add_contribution(contribution)?;
            }
        }
        for object in self.objects.values() {
            match object {
                BundleObject::Item(item) => bundle.add_assessment(item)?,
                BundleObject::Enforcement(enforcement) => bundle.add_enforcement(enforcement)?,
                BundleObject::Contribution(_) => {}
            }
        }
        bundle.close()
    }
}
