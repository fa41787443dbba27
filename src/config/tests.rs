use std::collections::BTreeMap;

use super::*;

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    for text in ["sever = 1", "[server]\nport = 1", "[[partners]]\nid='a'\nrole='b'\nx=1"] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains("unknown field"), "{error}");
    }
}

#[test]
fn the_documentation_shows_every_key_with_its_default() {
    let documentation = include_str!("../../docs/configuration.md");
    let block =
        documentation.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(Config::parse(block).unwrap(), Config::default());
    let shown = block.parse::<toml::Table>().unwrap();
    let sections =
        ["server", "storage", "jetstream", "requests", "connections", "access", "telemetry"];
    let debug = format!("{:#?}", Config::default());
    let keys: usize = sections.iter().map(|s| shown[*s].as_table().unwrap().len()).sum();
    let fields =
        debug.lines().filter(|line| line.starts_with("        ") && line.contains(": ")).count();
    assert_eq!(keys, fields, "a key is missing from the documentation");
    // Each number has a range, and its line ends with it.
    let numbers = sections.iter().flat_map(|section| {
        let numbers = shown[*section].as_table().unwrap().iter().filter(|(_, v)| v.is_integer());
        numbers.map(move |(key, value)| (format!("{section}.{key}"), format!("{key} = {value}")))
    });
    let mut numbers: BTreeMap<String, String> = numbers.collect();
    for number in ranges::NUMBERS {
        let line = numbers.remove(number.key).unwrap_or_else(|| panic!("{} twice", number.key));
        let line = format!("\n{line}  # {number}\n");
        assert!(block.contains(&line), "the documentation lacks the line {line:?}");
    }
    assert!(numbers.is_empty(), "without a range: {numbers:?}");
}
