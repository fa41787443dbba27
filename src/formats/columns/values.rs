//! The columns of a table that hold values, by their names.

use std::collections::HashMap;

use csv::StringRecord;

use super::{CHAINS, PLATFORMS, VALUES, has_name};
use crate::domain::assessment::{Involvement, Verdict};
use crate::domain::{Indicator, Kind, Platform};
use crate::formats::details::words::verdict_of_heading;
use crate::formats::involvement::involvement_of;
use crate::formats::kinds::excluded::{ABOUT_ADDRESSES, POSTS, is_allowlist_key};
use crate::formats::kinds::{DeclaredType, kind_on, normal};

/// A column of values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueColumn {
    /// Its number.
    pub at: usize,
    /// The kind that its header names.
    pub kind: Option<String>,
    /// The involvement that its header states: `victim_domain`.
    pub involvement: Option<Involvement>,
    /// The verdict that its header states: `benign_domain`.
    pub verdict: Option<Verdict>,
}

impl ValueColumn {
    /// A column whose header is the name of a kind.
    pub fn of_kind(at: usize, name: &str) -> Self {
        let (involvement, verdict) = (involvement_of(name), verdict_of_heading(name));
        Self { at, kind: Some(name.to_owned()), involvement, verdict }
    }

    /// A column whose values are of the kind that each row or the value itself shows.
    pub fn of_any_kind(at: usize) -> Self {
        Self { at, ..Self::default() }
    }

    /// The kind of the values in a row, which may name a kind and a platform.
    pub fn kind_in_row<'a>(
        &'a self,
        kind: Option<&'a str>,
        platform: Option<&str>,
    ) -> Option<&'a str> {
        let Some(name) = self.kind.as_deref() else { return kind };
        // `hash,type`: the row states which digest it is.
        if kind.is_some() && DeclaredType::of(name) == Some(DeclaredType::Detected) {
            return kind;
        }
        match (platform.and_then(Platform::known_id), DeclaredType::of(name)) {
            (Some(platform), Some(DeclaredType::Kind(kind, None))) => {
                Some(kind_on(platform, kind).as_str())
            }
            _ => Some(name),
        }
    }

    /// Whether its values are addresses on a blockchain.
    pub(super) fn is_on_chain(&self) -> bool {
        let of = self.kind.as_deref().and_then(DeclaredType::of);
        matches!(of, Some(DeclaredType::Kind(Kind::CryptoAddress, None)))
    }

    /// Whether it holds one web address: `url`, and not `urls`.
    pub(super) fn is_one_address(&self) -> bool {
        self.kind.as_deref().is_some_and(|name| {
            !name.ends_with('s')
                && matches!(DeclaredType::of(name), Some(DeclaredType::Kind(Kind::Url, _)))
        })
    }

    /// The involvement that the header or the kind of the row states.
    pub(super) fn involvement_in_row(&self, kind: Option<&str>) -> Option<Involvement> {
        let has_words = |kind: &&str| kind.contains([' ', '_', '-']);
        self.involvement.or_else(|| kind.filter(has_words).and_then(involvement_of))
    }
}

/// Whether the order of columns means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// What a row of a table is about stands in front.
    OfTable,
    /// The keys of an object have no order.
    Any,
}

/// Names of a column of hosts that say nothing about their use.
const HOSTS: &[&str] = &["domain", "domain_name", "hostname", "host"];

/// The columns of values, and those that look like some.
#[derive(Debug, Default)]
pub struct ValueColumns {
    /// Those that are read.
    pub read: Vec<ValueColumn>,
    /// Those whose values are somebody else's.
    pub excluded: Vec<usize>,
}

/// The columns of values: those with the name that the user gave, those with the most telling name of values, or
/// those that are named after a kind.
pub fn value_columns(
    header: &StringRecord,
    names: &[String],
    named: Option<&str>,
    order: Order,
) -> ValueColumns {
    let of_name = |name: &str| {
        let named = names.iter().enumerate().filter(|(_, cell)| has_name(cell, name));
        let read = named.map(|(at, _)| ValueColumn::of_any_kind(at)).collect();
        ValueColumns { read, excluded: Vec::new() }
    };
    if let Some(name) = named {
        return of_name(&normal(name));
    }
    let kinds = KindColumns::of(names, order);
    // In a record about an address, `data` is what it answered.
    let may_be_value = |name: &str| name != "data" || !kinds.is_about_address;
    let is_named = |name: &str| names.iter().any(|cell| has_name(cell, name));
    match VALUES.iter().find(|name| may_be_value(name) && is_named(name)) {
        Some(name) => of_name(name),
        // A row of values has cells that are not names.
        None if header.iter().any(looks_like_a_value) => ValueColumns::default(),
        None => kinds.into_columns(),
    }
}

/// Keys of reports.
const OF_REPORTS: &[&str] = &["title", "headline", "summary", "author", "published", "publisher"];

/// Names of columns that mean a kind only beside one of other columns.
const NAMED_BY_OTHERS: &[(&str, &[&str], Kind)] =
    &[("address", CHAINS, Kind::CryptoAddress), ("from", &["to", "subject"], Kind::Email)];

