//! Tipoff, the exchange on which platforms tip one another off.

pub mod domain;
