//! Pages of lists that are ordered by id.

use crate::domain::page::page_size;

/// A page of a list that is ordered by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects.
    pub items: Vec<T>,
    /// The token of the next page; empty on the last page.
    pub next: String,
}

/// The page after the id `after`. `all` must be ordered by id.
pub(in crate::exchange) fn page<'a, T: Clone + 'a>(
    all: impl Iterator<Item = (&'a str, &'a T)>,
    after: &str,
    size: usize,
) -> Page<T> {
    let size = page_size(size);
    let mut rest = all.skip_while(|(id, _)| *id <= after).peekable();
    let mut items = Vec::new();
    let mut last_id = "";
    while items.len() < size {
        let Some((id, item)) = rest.next() else { break };
        last_id = id;
        items.push(item.clone());
    }
    let next = if rest.peek().is_some() { last_id.to_owned() } else { String::new() };
    Page { items, next }
}