/// The columns that are named after a kind. They say of one another whose values are in them.
struct KindColumns<'a> {
    names: &'a [String],
    named: Vec<(usize, DeclaredType)>,
    order: Order,
    /// The first column of each kind.
    first: HashMap<Kind, usize>,
    /// Whether the record is about an address: host names in it are the provider's.
    is_about_address: bool,
    /// Whether the record is a registry's about an autonomous system.
    is_of_registry: bool,
    /// Whether the record is a report with lists of values: its web and mail address are the author's.
    is_report: bool,
}

impl<'a> KindColumns<'a> {
    fn of(names: &'a [String], order: Order) -> Self {
        let meanings = names.iter().map(|name| DeclaredType::names_column(name)).enumerate();
        let named: Vec<(usize, DeclaredType)> =
            meanings.filter_map(|(at, meaning)| Some((at, meaning?))).collect();
        let mut first = HashMap::new();
        for (at, meaning) in &named {
            if let DeclaredType::Kind(kind, _) = meaning {
                first.entry(*kind).or_insert(*at);
            }
        }
        let is_about_address = first.contains_key(&Kind::Ip) && has_any(names, ABOUT_ADDRESSES);
        let is_of_registry = first.contains_key(&Kind::Asn) && has_any(names, &["rir"]);
        let lists = named.iter().filter(|(at, _)| names[*at].ends_with('s'));
        let is_report = order == Order::Any && lists.count() > 1 && has_any(names, OF_REPORTS);
        Self { names, named, order, first, is_about_address, is_of_registry, is_report }
    }

    fn into_columns(self) -> ValueColumns {
        let named = self.named.iter().filter(|(at, _)| !self.is_platform(*at));
        let (excluded, read): (Vec<_>, Vec<_>) =
            named.partition(|(at, meaning)| self.is_excluded(*at, meaning));
        let mut read: Vec<_> =
            read.iter().map(|(at, _)| ValueColumn::of_kind(*at, &self.names[*at])).collect();
        if read.is_empty() {
            // Digests that are not exchanged are listed as such. A list of them would be one of digests of files.
            let digests = (0..self.names.len())
                .filter(|at| DeclaredType::names_other_digest(&self.names[*at]));
            read.extend(digests.map(|at| ValueColumn::of_kind(at, &self.names[at])));
        }
        for (name, beside, kind) in NAMED_BY_OTHERS {
            if read.is_empty() && has_any(self.names, beside) {
                let at = self.names.iter().position(|cell| has_name(cell, name));
                read.extend(at.map(|at| ValueColumn::of_kind(at, kind.as_str())));
            }
        }
        ValueColumns { read, excluded: excluded.into_iter().map(|(at, _)| *at).collect() }
    }

    /// `Network,Handle`: the network is the platform.
    fn is_platform(&self, at: usize) -> bool {
        self.has(Kind::Account) && PLATFORMS.iter().any(|known| has_name(&self.names[at], known))
    }

    fn has(&self, kind: Kind) -> bool {
        self.first.contains_key(&kind)
    }

    /// Whether the values of a column belong to the provider of an address, to the reader or to the author, or are posts.
    fn is_excluded(&self, at: usize, meaning: &DeclaredType) -> bool {
        let name = self.names[at].as_str();
        let DeclaredType::Kind(kind, _) = meaning else { return is_allowlist_key(name) };
        let is_excluded = match kind {
            // The network and the autonomous system of an address are its provider's.
            Kind::Network => self.has(Kind::Ip),
            Kind::Asn => {
                let has_address =
                    [Kind::Ip, Kind::Network, Kind::Url].iter().any(|of| self.has(*of));
                has_address || (self.has(Kind::Domain) && !self.is_of_registry)
            }
            Kind::Domain => self.is_of_provider(at),
            Kind::Url => self.is_post(name) || self.is_report && !name.ends_with('s'),
            Kind::Email => self.is_report && !name.ends_with('s'),
            _ => false,
        };
        is_excluded || is_allowlist_key(name)
    }

    /// Whether a host name is that of an address's provider: the record is about the address. In a table, a host name in
    /// front of the address is what the record is about.
    fn is_of_provider(&self, at: usize) -> bool {
        let is_plain = HOSTS.iter().any(|known| has_name(&self.names[at], known));
        let is_behind = |address: &usize| self.order == Order::Any || at > *address;
        let is_behind_address = self.first.get(&Kind::Ip).is_some_and(is_behind);
        is_plain && (self.is_about_address && is_behind_address || self.is_of_registry)
    }

    /// Whether an address is that of a post about a value of another kind, or of what the post shares.
    fn is_post(&self, name: &str) -> bool {
        let in_front = name.rsplit('_').nth(1).unwrap_or_default();
        let has_others = self.first.len() > usize::from(self.has(Kind::Url));
        has_others && POSTS.contains(&in_front)
    }
}

/// Whether one of the columns has one of the names.
fn has_any(names: &[String], known: &[&str]) -> bool {
    names.iter().any(|name| known.iter().any(|known| has_name(name, known)))
}

fn looks_like_a_value(cell: &str) -> bool {
    cell.contains(['.', ':', '@', '/']) && Indicator::read(cell, None).is_ok()
}
