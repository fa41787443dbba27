//! The end of a history: what readers hold is compared with what queries give.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use tipoff::domain::{Assessment, Position};
use tipoff::exchange::{Caller, Exchange, LinkedAccount};

use super::Run;
use crate::campaigns;
use crate::history::{FilterSpec, ReaderSpec, VALUES};
use crate::reader::{Reader, observed_reactions, refused};
use crate::trace::observation;
use crate::words::{indicator, stable_id};

/// The number of links between accounts that observers saw.
pub static LINKED_ACCOUNTS: AtomicU64 = AtomicU64::new(0);

impl Run {
    /// Ends all suspensions, and reads to the end. Then every reader has to hold what a query
    /// returns.
    pub fn end(&mut self) -> Result<(), String> {
        for partner in 0..5 {
            self.resume(partner);
        }
        for at in 0..self.readers.len() {
            let observed = self.readers[at].read(&self.world, &self.model, usize::MAX)?;
            let at = u8::try_from(at).unwrap();
            self.observe_reader(at, observed);
            let reader = &self.readers[usize::from(at)];
            let current = self.current_versions(reader.spec)?;
            if reader.held != current {
                let lacks: Vec<_> = current.difference(&reader.held).collect();
                let keeps: Vec<_> = reader.held.difference(&current).collect();
                return Err(format!("{:?} lacks {lacks:?} and keeps {keeps:?}", reader.spec));
            }
        }
        self.check_tips()?;
        self.observe_queries();
        Ok(())
    }

    /// The versions that are current for a reader, by a snapshot. Without a filter, reads of each
    /// indicator have to agree.
    fn current_versions(&self, spec: ReaderSpec) -> Result<BTreeSet<Position>, String> {
        let mut fresh = Reader::new(spec);
        fresh.snapshot(&self.world, &self.model)?;
        if spec.filter == FilterSpec::Everything {
            let caller = self.world.caller(spec.partner).map_err(|error| error.to_string())?;
            let read: BTreeSet<_> = (0..VALUES)
                .filter_map(|value| {
                    self.world.exchange().queries.indicator(&caller, indicator(value).id()).ok()
                })
                .flat_map(|view| view.assessments)
                .map(|assessment| assessment.record.version)
                .collect();
            if read != fresh.held {
                return Err(format!("{spec:?}: reads give {read:?}, a snapshot {:?}", fresh.held));
            }
        }
        if let FilterSpec::Campaign(step) = spec.filter {
            let named = self.versions_that_name(step, spec.partner)?;
            if named != fresh.held {
                return Err(format!("{spec:?}: reads give {named:?}, a snapshot {:?}", fresh.held));
            }
        }
        Ok(fresh.held)
    }

    /// The versions that name a campaign which a partner may see, by reads of each indicator.
    fn versions_that_name(&self, step: u32, partner: u8) -> Result<BTreeSet<Position>, String> {
        let campaign = self.world.campaigns.id(step);
        if !self.world.campaigns.sees(&self.model, partner, campaign) {
            return Ok(BTreeSet::new());
        }
        let caller = self.world.caller(partner).map_err(|error| error.to_string())?;
        let exchange = self.world.exchange();
        let views =
            (0..VALUES).filter_map(|v| exchange.queries.indicator(&caller, indicator(v).id()).ok());
        let records = views.flat_map(|view| view.assessments).map(|assessment| assessment.record);
        let naming = records.filter(|record| record.assessment.campaign == Some(campaign));
        Ok(naming.map(|record| record.version).collect())
    }

    /// Records which accounts are linked for the observer.
    fn observe_linked_accounts(&mut self, exchange: &Exchange, caller: &Caller) {
        let names = (0..VALUES).flat_map(|value| [indicator(value), stable_id(value)]);
        let names: Vec<_> = names.collect();
        let linked = exchange.queries.linked_accounts(caller, &names).unwrap();
        for name in &names {
            let Some(linked) = linked.get(&name.id()) else { continue };
            for LinkedAccount { indicator, view } in &linked.accounts {
                LINKED_ACCOUNTS.fetch_add(1, Ordering::Relaxed);
                let (name, other) = (name.value(), indicator.value());
                let version = view.as_ref().map(|view| view.strongest().record.version);
                self.trace
                    .push(observation(&format!("{name} is also {other}"), Vec::from_iter(version)));
            }
        }
    }

    /// Records the answer to every query that the observer may make.
    fn observe_queries(&mut self) {
        let caller = self.world.caller(self.observer).unwrap();
        let exchange = self.world.exchange().clone();
        let ids: Vec<_> = (0..VALUES).map(|value| indicator(value).id()).collect();
        let known = exchange.queries.lookup_all(&caller, &ids).unwrap();
        for id in &ids {
            let text = known.get(id).map(|known| {
                let strongest = known.strongest();
                let assessment = &strongest.record.assessment;
                let counts = (known.disputed, known.authors, strongest.author.as_str());
                let campaign = self.world.campaigns.name(assessment.campaign);
                let visible = Assessment { campaign: None, ..assessment.clone() };
                (format!("{counts:?} {visible:?} {campaign}"), strongest.record.version)
            });
            self.trace.push(match text {
                Some((text, at)) => observation(&format!("{id} {text}"), [at]),
                None => observation(&format!("{id} unknown"), []),
            });
            match exchange.queries.indicator(&caller, *id) {
                Err(error) => self.trace.push(refused(&error)),
                Ok(known) => {
                    for seen in &known.assessments {
                        let campaign = self.world.campaigns.name(seen.record.assessment.campaign);
                        let text = format!("{} {:?} {campaign}", seen.author, seen.sharing);
                        self.trace.push(observation(&text, [seen.record.version]));
                    }
                    let reactions = exchange.queries.reactions_to(&caller, &known).unwrap();
                    self.trace.extend(observed_reactions(&reactions));
                }
            }
        }
        self.observe_linked_accounts(&exchange, &caller);
        campaigns::queries(&exchange, &caller, &self.world.campaigns, &mut self.trace);
        self.trace.extend(crate::tips::queries(&exchange, &caller));
        for group in exchange.queries.list_groups(&caller, "", 0).items {
            let text = format!("{} {:?}", group.id, group.members().collect::<Vec<_>>());
            self.trace.push(observation(&text, []));
        }
    }
}
