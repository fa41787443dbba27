//! What the formats of block lists put around a value: hosts files, filter lists, dnsmasq, Unbound, response policy
//! zones, and rules of web servers, firewalls, routers, proxies and mail servers.

use std::borrow::Cow;
use std::net::IpAddr;

use super::{filter_list, firewall, mail, proxy, router, zone};
use crate::domain::decoration::strip_decoration;

/// What a line of a block list does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Blocks these values, apart by blanks.
    Blocks(String),
    /// Lets something through, or sets up the rules.
    BlocksNothing,
}

/// Whether a line has nothing that a heading, a comment or a rule has. Most lines of lists are such values, and need not be
/// compared with each of these.
pub fn is_bare_value(line: &str) -> bool {
    /// Shorter words without a dot may be headings.
    const MIN_BYTES: usize = 41;
    let bytes = line.as_bytes();
    let is_end = |byte: Option<&u8>, more: &[u8]| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || more.contains(byte))
    };
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"#$=|,;(){}\"'*!".contains(byte);
    is_end(bytes.first(), b"")
        && is_end(bytes.last(), b"/")
        && (bytes.len() >= MIN_BYTES || bytes.iter().any(|byte| b".@".contains(byte)))
        && bytes.iter().all(is_plain)
        && !may_be_range(line)
}

/// Whether a line may be a named range of addresses: `NAME:192.0.2.1-192.0.2.9`.
fn may_be_range(line: &str) -> bool {
    line.contains(':') && line.contains('-') && !line.contains("://")
}

/// The rule that a line is, if its syntax is that of one program and of nothing else.
fn rule(line: &str) -> Option<Rule> {
    if !line.contains([' ', '\t', ',', '(', '=']) && !may_be_range(line) {
        return None;
    }
    mail::rule(line)
        .or_else(|| proxy::rule(line))
        .or_else(|| router::rule(line))
        .or_else(|| zone::rule(line))
}

/// Lines by which a block list is recognized.
const SAMPLED_LINES: usize = 40;

/// Whether a text is made of rules, at least one of which blocks something.
pub fn is_made_of_rules(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| line.contains(char::is_alphanumeric));
    let (mut sampled, mut rules, mut blocks) = (0, 0, false);
    for line in lines.take(SAMPLED_LINES) {
        let rule = rule(line);
        let is_blocked = matches!(rule, Some(Rule::Blocks(_))) || firewall::blocked(line).is_some();
        sampled += 1;
        rules += usize::from(is_blocked || rule.is_some() || firewall::blocks_nothing(line));
        blocks |= is_blocked;
    }
    blocks && rules * 2 >= sampled
}

/// Whether an address is one that block lists give to a host, so that it is not reached.
pub fn is_null_address(text: &str) -> bool {
    matches!(text, "0.0.0.0" | "127.0.0.1" | "::" | "::1")
}

/// The values that a line blocks, apart by blanks. A line in no format of a block list is returned as it is, without
/// a comment after it.
pub fn blocked(line: &str) -> Cow<'_, str> {
    let line = without_remark(line);
    if let Some(hosts) = hosts(line) {
        return Cow::Borrowed(hosts);
    }
    if let Some(Rule::Blocks(values)) = rule(line) {
        return Cow::Owned(values);
    }
    let values = dnsmasq(line).or_else(|| zone_rule(line)).or_else(|| firewall::blocked(line));
    if let Some(values) = values {
        return Cow::Owned(values);
    }
    if let Some(name) = unbound(line) {
        return Cow::Borrowed(name);
    }
    // In YAML, a wildcard is an element of a list: `- "+.bad.example"`.
    let bare = if line.starts_with(['-', '"', '\'']) { strip_decoration(line) } else { line };
    match (filter_list::blocked(line), without_wildcard(bare)) {
        (Some(value), _) => Cow::Borrowed(without_wildcard(value)),
        (None, host) if host.len() < bare.len() => Cow::Borrowed(host),
        _ => Cow::Borrowed(line),
    }
}

/// The hosts of a line of a hosts file, which may be several.
fn hosts(line: &str) -> Option<&str> {
    let (address, hosts) = line.split_once(char::is_whitespace)?;
    (is_null_address(address) || address == "0").then(|| hosts.trim_start())
}

/// Whether a line of a list has no value: a comment, a header, an exception of a filter list, what a firewall lets
/// through.
pub fn is_comment(line: &str) -> bool {
    if hosts(line).is_some() {
        return is_own_line_of_hosts(line);
    }
    // A line of punctuation underlines what is above it.
    !line.contains(char::is_alphanumeric)
        || (line.starts_with("# ") && super::heading(line).is_none())
        || line.starts_with("//")
        || line.starts_with([';', '!'])
        || filter_list::blocks_nothing(line)
        || is_own_line_of_hosts(line)
        || is_header_of_zone(line)
        || is_exception_of_resolver(line)
        || firewall::blocks_nothing(line)
        || rule(line) == Some(Rule::BlocksNothing)
}

