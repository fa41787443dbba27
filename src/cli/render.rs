//! Protocol objects as rows for people and as JSON for scripts.

pub mod campaign;
pub mod enforcement;
pub mod feed;
pub mod fields;
pub mod tip;
