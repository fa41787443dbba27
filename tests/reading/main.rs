//! Every case of the files in `reading`: what people paste, and how it has to be read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The lines of `tipoff submit --dry-run --json` for one case.
fn dry_run(case: &Value) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(case["file"].as_str().unwrap());
    fs::write(&file, case["content"].as_str().unwrap()).unwrap();
    let arguments = case["args"].as_array().unwrap().iter().map(|text| text.as_str().unwrap());
    let ran = Command::new(env!("CARGO_BIN_EXE_tipoff"))
        .args(["submit", "--dry-run", "--json"])
        .arg(&file)
        .args(arguments)
        .output()
        .unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_case_is_read_as_it_should_be() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reading");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |file| -> Vec<Value> { serde_json::from_slice(&fs::read(file).unwrap()).unwrap() };
    let cases: Vec<Value> = files.into_iter().flat_map(read).collect();
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    let mut wrong = Vec::new();
    for case in &cases {
        let lines = dry_run(case);
        let of_class =
            |class: &'static str| lines.iter().filter(move |line| line["class"] == class);
        let mut values: Vec<[String; 3]> = of_class("indicator")
            .map(|line| [text(&line["kind"]), text(&line["platform"]), text(&line["value"])])
            .collect();
        let mut expected: Vec<[String; 3]> = case["expect"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| [text(&value[0]), text(&value[1]), text(&value[2])])
            .collect();
        // A case names each value once, also where several lines of it are spellings of one.
        values.sort();
        values.dedup();
        expected.sort();
        let counts: Vec<Value> = of_class("aggregate")
            .map(|line| serde_json::json!([line["asset"], line["count"]]))
            .collect();
        for key in ["verdict", "involvement"] {
            for (value, stated) in case[key].as_object().into_iter().flatten() {
                let mut of_value = of_class("indicator").filter(|line| line["value"] == **value);
                if let Some(line) = of_value.find(|line| line[key] != *stated) {
                    wrong.push(format!("{}: {line}, and should be {stated}", case["name"]));
                }
            }
        }
        let expected_counts = case["counts"].as_array().cloned();
        if values != expected || expected_counts.is_some_and(|expected| expected != counts) {
            wrong.push(format!(
                "{}: {values:?}, and should be {expected:?}; {counts:?}",
                case["name"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
