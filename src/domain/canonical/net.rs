//! IP addresses, networks and autonomous systems.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, IpSubnets, Ipv4Net, Ipv4Subnets, Ipv6Subnets};

use super::Canonical;

/// An IP address; IPv6 in its compressed form (RFC 5952). An IPv4 address written as IPv6 is the IPv4
/// address. A port is left out.
pub fn ip(text: &str) -> Canonical<'_> {
    let bare = without_port(text).unwrap_or(text);
    let bare = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(bare);
    match bare.parse::<IpAddr>() {
        Ok(address) => Ok(canonical_form(bare, &address.to_canonical())),
        Err(_) if bare.contains('/') => Err("is a network, not a single IP address".into()),
        Err(_) => Err("is not an IP address".into()),
    }
}

/// A network in CIDR notation with its host bits cleared; IPv6 compressed. A netmask in place of the prefix
/// length is read too.
pub fn network(text: &str) -> Canonical<'_> {
    if let Some(range) = range(text) {
        let networks = networks_of(range)?;
        return match networks.as_slice() {
            [network] => Ok(Cow::Owned(canonical_network(*network).to_string())),
            _ => Err(format!("is a range that is {} networks: name each", networks.len()).into()),
        };
    }
    let parsed = text.parse::<IpNet>().ok().or_else(|| {
        let (address, mask) = text.split_once('/')?;
        let prefix = ipnet::ipv4_mask_to_prefix(mask.parse::<Ipv4Addr>().ok()?).ok()?;
        Some(IpNet::V4(Ipv4Net::new(address.parse().ok()?, prefix).ok()?))
    });
    let Some(network) = parsed else {
        return Err("is not a network: it is not an IP address, `/` and a prefix length".into());
    };
    Ok(canonical_form(text, &canonical_network(network.trunc())))
}

/// The first and the last address of a range: `192.0.2.0-192.0.2.255`, `192.0.2.0-255`. With blanks around the dash
/// they are two values.
pub fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    let (first, last) = text.split_once(['-', '–'])?;
    let first = first.parse().ok()?;
    let last_octet = || match (first, last.parse::<u8>()) {
        (IpAddr::V4(first), Ok(octet)) => {
            let [a, b, c, _] = first.octets();
            Some(IpAddr::from([a, b, c, octet]))
        }
        _ => None,
    };
    Some((first, last.parse().ok().or_else(last_octet)?))
}

/// Networks that a range may be. More are not meant as one value.
const MAX_NETWORKS: usize = 4;

/// The networks that cover a range exactly.
pub fn networks_of((first, last): (IpAddr, IpAddr)) -> Result<Vec<IpNet>, Cow<'static, str>> {
    let subnets: IpSubnets = match (first, last) {
        _ if first > last => return Err("is a range that ends before it begins".into()),
        (IpAddr::V4(first), IpAddr::V4(last)) => Ipv4Subnets::new(first, last, 0).into(),
        (IpAddr::V6(first), IpAddr::V6(last)) => Ipv6Subnets::new(first, last, 0).into(),
        _ => return Err("is a range from an IPv4 to an IPv6 address".into()),
    };
    let networks: Vec<IpNet> = subnets.take(MAX_NETWORKS + 1).collect();
    if networks.len() > MAX_NETWORKS {
        let reason = format!(
            "is a range that takes more than {MAX_NETWORKS} networks to cover: list the networks"
        );
        return Err(reason.into());
    }
    Ok(networks)
}

/// The IPv4 network of an IPv4-mapped one.
fn canonical_network(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let address = mapped.network().to_ipv4_mapped();
    let prefix = mapped.prefix_len().checked_sub(96);
    match address.zip(prefix).and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok()) {
        Some(plain) => IpNet::V4(plain.trunc()),
        None => network,
    }
}

