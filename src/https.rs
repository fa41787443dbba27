//! The HTTP side. So far the ops listener alone.

pub mod ops;
