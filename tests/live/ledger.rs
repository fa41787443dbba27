//! The independent record of who submitted what to whom, and when it ended. It is built from the
//! requests and their answers, not from the feeds under test.

use std::collections::{BTreeMap, BTreeSet};

use tipoff::domain::Position;
use tipoff::wire::pb;

use crate::cast::{FIRST_MEMBERS, bits, group, id};
use crate::history::{AudienceBits, GROUPS, Op, RESTRICTED, SubmittedItem};
use crate::model::Model;
use crate::words::{model_sharing, position, value, written};

/// What was submitted, shared and ended so far.
pub struct Ledger {
    /// The access rights after each change, since the beginning.
    models: Vec<Model>,
    versions: BTreeMap<Position, Version>,
    /// The newest versions, by author, value and audience. May contain expired ones.
    newest: BTreeMap<(u8, u8, AudienceBits), Position>,
    /// Versions that have ended for certain.
    ended: BTreeSet<Position>,
    reactions: BTreeMap<Position, Reaction>,
}

/// The content of one version.
struct Version {
    submission: u32,
    author: u8,
    to: AudienceBits,
    item: SubmittedItem,
}

/// A sighting or feedback.
struct Reaction {
    author: u8,
    to: Option<AudienceBits>,
    /// The author of the assessment, who gets feedback in any case.
    assessment_author: Option<u8>,
}

impl Ledger {
    pub fn new() -> Self {
        let mut model = Model::default();
        for (which, members) in (0u8..).zip(FIRST_MEMBERS) {
            model.put_group(which, members, 0);
        }
        Self {
            models: vec![model],
            versions: BTreeMap::new(),
            newest: BTreeMap::new(),
            ended: BTreeSet::new(),
            reactions: BTreeMap::new(),
        }
    }

    /// Records a change of rights.
    pub fn change(&mut self, change: impl FnOnce(&mut Model)) {
        let mut model = self.model().clone();
        change(&mut model);
        self.models.push(model);
    }

    /// Records a submission that was accepted for the first time.
    pub fn record_submission(
        &mut self,
        submission: u32,
        op: &Op,
        receipt: &pb::Receipt,
    ) -> Result<(), String> {
        let Op::Submit { author, to, replaces, items, .. } = op else { panic!("a submission") };
        for item in &receipt.items {
            let submitted_item = &items[item.index as usize];
            match item.status() {
                pb::ItemStatus::Created | pb::ItemStatus::Replaced => {
                    let position = position(item.version);
                    let (author, to, item) = (*author, to.clone(), submitted_item.clone());
                    let before = self.newest.insert((author, item.value, to.clone()), position);
                    self.ended.extend(before);
                    self.versions.insert(position, Version { submission, author, to, item });
                }
                pb::ItemStatus::Unchanged => {}
                pb::ItemStatus::Rejected | pb::ItemStatus::Unspecified => continue,
            }
            if let Some(moved) = replaces.as_ref().filter(|moved| *moved != to) {
                let before = self.newest.remove(&(*author, submitted_item.value, moved.clone()));
                self.ended.extend(before);
            }
            if submitted_item.restricted
                && *to != (AudienceBits::Named { groups: 1 << RESTRICTED, partners: 0 })
            {
                return Err(format!("a restricted item was accepted: {op:?}"));
            }
        }
        Ok(())
    }

    /// Records a sighting or feedback that was accepted.
    pub fn record_reaction(
        &mut self,
        at: Position,
        author: u8,
        to: Option<&AudienceBits>,
        assessment_author: Option<u8>,
    ) {
        self.reactions.insert(at, Reaction { author, to: to.cloned(), assessment_author });
    }

    /// Records that an author withdrew values, for one audience or for all.
    pub fn record_withdrawal(
        &mut self,
        author: u8,
        values: &[u8],
        audience: Option<&AudienceBits>,
    ) {
        self.end(|(version_author, value, to), _| {
            *version_author == author
                && values.contains(value)
                && audience.is_none_or(|only| only == to)
        });
    }

    /// Records that a submission was withdrawn.
    pub fn record_submission_withdrawal(&mut self, submission: u32) {
        self.end(|_, version| version.submission == submission);
    }

    /// Records that all assessments of a partner were withdrawn.
    pub fn record_withdrawal_of_all(&mut self, partner: u8) {
        self.end(|(author, ..), _| *author == partner);
    }

