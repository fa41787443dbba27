//! Ranges of addresses, as block lists have them.

use super::canonical::net;
use super::decoration::strip_decoration;
use super::indicator::{Indicator, Kind};
use super::invalid::Invalid;
use super::refang::refang;

impl Indicator {
    /// The networks that cover a range such as `192.0.2.0-192.0.2.255` exactly. `None` if the text is no range; an
    /// error if it takes more than four networks.
    pub fn networks_of_range(text: &str) -> Option<Result<Vec<Self>, Invalid>> {
        // Most texts are none. This is decided without a copy.
        let (first, _) = text.split_once(['-', '–'])?;
        let may_be_address =
            |c: char| c.is_ascii_hexdigit() || ".:()[]{}\"'`*•>, dotDOT".contains(c);
        if !first.chars().all(may_be_address) {
            return None;
        }
        let range = net::range(&refang(strip_decoration(text)))?;
        let networks = net::networks_of(range).map_err(|reason| Invalid::new("value", reason));
        let of_network =
            |network: &ipnet::IpNet| Indicator::canonical(Kind::Network, None, network.to_string());
        Some(networks.map(|networks| networks.iter().map(of_network).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_the_networks_that_cover_it_or_is_refused() {
        let read = |text: &str| {
            let networks = Indicator::networks_of_range(text)?;
            Some(networks.map(|networks| {
                networks.iter().map(|network| network.value().to_owned()).collect::<Vec<_>>()
            }))
        };
        let covered = |networks: &[&str]| {
            Some(Ok(networks.iter().map(ToString::to_string).collect::<Vec<_>>()))
        };
        assert_eq!(read("192.0.2.0-192.0.2.255"), covered(&["192.0.2.0/24"]));
        assert_eq!(read("192[.]0[.]2[.]0-191"), covered(&["192.0.2.0/25", "192.0.2.128/26"]));
        assert_eq!(read("2001:db8::-2001:db8::1"), covered(&["2001:db8::/127"]));
        assert!(matches!(read("192.0.2.1-192.0.2.254"), Some(Err(_))));
        for text in
            ["192.0.2.0 - 192.0.2.255", "192.0.2.0", "2026-01-02", "a-b.example", "192.0.2.0/24"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
