//! Runs a history through the real server: every step is a call of a client, and the ledger follows it.

mod convergence;

use std::collections::BTreeMap;
use std::time::Duration;

use tipoff::client::{Client, ClientError, FeedEvent};
use tipoff::clock::{Clock, SystemClock};
use tipoff::domain::{Position, Timestamp};
use tipoff::wire::{pb, timestamp};

use crate::cast::{TERMS, id};
use crate::exchange::{Exchange, sharing_group};
use crate::follower::Follower;
use crate::history::{
    AudienceBits, GROUPS, History, Op, RESTRICTED, ReaderSpec, Step, SubmittedItem,
};
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::support::batch;
use crate::trace::{Observed, Trace, observation};
use crate::walker::{ReadOutcome, Walker};
use crate::words::{self, audience, key, refused, sharing, written};

/// The validity of objects that expire.
const SOON: Duration = Duration::from_millis(1_000);
/// Long enough that the exchange, which checks once a second, has ended what expired.
const WAIT: Duration = Duration::from_millis(1_300);
/// How long after the last expiry readers and queries may differ. The check is repeated until then.
const SETTLED: Duration = Duration::from_secs(6);

/// A running history.
struct Run<'a> {
    plan: &'a Plan,
    exchange: Exchange,
    began: Timestamp,
    walkers: Vec<Walker>,
    followers: Vec<Follower>,
    ledger: Ledger,
    /// The submissions as sent, and their receipts, by step.
    sent: BTreeMap<u32, pb::SubmitIndicatorsRequest>,
    receipts: BTreeMap<u32, pb::Receipt>,
    /// When the last object expires.
    last_end: Timestamp,
    observer: u8,
    trace: Trace,
}

/// The result of a history.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The observations of one partner.
    pub trace: Trace,
    /// How often the exchange was killed, and how often during a call.
    pub kills: u32,
    pub cut_off: u32,
    /// The number of items that connected readers received.
    pub received: usize,
}

/// Runs a history to its end. `Err` is a violated guarantee. `Ok` has what `observer` observed, and
/// statistics.
pub async fn run(plan: &Plan, observer: u8) -> Result<Outcome, String> {
    let exchange = Exchange::start().await;
    let readers = &plan.history.readers;
    let follow = |spec: ReaderSpec| Follower::start(spec, &exchange.client(spec.partner));
    let mut run = Run {
        followers: readers.iter().copied().map(follow).collect(),
        walkers: readers.iter().copied().map(Walker::new).collect(),
        began: SystemClock.now(),
        ledger: Ledger::new(),
        sent: BTreeMap::new(),
        receipts: BTreeMap::new(),
        last_end: Timestamp::default(),
        trace: Trace::new(),
        plan,
        exchange,
        observer,
    };
    for step in &plan.history.steps {
        run.step(&plan.history, step).await?;
    }
    let received = run.end().await?;
    let Run { trace, exchange: Exchange { kills, cut_off, .. }, .. } = run;
    Ok(Outcome { trace, kills, cut_off, received })
}

