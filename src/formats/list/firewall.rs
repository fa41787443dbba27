//! Rules of web servers and firewalls: nginx, Apache, iptables, ipset, nftables, ufw.

use crate::domain::{Indicator, Kind};

/// The addresses that a rule blocks, apart by blanks. `None` if the line is no such rule.
pub fn blocked(line: &str) -> Option<String> {
    web_server(line)
        .or_else(|| iptables(line))
        .or_else(|| set_elements(line).map(|(_, elements)| elements))
        .or_else(|| ufw(line))
        .filter(|values| values.split(' ').all(is_address))
}

/// Whether a line of such rules has no address that is blocked: what is let through, and what sets up the rules.
pub fn blocks_nothing(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [allow, .., last] if allow.eq_ignore_ascii_case("allow") => {
            last.ends_with(';') || is_word(words[1], "from")
        }
        ["deny", "all;"]
        | ["COMMIT" | "*filter" | "*nat" | "*raw" | "*mangle" | "*security"]
        | ["add", _, .., "nomatch"] => true,
        [deny, from, all] if is_word(deny, "deny") && is_word(from, "from") => is_word(all, "all"),
        _ if set_elements(line).is_some_and(|(set, elements)| {
            is_allowlist_name(set) && elements.split(' ').all(is_address)
        }) =>
        {
            true
        }
        ["ipset", "create" | "flush" | "destroy", ..] => true,
        ["create", _, set_type, ..] => set_type.starts_with("hash:"),
        [chain, _, counters] => {
            chain.starts_with(':') && counters.starts_with('[') && counters.ends_with(']')
        }
        _ if is_frame_of_nftables(&words) => true,
        _ => is_iptables(&words) && (!is_dropped(&words) || sides(&words).is_empty()),
    }
}

/// Whether a word is an address, a network or a range.
pub fn is_address(word: &str) -> bool {
    Indicator::networks_of_range(word).is_some()
        || Indicator::read(word, None)
            .is_ok_and(|read| matches!(read.kind(), Kind::Ip | Kind::Network))
}

fn is_word(word: &str, known: &str) -> bool {
    word.eq_ignore_ascii_case(known)
}

/// `deny 192.0.2.1;` of nginx, `Deny from 192.0.2.1 192.0.2.2` and `Require not ip 192.0.2.1` of Apache.
fn web_server(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["deny", address] => Some(address.strip_suffix(';')?.to_owned()),
        [deny, from, addresses @ ..] if is_word(deny, "deny") && is_word(from, "from") => {
            Some(addresses.join(" "))
        }
        [require, not, what, addresses @ ..]
            if is_word(require, "require")
                && is_word(not, "not")
                && (is_word(what, "ip") || is_word(what, "host")) =>
        {
            Some(addresses.join(" "))
        }
        _ => None,
    }
}

/// Whether the words are a rule of iptables, as a command or as `iptables-save` prints it.
fn is_iptables(words: &[&str]) -> bool {
    matches!(words, ["iptables" | "ip6tables" | "-A" | "-I", ..]) && words.contains(&"-j")
}

/// Whether a rule of iptables drops what it matches. A rule for all but an address (`!`) does not block that one.
fn is_dropped(words: &[&str]) -> bool {
    let is_target = |pair: &[&str]| matches!(pair, ["-j", "DROP" | "REJECT" | "TARPIT"]);
    words.windows(2).any(is_target) && !words.contains(&"!")
}

/// The sources and destinations that a rule of iptables names. The destination of what comes in and the source of what
/// goes out are the machine itself.
fn sides<'a>(words: &[&'a str]) -> Vec<&'a str> {
    const SOURCES: [&str; 3] = ["-s", "--source", "--src-range"];
    const DESTINATIONS: [&str; 3] = ["-d", "--destination", "--dst-range"];
    let is_append = |word: &&str| matches!(*word, "-A" | "-I" | "--append" | "--insert");
    let chain = words.iter().position(is_append).and_then(|at| words.get(at + 1)).copied();
    let pairs = words.windows(2).filter(|pair| {
        (SOURCES.contains(&pair[0]) && chain != Some("OUTPUT"))
            || (DESTINATIONS.contains(&pair[0]) && chain != Some("INPUT"))
    });
    pairs.map(|pair| pair[1]).collect()
}

/// `-A INPUT -s 192.0.2.1/32 -j DROP`. Where both sides are named, it is not clear which one is blocked.
fn iptables(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match sides(&words).as_slice() {
        [addresses] if is_iptables(&words) && is_dropped(&words) => {
            Some(addresses.replace(',', " "))
        }
        _ => None,
    }
}

/// The name of the set and the elements of a line that adds to one.
fn set_elements(line: &str) -> Option<(&str, String)> {
    nftables(line).or_else(|| ipset(line))
}

/// Whether the name of a set is that of addresses which are let through: `whitelist`, `trusted_hosts`.
pub fn is_allowlist_name(set: &str) -> bool {
    const ALLOWS: [&str; 6] = ["white", "allow", "accept", "trusted", "permit", "unblock"];
    const BLOCKS: [&str; 3] = ["disallow", "untrusted", "unpermit"];
    let set = set.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| set.contains(word));
    let is_negated =
        set.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| matches!(word, "not" | "non"));
    has(&ALLOWS) && !has(&BLOCKS) && !is_negated
}

/// Whether the name of a set says that what is in it is blocked. Words count as a whole: `banks` are not banned.
pub fn is_blocklist_name(set: &str) -> bool {
    const STARTS: [&str; 8] =
        ["block", "adblock", "deny", "denied", "black", "malware", "malicious", "reject"];
    const WORDS: [&str; 9] =
        ["bad", "badhosts", "badips", "ban", "banned", "banlist", "drop", "dropped", "droplist"];
    let set = set.to_ascii_lowercase();
    let mut words = set.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| WORDS.contains(&word) || STARTS.iter().any(|start| word.starts_with(start)))
}

