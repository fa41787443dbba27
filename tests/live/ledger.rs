//! The independent record of who submitted what to whom, and when it ended. It is built from the
//! requests and their answers, not from the feeds under test.

use std::collections::{BTreeMap, BTreeSet};

use tipoff::domain::Position;
use tipoff::wire::pb;

use crate::cast::{FIRST_MEMBERS, bits, group, id};
use crate::history::{AudienceBits, GROUPS, Op, RESTRICTED, SubmittedItem};
use crate::model::Model;
use crate::words::{modelled, position, value, written};

/// Everything that has happened.
pub struct Ledger {
    /// The access rights after each change, since the beginning.
    models: Vec<Model>,
    said: BTreeMap<Position, Word>,
    /// The newest versions, by author, value and audience. May contain expired ones.
    last: BTreeMap<(u8, u8, AudienceBits), Position>,
    /// Versions that have ended for certain.
    ended: BTreeSet<Position>,
    reactions: BTreeMap<Position, Reaction>,
}

/// The content of one version.
struct Word {
    submission: u32,
    author: u8,
    to: AudienceBits,
    said: SubmittedItem,
}

/// A sighting or feedback: its author, its audience, and the author of the assessment, who gets
/// feedback in any case.
struct Reaction {
    author: u8,
    to: Option<AudienceBits>,
    besides: Option<u8>,
}

