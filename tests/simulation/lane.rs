//! Random histories of the liaison lane, added to those of the other partners.

pub mod interference;

use std::collections::{BTreeMap, BTreeSet};

use tipoff::domain::assessment::Confidence;
use tipoff::domain::entry::{Item, Releasable, ReleaseAction, RequestId, SubmissionId};
use tipoff::domain::purpose::AccessWay;
use tipoff::domain::sharing::{Audience, Release, SharingView};
use tipoff::domain::submission::{BatchRequest, ItemReceipt, Receipt, SubmissionRequest};
use tipoff::domain::{Assessment, PartnerId, Position, TipId, Tlp};
use tipoff::error::Error;
use tipoff::exchange::{ReleaseRequest, Selection};

use crate::cast::{bits, id};
use crate::history::{History, MEMBERS, VALUES};
use crate::lane_history::{LaneHistory, LaneOp, STEPS};
use crate::liaison::{ActiveReleases, FilterSpec, Reader, liaison};
use crate::run::Run;
use crate::trace::{Observed, Trace, observation};
use crate::words::{indicator, sharing};

/// A running history of the lane.
pub struct LaneRun {
    pub run: Run,
    pub readers: Vec<Reader>,
    /// The sent tips and their senders.
    pub tips: BTreeMap<u32, (TipId, u8)>,
    releases: ActiveReleases,
    /// The objects that each liaison received: author, liaison and version.
    received: BTreeSet<(PartnerId, PartnerId, Position)>,
    /// The observing liaison, if the observer is one.
    observer: Option<u8>,
    trace: Trace,
}

/// Runs a history to its end. `Err` is a violated guarantee. `Ok` is what the observer observed: a
/// liaison, or a partner of the history.
fn run(history: &LaneHistory, observer: Observer) -> Result<Trace, String> {
    let mut lane = LaneRun::new(history, observer);
    for number in 0..STEPS {
        if let Some(step) = history.base.steps.iter().find(|(own, _)| *own == number) {
            lane.run.step(&history.base, step)?;
        }
        let due = history.lane.iter().filter(|(after, _, _)| *after == number);
        for (_, number, op) in due {
            lane.step(*number, op)?;
        }
    }
    lane.end()?;
    Ok(if lane.observer.is_some() { lane.trace } else { lane.run.trace })
}

/// The observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Observer {
    Partner(u8),
    Liaison(u8),
}

impl LaneRun {
    fn new(history: &LaneHistory, observer: Observer) -> Self {
        let (partner, liaison) = match observer {
            Observer::Partner(partner) => (partner, None),
            Observer::Liaison(liaison) => (0, Some(liaison)),
        };
        Self {
            run: Run::new(history.base.readers.clone(), partner),
            readers: history.readers.iter().copied().map(Reader::new).collect(),
            tips: BTreeMap::new(),
            releases: ActiveReleases::default(),
            received: BTreeSet::new(),
            observer: liaison,
            trace: Trace::new(),
        }
    }

    fn step(&mut self, number: u32, op: &LaneOp) -> Result<(), String> {
        match op {
            LaneOp::Submit { .. } => {
                // Refused if the author is suspended, or in none of the groups by now.
                if let Ok(receipt) = self.submit(number, op) {
                    self.record_releases(op, &receipt);
                }
            }
            LaneOp::Release { author, values, liaisons, hours, basis } => {
                let until = hours.map(|hours| self.run.world.in_hours(hours));
                let basis = ["warrant W-17", "by leave"][usize::from(*basis)].to_owned();
                let action = ReleaseAction::Release { basis, until };
                self.release(number, *author, values, *liaisons, &action);
            }
            LaneOp::Retract { author, values, liaisons } => {
                self.release(number, *author, values, *liaisons, &ReleaseAction::Retract);
            }
            LaneOp::Campaign { op, to_liaison, hours } => {
                let until = hours.map(|hours| self.run.world.in_hours(hours));
                let release =
                    Release { liaison: liaison(*to_liaison), basis: "with it".into(), until };
                let key = format!("ld{number}");
                let versions = self.run.campaign_step_with_releases(number, &key, op, &[release]);
                for version in versions {
                    self.releases.0.insert((version, *to_liaison), until);
                }
            }
            LaneOp::ReleaseCampaign { author, campaign, liaisons, hours } => {
                let until = hours.map(|hours| self.run.world.in_hours(hours));
                let action = ReleaseAction::Release { basis: "warrant W-17".into(), until };
                let selection = Selection::Campaign(self.run.world.campaigns.id(*campaign));
                self.send_release(number, *author, selection, *liaisons, &action);
            }
            LaneOp::RetractCampaign { author, campaign, liaisons } => {
                let selection = Selection::Campaign(self.run.world.campaigns.id(*campaign));
                self.send_release(number, *author, selection, *liaisons, &ReleaseAction::Retract);
            }
            LaneOp::Read { reader, events } => {
                let state = &mut self.readers[usize::from(*reader)];
                let observed = state.read(&self.run.world, &self.releases, usize::from(*events))?;
                self.observe(*reader, observed);
                self.record(*reader, AccessWay::Pull);
            }
            LaneOp::Snapshot { reader } => {
                let state = &mut self.readers[usize::from(*reader)];
                let observed = state.snapshot(&self.run.world, &self.releases)?;
                self.observe(*reader, observed);
                self.record(*reader, AccessWay::Snapshot);
            }
            LaneOp::ExpireReleases => self.expire_releases(),
            LaneOp::Tip { sender, liaisons } => self.tip(number, *sender, *liaisons),
            LaneOp::TipStep { tip, step } => self.tip_step(number, *tip, *step),
            LaneOp::ReadTips { reader } => self.read_tips(*reader)?,
        }
        Ok(())
    }