/// Whether a line begins a set of nftables, and if so, whether what is in it is let through: `set bad {`.
pub fn opens_set(line: &str) -> Option<bool> {
    if !line.ends_with('{') {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    matches!(words.as_slice(), ["set" | "map", _, "{"]).then(|| is_allowlist_name(words[1]))
}

/// Whether a line is part of the frame around the elements of a set of nftables.
fn is_frame_of_nftables(words: &[&str]) -> bool {
    matches!(words, ["table" | "chain" | "set" | "map", .., "{"])
        || matches!(words, ["type", name, ..] if name.starts_with("ipv") || *name == "filter")
        || matches!(
            words,
            ["flags", "interval" | "timeout" | "constant" | "interval," | "timeout,", ..]
        )
}

/// `add NAME 192.0.2.1 timeout 300`, also behind `ipset`. A port may follow the address.
fn ipset(line: &str) -> Option<(&str, String)> {
    let rest = line.strip_prefix("ipset ").unwrap_or(line);
    let rest = rest.strip_prefix("-exist ").unwrap_or(rest);
    let mut words =
        rest.strip_prefix("add ").or_else(|| rest.strip_prefix("-A "))?.split_whitespace();
    let (set, entry) = (words.next()?, words.next()?);
    Some((set, entry.split(',').next().unwrap_or(entry).to_owned()))
}

/// `add element inet filter NAME { 192.0.2.1, 192.0.2.2 timeout 1h }`, also behind `nft`.
fn nftables(line: &str) -> Option<(&str, String)> {
    let line = line.strip_prefix("nft ").unwrap_or(line);
    // In a block of its own, the set is named above.
    let in_block = line.strip_prefix("elements").filter(|rest| rest.trim_start().starts_with('='));
    let rest = in_block.or_else(|| line.strip_prefix("add element "))?;
    let (front, elements) = rest.split_once('{')?;
    let set = front.split_whitespace().next_back()?;
    let elements = elements.split('}').next()?.split(',');
    let addresses = elements.filter_map(|element| element.split_whitespace().next());
    Some((set, addresses.collect::<Vec<_>>().join(" ")))
}

/// `ufw deny from 192.0.2.1 to any`, `ufw deny out to 192.0.2.1`.
fn ufw(line: &str) -> Option<String> {
    let rest = line.strip_prefix("ufw ")?;
    let (_, rest) = rest.split_once("deny ").or_else(|| rest.split_once("reject "))?;
    let address = |word: &str| {
        let (_, rest) = rest.split_once(word)?;
        rest.split_whitespace().next().filter(|address| *address != "any")
    };
    address("from ").or_else(|| address("to ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_a_rule_blocks_is_read() {
        let table = [
            ("deny 192.0.2.1;", Some("192.0.2.1")),
            ("Deny from 192.0.2.1 198.51.100.0/24", Some("192.0.2.1 198.51.100.0/24")),
            ("Require not ip 192.0.2.1", Some("192.0.2.1")),
            ("-A INPUT -s 192.0.2.1/32 -j DROP", Some("192.0.2.1/32")),
            ("iptables -I FORWARD -d 192.0.2.1 -j REJECT", Some("192.0.2.1")),
            (
                "-A INPUT -m iprange --src-range 192.0.2.0-192.0.2.9 -j DROP",
                Some("192.0.2.0-192.0.2.9"),
            ),
            ("add bad 192.0.2.1 timeout 300", Some("192.0.2.1")),
            ("ipset add bad 192.0.2.1,tcp:80", Some("192.0.2.1")),
            ("add element inet filter bad { 192.0.2.1, 192.0.2.2 }", Some("192.0.2.1 192.0.2.2")),
            ("elements = { 192.0.2.1, 198.51.100.0/24 }", Some("192.0.2.1 198.51.100.0/24")),
            ("ufw deny from 192.0.2.1 to any", Some("192.0.2.1")),
            ("add bad.example to the list", None),
            ("deny everything;", None),
            ("-A INPUT -s 192.0.2.1 -d 198.51.100.1 -j DROP", Some("192.0.2.1")),
            ("-A OUTPUT -s 198.51.100.1 -d 192.0.2.1 -j DROP", Some("192.0.2.1")),
            ("-A FORWARD -s 192.0.2.1 -d 198.51.100.1 -j DROP", None),
            ("add disallowed 192.0.2.1", Some("192.0.2.1")),
        ];
        for (line, expected) in table {
            assert_eq!(blocked(line).as_deref(), expected, "{line}");
            assert!(!blocks_nothing(line), "{line}");
        }
    }

    #[test]
    fn what_is_let_through_is_not_blocked() {
        let table = [
            "allow 192.0.2.1;",
            "deny all;",
            "Allow from 192.0.2.1",
            "-A INPUT -s 192.0.2.1/32 -j ACCEPT",
            "-A INPUT ! -s 192.0.2.1/32 -j DROP",
            "-A INPUT -j DROP",
            "add bad 192.0.2.1 nomatch",
            "add whitelist 192.0.2.1",
            "ipset -exist add allowed_hosts 192.0.2.1,tcp:22",
            "add element inet filter trusted { 192.0.2.1, 192.0.2.2 }",
            "-A INPUT -d 192.0.2.9/32 -p tcp --dport 22 -j DROP",
            "-A OUTPUT -s 192.0.2.9/32 -j REJECT",
            "create bad hash:ip family inet",
            "*filter",
            ":INPUT ACCEPT [0:0]",
            "COMMIT",
        ];
        for line in table {
            assert!(blocks_nothing(line), "{line}");
        }
    }
}