/// Whether a line begins the SOA record of a zone, which goes on until a bracket closes it.
pub fn opens_soa(line: &str) -> bool {
    let at = line.split_whitespace().position(|word| word.eq_ignore_ascii_case("SOA"));
    // The owner, the time to live and the class stand in front.
    at.is_some_and(|at| (1..=3).contains(&at)) && line.ends_with('(')
}

fn without_remark(line: &str) -> &str {
    let remark = line.split_once(" #").or_else(|| line.split_once("\t#"));
    remark.map_or(line, |(value, _)| value).trim()
}

/// The host of `*.bad.example`, `+.bad.example`, `*@bad.example` and `*://*.bad.example/*`.
pub fn without_wildcard(name: &str) -> &str {
    let name = name.strip_prefix("+.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
    if !name.contains('*') {
        return name;
    }
    let host = name.split_once("://").map_or(name, |(_scheme, host)| host);
    let host = host.strip_prefix('*').unwrap_or(host).trim_start_matches(['.', '@']);
    let host = host.strip_suffix("/*").unwrap_or(host);
    if host.is_empty() || host.contains(['*', '/']) { name } else { host }
}

/// The directives of dnsmasq: `address=/a.example/b.example/0.0.0.0` names two hosts and an answer.
const DNSMASQ: [&str; 5] = ["address=/", "server=/", "local=/", "ipset=/", "nftset=/"];

fn dnsmasq(line: &str) -> Option<String> {
    let rest = DNSMASQ.iter().find_map(|directive| line.strip_prefix(directive))?;
    let (hosts, answer) = rest.rsplit_once('/')?;
    // A set may be of hosts that take another way.
    let is_of_set = line.starts_with("ipset=") || line.starts_with("nftset=");
    if is_of_set && !firewall::is_blocklist_name(answer) {
        return None;
    }
    Some(hosts.split('/').map(without_wildcard).collect::<Vec<_>>().join(" "))
}

/// `local-zone: "bad.example" always_nxdomain` and `local-data: "bad.example A 0.0.0.0"` of Unbound.
fn unbound(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("local-zone:").or_else(|| line.strip_prefix("local-data:"))?;
    let rest = rest.trim_start().strip_prefix('"')?;
    let name = rest.split(|c: char| c == '"' || c.is_whitespace()).next()?;
    Some(name.trim_end_matches('.'))
}

/// Names that a resolver answers as if there were no rule.
fn is_exception_of_resolver(line: &str) -> bool {
    let line = without_remark(line);
    let is_dnsmasq = DNSMASQ.iter().any(|directive| line.starts_with(directive));
    // What is asked at another server is answered.
    let is_asked_elsewhere =
        (line.starts_with("server=") || line.starts_with("local=/")) && !line.ends_with('/');
    (is_dnsmasq && line.ends_with("/#"))
        || is_asked_elsewhere
        || is_own_record(line)
        || (line.starts_with("local-zone:") && line.contains("transparent"))
        || PolicyRule::parse(line).is_some_and(|rule| rule.is_exception())
}

/// Whether a line gives a host an address that leads somewhere: `local-data: "nas.own.example A 192.0.2.10"` of Unbound,
/// `address=/nas.own.example/192.0.2.10` of dnsmasq.
fn is_own_record(line: &str) -> bool {
    let leads_somewhere = |word: &str| word.parse::<IpAddr>().is_ok() && !is_null_address(word);
    match (line.strip_prefix("local-data:"), line.strip_prefix("address=/")) {
        (Some(data), _) => data.split(['"', ' ', '\t']).any(leads_somewhere),
        (None, Some(rest)) => {
            rest.rsplit_once('/').is_some_and(|(_, answer)| leads_somewhere(answer))
        }
        (None, None) => false,
    }
}

/// A record of a response policy zone (RPZ).
struct PolicyRule<'a> {
    owner: &'a str,
    rrtype: &'a str,
    target: &'a str,
}

impl<'a> PolicyRule<'a> {
    /// Parses `owner [ttl] [IN] CNAME target`, or with the type A or AAAA.
    fn parse(line: &'a str) -> Option<Self> {
        let line = line.split_once(';').map_or(line, |(record, _)| record);
        let mut words = line.split_whitespace();
        let owner = words.next()?;
        let mut words = words.skip_while(|word| {
            word.bytes().all(|b| b.is_ascii_digit()) || word.eq_ignore_ascii_case("IN")
        });
        let (rrtype, target) = (words.next()?, words.next()?);
        words.next().is_none().then_some(Self { owner, rrtype, target })
    }

    fn is_exception(&self) -> bool {
        let is_itself = self.target.trim_end_matches('.') == self.owner.trim_end_matches('.');
        self.rrtype.eq_ignore_ascii_case("CNAME")
            && (is_itself || self.target.eq_ignore_ascii_case("rpz-passthru."))
    }

    /// Whether the zone gives no answer, or one that leads nowhere.
    fn blocks(&self) -> bool {
        match self.rrtype.to_ascii_uppercase().as_str() {
            "CNAME" => matches!(self.target, "." | "*." | "rpz-drop." | "rpz-tcp-only."),
            "A" | "AAAA" => is_null_address(self.target),
            _ => false,
        }
    }
}

