//! Handshakes in flight. A stranger can open connections and say nothing, so nobody is refused for want of a place: a new
//! handshake takes the place of another one, which belongs to whoever has the most of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// Where connections come from: an address, or the /64 network of an IPv6 address, of which one host can use every
/// address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(IpAddr);

impl Source {
    /// The source of an address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        })
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

/// The handshakes in flight: at most `total`, and at most `per_source` of one source.
#[derive(Clone, Debug)]
pub struct Handshakes {
    inner: Arc<Mutex<InFlight>>,
    total: usize,
    per_source: usize,
}

#[derive(Debug, Default)]
struct InFlight {
    /// In the order in which they began.
    handshakes: BTreeMap<u64, Entry>,
    sources: HashMap<Source, BTreeSet<u64>>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    source: Source,
    /// Whether the peer has sent nothing yet.
    silent: bool,
    replaced: CancellationToken,
}

/// A handshake. Dropping it frees its place.
#[derive(Debug)]
pub struct Handshake {
    inner: Arc<Mutex<InFlight>>,
    number: u64,
    /// Cancelled when another handshake takes the place of this one.
    pub replaced: CancellationToken,
}

impl Handshakes {
    /// No handshakes, with these limits.
    pub fn new(total: usize, per_source: usize) -> Self {
        Self { inner: Arc::default(), total: total.max(1), per_source: per_source.max(1) }
    }

    /// Begins a handshake. If its source has no place left, it replaces one of the same source; if there is no place at
    /// all, one of the source with the most.
    pub fn begin(&self, source: Source) -> Handshake {
        let mut in_flight = lock(&self.inner);
        let of_source = in_flight.sources.get(&source).map_or(0, BTreeSet::len);
        if of_source >= self.per_source {
            in_flight.evict_one_of(source);
        } else if in_flight.handshakes.len() >= self.total {
            // Among equals, the one whose handshake is the oldest.
            let most = in_flight
                .sources
                .iter()
                .max_by_key(|(_, numbers)| (numbers.len(), Reverse(numbers.first().copied())));
            if let Some(most) = most.map(|(source, _)| *source) {
                in_flight.evict_one_of(most);
            }
        }
        let number = in_flight.next;
        in_flight.next += 1;
        let replaced = CancellationToken::new();
        let entry = Entry { source, silent: true, replaced: replaced.clone() };
        in_flight.handshakes.insert(number, entry);
        in_flight.sources.entry(source).or_default().insert(number);
        Handshake { inner: Arc::clone(&self.inner), number, replaced }
    }
}

impl InFlight {
    /// Ends the oldest silent handshake of a source, or else its oldest one.
    fn evict_one_of(&mut self, source: Source) {
        let Some(numbers) = self.sources.get(&source) else { return };
        let is_silent =
            |number: &&u64| self.handshakes.get(number).is_some_and(|entry| entry.silent);
        let number = numbers.iter().find(is_silent).or_else(|| numbers.first()).copied();
        if let Some(entry) = number.and_then(|number| self.remove(number)) {
            entry.replaced.cancel();
        }
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.handshakes.remove(&number)?;
        if let Some(numbers) = self.sources.get_mut(&entry.source) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.sources.remove(&entry.source);
            }
        }
        Some(entry)
    }
}

impl Handshake {
    /// Notes that the peer has sent something. Silent handshakes are replaced first.
    pub fn mark_active(&self) {
        if let Some(entry) = lock(&self.inner).handshakes.get_mut(&self.number) {
            entry.silent = false;
        }
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        lock(&self.inner).remove(self.number);
    }
}

fn lock(inner: &Mutex<InFlight>) -> MutexGuard<'_, InFlight> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        assert_eq!(source("2001:db8:1:2:3::4"), source("2001:db8:1:2:ffff::"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_eq!(source("2001:db8:1:2:3::4").to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_source_without_a_place_replaces_its_oldest_silent_handshake() {
        let handshakes = Handshakes::new(10, 2);
        let one = source("192.0.2.1");
        let speaking = handshakes.begin(one);
        speaking.mark_active();
        let silent = handshakes.begin(one);
        let third = handshakes.begin(one);
        assert!(silent.replaced.is_cancelled() && !speaking.replaced.is_cancelled());
        third.mark_active();
        let fourth = handshakes.begin(one);
        assert!(speaking.replaced.is_cancelled(), "none is silent: the oldest");
        assert!(!third.replaced.is_cancelled() && !fourth.replaced.is_cancelled());
        drop((speaking, silent, third, fourth));
        assert!(lock(&handshakes.inner).handshakes.is_empty());
        assert!(lock(&handshakes.inner).sources.is_empty());
    }

    #[test]
    fn without_a_place_at_all_the_source_with_the_most_gives_one_up() {
        let handshakes = Handshakes::new(4, 3);
        let guest = handshakes.begin(source("192.0.2.1"));
        let crowd: Vec<_> = (0..3).map(|_| handshakes.begin(source("192.0.2.2"))).collect();
        let newcomer = handshakes.begin(source("192.0.2.3"));
        let replaced: Vec<_> = crowd.iter().map(|one| one.replaced.is_cancelled()).collect();
        assert_eq!(replaced, [true, false, false]);
        assert!(!guest.replaced.is_cancelled() && !newcomer.replaced.is_cancelled());
    }

    #[test]
    fn among_sources_with_equally_many_the_oldest_handshake_ends() {
        let handshakes = Handshakes::new(3, 3);
        let begin = |host: u8| handshakes.begin(source(&format!("192.0.2.{host}")));
        let first: Vec<_> = (1..=3).map(begin).collect();
        let later: Vec<_> = (4..=5).map(begin).collect();
        let ended: Vec<_> = first.iter().map(|one| one.replaced.is_cancelled()).collect();
        assert_eq!(ended, [true, true, false]);
        assert!(later.iter().all(|one| !one.replaced.is_cancelled()));
    }
}
