//! Zones of BIND, and regular expressions of Pi-hole.

use super::block_list::Rule;

/// The rule of a line, if it is one of a resolver that nothing else has.
pub fn rule(line: &str) -> Option<Rule> {
    bind(line).or_else(|| pihole(line).map(Rule::Blocks))
}

/// `zone "bad.example" { type master; file "blocked.db"; };`, whose zone file has no host.
fn bind(line: &str) -> Option<Rule> {
    let (name, rest) =
        line.strip_prefix("zone ")?.trim_start().strip_prefix('"')?.split_once('"')?;
    // In a block of several lines, the type is below.
    if !rest.contains("type ") {
        return None;
    }
    let is_of = |types: [&str; 2]| types.iter().any(|name| rest.contains(&format!("type {name}")));
    // The server's own zones, and those that it asks others for.
    let is_own = !name.contains('.')
        || name == "."
        || name.rsplit('.').next() == Some("arpa")
        || is_of(["hint", "forward"])
        || is_of(["slave", "secondary"])
        || is_of(["stub", "mirror"]);
    let name = name.trim_end_matches('.').trim_start_matches("*.");
    Some(if is_own || !names_empty_file(rest) {
        Rule::BlocksNothing
    } else {
        Rule::Blocks(name.to_owned())
    })
}

/// Whether the file of a zone is one without hosts, by its name. Any other one is the server's own.
fn names_empty_file(rest: &str) -> bool {
    const NAMES: [&str; 8] = ["block", "black", "null", "empty", "sink", "dummy", "rpz", "dead"];
    let file = rest.split_once("file").map_or("", |(_, file)| file).to_ascii_lowercase();
    NAMES.iter().any(|name| file.contains(name))
}

/// `(^|\.)bad\.example$`. An expression for more than one host and its subdomains is none.
fn pihole(line: &str) -> Option<String> {
    const FRONTS: [&str; 5] = [r"(^|\.)", r"(\.|^)", r"^(.+\.)?", r"^(.*\.)?", r"(.*\.)?"];
    let rest = FRONTS.iter().find_map(|front| line.strip_prefix(front))?.strip_suffix('$')?;
    let host = rest.replace(r"\.", "\n");
    let is_host =
        host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'\n'));
    is_host.then(|| host.replace('\n', "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_and_expressions_block_a_host() {
        let blocks = |value: &str| Some(Rule::Blocks(value.to_owned()));
        let table = [
            ("zone \"bad.example\" { type master; file \"blocked\"; };", blocks("bad.example")),
            ("zone \"bad.example\" IN { type master; file \"db.empty\"; };", blocks("bad.example")),
            ("zone \"own.example\" { type master; file \"db.own\"; };", Some(Rule::BlocksNothing)),
            ("zone \"own.example\" IN { type master; };", Some(Rule::BlocksNothing)),
            ("zone \".\" { type hint; file \"root\"; };", Some(Rule::BlocksNothing)),
            ("zone \"good.example\" { type forward; };", Some(Rule::BlocksNothing)),
            ("zone \"2.0.192.in-addr.arpa\" { type master; };", Some(Rule::BlocksNothing)),
            (r"(^|\.)bad\.example$", blocks("bad.example")),
            (r"^(.+\.)?bad\.example$", blocks("bad.example")),
            ("zone \"bad.example\" {", None),
            (r"(^|\.)bad[0-9]\.example$", None),
            (r"(^|\.)bad.example$", None),
        ];
        for (line, expected) in table {
            assert_eq!(rule(line), expected, "{line}");
        }
    }
}
