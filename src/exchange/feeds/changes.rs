//! What one entry means to one reader.

pub mod batch;
pub mod builder;
pub mod campaigns;
pub mod reactions;
pub mod releases;
pub mod removals;
pub mod tips;