/// An autonomous system: `AS64496`, from `AS 64496`, `ASN64496`, `64496` or asdot (RFC 5396).
pub fn asn(text: &str) -> Canonical<'_> {
    let upper = text.to_ascii_uppercase();
    let digits = upper.strip_prefix("ASN").or(upper.strip_prefix("AS")).unwrap_or(&upper);
    let number = match digits.trim().split_once('.') {
        None => plain_number(digits.trim()),
        Some((high, low)) => plain_number(high).zip(plain_number(low)).and_then(|(high, low)| {
            let (high, low) = (u16::try_from(high).ok()?, u16::try_from(low).ok()?);
            Some(u32::from(high) << 16 | u32::from(low))
        }),
    };
    match number {
        Some(number) => Ok(canonical_form(text, &format!("AS{number}"))),
        None => {
            Err("is not an autonomous system: it is not `AS` and a number up to 4294967295".into())
        }
    }
}

fn plain_number(digits: &str) -> Option<u32> {
    let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| digits.parse().ok())?
}

/// The address of `a.b.c.d:port` or `[v6]:port`, with `#` as dnsmasq writes it, or with a protocol: `a.b.c.d:53/udp`.
fn without_port(text: &str) -> Option<&str> {
    let text = text.strip_suffix("/tcp").or_else(|| text.strip_suffix("/udp")).unwrap_or(text);
    let (address, port) = text.rsplit_once([':', '#'])?;
    let is_address =
        address.parse::<Ipv4Addr>().is_ok() || (address.starts_with('[') && address.ends_with(']'));
    (is_address && port.parse::<u16>().is_ok()).then_some(address)
}

fn canonical_form<'a>(text: &'a str, canonical: &impl ToString) -> Cow<'a, str> {
    let canonical = canonical.to_string();
    if canonical == text { Cow::Borrowed(text) } else { Cow::Owned(canonical) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_networks_and_systems_have_one_spelling() {
        assert_eq!(ip("2001:DB8:0:0::1").unwrap(), "2001:db8::1");
        assert_eq!(ip("::ffff:192.0.2.8").unwrap(), "192.0.2.8");
        assert_eq!(ip("192.0.2.8:8080").unwrap(), "192.0.2.8");
        assert_eq!(ip("192.0.2.8#53").unwrap(), "192.0.2.8");
        assert_eq!(ip("192.0.2.8:53/udp").unwrap(), "192.0.2.8");
        assert_eq!(ip("[2001:db8::1]:443").unwrap(), "2001:db8::1");
        assert_eq!(network("192.0.2.77/24").unwrap(), "192.0.2.0/24");
        assert_eq!(network("192.0.2.0/255.255.255.0").unwrap(), "192.0.2.0/24");
        assert_eq!(network("2001:DB8:0:0::/32").unwrap(), "2001:db8::/32");
        assert_eq!(network("::ffff:192.0.2.0/120").unwrap(), "192.0.2.0/24");
        assert_eq!(network("::/0").unwrap(), "::/0");
        assert_eq!(network("192.0.2.0-192.0.2.255").unwrap(), "192.0.2.0/24");
        assert_eq!(network("192.0.2.4-7").unwrap(), "192.0.2.4/30");
        assert_eq!(network("2001:db8::-2001:db8::ff").unwrap(), "2001:db8::/120");
        for text in ["AS64496", "as 64496", "ASN64496", "64496", "AS0.64496"] {
            assert_eq!(asn(text).unwrap(), "AS64496", "{text}");
        }
    }

    #[test]
    fn what_they_are_not_is_refused() {
        for bad in ["192.0.2.0/24", "192.0.2.256", "192.0.2.8:", "192.0.2.8:65536", "1:2"] {
            assert!(ip(bad).is_err(), "{bad}");
        }
        for bad in ["192.0.2.0", "192.0.2.0/33", "192.0.2.0/255.0.255.0", "news.example/24", "/8"] {
            assert!(network(bad).is_err(), "{bad}");
        }
        let ranges = [
            ("192.0.2.0-192.0.2.2", "2 networks"),
            ("192.0.2.1-192.0.2.254", "more than 4"),
            ("192.0.2.9-192.0.2.1", "before it begins"),
            ("192.0.2.9-2001:db8::", "IPv6"),
        ];
        for (bad, reason) in ranges {
            assert!(network(bad).unwrap_err().contains(reason), "{bad}");
        }
        for bad in ["AS", "AS4294967296", "AS1.65536", "AS-1", "AS+1", "ASx"] {
            assert!(asn(bad).is_err(), "{bad}");
        }
    }
}
