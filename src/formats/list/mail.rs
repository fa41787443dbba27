//! Lists of mail servers: access tables of Postfix and Sendmail, and lists of `SpamAssassin`.

use super::block_list::{Rule, without_wildcard};
use crate::domain::Indicator;

/// The rule of a line, if it is one of a mail server.
pub fn rule(line: &str) -> Option<Rule> {
    let (first, rest) = line.split_once(char::is_whitespace)?;
    spamassassin(first, rest).or_else(|| access(first, rest.trim_start()))
}

/// `blacklist_from *@bad.example desk@bad.example`.
fn spamassassin(directive: &str, addresses: &str) -> Option<Rule> {
    let is_of = |lists: &[&str]| {
        directive.split_once('_').is_some_and(|(list, what)| {
            lists.contains(&list)
                && matches!(
                    what,
                    "from" | "to" | "auth" | "uri_host" | "from_rcvd" | "from_spf" | "from_dkim"
                )
        })
    };
    if is_of(&["whitelist", "welcomelist", "unblacklist", "unblocklist", "def", "more", "all"]) {
        return Some(Rule::BlocksNothing);
    }
    // To whom a mail goes is a reader's own.
    let blocks = is_of(&["blacklist", "blocklist"]) && !directive.ends_with("_to");
    let values = addresses.split_whitespace().map(without_wildcard);
    blocks.then(|| Rule::Blocks(values.collect::<Vec<_>>().join(" ")))
}

/// `bad.example REJECT`, `From:bad.example ERROR:"550 …"`, `192.0.2.5 OK`.
fn access(pattern: &str, action: &str) -> Option<Rule> {
    let name = action.split([' ', '\t', ':']).next().unwrap_or(action);
    let is_code =
        name.len() == 3 && name.starts_with(['4', '5']) && name.bytes().all(|b| b.is_ascii_digit());
    let blocks = match name {
        "REJECT" | "DISCARD" | "ERROR" | "DROP" | "DENY" | "BLOCK" => true,
        "OK" | "PERMIT" | "DUNNO" | "ACCEPT" | "RELAY" | "ALLOW" | "PASS" | "SKIP" => false,
        // A code of SMTP and its text.
        _ if is_code && action.contains(' ') => true,
        _ => return None,
    };
    let value =
        pattern.split_once(':').filter(|(tag, _)| matches!(*tag, "From" | "Connect" | "Spam"));
    let value = without_wildcard(value.map_or(pattern, |(_, value)| value));
    Indicator::read(value, None).ok()?;
    Some(if blocks { Rule::Blocks(value.to_owned()) } else { Rule::BlocksNothing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mail_server_rejects_is_blocked() {
        let table = [
            ("blacklist_from *@bad.example", Some("bad.example")),
            (
                "blocklist_from desk@bad.example a@bad.example",
                Some("desk@bad.example a@bad.example"),
            ),
            ("whitelist_from good@good.example", None),
            ("blacklist_to desk@good.example", None),
            ("bad.example REJECT", Some("bad.example")),
            ("bad.example 550 No spam", Some("bad.example")),
            ("From:desk@bad.example REJECT", Some("desk@bad.example")),
            ("192.0.2.5 OK", None),
        ];
        for (line, blocked) in table {
            let values = match rule(line) {
                Some(Rule::Blocks(values)) => Some(values),
                _ => None,
            };
            assert_eq!(values.as_deref(), blocked, "{line}");
        }
        for line in ["bad.example seen", "The REJECT", "bad.example 192.0.2.5", "bad.example 550"] {
            assert_eq!(rule(line), None, "{line}");
        }
    }
}
