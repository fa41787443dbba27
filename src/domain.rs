//! The pure core: the words and the rules of the exchange. No I/O, no async, no clock, no
//! randomness.

pub mod canonical;
pub mod indicator;
pub mod invalid;
pub mod platform;
pub mod refang;

pub use indicator::{Indicator, IndicatorId, Kind};
pub use invalid::Invalid;
pub use platform::Platform;