    fn submit(&mut self, number: u32, op: &LaneOp) -> Result<Receipt, Error> {
        let LaneOp::Submit { author, to, values, to_liaison, hours, confidence } = op else {
            panic!("a submission")
        };
        let caller = self.run.world.caller(*author)?;
        let until = hours.map(|hours| self.run.world.in_hours(hours));
        let release = Release { liaison: liaison(*to_liaison), basis: "with it".into(), until };
        let mut sharing = sharing(to);
        sharing.releases = vec![release];
        let items = values.iter().zip(0..).map(|(value, index)| {
            let mut assessment = Assessment::of(indicator(*value));
            assessment.confidence = Some(Confidence::new(u32::from(*confidence)).unwrap());
            Item { index, id: assessment.indicator.id(), assessment }
        });
        let submission = SubmissionRequest {
            id: SubmissionId::from_stored(&format!("l{number}")),
            batch: Some(BatchRequest {
                number: 1,
                digest: [u8::try_from(number).unwrap(); 32],
                sharing,
                replaces: None,
                list: None,
                items: items.collect(),
                rejected: Vec::new(),
            }),
            close: None,
        };
        self.run.call(|world| {
            let (exchange, caller, submission) =
                (world.exchange().clone(), caller.clone(), submission.clone());
            async move { exchange.commands.submit(&caller, submission).await }
        })
    }

    fn record_releases(&mut self, op: &LaneOp, receipt: &Receipt) {
        let LaneOp::Submit { to_liaison, hours, .. } = op else { return };
        let until = hours.map(|hours| self.run.world.in_hours(hours));
        for (_, item) in &receipt.batch.as_ref().unwrap().items {
            if let ItemReceipt::Created(at)
            | ItemReceipt::Recreated { version: at, .. }
            | ItemReceipt::Replaced { version: at, .. } = item
            {
                self.releases.0.insert((*at, *to_liaison), until);
            }
        }
    }

    fn release(
        &mut self,
        number: u32,
        author: u8,
        values: &[u8],
        liaisons: u8,
        action: &ReleaseAction,
    ) {
        let selection = Selection::Indicators {
            keys: values.iter().map(|value| Ok(indicator(*value).id())).collect(),
            audience: None,
        };
        self.send_release(number, author, selection, liaisons, action);
    }

    fn send_release(
        &mut self,
        number: u32,
        author: u8,
        selection: Selection,
        liaisons: u8,
        action: &ReleaseAction,
    ) {
        let Ok(caller) = self.run.world.caller(author) else { return };
        let recipients: Vec<u8> = bits(liaisons, 2).collect();
        let request = ReleaseRequest {
            request: RequestId::from_stored(&format!("r{number}")),
            digest: [u8::try_from(number).unwrap(); 32],
            selection,
            liaisons: recipients.iter().copied().map(liaison).collect(),
            action: action.clone(),
        };
        let answer = self.run.call(|world| {
            let (exchange, caller, request) =
                (world.exchange().clone(), caller.clone(), request.clone());
            async move { exchange.commands.release(&caller, request).await }
        });
        let Ok(answer) = answer else { return };
        for object in answer.changed.iter().chain(&answer.unchanged) {
            let version = version_of(object);
            for recipient in &recipients {
                match action {
                    ReleaseAction::Release { until, .. } => {
                        self.releases.0.insert((version, *recipient), *until);
                    }
                    ReleaseAction::Retract => {
                        self.releases.0.remove(&(version, *recipient));
                    }
                }
            }
        }
    }

    fn expire_releases(&mut self) {
        let expired = self.run.call(|world| {
            let exchange = world.exchange().clone();
            async move { exchange.sweeps.end_due_releases().await }
        });
        expired.unwrap();
    }

