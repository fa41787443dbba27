//! Page sizes, the same for all lists.

/// Objects on a page if the caller does not name a size.
const DEFAULT: usize = 100;
/// Maximum number of objects on a page.
pub const MAX_PAGE: usize = 1_000;

/// The size of a page for the size that a caller asked for. 0 asks for the default.
pub fn page_size(asked: usize) -> usize {
    if asked == 0 { DEFAULT } else { asked.min(MAX_PAGE) }
}
