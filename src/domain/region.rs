//! Countries whose plan a phone number without a country code follows.

use std::fmt;
use std::str::FromStr;

use phonenumber::country;

use super::canonical;
use super::decoration::strip_decoration;
use super::indicator::{Indicator, Kind};
use super::invalid::Invalid;

/// A country, by its code of two letters (ISO 3166-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(country::Id);

impl Region {
    /// Reads a phone number as somebody in this country writes it, such as `06 12 34 56 78`. A number with a country
    /// code keeps it.
    pub fn phone(self, raw: &str) -> Result<Indicator, Invalid> {
        let value = canonical::national_phone(strip_decoration(raw), self.0)
            .map_err(|reason| Invalid::new("value", reason))?;
        Ok(Indicator::canonical(Kind::Phone, None, value.into_owned()))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_ref())
    }
}

impl FromStr for Region {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.to_ascii_uppercase().parse().map(Self).map_err(|_| {
            Invalid::new(
                "region",
                format!("`{text}` is not a country code of two letters, such as FR"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_country_code_is_read_by_the_plan_of_the_country() {
        let read = |region: &str, raw: &str| {
            region.parse::<Region>().unwrap().phone(raw).map(|phone| phone.value().to_owned())
        };
        assert_eq!(read("US", "(202) 555-0143").unwrap(), "+12025550143");
        assert_eq!(read("gb", "020 7946 0018").unwrap(), "+442079460018");
        assert_eq!(read("GB", "+1 202 555 0143").unwrap(), "+12025550143");
        assert!(read("US", "desk").is_err());
        assert!(read("US", "12").is_err());
        assert!("France".parse::<Region>().is_err());
    }
}
