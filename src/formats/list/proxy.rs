//! Rules of proxies: Clash, Surge and their like, Squid, and sections of Privoxy.

use super::block_list::{Rule, without_wildcard};
use super::firewall::{is_allowlist_name, is_blocklist_name};

/// The rule of a line, if it is one of a proxy.
pub fn rule(line: &str) -> Option<Rule> {
    squid(line).or_else(|| clash(line))
}

/// `acl blocked dstdomain .bad.example`: what is done with the list is written elsewhere, so its name has to say it.
fn squid(line: &str) -> Option<Rule> {
    let mut words = line.strip_prefix("acl ")?.split_whitespace();
    let (name, _type @ ("dstdomain" | "dst" | "src")) = (words.next()?, words.next()?) else {
        return None;
    };
    if is_allowlist_name(name) {
        return Some(Rule::BlocksNothing);
    }
    let values = words.filter(|word| !word.starts_with('-')).map(without_wildcard);
    is_blocklist_name(name).then(|| Rule::Blocks(values.collect::<Vec<_>>().join(" ")))
}

/// `DOMAIN-SUFFIX,bad.example,REJECT`, without a policy in a list of a provider.
fn clash(line: &str) -> Option<Rule> {
    let line = line.strip_prefix("- ").unwrap_or(line).trim_matches(['\'', '"']);
    let mut fields = line.split(',').map(str::trim);
    let (kind, value) = (fields.next()?, fields.next()?);
    let has_value = match kind.to_ascii_uppercase().as_str() {
        "DOMAIN" | "DOMAIN-SUFFIX" | "HOST" | "HOST-SUFFIX" | "IP-CIDR" | "IP-CIDR6"
        | "IP6-CIDR" | "IP-ASN" => true,
        "GEOIP" | "GEOSITE" | "MATCH" | "FINAL" | "RULE-SET" | "PROCESS-NAME" | "USER-AGENT" => {
            false
        }
        _ => return None,
    };
    // In lower case it may be a table of kinds and values.
    if kind.contains(char::is_lowercase) {
        return None;
    }
    let mut policies = fields.filter(|field| *field != "no-resolve");
    let policy = policies.next().map(str::to_ascii_uppercase);
    match policy.as_deref() {
        Some("DIRECT" | "PROXY" | "PASS" | "GLOBAL") => Some(Rule::BlocksNothing),
        _ if !has_value => policy.map(|_| Rule::BlocksNothing),
        None => Some(Rule::Blocks(value.to_owned())),
        Some(policy) if policy.starts_with("REJECT") => Some(Rule::Blocks(value.to_owned())),
        // The name of a group does not state what it does.
        Some(_) => None,
    }
}

/// Whether a line begins a section of Privoxy, and if so, whether its addresses are blocked: `{ +block{ads} }`.
pub fn blocks_in_section(line: &str) -> Option<bool> {
    let actions = line.strip_prefix('{')?.strip_suffix('}')?;
    let blocks = actions.contains("+block");
    let are_actions = actions.split_whitespace().all(|action| {
        action.starts_with(|c: char| c.is_ascii_alphabetic() || "+-{".contains(c))
            && !action.contains(['.', ',', ':', '"'])
    });
    (blocks || are_actions && actions.contains(['+', '-'])).then_some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_blocks_what_it_rejects() {
        let blocks = |value: &str| Some(Rule::Blocks(value.to_owned()));
        let table = [
            ("DOMAIN-SUFFIX,bad.example,REJECT", blocks("bad.example")),
            ("- DOMAIN,bad.example", blocks("bad.example")),
            ("IP-CIDR,192.0.2.0/24,REJECT-DROP,no-resolve", blocks("192.0.2.0/24")),
            ("IP-CIDR,192.0.2.0/24,no-resolve", blocks("192.0.2.0/24")),
            ("DOMAIN,good.example,DIRECT", Some(Rule::BlocksNothing)),
            ("GEOIP,XX,REJECT", Some(Rule::BlocksNothing)),
            ("DOMAIN,good.example,Streaming", None),
            ("domain,bad.example", None),
            ("acl blocked dstdomain .bad.example", blocks("bad.example")),
            ("acl allowed dstdomain .good.example", Some(Rule::BlocksNothing)),
            ("acl localnet src 192.0.2.0/24", None),
        ];
        for (line, expected) in table {
            assert_eq!(rule(line), expected, "{line}");
        }
    }

    #[test]
    fn sections_of_privoxy_block_or_do_not() {
        let table = [
            ("{ +block{ads} }", Some(true)),
            ("{+block}", Some(true)),
            ("{ -block }", Some(false)),
            ("{ -filter +crunch-all-cookies }", Some(false)),
            ("{bad.example}", None),
            ("{ a, b }", None),
        ];
        for (line, blocks) in table {
            assert_eq!(blocks_in_section(line), blocks, "{line}");
        }
    }
}
