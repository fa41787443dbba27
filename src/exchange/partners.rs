//! Who is on the exchange, as a caller may see it.

use super::caller::unknown;
use super::{Caller, Exchange};
use crate::domain::partner::{Group, Partner, Role};
use crate::error::Result;

/// The most objects on one page.
const MAX_PAGE: usize = 1_000;
/// The objects on a page when the caller does not say.
const DEFAULT_PAGE: usize = 100;

/// A page of a list by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects.
    pub items: Vec<T>,
    /// What to ask for the next page with; empty on the last one.
    pub next: String,
}

impl Exchange {
    /// The caller's own registration, and the groups that it is in.
    pub fn registration(&self, caller: &Caller) -> Result<(Partner, Vec<Group>)> {
        let registry = self.registry();
        let known = registry.partner(caller.partner());
        let partner = known.ok_or_else(|| unknown(caller.partner()))?;
        let groups = registry.groups_of(caller.partner()).cloned().collect();
        Ok((partner.clone(), groups))
    }

    /// The partners behind `after`, by id. Who owns which platform is no secret.
    pub fn list_partners(&self, after: &str, size: usize) -> Page<Partner> {
        let registry = self.registry();
        let all = registry.partners().map(|partner| (partner.id.as_str(), partner));
        page(all, after, size)
    }

    /// The groups behind `after` that the caller is in, by id; for an operator, every group.
    pub fn list_groups(&self, caller: &Caller, after: &str, size: usize) -> Page<Group> {
        let registry = self.registry();
        let may_know = |group: &&Group| {
            caller.role() == Role::Operator || group.current(caller.partner()).is_some()
        };
        let all = registry.groups().filter(may_know).map(|group| (group.id.as_str(), group));
        page(all, after, size)
    }
}

pub(super) fn page<'a, T: Clone + 'a>(
    all: impl Iterator<Item = (&'a str, &'a T)>,
    after: &str,
    size: usize,
) -> Page<T> {
    let size = if size == 0 { DEFAULT_PAGE } else { size.min(MAX_PAGE) };
    let mut behind = all.skip_while(|(id, _)| *id <= after).peekable();
    let mut items = Vec::new();
    let mut last = "";
    while items.len() < size {
        let Some((id, item)) = behind.next() else { break };
        last = id;
        items.push(item.clone());
    }
    let next = if behind.peek().is_some() { last.to_owned() } else { String::new() };
    Page { items, next }
}
