//! Rules of routers and packet filters: Cisco, `MikroTik`, Linux, pf, Suricata, `hosts.deny`; and lists of address
//! ranges.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::block_list::{Rule, is_null_address};
use super::firewall::{is_address, is_allowlist_name};
use crate::domain::Indicator;

/// The rule of a line, if it is one of these formats.
pub fn rule(line: &str) -> Option<Rule> {
    let words: Vec<&str> = line.split_whitespace().collect();
    cisco(&words)
        .or_else(|| mikrotik(line, &words))
        .or_else(|| pf(line, &words))
        .or_else(|| linux_route(&words))
        .or_else(|| suricata(line))
        .or_else(|| hosts_deny(line))
        .or_else(|| range(line, &words).map(Rule::Blocks))
}

/// One side of a rule.
enum Side {
    Any,
    Address(String),
}

/// `deny ip host 192.0.2.5 any`, `access-list 101 deny ip 192.0.2.0 0.0.0.255 any`, `10 deny 192.0.2.5`,
/// `ip route 192.0.2.0 255.255.255.0 Null0`.
fn cisco(words: &[&str]) -> Option<Rule> {
    const PROTOCOLS: [&str; 8] = ["ip", "ipv4", "ipv6", "tcp", "udp", "icmp", "gre", "esp"];
    if let ["ip" | "ipv6", "route", address, rest @ .., null] = words {
        let is_null = null.eq_ignore_ascii_case("null0") || null.eq_ignore_ascii_case("null");
        let network = match rest {
            [] => (*address).to_owned(),
            [mask] => network_of_mask(address, mask)?,
            _ => return None,
        };
        return (is_null && is_address(&network)).then_some(Rule::Blocks(network));
    }
    let (action, rest) = match words {
        ["ip" | "ipv6", "access-list", ..] => return Some(Rule::BlocksNothing),
        ["access-list", _, "extended", action, rest @ ..]
        | ["access-list", _, action, rest @ ..] => (action, rest),
        [number, action, rest @ ..] if number.bytes().all(|b| b.is_ascii_digit()) => (action, rest),
        [action, rest @ ..] => (action, rest),
        [] => return None,
    };
    if !matches!(*action, "permit" | "deny") {
        return None;
    }
    let rest = match rest {
        [protocol, rest @ ..] if PROTOCOLS.contains(protocol) => rest,
        _ => rest,
    };
    let (source, rest) = side(rest)?;
    let destination = side(rest).map_or(Side::Any, |(side, _)| side);
    match (*action, source, destination) {
        ("permit", ..) | ("deny", Side::Any, Side::Any) => Some(Rule::BlocksNothing),
        ("deny", Side::Address(address), Side::Any)
        | ("deny", Side::Any, Side::Address(address)) => Some(Rule::Blocks(address)),
        // Where both sides are named, it is not clear which one is blocked.
        _ => None,
    }
}