/// The name or the network of a rule: `*.bad.example CNAME .`, `24.0.2.0.192.rpz-ip CNAME .`.
fn zone_rule(line: &str) -> Option<String> {
    let rule = PolicyRule::parse(line).filter(PolicyRule::blocks)?;
    let owner = rule.owner.trim_end_matches('.');
    match owner.split_once(".rpz-ip") {
        Some((reversed, _zone)) => network(reversed),
        None => Some(without_wildcard(owner).to_owned()),
    }
}

/// The network that a name of labels in reverse order stands for: `24.0.2.0.192`, `48.zz.db8.2001`.
fn network(reversed: &str) -> Option<String> {
    let (prefix, address) = reversed.split_once('.')?;
    let labels: Vec<&str> = address.rsplit('.').collect();
    let is_ipv4 = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
    if is_ipv4 {
        return Some(format!("{}/{prefix}", labels.join(".")));
    }
    // `zz` stands for the zeros that `::` leaves out.
    let joined = labels.join(":").replace("zz", "");
    let joined = if joined.ends_with(':') { format!("{joined}:") } else { joined };
    Some(format!("{joined}/{prefix}"))
}

/// Whether a line belongs to the head of a zone: `$TTL 300`, `@ IN SOA …`, `IN NS localhost.`
fn is_header_of_zone(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_type = |word: &str| ["IN", "NS", "SOA"].iter().any(|it| word.eq_ignore_ascii_case(it));
    ["$TTL", "$ORIGIN", "$INCLUDE"].iter().any(|directive| first.eq_ignore_ascii_case(directive))
        || ((first == "@" || is_type(first)) && words.any(is_type))
        || (is_type(first) && line.ends_with('.') && line.split_whitespace().count() == 2)
}

/// Whether a line of a hosts file names the machine itself, and blocks nothing.
fn is_own_line_of_hosts(line: &str) -> bool {
    const OWN: [&str; 8] = [
        "localhost",
        "localhost.localdomain",
        "local",
        "broadcasthost",
        "localhost6",
        "localhost6.localdomain6",
        "0.0.0.0",
        "::",
    ];
    let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
    let is_address = words.next().is_some_and(|first| first.contains(['.', ':']));
    let is_own = |name: &str| OWN.contains(&name) || name.starts_with("ip6-");
    is_address && words.clone().next().is_some() && words.all(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_rule_are_read_from_its_format() {
        let table = [
            ("0.0.0.0 a.example b.example # two", "a.example b.example"),
            ("||bad.example^$third-party", "bad.example"),
            ("address=/a.example/b.example/0.0.0.0", "a.example b.example"),
            ("local=/a.example/", "a.example"),
            ("local-zone: \"bad.example.\" always_nxdomain", "bad.example"),
            ("local-data: \"bad.example A 0.0.0.0\"", "bad.example"),
            ("bad.example CNAME .", "bad.example"),
            ("*.bad.example. 300 IN CNAME . ; a remark", "bad.example"),
            ("bad.example A 127.0.0.1", "bad.example"),
            ("24.0.2.0.192.rpz-ip CNAME .", "192.0.2.0/24"),
            ("128.1.zz.db8.2001.rpz-ip CNAME rpz-drop.", "2001:db8::1/128"),
            ("48.zz.db8.2001.rpz-ip CNAME .", "2001:db8::/48"),
            ("bad.example CNAME other.example", "bad.example CNAME other.example"),
            ("*.bad.example", "bad.example"),
            ("*bad.example", "bad.example"),
            ("*://*.bad.example/*", "bad.example"),
            ("http://*.bad.example/*", "bad.example"),
            ("https://*.bad.example/a*", "https://*.bad.example/a*"),
            ("0 bad.example", "bad.example"),
            ("|https://bad.example/a|", "https://bad.example/a"),
            ("https://bad.example/x##y", "https://bad.example/x##y"),
        ];
        for (line, values) in table {
            assert!(!is_comment(line), "{line}");
            assert_eq!(blocked(line), values, "{line}");
        }
    }

    #[test]
    fn what_blocks_nothing_is_a_comment() {
        let table = [
            "; a remark",
            "$TTL 300",
            "@ IN SOA localhost. root.localhost. 1 2 3 4 5",
            "IN NS localhost.",
            "good.example CNAME rpz-passthru.",
            "good.example CNAME good.example.",
            "server=/good.example/#",
            "server=/good.example/192.0.2.53",
            "server=192.0.2.53",
            "||good.example^$badfilter",
            "||good.example^$removeparam=x",
            "local-zone: \"good.example\" transparent",
            "@@||good.example^",
            "a.example##.box",
            "127.0.0.1 localhost",
        ];
        for line in table {
            assert!(is_comment(line), "{line}");
        }
        assert!(opens_soa("@ SOA localhost. root.localhost. ("));
        assert!(!opens_soa("@ SOA localhost. root.localhost. (1 2 3 4 5)"));
    }
}
