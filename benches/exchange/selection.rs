//! Which scenarios and sizes to run, from arguments and environment.

use std::collections::BTreeSet;

use crate::fan_out;

/// The scenarios, each with the names of its rows, which can be selected as well.
const SCENARIOS: &[(&str, &[&str])] = &[
    ("ingest", &["ingest"]),
    ("replaced", &["replaced"]),
    ("wire", &["wire"]),
    ("unary", &["unary"]),
    ("fan-out", &["fan-out", "fanout"]),
    ("latency", &["latency"]),
    ("stalled", &["stalled"]),
    ("stored", &["stored", "lookup", "catch-up", "size", "restart"]),
    ("reading", &["reading"]),
    ("idle", &["idle"]),
];

/// The largest size that can be selected.
pub const MAX_SIZE: u64 = 10_000_000;

fn all_names() -> Vec<&'static str> {
    SCENARIOS.iter().flat_map(|(_, names)| names.iter().copied()).collect()
}

/// Reports an invalid argument, and exits.
fn refuse(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2);
}

/// The scenarios and sizes to run.
pub struct Selection {
    /// Empty for all scenarios.
    scenarios: BTreeSet<&'static str>,
    /// The short form has the sizes that show whether something is wrong, and takes under three
    /// minutes.
    pub quick: bool,
    /// One size only, to profile a scenario.
    pub size: Option<u64>,
}

impl Selection {
    /// Reads `names`, `QUICK` and `SIZE`. Exits if one of them is invalid.
    pub fn parse(names: &[&String]) -> Self {
        let mut scenarios = BTreeSet::new();
        for name in names {
            match SCENARIOS.iter().find(|(_, rows)| rows.contains(&name.as_str())) {
                Some((scenario, _)) => scenarios.insert(*scenario),
                None => refuse(&format!("`{name}` is no scenario: {}", all_names().join(", "))),
            };
        }
        let quick = std::env::var_os("QUICK").is_some_and(|quick| quick == "1");
        let size = std::env::var("SIZE").ok().filter(|size| !size.is_empty());
        let size = size.map(|size| match size.parse::<u64>() {
            Ok(size) if (1..=MAX_SIZE).contains(&size) => size,
            _ => refuse(&format!("SIZE is `{size}`: must be a whole number from 1 to {MAX_SIZE}")),
        });
        let selection = Self { scenarios, quick, size };
        if size.is_some() && names.is_empty() {
            refuse("SIZE needs one scenario: set SCENARIO");
        }
        if size.is_some_and(|size| selection.has("fan-out") && size > fan_out::MAX_READERS) {
            refuse(&format!("fan-out has at most {} readers", fan_out::MAX_READERS));
        }
        selection
    }

    /// Whether a scenario is selected.
    pub fn has(&self, scenario: &str) -> bool {
        self.scenarios.is_empty() || self.scenarios.contains(scenario)
    }

    /// The numbers of items for scenarios that store items.
    pub fn items(&self) -> Vec<u64> {
        match self.size {
            Some(size) => vec![size],
            None if self.quick => vec![10_000, 100_000],
            None => vec![10_000, 100_000, 1_000_000],
        }
    }

    /// The numbers of readers of `fan-out`.
    pub fn readers(&self) -> Vec<usize> {
        match self.size {
            Some(readers) => vec![usize::try_from(readers).unwrap()],
            None if self.quick => vec![1, 10, 100],
            None => vec![1, 10, 100, 1_000],
        }
    }
}
