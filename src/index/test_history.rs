//! Histories for the tests of the index.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::domain::assessment::Verdict;
use crate::domain::entry::{AppendId, Batch, Body, Close, Item, SubmissionId};
use crate::domain::list::ShrinkPolicy;
use crate::domain::partner::{GroupDefinition, HourlyLimits, Partner, Role};
use crate::domain::sharing::Audience;
use crate::domain::{
    Assessment, GroupId, Indicator, Kind as IndicatorKind, PartnerId, Sharing, Timestamp, Tlp,
};

pub const MINUTE: i64 = 60_000;
pub const DAY: i64 = 24 * 60 * MINUTE;

/// A journal that tests build entry by entry.
#[derive(Debug, Default)]
pub struct History {
    pub entries: Vec<Entry>,
    pub now: i64,
}

impl History {
    pub fn new() -> Self {
        let mut history = Self { entries: Vec::new(), now: 1_000 };
        for id in ["birdsite", "facegraph", "tubeworks"] {
            history.push(None, Body::PartnerPut(partner(id)));
        }
        history.group(&["birdsite", "facegraph"]);
        history
    }

    pub fn push(&mut self, author: Option<&str>, body: Body) -> u64 {
        let sequence = self.entries.len() as u64 + 1;
        self.now += 1;
        self.entries.push(Entry {
            sequence,
            time: Timestamp::from_millis(self.now),
            id: AppendId::derive(&[&sequence.to_be_bytes()]),
            author: author.map(PartnerId::from_stored),
            body,
        });
        sequence
    }

    pub fn group(&mut self, members: &[&str]) -> u64 {
        self.push(
            None,
            Body::GroupPut(GroupDefinition {
                id: GroupId::from_stored("core"),
                name: "Core".into(),
                history_all: false,
                restricted: None,
                members: members.iter().map(|id| PartnerId::from_stored(id)).collect(),
            }),
        )
    }

    pub fn batch(
        &mut self,
        author: &str,
        submission: &str,
        number: u32,
        items: &[(&str, Verdict)],
    ) -> u64 {
        let sharing =
            Sharing { tlp: Tlp::Green, audience: Audience::Everyone, releases: Vec::new() };
        self.batch_to(author, submission, number, items, sharing)
    }

    pub fn batch_to(
        &mut self,
        author: &str,
        submission: &str,
        number: u32,
        items: &[(&str, Verdict)],
        sharing: Sharing,
    ) -> u64 {
        let body = Self::batch_of(submission, number, items, sharing);
        self.push(Some(author), body)
    }

    pub fn batch_of(
        submission: &str,
        number: u32,
        items: &[(&str, Verdict)],
        sharing: Sharing,
    ) -> Body {
        let mut digest = [0; 32];
        let content = format!("{items:?}{sharing:?}");
        digest[..4].copy_from_slice(&crc32c::crc32c(content.as_bytes()).to_be_bytes());
        let items = items.iter().zip(0..).map(|((value, verdict), index)| {
            let indicator = Indicator::from_stored(IndicatorKind::Domain, None, *value);
            let id = indicator.id();
            let assessment = Assessment { verdict: Some(*verdict), ..Assessment::of(indicator) };
            Item { index, id, assessment }
        });
        Body::SubmissionBatch(Batch {
            submission: SubmissionId::from_stored(submission),
            number,
            digest,
            sharing,
            replaces: None,
            list: None,
            items: items.collect(),
            rejected: Vec::new(),
        })
    }

    pub fn close(&mut self, author: &str, submission: &str, batches: Option<u32>) -> u64 {
        let partner = PartnerId::from_stored(author);
        let submission = SubmissionId::from_stored(submission);
        self.push(
            None,
            Body::SubmissionClosed(Close {
                partner,
                submission,
                batches,
                policy: ShrinkPolicy::default(),
            }),
        )
    }
}

pub fn partner(id: &str) -> Partner {
    Partner {
        id: PartnerId::from_stored(id),
        name: id.into(),
        role: Role::Member,
        platforms: Vec::new(),
        jurisdiction: None,
        default_group: None,
        default_tlp: Tlp::Amber,
        purposes: Vec::new(),
        referrals_off: false,
        limits: HourlyLimits::default(),
    }
}

pub fn open(folder: &Path, history: &History) -> Arc<Index> {
    let head = history.entries.len() as u64;
    let at = |sequence: u64| usize::try_from(sequence).unwrap() - 1;
    let entry = |sequence| history.entries.get(at(sequence)).cloned();
    let ends = JournalEnds { head, entry: &entry };
    Arc::new(Index::open(folder, 4 << 20, ends).unwrap())
}

pub fn applied(history: &History) -> (tempfile::TempDir, Arc<Index>) {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path(), history);
    Applier::new(Arc::clone(&index)).unwrap().apply(&history.entries).unwrap();
    (folder, index)
}

pub fn outcome(index: &Index, sequence: u64) -> Outcome {
    Outcome::clone(&index.applied_outcome(sequence).unwrap())
}

/// An index whose node crashed after `commits` commits, restarted, and applied the rest.
pub fn stopped_and_finished(history: &History, commits: usize) -> (tempfile::TempDir, Arc<Index>) {
    let folder = tempfile::tempdir().unwrap();
    let mut applier = Applier::new(open(folder.path(), history)).unwrap();
    applier.stop_after(commits);
    // The history may have fewer commits: then nothing crashes.
    let _ = applier.apply(&history.entries);
    drop(applier);
    let index = open(folder.path(), history);
    let mut applier = Applier::new(Arc::clone(&index)).unwrap();
    let next = usize::try_from(applier.next_sequence()).unwrap() - 1;
    applier.apply(&history.entries[next..]).unwrap();
    (folder, index)
}
