//! The HTTP side: the ops listener.

pub mod ops;
