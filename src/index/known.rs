//! An in-memory filter over assessment keys.
//!
//! Most indicators that are submitted or looked up are new, and need no lookup on disk then. Most others
//! have one author only, and need a lookup of one key instead of a scan through all tables.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use foldhash::fast::RandomState;

use super::keys;

/// Number of shards. Each has its own lock and grows on its own.
const SHARDS: usize = 64;

/// Length of the key prefix shared by all assessments of an indicator.
const ID_END: usize = keys::CURRENT.len() + 16;

/// The first half of an indicator's id.
type IdPrefix = [u8; 8];

/// Number of the key suffix after the id, if all keys with an id prefix have the same suffix. Otherwise
/// [`SEVERAL`].
type SuffixNumber = u16;

const SEVERAL: SuffixNumber = SuffixNumber::MAX;

/// Which keys with a prefix may exist.
#[derive(Debug, PartialEq, Eq)]
pub enum Presence {
    /// No key exists.
    Absent,
    /// This key may exist, and no other.
    Only(Vec<u8>),
    /// Any key may exist: scan for it.
    Unknown,
}

/// Id prefixes of all indicators with assessments, and possibly some others. 12 to 25 bytes each.
pub struct KnownIds {
    shards: [RwLock<HashMap<IdPrefix, SuffixNumber, RandomState>>; SHARDS],
    suffixes: RwLock<Suffixes>,
}

/// Interned key suffixes. A suffix is an author and an audience; there are few of them.
#[derive(Debug, Default)]
struct Suffixes {
    all: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, SuffixNumber, RandomState>,
}

impl fmt::Debug for KnownIds {
    /// Omits the ids: there may be millions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownIds").finish_non_exhaustive()
    }
}

impl Default for KnownIds {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()), suffixes: RwLock::default() }
    }
}

impl KnownIds {
    /// Whether a key may exist. `false` is certain; after `true`, look on disk.
    pub fn may_hold(&self, key: &[u8]) -> bool {
        id_prefix(key).is_none_or(|id_prefix| self.suffix_number(id_prefix).is_some())
    }

    /// Which keys that start with `prefix` may exist.
    pub fn presence(&self, prefix: &[u8]) -> Presence {
        let Some(id_prefix) = id_prefix(prefix) else { return Presence::Unknown };
        match (self.suffix_number(id_prefix), prefix.get(..ID_END)) {
            (None, _) => Presence::Absent,
            (Some(SEVERAL), _) | (_, None) => Presence::Unknown,
            (Some(number), Some(id)) => {
                let suffixes = self.suffixes.read().unwrap_or_else(PoisonError::into_inner);
                let key = [id, &suffixes.all[usize::from(number)]].concat();
                if key.starts_with(prefix) { Presence::Only(key) } else { Presence::Absent }
            }
        }
    }

    /// Adds a key. Call it before the key is stored.
    pub fn add(&self, key: &[u8]) {
        let Some(id_prefix) = id_prefix(key) else { return };
        let end = key.get(ID_END..).map_or(SEVERAL, |suffix| self.intern(suffix));
        let mut shard = self.shard(id_prefix).write().unwrap_or_else(PoisonError::into_inner);
        shard
            .entry(id_prefix)
            .and_modify(|known| *known = if *known == end { end } else { SEVERAL })
            .or_insert(end);
    }

    /// Removes an id prefix, after its last key was deleted.
    pub fn remove(&self, prefix: &[u8]) {
        if let Some(id_prefix) = id_prefix(prefix) {
            self.shard(id_prefix)
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&id_prefix);
        }
    }

    /// The part of a key that the filter remembers. `None` for keys that it does not cover.
    pub fn prefix(key: &[u8]) -> Option<[u8; 9]> {
        id_prefix(key).and(key.first_chunk().copied())
    }

    fn suffix_number(&self, id_prefix: IdPrefix) -> Option<SuffixNumber> {
        self.shard(id_prefix)
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id_prefix)
            .copied()
    }

    fn shard(&self, id_prefix: IdPrefix) -> &RwLock<HashMap<IdPrefix, SuffixNumber, RandomState>> {
        &self.shards[usize::from(id_prefix[0]) % SHARDS]
    }

    /// The number of a suffix. Once all numbers are used, it is [`SEVERAL`].
    fn intern(&self, suffix: &[u8]) -> SuffixNumber {
        let known = self
            .suffixes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .numbers
            .get(suffix)
            .copied();
        known.unwrap_or_else(|| {
            self.suffixes.write().unwrap_or_else(PoisonError::into_inner).add(suffix)
        })
    }
}

impl Suffixes {
    fn add(&mut self, suffix: &[u8]) -> SuffixNumber {
        if let Some(number) = self.numbers.get(suffix) {
            return *number;
        }
        let number = SuffixNumber::try_from(self.all.len()).unwrap_or(SEVERAL);
        if number != SEVERAL {
            self.all.push(suffix.into());
            self.numbers.insert(suffix.into(), number);
        }
        number
    }
}

/// The id prefix of a key or key prefix, if it belongs to one indicator's assessments.
fn id_prefix(key: &[u8]) -> Option<IdPrefix> {
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
        assert_eq!(known.presence(id), Presence::Absent);
        known.add(mine);
        known.add(mine);
        assert_eq!(known.presence(id), Presence::Only(mine.to_vec()));
        assert_eq!(known.presence(mine), Presence::Only(mine.to_vec()));
        assert_eq!(known.presence(&theirs[..20]), Presence::Absent, "others say nothing of it");
        assert_eq!(known.presence(&id[..12]), Presence::Unknown, "too short to name a key");
        // Another indicator with the same id prefix: the named key may be absent, but no other exists.
        let alike = b"i01234567OTHERIDSmine";
        assert_eq!(known.presence(&alike[..17]), Presence::Only(alike.to_vec()));
        known.add(theirs);
        assert_eq!(known.presence(id), Presence::Unknown);
        known.remove(&KnownIds::prefix(mine).unwrap());
        known.add(theirs);
        assert_eq!(known.presence(id), Presence::Only(theirs.to_vec()));
    }

    #[test]
    fn when_no_number_is_left_it_is_looked_for() {
        let known = KnownIds::default();
        for end in 0..=u32::from(SEVERAL) {
            known.intern(&end.to_be_bytes());
        }
        known.add(b"i0123456789abcdefmine");
        assert_eq!(known.presence(b"i0123456789abcdef"), Presence::Unknown);
    }
}
