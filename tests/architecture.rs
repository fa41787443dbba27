//! Rules for the source tree: imports between modules, file length, marks that no file may contain.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module and the modules that it may import. `cli`, `server` and the crate root may import
/// all. Every module except `domain` may import `error` and `clock`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("error", &["domain"]),
    ("clock", &["domain"]),
    ("metrics", &[]),
    ("config", &[]),
    ("protobuf", &[]),
    ("sampled_log", &[]),
    ("telemetry", &[]),
    ("journal", &["domain", "protobuf"]),
    ("wire", &["domain", "protobuf"]),
    ("formats", &["domain"]),
    ("tls", &["domain", "sampled_log"]),
    ("index", &["domain", "journal"]),
    ("exchange", &["domain", "journal", "index"]),
    ("rpc", &["domain", "exchange", "wire", "tls", "metrics", "sampled_log", "telemetry"]),
    ("https", &["exchange", "wire", "tls", "metrics"]),
    // Client and server load identity folders with the same code.
    ("client", &["domain", "wire", "tls"]),
];

/// The parts of `exchange`, and the parts that each may import: arrows go one way. `core` and `commit` are the
/// floor; `commands`, `queries`, `feeds` and `sweeps` do not know one another.
const INSIDE_EXCHANGE: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("follower", &[]),
    ("commit", &["core"]),
    ("liaison", &["core", "commit"]),
    ("lists", &["core", "commit"]),
    ("visibility", &["core", "commit", "liaison"]),
    ("referral", &["core", "commit", "visibility"]),
    ("commands", &["core", "commit", "liaison", "visibility", "referral", "lists"]),
    ("queries", &["core", "commit", "liaison", "visibility"]),
    ("feeds", &["core", "liaison", "visibility"]),
    ("sweeps", &["core", "commit", "visibility", "referral", "lists"]),
];

const ANYONE: &[&str] = &["error", "clock"];
const SEE_EVERYTHING: &[&str] = &["cli", "server", "lib", "main"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn module(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules that a file names, in `use` lines and in paths. Comments do not count.
fn imports(path: &Path) -> BTreeSet<String> {
    imports_below(path, "crate::")
}

/// The modules below `prefix` that a file names.
fn imports_below(path: &Path, prefix: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap();
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line} "))
        .collect();
    let mut modules = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let inner = group.split('}').next().unwrap();
            modules.extend(inner.split(',').map(|name| first_name(name.trim())));
        } else {
            modules.insert(first_name(rest));
        }
    }
    modules.remove("");
    modules
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn no_module_imports_what_is_not_allowed() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let module = module(&path);
        if SEE_EVERYTHING.contains(&module.as_str()) {
            continue;
        }
        let allowed = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| {
                panic!("the module `{module}` is not in the table: {}", path.display())
            })
            .1;
        for import in imports(&path) {
            let may = import == module
                || allowed.contains(&import.as_str())
                || (ANYONE.contains(&import.as_str()) && module != "domain");
            if !may {
                wrong.push(format!("{} imports {import}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_arrows_inside_the_exchange_go_one_way() {
    let folder = root().join("src/exchange");
    let mut wrong = Vec::new();
    for path in sources(&folder) {
        let first = path.strip_prefix(&folder).unwrap().components().next().unwrap();
        let part = first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let allowed = INSIDE_EXCHANGE.iter().find(|(name, _)| *name == part);
        let allowed = allowed.unwrap_or_else(|| panic!("the part `{part}` is not in the table")).1;
        for import in imports_below(&path, "crate::exchange::") {
            if import != part && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{} imports exchange::{import}", path.display()));
            }
        }
        // A relative path out of a part would not be seen.
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        wrong.extend(
            code.filter(|line| line.contains("super::super::"))
                .map(|line| format!("{}: {line}", path.display())),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_leaves_the_exchange_are_domain_types() {
    for path in
        sources(&root().join("src/exchange")).into_iter().chain([root().join("src/exchange.rs")])
    {
        for line in fs::read_to_string(&path).unwrap().lines() {
            let re_exports = ["pub use crate::index", "pub use crate::journal"];
            assert!(
                !re_exports.iter().any(|start| line.starts_with(start)),
                "{}: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn the_test_finds_imports_in_every_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rs");
    fs::write(
        &path,
        "use crate::{journal::Log, wire};\n// crate::comment\nfn f() { crate::index::x() }\n",
    )
    .unwrap();
    let found: Vec<_> = imports(&path).into_iter().collect();
    assert_eq!(found, ["index", "journal", "wire"]);
}

#[test]
fn the_domain_is_pure() {
    let foreign =
        ["tokio", "tonic", "sled", "std::time::Instant", "SystemTime", "std::fs", "rand::"];
    for path in sources(&root().join("src/domain")) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for name in foreign {
                assert!(!line.contains(name), "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn the_journals_proto_is_used_in_the_journal_alone() {
    for path in sources(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        if text.contains("tipoff.journal.v1.rs") {
            assert_eq!(module(&path), "journal", "{}", path.display());
        }
    }
}

#[test]
fn no_file_has_grown_past_what_a_newcomer_can_read() {
    for folder in ["src", "tests", "benches"] {
        for path in sources(&root().join(folder)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn nothing_is_left_open_in_a_path_that_a_user_can_reach() {
    let marks =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("#[ig", "nore")];
    for folder in ["src", "tests", "benches", "proto"] {
        for path in sources(&root().join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            for mark in marks {
                assert!(!text.contains(mark), "{} holds {mark}", path.display());
            }
        }
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest: toml::Table =
        fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let reasons = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
        for name in manifest[section].as_table().unwrap().keys() {
            assert!(reasons.contains(&format!("| `{name}` |")), "{name} has no reason");
        }
    }
}

#[test]
fn every_known_label_is_documented() {
    let documentation = fs::read_to_string(root().join("docs/labels.md")).unwrap();
    for harm in tipoff::domain::label::HARMS {
        assert!(documentation.contains(&format!("| `{}` |", harm.label)), "{}", harm.label);
    }
}
