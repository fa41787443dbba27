use super::*;

/// Values as `object:property=value`, and what is skipped.
fn matched(pattern: &str) -> (Vec<String>, Vec<&'static str>) {
    let matched = read(pattern).unwrap_or_else(|reason| panic!("{pattern}: {reason}"));
    let fields = matched.observables.iter().flat_map(|one| {
        one.fields.iter().map(|(name, value)| format!("{}:{name}={value}", one.kind))
    });
    (fields.collect(), matched.skipped)
}

#[test]
fn values_are_taken_where_they_alone_are_accused() {
    let table: [(&str, &[&str]); 14] = [
        ("[domain-name:value = 'a.example']", &["domain-name:value=a.example"]),
        ("[ url:value='https://a.example/\\'\\\\x' ]", &["url:value=https://a.example/'\\x"]),
        ("[file:hashes.'SHA-256' = 'aa']", &["file:hashes.SHA-256=aa"]),
        (
            "[domain-name:value = 'a' OR domain-name:value = 'b']",
            &["domain-name:value=a", "domain-name:value=b"],
        ),
        (
            "[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]",
            &["ipv4-addr:value=192.0.2.1", "ipv4-addr:value=192.0.2.2"],
        ),
        ("[domain-name:value = 'a'] OR [url:value = 'b']", &["domain-name:value=a", "url:value=b"]),
        (
            "([domain-name:value = 'a'] OR ([url:value = 'b']))",
            &["domain-name:value=a", "url:value=b"],
        ),
        ("[file:hashes.MD5 = 'a' AND file:name = 'x']", &["file:hashes.MD5=a", "file:name=x"]),
        (
            "[user-account:account_type = 'twitter' AND user-account:account_login = 'a']",
            &["user-account:account_login=a", "user-account:account_type=twitter"],
        ),
        ("[ipv4-addr:value ISSUBSET '192.0.2.0/24']", &["ipv4-addr:value=192.0.2.0/24"]),
        ("[autonomous-system:number = 64496]", &["autonomous-system:number=64496"]),
        (
            "[domain-name:resolves_to_refs[*].value = '192.0.2.1']",
            &["domain-name:resolves_to_refs.value=192.0.2.1"],
        ),
        (
            "[domain-name:value = 'a'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
            &["domain-name:value=a"],
        ),
        (
            "[domain-name:value = \"a\" or domain-name:value == 'b']",
            &["domain-name:value=a", "domain-name:value=b"],
        ),
    ];
    for (pattern, values) in table {
        let (found, skipped) = matched(pattern);
        assert_eq!(found, values, "{pattern}");
        assert!(skipped.is_empty(), "{pattern}: {skipped:?}");
    }
}

#[test]
fn what_accuses_no_single_value_is_skipped_by_its_operator() {
    let several = "AND over several objects";
    let table: [(&str, &[&str], &[&str]); 11] = [
        ("[domain-name:value = 'a' AND url:value = 'b']", &[], &[several]),
        ("[domain-name:value = 'a' AND domain-name:value = 'b']", &[], &[several]),
        (
            "[domain-name:value = 'a'] AND [url:value = 'b']",
            &[],
            &["AND over several observations"],
        ),
        ("[domain-name:value = 'a'] FOLLOWEDBY [url:value = 'b']", &[], &["FOLLOWEDBY"]),
        ("[domain-name:value != 'a']", &[], &["!="]),
        ("[domain-name:value NOT = 'a']", &[], &["NOT"]),
        ("[NOT (domain-name:value = 'a')]", &[], &["NOT"]),
        ("[url:value LIKE '%a%']", &[], &["LIKE"]),
        ("[domain-name:value = 'a'] REPEATS 5 TIMES WITHIN 60 SECONDS", &[], &["REPEATS"]),
        ("[file:hashes.MD5 = 'a' AND file:size > 5]", &["file:hashes.MD5=a"], &[">"]),
        ("[url:value MATCHES 'a' OR url:value = 'b']", &["url:value=b"], &["MATCHES"]),
    ];
    for (pattern, values, operators) in table {
        let (found, skipped) = matched(pattern);
        assert_eq!(
            (found.as_slice(), skipped.as_slice()),
            (&values.map_owned()[..], operators),
            "{pattern}"
        );
    }
}

#[test]
fn alternatives_within_one_object_are_taken_with_what_they_share() {
    let pattern = "[user-account:account_type = 'twitter' AND (user-account:account_login = 'a' OR \
                   user-account:account_login = 'b')]";
    let observables = read(pattern).unwrap().observables;
    let with_login =
        observables.iter().filter(|one| one.fields.iter().any(|(name, _)| name == "account_login"));
    assert_eq!(
        with_login.filter(|one| one.fields.iter().any(|(_, value)| value == "twitter")).count(),
        2
    );
}

#[test]
fn what_is_no_pattern_has_a_reason() {
    for pattern in [
        "",
        "a.example",
        "[domain-name:value]",
        "[domain-name:value = ]",
        "[a:b = 'c",
        "[a:b = 'c'] x",
    ] {
        assert!(read(pattern).is_err(), "{pattern}");
    }
    let deep = format!("{}a:b = 'c'", "[".to_owned() + &"(".repeat(100_000));
    assert!(read(&deep).unwrap_err().contains("parentheses"));
}

/// Owned copies for comparisons.
trait MapOwned {
    fn map_owned(&self) -> Vec<String>;
}

impl MapOwned for &[&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

proptest::proptest! {
    #[test]
    fn nothing_panics_on_any_pattern(text in "[\\[\\]()a-z:.='\"\\\\ANDORINT, 0-9*!<>é]{0,80}") {
        let _ = read(&text);
    }
}
