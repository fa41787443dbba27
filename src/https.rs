//! The HTTP side: the ops listener, and the probe that asks it.

pub mod client;
pub mod ops;
pub mod probe;
