//! The HTTP side: the ops listener, and the probe that asks it.

pub mod get;
pub mod ops;
pub mod probe;