    fn end(&mut self, ends: impl Fn(&(u8, u8, AudienceBits), &Version) -> bool) {
        let Self { versions, newest, ended, .. } = self;
        let ending = newest.extract_if(.., |key, position| ends(key, &versions[position]));
        ended.extend(ending.map(|(_, position)| position));
    }

    /// Checks that delivered content is current, and visible to the reader at this moment.
    pub fn check_now(&self, reader: u8, item: &pb::FeedItem) -> Result<(), String> {
        let (at, version) = self.check(reader, item)?;
        if !sees(self.model(), reader, at, version) {
            return Err(format!("partner {reader} gets an item that it may not see: {item:?}"));
        }
        if self.ended.contains(&at) {
            return Err(format!("partner {reader} gets an item that has ended: {item:?}"));
        }
        Ok(())
    }

    /// Checks that delivered content was visible to the reader at some moment.
    pub fn check_ever(&self, reader: u8, item: &pb::FeedItem) -> Result<(), String> {
        let (at, version) = self.check(reader, item)?;
        if self.models.iter().any(|model| sees(model, reader, at, version)) {
            return Ok(());
        }
        Err(format!("partner {reader} got an item that it could never see: {item:?}"))
    }

    /// Checks that a sighting or feedback is shared with its reader.
    pub fn check_reaction(&self, reader: u8, version: Option<pb::Version>) -> Result<(), String> {
        let at = position(version);
        let Some(Reaction { author, to, assessment_author }) = self.reactions.get(&at) else {
            return Err(format!("nobody submitted {at:?}"));
        };
        let sees = |to| self.model().sees(reader, &id(*author), at, &model_sharing(to));
        let is_party = reader == *author || *assessment_author == Some(reader);
        if is_party || to.as_ref().is_some_and(sees) {
            return Ok(());
        }
        Err(format!("partner {reader} gets {at:?}, which partner {author} shared with {to:?}"))
    }

    /// The versions that a reader may see now. Exact if nothing expires.
    pub fn current_for(&self, reader: u8) -> BTreeSet<Position> {
        let versions = self.newest.values().copied();
        versions.filter(|at| sees(self.model(), reader, *at, &self.versions[at])).collect()
    }

    /// Checks that an item has its author's content, and only the reader's own part of the sharing.
    fn check(&self, reader: u8, item: &pb::FeedItem) -> Result<(Position, &Version), String> {
        let at = position(item.version);
        let version = self.versions.get(&at).ok_or_else(|| format!("nobody submitted {item:?}"))?;
        let is_own = version.author == reader;
        let assessment = item.assessment.as_ref().unwrap();
        let labels: &[&str] = if version.item.restricted { &["csam"] } else { &[] };
        let is_equal = item.author == id(version.author).as_str()
            && item.indicator.as_ref().unwrap().value == value(version.item.value)
            && assessment.confidence == Some(version.item.confidence.into())
            && assessment.labels == labels
            && item.raw == if is_own { written(version.item.value) } else { String::new() };
        if !is_equal {
            return Err(format!("{:?} is delivered as {item:?}", version.item));
        }
        let sharing = item.sharing.as_ref().unwrap();
        if let Some(pb::sharing::Audience::Named(named)) = &sharing.audience
            && !is_own
        {
            let own = self.own_groups(reader, at, version);
            if named.partners.iter().any(|partner| partner != id(reader).as_str())
                || named.groups.iter().any(|group| !own.contains(group))
            {
                return Err(format!("partner {reader} learns of other recipients: {item:?}"));
            }
        }
        Ok((at, version))
    }

    /// The groups of an audience through which a reader could see a version at some moment.
    fn own_groups(&self, reader: u8, at: Position, version: &Version) -> BTreeSet<String> {
        let AudienceBits::Named { groups, .. } = &version.to else { return BTreeSet::new() };
        let through = |which: &u8| {
            let sharing = model_sharing(&AudienceBits::Named { groups: 1 << which, partners: 0 });
            let author = id(version.author);
            self.models.iter().any(|model| model.sees(reader, &author, at, &sharing))
        };
        bits(*groups, GROUPS.len()).filter(through).map(|which| group(which).to_string()).collect()
    }

    fn model(&self) -> &Model {
        self.models.last().unwrap()
    }
}

fn sees(model: &Model, reader: u8, at: Position, version: &Version) -> bool {
    model.sees(reader, &id(version.author), at, &model_sharing(&version.to))
}
