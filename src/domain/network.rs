//! Which networks hold an address.

use std::net::IpAddr;

use ipnet::IpNet;

use super::indicator::{Indicator, Kind};

/// The size of a network: its address family and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrefixLength {
    /// Whether it is an IPv6 network.
    pub is_ipv6: bool,
    /// The number of bits: up to 32, or 128 for IPv6.
    pub bits: u8,
}

impl PrefixLength {
    /// The size of an indicator of kind `network`; `None` for other kinds.
    pub fn of(indicator: &Indicator) -> Option<Self> {
        let network = (indicator.kind() == Kind::Network).then(|| indicator.value())?;
        let network: IpNet = network.parse().ok()?;
        Some(Self { is_ipv6: matches!(network, IpNet::V6(_)), bits: network.prefix_len() })
    }

    /// The network of this size that holds an address. `None` for another family.
    pub fn network_of(self, address: IpAddr) -> Option<Indicator> {
        if address.is_ipv6() != self.is_ipv6 {
            return None;
        }
        let network = IpNet::new(address, self.bits).ok()?.trunc();
        Some(Indicator::canonical(Kind::Network, None, network.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Indicator {
        Indicator::parse(Kind::Network, None, text).unwrap()
    }

    #[test]
    fn a_network_is_found_from_each_of_its_addresses() {
        for (text, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("198.51.100.7/32", "198.51.100.7", "198.51.100.6"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("2001:db8:0:8::/61", "2001:db8:0:f::9", "2001:db8:0:10::"),
        ] {
            let network = network(text);
            let length = PrefixLength::of(&network).unwrap();
            assert_eq!(
                length.network_of(inside.parse().unwrap()).map(|found| found.id()),
                Some(network.id())
            );
            assert_ne!(
                length.network_of(outside.parse().unwrap()).map(|found| found.id()),
                Some(network.id())
            );
        }
    }

    #[test]
    fn other_kinds_are_no_networks() {
        let address = Indicator::parse(Kind::Ip, None, "192.0.2.1").unwrap();
        assert_eq!(PrefixLength::of(&address), None);
    }
}
