//! Filter lists of ad blockers: `||bad.example^$third-party`.

/// What a rule blocks: a host, or a web address. `None` if the line is no such rule.
pub fn blocked(line: &str) -> Option<&str> {
    if let Some(rule) = line.strip_prefix("||") {
        return rule.split(['^', '$']).next();
    }
    // `|` is the beginning or the end of an address.
    let rule = line.strip_prefix('|').filter(|rule| rule.contains("://"))?;
    let address = options(rule).map_or(rule, |(address, _)| address);
    Some(address.trim_end_matches(['|', '^', '*']))
}

/// Whether a line of a filter list blocks nothing: the name of the format, an exception, a rule that hides parts of a
/// page, or one that changes what is loaded.
pub fn blocks_nothing(line: &str) -> bool {
    /// Options with which a rule blocks no host.
    const CHANGES: [&str; 19] = [
        "badfilter",
        "removeparam",
        "queryprune",
        "removeheader",
        "csp",
        "permissions",
        "replace",
        "cookie",
        "jsonprune",
        "xmlprune",
        "hls",
        "urltransform",
        "uritransform",
        "urlskip",
        "stealth",
        "elemhide",
        "generichide",
        "specifichide",
        "genericblock",
    ];
    let is_changed = || {
        options(line).is_some_and(|(_, options)| {
            let mut names = options.split(',').map(|option| option.split('=').next());
            names.any(|name| name.is_some_and(|name| CHANGES.contains(&name)))
        })
    };
    line.starts_with("@@")
        || hides_parts(line)
        || (line.starts_with("[Adblock") && line.ends_with(']'))
        || (line.starts_with('|') && is_changed())
}

/// A rule and its options.
fn options(rule: &str) -> Option<(&str, &str)> {
    rule.rsplit_once('$')
        .filter(|(_, options)| options.starts_with(|c: char| c.is_ascii_lowercase() || c == '~'))
}

/// Whether a line is a rule of a filter list that hides parts of a page. In a URL, the marks of one are of its fragment.
fn hides_parts(line: &str) -> bool {
    let marks = ["##", "#@#", "#?#"].iter().filter_map(|mark| line.find(mark));
    marks.min().is_some_and(|at| {
        let host = &line[..at];
        !host.contains("://") && !host.ends_with(char::is_whitespace)
    })
}
