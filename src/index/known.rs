//! Of which indicators something may be said, and under which key, in memory. Most of what is submitted and
//! most of what is looked up is new to the exchange: that needs no look at the disk. Most of the rest is
//! known from one author alone: that needs a look at one key, and not a scan of all tables for others.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use foldhash::fast::RandomState;

use super::keys;

/// How many parts there are: each grows, and is waited for, on its own.
const PARTS: usize = 64;

/// The length of the prefix of all assessments of an indicator.
const ID_END: usize = keys::CURRENT.len() + 16;

/// The first half of an indicator's id.
type IdPrefix = [u8; 8];

/// Which of the [`Ends`] follows the id in all keys that begin with a half; [`SEVERAL`] where they differ.
type SuffixNumber = u16;

const SEVERAL: SuffixNumber = SuffixNumber::MAX;

/// What is stored under a prefix, as far as memory tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Nothing,
    /// Under this key or nowhere.
    Under(Vec<u8>),
    /// Somewhere, or nothing: it is to be looked for.
    Somewhere,
}

/// The ids of all indicators of which something is said, half of each, and maybe some more. Each takes
/// some 12 to 25 bytes.
pub struct KnownIds {
    parts: [RwLock<HashMap<IdPrefix, SuffixNumber, RandomState>>; PARTS],
    ends: RwLock<Suffixes>,
}

/// What follows the id in keys: an author and an audience. There are few, and each has a number.
#[derive(Debug, Default)]
struct Suffixes {
    all: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, SuffixNumber, RandomState>,
}

impl fmt::Debug for KnownIds {
    /// Without the ids: there may be millions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownIds").finish_non_exhaustive()
    }
}

impl Default for KnownIds {
    fn default() -> Self {
        Self { parts: std::array::from_fn(|_| RwLock::default()), ends: RwLock::default() }
    }
}

impl KnownIds {
    /// Whether something may lie under a key. A no is sure; behind a yes the disk is to be asked.
    pub fn may_hold(&self, key: &[u8]) -> bool {
        half(key).is_none_or(|half| self.end(half).is_some())
    }

    /// What may begin with a prefix.
    pub fn under(&self, prefix: &[u8]) -> Presence {
        let Some(half) = half(prefix) else { return Presence::Somewhere };
        match (self.end(half), prefix.get(..ID_END)) {
            (None, _) => Presence::Nothing,
            (Some(SEVERAL), _) | (_, None) => Presence::Somewhere,
            (Some(end), Some(id)) => {
                let ends = self.ends.read().unwrap_or_else(PoisonError::into_inner);
                let key = [id, &ends.all[usize::from(end)]].concat();
                if key.starts_with(prefix) { Presence::Under(key) } else { Presence::Nothing }
            }
        }
    }

    /// Takes in a key: before anything is stored under it.
    pub fn add(&self, key: &[u8]) {
        let Some(half) = half(key) else { return };
        let end = key.get(ID_END..).map_or(SEVERAL, |end| self.number(end));
        let mut part = self.part(half).write().unwrap_or_else(PoisonError::into_inner);
        part.entry(half)
            .and_modify(|known| *known = if *known == end { end } else { SEVERAL })
            .or_insert(end);
    }

    /// Drops what a prefix stands for, under which nothing is stored any more.
    pub fn remove(&self, prefix: &[u8]) {
        if let Some(half) = half(prefix) {
            self.part(half).write().unwrap_or_else(PoisonError::into_inner).remove(&half);
        }
    }

    /// The prefix of all keys of which is known together whether there are any; `None` where nothing is.
    pub fn prefix(key: &[u8]) -> Option<[u8; 9]> {
        half(key).and(key.first_chunk().copied())
    }

    fn end(&self, half: IdPrefix) -> Option<SuffixNumber> {
        self.part(half).read().unwrap_or_else(PoisonError::into_inner).get(&half).copied()
    }

    fn part(&self, half: IdPrefix) -> &RwLock<HashMap<IdPrefix, SuffixNumber, RandomState>> {
        &self.parts[usize::from(half[0]) % PARTS]
    }

    /// The number of an end. What comes when all are given out counts as several.
    fn number(&self, end: &[u8]) -> SuffixNumber {
        let known =
            self.ends.read().unwrap_or_else(PoisonError::into_inner).numbers.get(end).copied();
        known.unwrap_or_else(|| self.ends.write().unwrap_or_else(PoisonError::into_inner).add(end))
    }
}

impl Suffixes {
    fn add(&mut self, end: &[u8]) -> SuffixNumber {
        if let Some(number) = self.numbers.get(end) {
            return *number;
        }
        let number = SuffixNumber::try_from(self.all.len()).unwrap_or(SEVERAL);
        if number != SEVERAL {
            self.all.push(end.into());
            self.numbers.insert(end.into(), number);
        }
        number
    }
}

/// Of a key or a prefix that belongs to one indicator's assessments.
fn half(key: &[u8]) -> Option<IdPrefix> {
    key.strip_prefix(keys::CURRENT)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_given_for_assessments_that_are_not_there_alone() {
        let known = KnownIds::default();
        let (there, other) = (b"i01234567rest", b"i76543210rest");
        assert!(!known.may_hold(there));
        known.add(there);
        assert!(known.may_hold(there) && !known.may_hold(other));
        assert!(known.may_hold(&there[..9]), "a prefix is a key too");
        assert!(known.may_hold(b"i0123"), "too short to tell");
        assert!(
            known.may_hold(b"!") && known.may_hold(b"o76543210"),
            "nothing is kept of the others"
        );
        known.remove(&KnownIds::prefix(there).unwrap());
        assert!(!known.may_hold(there));
    }

    #[test]
    fn one_key_is_named_while_all_of_a_half_end_alike() {
        let known = KnownIds::default();
        let (mine, theirs) = (b"i0123456789abcdefmine", b"i0123456789abcdeftheirs");
        let id = &mine[..17];
        assert_eq!(known.under(id), Presence::Nothing);
        known.add(mine);
        known.add(mine);
        assert_eq!(known.under(id), Presence::Under(mine.to_vec()));
        assert_eq!(known.under(mine), Presence::Under(mine.to_vec()));
        assert_eq!(known.under(&theirs[..20]), Presence::Nothing, "others say nothing of it");
        assert_eq!(known.under(&id[..12]), Presence::Somewhere, "too short to name a key");
        // Another indicator whose id begins alike: what is named may not be there, and nothing else is.
        let alike = b"i01234567OTHERIDSmine";
        assert_eq!(known.under(&alike[..17]), Presence::Under(alike.to_vec()));
        known.add(theirs);
        assert_eq!(known.under(id), Presence::Somewhere);
        known.remove(&KnownIds::prefix(mine).unwrap());
        known.add(theirs);
        assert_eq!(known.under(id), Presence::Under(theirs.to_vec()));
    }

    #[test]
    fn when_no_number_is_left_it_is_looked_for() {
        let known = KnownIds::default();
        for end in 0..=u32::from(SEVERAL) {
            known.number(&end.to_be_bytes());
        }
        known.add(b"i0123456789abcdefmine");
        assert_eq!(known.under(b"i0123456789abcdef"), Presence::Somewhere);
    }
}