    /// Writes the access record of what a reader received, as the service does.
    pub fn record(&mut self, reader: u8, way: AccessWay) {
        let state = &mut self.readers[usize::from(reader)];
        let purpose = state.purpose(&self.run.world);
        let own = liaison(state.spec.liaison);
        let sharing =
            SharingView { tlp: Tlp::Clear, audience: Audience::Everyone, releases: Vec::new() };
        let (of_tips, mut accessed) = state.take_received_tips();
        self.received.extend(of_tips.into_iter().map(|(author, at)| (author, own.clone(), at)));
        for (author, version) in std::mem::take(&mut state.received) {
            accessed.add(&author, version, &sharing, &purpose);
            self.received.insert((author, own.clone(), version));
        }
        let recorded = self.run.call(|world| {
            let (exchange, own, purpose, accessed) =
                (world.exchange().clone(), own.clone(), purpose.clone(), accessed.clone());
            async move { exchange.liaison.record_access(&own, way, &purpose, accessed).await }
        });
        recorded.unwrap();
    }

    pub fn observe(&mut self, reader: u8, observed: Vec<Observed>) {
        if Some(self.readers[usize::from(reader)].spec.liaison) == self.observer {
            self.trace.push(observation(&format!("reader {reader}"), []));
            self.trace.extend(observed);
        }
    }

    /// Ends expired releases, and reads to the end. Then each liaison has to hold what a snapshot
    /// and a query return, and each author has to see all accesses to its objects.
    fn end(&mut self) -> Result<(), String> {
        self.expire_releases();
        self.run.end()?;
        for at in 0..self.readers.len() {
            let observed = self.readers[at].read(&self.run.world, &self.releases, usize::MAX)?;
            let at = u8::try_from(at).unwrap();
            self.observe(at, observed);
            self.record(at, AccessWay::Pull);
            let reader = &self.readers[usize::from(at)];
            let mut fresh = Reader::new(reader.spec);
            fresh.snapshot(&self.run.world, &self.releases)?;
            if reader.held != fresh.held {
                let lacks: Vec<_> = fresh.held.difference(&reader.held).collect();
                let keeps: Vec<_> = reader.held.difference(&fresh.held).collect();
                return Err(format!("{:?} lacks {lacks:?} and keeps {keeps:?}", reader.spec));
            }
            self.check_queries(reader)?;
            reader.check_tips_by_feed(&self.run.world)?;
            self.read_tips(at)?;
        }
        self.check_accesses()
    }

    fn check_queries(&self, reader: &Reader) -> Result<(), String> {
        if reader.spec.public_only || reader.spec.filter != FilterSpec::Everything {
            return Ok(());
        }
        let caller = crate::liaison::caller(&self.run.world, reader.spec.liaison);
        let exchange = self.run.world.exchange();
        let read: BTreeSet<_> = (0..VALUES)
            .filter_map(|value| exchange.queries.indicator(&caller, indicator(value).id()).ok())
            .flat_map(|view| view.assessments)
            .map(|assessment| assessment.record.version)
            .collect();
        let held: BTreeSet<_> = reader.held.difference(&reader.other_versions).copied().collect();
        if read == held {
            Ok(())
        } else {
            Err(format!("{:?}: queries give {read:?}, and a feed {held:?}", reader.spec))
        }
    }

    fn check_accesses(&self) -> Result<(), String> {
        let mut listed = BTreeSet::new();
        for author in 0..MEMBERS {
            let caller = self.run.world.caller(author).unwrap();
            let mut after = None;
            loop {
                let exchange = self.run.world.exchange();
                let page = exchange.liaison.list_accesses(&caller, None, None, after, 2).unwrap();
                for access in page.items {
                    let to = access.record.liaison;
                    let versions = access.objects.into_iter().map(|(version, _)| version);
                    listed.extend(versions.map(|version| (id(author), to.clone(), version)));
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        if listed == self.received {
            return Ok(());
        }
        let lacks: Vec<_> = self.received.difference(&listed).collect();
        let extra: Vec<_> = listed.difference(&self.received).collect();
        Err(format!("access records lack {lacks:?}, and list too many: {extra:?}"))
    }
}

fn version_of(object: &Releasable) -> Position {
    match object {
        Releasable::Assessment(target) => target.version.unwrap_or_default(),
        Releasable::Contribution { version, .. } | Releasable::Enforcement { version, .. } => {
            *version
        }
    }
}

/// Convergence in the lane: a liaison ends with what a snapshot returns, and an access record lists
/// each object that it received.
pub fn converges(history: &History, seed: u64) -> Result<(), String> {
    run(&LaneHistory::of(history, seed), Observer::Liaison(0)).map(|_| ())
}
