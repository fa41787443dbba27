//! Pages of lists by id.

use crate::domain::page::page_size;

/// A page of a list by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects.
    pub items: Vec<T>,
    /// What to ask for the next page with; empty on the last one.
    pub next: String,
}

pub(in crate::exchange) fn page<'a, T: Clone + 'a>(
    all: impl Iterator<Item = (&'a str, &'a T)>,
    after: &str,
    size: usize,
) -> Page<T> {
    let size = page_size(size);
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
