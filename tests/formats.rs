//! The real published reports, compared with an independent parser (`expected.json`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/data.rs"]
mod data;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use tipoff::formats::dry_run::DryRunLine;
use tipoff::formats::read;

fn expected() -> Value {
    serde_json::from_slice(&fs::read(data::folder().join("expected.json")).unwrap()).unwrap()
}

fn lines(file: &str) -> Vec<DryRunLine> {
    let bytes = fs::read(data::folder().join("meta").join(file)).unwrap();
    let records = read(&bytes, None).unwrap_or_else(|error| panic!("{file}: {error}"));
    records.iter().map(|record| DryRunLine::of(file, record)).collect()
}

#[test]
fn every_report_is_read_within_its_accepted_range() {
    let mut wrong = Vec::new();
    for report in expected()["meta_files"].as_array().unwrap() {
        let file = report["file"].as_str().unwrap();
        let read = lines(file);
        let of = |class: &'static str| read.iter().filter(move |line| line.class == class);
        let rows: BTreeSet<_> = read.iter().map(|line| line.row).collect();
        let distinct: BTreeSet<_> =
            of("indicator").map(|line| (line.kind, &line.platform, &line.value)).collect();
        let counts = [
            ("data_rows", rows.len()),
            ("indicator_rows", of("indicator").count()),
            ("aggregate_rows", of("aggregate").count()),
            ("distinct_pairs", distinct.len()),
        ];
        for (what, count) in counts {
            let range = report["accept"][what].as_array().unwrap();
            let (least, most) = (range[0].as_u64().unwrap(), range[1].as_u64().unwrap());
            if !(least..=most).contains(&(count as u64)) {
                wrong.push(format!("{file}: {what} {count}, not {least} to {most}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_worked_example_is_read_as_it_should_be() {
    let mut files: BTreeMap<String, Vec<DryRunLine>> = BTreeMap::new();
    let mut wrong = Vec::new();
    let expected = expected();
    let examples = expected["worked_examples"].as_array().unwrap();
    assert_eq!(examples.len(), 102);
    for example in examples {
        let file = example["file"].as_str().unwrap();
        let read = files.entry(file.to_owned()).or_insert_with(|| lines(file));
        let row = usize::try_from(example["row"].as_u64().unwrap()).unwrap();
        let of_row: Vec<_> = read.iter().filter(|line| line.row == row).collect();
        let [line] = of_row.as_slice() else {
            wrong.push(format!("{file} {row}: read as {} lines", of_row.len()));
            continue;
        };
        let text = |key: &str| example[key].as_str().unwrap_or_default();
        let agrees = line.class == text("class")
            && line.raw == text("raw")
            && match line.class {
                "indicator" => {
                    line.kind == Some(text("type"))
                        && line.value.as_deref() == Some(text("value"))
                        && (line.kind == Some("channel")
                            || line.platform.as_deref().unwrap_or_default() == text("platform"))
                }
                "aggregate" => {
                    line.asset.as_deref() == Some(text("kind"))
                        && line.count == example["n"].as_u64()
                }
                _ => true,
            };
        if !agrees {
            wrong.push(format!("{example}\n    read as {line:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn kinds_and_aggregates_add_up_over_all_reports() {
    let expected = expected();
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut assets: BTreeMap<String, u64> = BTreeMap::new();
    for report in expected["meta_files"].as_array().unwrap() {
        for line in lines(report["file"].as_str().unwrap()) {
            if let Some(kind) = line.kind {
                *kinds.entry(kind.to_owned()).or_default() += 1;
            }
            if let (Some(asset), Some(count)) = (line.asset, line.count) {
                *assets.entry(asset).or_default() += count;
            }
        }
    }
    let table = |value: &Value| -> BTreeMap<String, u64> {
        let object = value.as_object().unwrap();
        object.iter().map(|(key, n)| (key.clone(), n.as_u64().unwrap())).collect()
    };
    assert_eq!(kinds, table(&expected["by_type"]));
    assert_eq!(assets, table(&expected["aggregate_totals"]));
}

#[test]
fn the_same_report_as_json_and_as_tsv_reads_the_same() {
    let name = "2022_09_removing_coordinated_inauthentic_behavior_from_china_and_russia";
    let indicators = |file: String| -> Vec<_> {
        lines(&file).into_iter().map(|line| (line.kind, line.value)).collect()
    };
    let csv = indicators(format!("{name}.csv"));
    assert_eq!(indicators(format!("alt/{name}.tsv")), csv);
    assert_eq!(indicators(format!("alt/{name}.json")), csv);
}

#[test]
fn lookalike_domains_get_their_a_label_and_bad_ones_are_refused() {
    use tipoff::domain::{Indicator, Kind};
    let table = fs::read_to_string(data::folder().join("idn/idn_cases.tsv")).unwrap();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let read = Indicator::parse(Kind::Domain, None, cells[0]);
        match cells[1] {
            "ERROR" => assert!(read.is_err(), "{line}: {read:?}"),
            label => assert_eq!(read.unwrap().value(), label, "{line}"),
        }
    }
}

#[test]
fn phone_numbers_in_international_form_become_e164() {
    use tipoff::domain::{Indicator, Kind};
    let table = fs::read_to_string(data::folder().join("phone/phone_cases.tsv")).unwrap();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let (raw, region, e164) = (cells[0], cells[1], cells[2]);
        let read = Indicator::parse(Kind::Phone, None, raw);
        // A national number cannot be parsed: the exchange has no default country.
        if e164 == "INVALID" || !region.is_empty() {
            assert!(read.is_err(), "{line}: {read:?}");
        } else {
            assert_eq!(read.unwrap().value(), e164, "{line}");
        }
    }
}

#[test]
fn every_defanged_form_of_the_reports_is_made_plain() {
    use tipoff::domain::Indicator;
    let forms: Value = serde_json::from_slice(
        &fs::read(data::folder().join("defang/meta_real_forms.json")).unwrap(),
    )
    .unwrap();
    for form in forms.as_array().unwrap() {
        for example in form["examples"].as_array().unwrap() {
            let text = |key: &str| example[key].as_str().unwrap_or_default();
            let [record] = read(text("raw").as_bytes(), None).unwrap().try_into().unwrap();
            let line = DryRunLine::of("", &record);
            assert_eq!(line.value.as_deref(), Some(text("value")), "{example}");
            let again = Indicator::read(text("raw"), None).ok();
            assert!(again.is_none_or(|again| again.value() == text("value")), "{example}");
        }
    }
}