/// The next side of a rule of Cisco, and the words after it.
fn side<'a>(words: &'a [&'a str]) -> Option<(Side, &'a [&'a str])> {
    match words {
        ["any" | "any4" | "any6", rest @ ..] => Some((Side::Any, rest)),
        ["host", address, rest @ ..] => {
            is_address(address).then(|| (Side::Address((*address).to_owned()), rest))
        }
        [address, mask, rest @ ..] if let Some(network) = network_of_mask(address, mask) => {
            Some((Side::Address(network), rest))
        }
        [address, rest @ ..] => {
            is_address(address).then(|| (Side::Address((*address).to_owned()), rest))
        }
        [] => None,
    }
}

/// The network of an address with a netmask, `255.255.255.0`, or a wildcard, `0.0.0.255`.
pub fn network_of_mask(address: &str, mask: &str) -> Option<String> {
    let (address, mask): (Ipv4Addr, Ipv4Addr) = (address.parse().ok()?, mask.parse().ok()?);
    let prefix =
        ipnet::ipv4_mask_to_prefix(mask).or_else(|_| ipnet::ipv4_mask_to_prefix(!mask)).ok()?;
    // No bits of the mask may be those of a host: two addresses are no network.
    let network =
        Ipv4Net::new(address, prefix).ok().filter(|network| network.network() == address)?;
    Some(if prefix == 32 { address.to_string() } else { network.to_string() })
}

/// `add address=192.0.2.0/24 list=blocklist` below `/ip firewall address-list`, `add chain=input src-address=192.0.2.5
/// action=drop`, and `add name=bad.example address=127.0.0.1` of its resolver.
fn mikrotik(line: &str, words: &[&str]) -> Option<Rule> {
    let is_menu =
        |word: &str| word.len() > 1 && word.starts_with('/') && !word[1..].contains(['/', '.']);
    let field = |key: &str| {
        words
            .iter()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
            .map(|value| value.trim_matches('"'))
    };
    match words {
        [first, ..] if is_menu(first) && !line.contains('=') => return Some(Rule::BlocksNothing),
        ["add", ..] => {}
        [first, ..] if is_menu(first) && words.contains(&"add") => {}
        _ => return None,
    }
    if field("disabled") == Some("yes") {
        return Some(Rule::BlocksNothing);
    }
    if let (Some(address), Some(list)) = (field("address"), field("list")) {
        let blocks = !is_allowlist_name(list);
        return is_address(address)
            .then(|| if blocks { Rule::Blocks(address.to_owned()) } else { Rule::BlocksNothing });
    }
    if let Some(name) = field("name") {
        let is_blocked = field("type") == Some("NXDOMAIN")
            || field("address")
                .is_some_and(|address| is_null_address(address) || address == "240.0.0.1");
        return is_blocked.then(|| Rule::Blocks(name.to_owned()));
    }
    let action = field("action")?;
    let sides: Vec<&str> = ["src-address", "dst-address"].into_iter().filter_map(field).collect();
    match (action, sides.as_slice()) {
        ("drop" | "reject" | "tarpit", [address]) => {
            is_address(address).then(|| Rule::Blocks((*address).to_owned()))
        }
        ("drop" | "reject" | "tarpit", [_, _]) => None,
        _ => Some(Rule::BlocksNothing),
    }
}

/// `block drop from 192.0.2.5 to any`, `block in quick from { 192.0.2.5, 198.51.100.0/24 }`, `table <bad> { 192.0.2.5 }`.
fn pf(line: &str, words: &[&str]) -> Option<Rule> {
    let addresses = |text: &str| {
        let text = text.replace([',', '{', '}'], " ");
        let words: Vec<&str> = text.split_whitespace().collect();
        (!words.is_empty() && words.iter().all(|word| is_address(word))).then(|| words.join(" "))
    };
    if let ["table", name, ..] = words {
        let name = name.strip_prefix('<')?.strip_suffix('>')?;
        let blocks = line.split_once('{').filter(|_| !is_allowlist_name(name));
        return Some(
            blocks
                .and_then(|(_, inside)| addresses(inside))
                .map_or(Rule::BlocksNothing, Rule::Blocks),
        );
    }
    let blocks = match *words.first()? {
        "block" => true,
        "pass" => false,
        _ => return None,
    };
    let source =
        line.split_once(" from ").map(|(_, rest)| rest.split(" to ").next().unwrap_or(rest));
    let target =
        line.split_once(" to ").map(|(_, rest)| rest.split(" port ").next().unwrap_or(rest));
    let named = |side: Option<&str>| {
        side.map(str::trim).filter(|side| !matches!(*side, "any" | "self")).map(str::to_owned)
    };
    match (named(source), named(target)) {
        (Some(side), None) | (None, Some(side)) => {
            let addresses = addresses(&side)?;
            Some(if blocks { Rule::Blocks(addresses) } else { Rule::BlocksNothing })
        }
        (None, None) => {
            words.last().filter(|last| matches!(**last, "all" | "any")).map(|_| Rule::BlocksNothing)
        }
        _ => None,
    }
}

/// `ip route add blackhole 192.0.2.5`.
fn linux_route(words: &[&str]) -> Option<Rule> {
    match words {
        ["ip", "route", "add", "blackhole" | "prohibit" | "unreachable", address, ..] => {
            is_address(address).then(|| Rule::Blocks((*address).to_owned()))
        }
        _ => None,
    }
}

/// `drop ip [192.0.2.5,192.0.2.6] any -> $HOME_NET any (msg:"…"; sid:1;)`, which Suricata and Snort read.
fn suricata(line: &str) -> Option<Rule> {
    let (header, _options) = line.split_once(" (")?;
    let words: Vec<&str> = header.split_whitespace().collect();
    let [action, _protocol, source, _, "->" | "<>", target, _] = words.as_slice() else {
        return None;
    };
    let blocks = match *action {
        "alert" | "drop" | "reject" => true,
        "pass" => false,
        _ => return None,
    };
    // The side of a variable is the reader's own.
    let is_own = |side: &&str| *side == "any" || side.starts_with('$');
    let [side] = [source, target].into_iter().filter(|side| !is_own(side)).collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let addresses: Vec<&str> = side.trim_matches(['[', ']']).split(',').collect();
    let addresses =
        addresses.iter().all(|address| is_address(address)).then(|| addresses.join(" "))?;
    Some(if blocks { Rule::Blocks(addresses) } else { Rule::BlocksNothing })
}

/// `ALL: 192.0.2.5` and `sshd: 198.51.100.0/255.255.255.0, .bad.example`.
fn hosts_deny(line: &str) -> Option<Rule> {
    const DAEMONS: [&str; 16] = [
        "ALL",
        "sshd",
        "sshdfwd-X11",
        "vsftpd",
        "proftpd",
        "ftpd",
        "telnetd",
        "smtpd",
        "imapd",
        "popd",
        "portmap",
        "rpcbind",
        "mountd",
        "dovecot",
        "exim",
        "slapd",
    ];
    let (daemons, clients) = line.split_once(':')?;
    let is_daemon = |name: &str| DAEMONS.contains(&name) || name.starts_with("in.");
    if !daemons.split([',', ' ']).filter(|name| !name.is_empty()).all(is_daemon) {
        return None;
    }
    let (clients, option) =
        clients.split_once(" : ").or_else(|| clients.split_once(": ")).unwrap_or((clients, ""));
    if option.trim().eq_ignore_ascii_case("allow") || clients.trim() == "ALL" {
        return Some(Rule::BlocksNothing);
    }
    let clients: Vec<&str> =
        clients.split([',', ' ', '\t']).filter(|client| !client.is_empty()).collect();
    let hosts: Vec<&str> =
        clients.iter().map(|client| client.strip_prefix('.').unwrap_or(client)).collect();
    let is_host = |host: &&str| Indicator::read(host, None).is_ok();
    (!hosts.is_empty() && hosts.iter().all(is_host)).then(|| Rule::Blocks(hosts.join(" ")))
}

/// An address and its netmask; the first and last address and the prefix, as `DShield` lists them; a range after its
/// name, as of `PeerGuardian`: `A name:192.0.2.0-192.0.2.255`.
fn range(line: &str, words: &[&str]) -> Option<String> {
    match words {
        [address, mask] if let Some(network) = network_of_mask(address, mask) => {
            return Some(network);
        }
        [first, last, prefix, _, ..] if last.parse::<IpAddr>().is_ok() => {
            let network = format!("{first}/{prefix}");
            let covered = Indicator::networks_of_range(&format!("{first}-{last}"))?.ok()?;
            return matches!(covered.as_slice(), [one] if one.value() == network)
                .then_some(network);
        }
        _ => {}
    }
    let (name, range) = line.rsplit_once(':')?;
    let is_named = name.contains(char::is_alphabetic) && !name.contains(['.', '[']);
    (is_named && Indicator::networks_of_range(range).is_some_and(|networks| networks.is_ok()))
        .then(|| range.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_a_rule_blocks_is_read() {
        let table = [
            ("deny ip host 192.0.2.5 any", "192.0.2.5"),
            ("access-list 101 deny ip 198.51.100.0 0.0.0.255 any log", "198.51.100.0/24"),
            ("10 deny 192.0.2.5", "192.0.2.5"),
            ("deny tcp any host 192.0.2.5 eq 443", "192.0.2.5"),
            ("ip route 192.0.2.0 255.255.255.0 Null0", "192.0.2.0/24"),
            ("add address=192.0.2.0/24 list=blocklist", "192.0.2.0/24"),
            ("/ip firewall address-list add list=bad address=192.0.2.5", "192.0.2.5"),
            ("add chain=input src-address=192.0.2.5 action=drop", "192.0.2.5"),
            ("add name=bad.example address=127.0.0.1", "bad.example"),
            ("block drop from 192.0.2.5 to any", "192.0.2.5"),
            (
                "block in quick from { 192.0.2.5, 198.51.100.0/24 } to any",
                "192.0.2.5 198.51.100.0/24",
            ),
            ("table <bad> persist { 192.0.2.5 }", "192.0.2.5"),
            ("ALL: 192.0.2.5", "192.0.2.5"),
            ("ip route add blackhole 192.0.2.0/24", "192.0.2.0/24"),
            ("drop ip [192.0.2.5,192.0.2.6] any -> $HOME_NET any (sid:1;)", "192.0.2.5 192.0.2.6"),
            (
                "sshd: 198.51.100.0/255.255.255.0, .bad.example",
                "198.51.100.0/255.255.255.0 bad.example",
            ),
            ("192.0.2.0 255.255.255.0", "192.0.2.0/24"),
            ("192.0.2.0\t192.0.2.255\t24\t1500\tNET\tXX\tdesk@host.example", "192.0.2.0/24"),
            ("Bad range:192.0.2.0-192.0.2.255", "192.0.2.0-192.0.2.255"),
        ];
        for (line, blocked) in table {
            assert_eq!(rule(line), Some(Rule::Blocks(blocked.to_owned())), "{line}");
        }
    }

    #[test]
    fn what_is_let_through_is_not_blocked() {
        let table = [
            "permit ip host 203.0.113.5 any",
            "access-list 101 permit ip any any",
            "ip access-list extended BAD",
            "deny ip any any",
            "pass in from 203.0.113.5 to any",
            "block all",
            "table <good> persist file \"/etc/good\"",
            "table <trusted> { 203.0.113.5 }",
            "/ip firewall address-list",
            "add address=203.0.113.5 list=allowed",
            "add chain=input src-address=203.0.113.5 action=accept",
            "sshd: 203.0.113.5 : allow",
            "pass ip 203.0.113.5 any -> $HOME_NET any (sid:1;)",
        ];
        for line in table {
            assert_eq!(rule(line), Some(Rule::BlocksNothing), "{line}");
        }
    }

    #[test]
    fn other_lines_are_no_rules() {
        let table = [
            "deny ip host 192.0.2.5 host 198.51.100.5",
            "192.0.2.5 192.0.2.6",
            "block access from here to there",
            "IP: 192.0.2.5",
            "add bad.example to the list",
            "2001:db8::1-2001:db8::2",
            "add chain=forward src-address=192.0.2.5 dst-address=192.0.2.6 action=drop",
        ];
        for line in table {
            assert_eq!(rule(line), None, "{line}");
        }
    }
}