impl Run<'_> {
    async fn step(&mut self, history: &History, (number, op): &Step) -> Result<(), String> {
        let kill = self.plan.kills.get(number).copied();
        match op {
            Op::Submit { .. } => self.submit(*number, op, kill).await?,
            Op::Resend { submission } => {
                if let Some(first) = history.op_of(*submission) {
                    self.submit(*submission, first, kill).await?;
                }
            }
            Op::Withdraw { author, values, to } => {
                let request = pb::WithdrawIndicatorsRequest {
                    keys: values.iter().copied().map(key).collect(),
                    audience: to.as_ref().map(audience),
                    submission_id: String::new(),
                };
                if self.withdraw(*author, request, kill).await {
                    self.ledger.record_withdrawal(*author, values, to.as_ref());
                }
            }
            Op::WithdrawSubmission { submission } => {
                let Some(author) = history.author_of(*submission) else { return Ok(()) };
                let submission_id = submission_id(*submission);
                let request = pb::WithdrawIndicatorsRequest { submission_id, ..Default::default() };
                if self.withdraw(author, request, kill).await {
                    self.ledger.record_submission_withdrawal(*submission);
                }
            }
            Op::Read { reader, events } => {
                self.read(*reader, usize::from(*events), events % 2 == 0, kill).await?;
            }
            Op::Snapshot { reader } => {
                let client = self.reader_client(*reader);
                let walker = &mut self.walkers[usize::from(*reader)];
                let mut events = self.exchange.under(kill, walker.snapshot(&client)).await;
                // Snapshots are sorted by key, and keys are no secret: the order reveals nothing.
                if let Ok(events) = &mut events {
                    events.sort_by_key(|event| words::event(event).text);
                }
                self.observe_reader(*reader, Ok(events))?;
            }
            Op::Wait { .. } => self.exchange.under(kill, tokio::time::sleep(WAIT)).await,
            Op::Restart { rebuild } => self.exchange.restart(*rebuild),
            Op::ReportSighting { author, value, to, key } => {
                self.report_sighting(*author, *value, to, *key, kill).await;
            }
            Op::GiveFeedback { giver, submission, item, to, key } => {
                let receipt = self.receipts.get(submission);
                let item = receipt.and_then(|receipt| receipt.items.get(usize::from(*item)));
                let Some(version) = item.and_then(|item| item.version) else { return Ok(()) };
                let author = history.author_of(*submission).expect("it has a receipt");
                self.give_feedback(*giver, (author, version), to.as_ref(), *key, kill).await;
            }
            _ => self.administer(op, kill).await,
        }
        Ok(())
    }

    /// Sends a submission, or repeats it: the same key and content give the same receipt.
    async fn submit(&mut self, number: u32, op: &Op, kill: Option<Duration>) -> Result<(), String> {
        let Op::Submit { author, to, replaces, items, .. } = op else { panic!("a submission") };
        let request = if let Some(sent) = self.sent.get(&number) {
            sent.clone()
        } else {
            let items = items.iter().map(|item| self.item(item)).collect();
            let mut request = batch(&submission_id(number), 1, Some(sharing(to)), items);
            let replaced = replaces.as_ref().map(audience);
            request.batch.as_mut().unwrap().replaces_audience = replaced;
            self.sent.insert(number, request.clone());
            request
        };
        let client = self.exchange.client(*author);
        let answer = self.exchange.under(kill, client.submit(request)).await;
        self.observe_answer(*author, answer.as_ref().map(words::receipt));
        match (self.receipts.get(&number), answer) {
            (None, Ok(receipt)) => {
                self.ledger.record_submission(number, op, &receipt)?;
                self.receipts.insert(number, receipt);
            }
            (Some(first), Ok(again)) => {
                if first.items != again.items || first.sequence != again.sequence {
                    return Err(format!(
                        "{first:?} was answered with {again:?} when it was sent again"
                    ));
                }
                if !again.replayed {
                    return Err(format!("submission {number} was accepted twice"));
                }
            }
            // Its author is suspended.
            (None, Err(_)) | (Some(_), Err(ClientError::Denied(_))) => {}
            (Some(_), Err(error)) => {
                return Err(format!(
                    "submission {number} was accepted, and is now refused: {error}"
                ));
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &SubmittedItem) -> pb::SubmittedIndicator {
        let valid_until = item.hours.map(|_| {
            self.last_end = SystemClock.now().plus(SOON);
            timestamp(self.last_end)
        });
        let labels: &[&str] = if item.restricted { &["csam"] } else { &[] };
        pb::SubmittedIndicator {
            value: written(item.value),
            assessment: Some(pb::Assessment {
                confidence: Some(item.confidence.into()),
                valid_until,
                labels: labels.iter().map(ToString::to_string).collect(),
                ..pb::Assessment::default()
            }),
            ..pb::SubmittedIndicator::default()
        }
    }

    /// Returns whether it was accepted. An interrupted try may have ended versions that the answer
    /// of the retry lacks.
    async fn withdraw(
        &mut self,
        author: u8,
        request: pb::WithdrawIndicatorsRequest,
        kill: Option<Duration>,
    ) -> bool {
        let client = self.exchange.client(author);
        let answer = self.exchange.under(kill, client.withdraw(request)).await;
        if kill.is_none() || answer.is_err() {
            self.observe_answer(author, answer.as_ref().map(words::withdrawal));
        }
        answer.is_ok()
    }

    async fn report_sighting(
        &mut self,
        author: u8,
        value: u8,
        to: &AudienceBits,
        request: u8,
        kill: Option<Duration>,
    ) {
        let sighting = pb::Sighting { indicator: Some(key(value)), count: 3, ..Default::default() };
        let request = pb::ReportSightingsRequest {
            request_id: format!("s{request}"),
            sharing: Some(sharing(to)),
            sightings: vec![sighting],
        };
        let client = self.exchange.client(author);
        let answer = self.exchange.under(kill, client.report_sightings(request)).await;
        if let Ok(response) = &answer {
            self.ledger.record_reaction(entry(response.sequence), author, Some(to), None);
        }
        self.observe_answer(author, answer.as_ref().map(words::sightings_receipt));
    }

    async fn give_feedback(
        &mut self,
        giver: u8,
        (author, version): (u8, pb::Version),
        to: Option<&AudienceBits>,
        request: u8,
        kill: Option<Duration>,
    ) {
        let request = pb::GiveFeedbackRequest {
            request_id: format!("f{request}"),
            version: Some(version),
            opinion: pb::Opinion::Disagree.into(),
            note: String::new(),
            sharing: to.map(sharing),
        };
        let client = self.exchange.client(giver);
        let answer = self.exchange.under(kill, client.give_feedback(request)).await;
        if let Ok(response) = &answer {
            self.ledger.record_reaction(entry(response.sequence), giver, to, Some(author));
        }
        self.observe_answer(giver, answer.as_ref().map(words::feedback_receipt));
    }

    /// Changes partners and groups.
    async fn administer(&mut self, op: &Op, kill: Option<Duration>) {
        let operator = self.exchange.operator.clone();
        match op {
            Op::PutGroup { group, members } => {
                let put = operator.put_group(sharing_group(*group, *members));
                // The retry reports "unchanged" if the first try was stored but interrupted. No
                // batch has come since.
                let sequence = self.exchange.under(kill, put).await.unwrap().sequence;
                self.ledger.change(|model| model.put_group(*group, *members, sequence));
            }
            Op::Confirm { partner } => {
                let client = self.exchange.client(*partner);
                let confirm = client.confirm_terms(GROUPS[usize::from(RESTRICTED)], TERMS);
                let answer = self.exchange.under(kill, confirm).await;
                if answer.is_ok() {
                    self.ledger.change(|model| model.confirm(*partner));
                }
                self.observe_answer(
                    *partner,
                    answer.as_ref().map(|()| observation("confirmed", [])),
                );
            }
            Op::Suspend { partner, compromised_hours } => {
                let request = pb::SuspendPartnerRequest {
                    id: id(*partner).to_string(),
                    compromised_since: compromised_hours.map(|hours| self.hours_ago(hours)),
                };
                let suspend = operator.suspend_partner(request);
                self.exchange.under(kill, suspend).await.unwrap();
                if compromised_hours.is_some() && self.plan.is_timeless {
                    self.ledger.record_withdrawal_of_all(*partner);
                }
            }
            Op::Resume { partner } => {
                let partner = id(*partner);
                let resume = operator.resume_partner(partner.as_str());
                self.exchange.under(kill, resume).await.unwrap();
            }
            _ => unreachable!("{op:?}"),
        }
    }

    /// The time that corresponds to this many simulated hours ago.
    fn hours_ago(&self, hours: u16) -> prost_types::Timestamp {
        let now = SystemClock.now();
        let ago = now.since(self.began).as_millis() as i64 * i64::from(hours) / 2_000;
        timestamp(Timestamp::from_millis(now.as_millis() - ago))
    }

    async fn read(
        &mut self,
        reader: u8,
        limit: usize,
        by_pages: bool,
        kill: Option<Duration>,
    ) -> Result<(), String> {
        let client = self.reader_client(reader);
        let walker = &mut self.walkers[usize::from(reader)];
        let is_timeless = self.plan.is_timeless;
        let outcome = self.exchange.under(kill, async {
            if by_pages {
                Ok(walker.pull(&client, limit).await)
            } else {
                walker.follow(&client, limit, is_timeless).await
            }
        });
        let observed = outcome.await;
        self.observe_reader(reader, observed)
    }

    fn reader_client(&self, reader: u8) -> Client {
        self.exchange.client(self.walkers[usize::from(reader)].spec.partner)
    }

    fn observe_reader(&mut self, reader: u8, outcome: ReadOutcome) -> Result<(), String> {
        let partner = self.walkers[usize::from(reader)].spec.partner;
        let outcome = outcome?;
        for event in outcome.iter().flatten() {
            match event {
                FeedEvent::Item(item) => self.ledger.check_now(partner, item)?,
                FeedEvent::Sighting(event) => {
                    let sighting = event.sighting.as_ref().unwrap();
                    self.ledger.check_reaction(partner, sighting.version)?;
                }
                FeedEvent::Feedback(event) => {
                    let feedback = event.feedback.as_ref().unwrap();
                    self.ledger.check_reaction(partner, feedback.version)?;
                }
                _ => {}
            }
        }
        if partner == self.observer {
            self.trace.push(observation(&format!("reader {reader}"), []));
            match outcome {
                Ok(events) => self.trace.extend(events.iter().map(words::event)),
                Err(error) => self.trace.push(refused(&error)),
            }
        }
        Ok(())
    }

    fn observe_answer(&mut self, partner: u8, answer: Result<Observed, &ClientError>) {
        if partner == self.observer {
            self.trace.push(answer.unwrap_or_else(refused));
        }
    }
}

fn submission_id(number: u32) -> String {
    format!("s{number}")
}

/// The position of the first item of an entry.
fn entry(sequence: u64) -> Position {
    Position::new(sequence, 0)
}