impl Ledger {
    pub fn new() -> Self {
        let mut model = Model::default();
        for (which, members) in (0u8..).zip(FIRST_MEMBERS) {
            model.put_group(which, members, 0);
        }
        Self {
            models: vec![model],
            said: BTreeMap::new(),
            last: BTreeMap::new(),
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
    pub fn submitted(
        &mut self,
        submission: u32,
        op: &Op,
        receipt: &pb::Receipt,
    ) -> Result<(), String> {
        let Op::Submit { author, to, replaces, items } = op else { panic!("a submission") };
        for item in &receipt.items {
            let submitted_item = &items[item.index as usize];
            match item.status() {
                pb::ItemStatus::Created | pb::ItemStatus::Replaced => {
                    let version = position(item.version);
                    let (author, to, said) = (*author, to.clone(), submitted_item.clone());
                    let before = self.last.insert((author, said.value, to.clone()), version);
                    self.ended.extend(before);
                    self.said.insert(version, Word { submission, author, to, said });
                }
                pb::ItemStatus::Unchanged => {}
                pb::ItemStatus::Rejected | pb::ItemStatus::Unspecified => continue,
            }
            if let Some(moved) = replaces.as_ref().filter(|moved| *moved != to) {
                let before = self.last.remove(&(*author, submitted_item.value, moved.clone()));
                self.ended.extend(before);
            }
            if submitted_item.restricted
                && *to != (AudienceBits::Named { groups: 1 << RESTRICTED, partners: 0 })
            {
                return Err(format!("what is restricted was taken: {op:?}"));
            }
        }
        Ok(())
    }

    /// Records a sighting or feedback that was accepted.
    pub fn reacted(
        &mut self,
        at: Position,
        author: u8,
        to: Option<&AudienceBits>,
        besides: Option<u8>,
    ) {
        self.reactions.insert(at, Reaction { author, to: to.cloned(), besides });
    }

    /// Records that an author withdrew values, for one audience or for all.
    pub fn withdrew(&mut self, author: u8, values: &[u8], audience: Option<&AudienceBits>) {
        self.end(|(of, value, to), _| {
            *of == author && values.contains(value) && audience.is_none_or(|only| only == to)
        });
    }

    /// Records that a submission was withdrawn.
    pub fn withdrew_submission(&mut self, submission: u32) {
        self.end(|_, word| word.submission == submission);
    }

    /// Records that all assessments of a partner were withdrawn.
    pub fn withdrew_all_of(&mut self, partner: u8) {
        self.end(|(author, ..), _| *author == partner);
    }

    fn end(&mut self, ends: impl Fn(&(u8, u8, AudienceBits), &Word) -> bool) {
        let Self { said, last, ended, .. } = self;
        ended.extend(last.extract_if(.., |key, version| ends(key, &said[version])).map(|it| it.1));
    }

    /// Checks that delivered content is current, and visible to the reader at this moment.
    pub fn check_now(&self, reader: u8, item: &pb::FeedItem) -> Result<(), String> {
        let (at, word) = self.check(reader, item)?;
        if !sees(self.model(), reader, at, word) {
            return Err(format!("partner {reader} is given what it may not see: {item:?}"));
        }
        if self.ended.contains(&at) {
            return Err(format!("partner {reader} is given what has ended: {item:?}"));
        }
        Ok(())
    }

    /// Checks that delivered content was visible to the reader at some moment.
    pub fn check_ever(&self, reader: u8, item: &pb::FeedItem) -> Result<(), String> {
        let (at, word) = self.check(reader, item)?;
        if self.models.iter().any(|model| sees(model, reader, at, word)) {
            return Ok(());
        }
        Err(format!("partner {reader} was given what it could never see: {item:?}"))
    }

    /// Checks that a sighting or feedback is shared with its reader.
    pub fn check_reaction(&self, reader: u8, version: Option<pb::Version>) -> Result<(), String> {
        let at = position(version);
        let Some(Reaction { author, to, besides }) = self.reactions.get(&at) else {
            return Err(format!("nobody said {at:?}"));
        };
        let sees = |to| self.model().sees(reader, &id(*author), at, &modelled(to));
        if reader == *author || *besides == Some(reader) || to.as_ref().is_some_and(sees) {
            return Ok(());
        }
        Err(format!("partner {reader} gets {at:?}, which partner {author} shared with {to:?}"))
    }

    /// The versions that a reader may see now. Exact if nothing expires.
    pub fn current_for(&self, reader: u8) -> BTreeSet<Position> {
        let versions = self.last.values().copied();
        versions.filter(|at| sees(self.model(), reader, *at, &self.said[at])).collect()
    }

    /// Checks that an item has its author's content, and only the reader's own part of the sharing.
    fn check(&self, reader: u8, item: &pb::FeedItem) -> Result<(Position, &Word), String> {
        let at = position(item.version);
        let word = self.said.get(&at).ok_or_else(|| format!("nobody said {item:?}"))?;
        let is_own = word.author == reader;
        let assessment = item.assessment.as_ref().unwrap();
        let labels: &[&str] = if word.said.restricted { &["csam"] } else { &[] };
        let holds = item.author == id(word.author).as_str()
            && item.indicator.as_ref().unwrap().value == value(word.said.value)
            && assessment.confidence == Some(word.said.confidence.into())
            && assessment.labels == labels
            && item.raw == if is_own { written(word.said.value) } else { String::new() };
        if !holds {
            return Err(format!("{:?} is given as {item:?}", word.said));
        }
        let sharing = item.sharing.as_ref().unwrap();
        if let Some(pb::sharing::Audience::Named(named)) = &sharing.audience
            && !is_own
        {
            let own = self.own_groups(reader, at, word);
            if named.partners.iter().any(|partner| partner != id(reader).as_str())
                || named.groups.iter().any(|group| !own.contains(group))
            {
                return Err(format!("partner {reader} learns of other recipients: {item:?}"));
            }
        }
        Ok((at, word))
    }

    /// The groups of an audience through which a reader could see a version at some moment.
    fn own_groups(&self, reader: u8, at: Position, word: &Word) -> BTreeSet<String> {
        let AudienceBits::Named { groups, .. } = &word.to else { return BTreeSet::new() };
        let through = |which: &u8| {
            let sharing = modelled(&AudienceBits::Named { groups: 1 << which, partners: 0 });
            self.models.iter().any(|model| model.sees(reader, &id(word.author), at, &sharing))
        };
        bits(*groups, GROUPS.len()).filter(through).map(|which| group(which).to_string()).collect()
    }

    fn model(&self) -> &Model {
        self.models.last().unwrap()
    }
}

fn sees(model: &Model, reader: u8, at: Position, word: &Word) -> bool {
    model.sees(reader, &id(word.author), at, &modelled(&word.to))
}
