//! The real published reports, compared with an independent parser (`expected.json`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/data.rs"]
mod data;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;

use serde_json::Value;
use tipoff::domain::assessment::Verdict;
use tipoff::formats::dry_run::DryRunLine;
use tipoff::formats::{Assumed, Class, Format, Input, Reading, Record, read, read_input};

fn expected() -> Value {
    serde_json::from_slice(&fs::read(data::folder().join("expected.json")).unwrap()).unwrap()
}

fn lines(file: &str) -> Vec<DryRunLine> {
    let bytes = fs::read(data::folder().join("meta").join(file)).unwrap();
    let records = read(&bytes, None).unwrap_or_else(|error| panic!("{file}: {error}"));
    records.iter().map(|record| DryRunLine::of(file, record, Verdict::DEFAULT)).collect()
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
        // A national number cannot be parsed: the exchange has no default country. `00` is the `+` of most.
        let is_national = !region.is_empty() && !raw.starts_with("00");
        if e164 == "INVALID" || is_national {
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
            let line = DryRunLine::of("", &record, Verdict::DEFAULT);
            assert_eq!(line.value.as_deref(), Some(text("value")), "{example}");
            let again = Indicator::read(text("raw"), None).ok();
            assert!(again.is_none_or(|again| again.value() == text("value")), "{example}");
        }
    }
}

/// Reads a file of the test data with what is said beside its records.
fn read_file(file: &str) -> (Vec<Record>, Reading) {
    let input = Input::open(&data::folder().join(file)).unwrap();
    let mut records = Vec::new();
    let reading = read_input(&input, None, &Assumed::default(), &mut |record| {
        records.push(record);
        ControlFlow::Continue(())
    });
    (records, reading.unwrap_or_else(|error| panic!("{file}: {error}")))
}

/// The distinct indicators of files.
fn indicators_of(files: &[&str]) -> BTreeSet<(String, String)> {
    let records = files.iter().flat_map(|file| read_file(file).0);
    let read = records.filter_map(|record| match record.class {
        Class::Indicator(read) => Some((read.kind().to_string(), read.value().to_owned())),
        _ => None,
    });
    read.collect()
}

#[test]
fn every_attribute_of_misp_is_read_or_counted() {
    let expected = expected();
    for (file, set) in expected["other_sets"]["misp"].as_object().unwrap() {
        let (records, reading) = read_file(file);
        assert_eq!(reading.format, Format::Misp, "{file}");
        let rows: BTreeSet<_> = records.iter().map(|record| record.row).collect();
        let deleted = reading.skipped.get("deleted attribute").copied().unwrap_or_default();
        assert_eq!(rows.len() as u64 + deleted, set["attributes"].as_u64().unwrap(), "{file}");
        // Types that are always exchanged, and what is not for detection.
        for kind in ["md5", "sha1", "sha256", "domain"] {
            let count = set["by_type"][kind].as_u64().unwrap_or_default();
            let is_kind = |record: &&Record| matches!(&record.class, Class::Indicator(read) if read.kind().as_str() == kind);
            assert!(records.iter().filter(is_kind).count() as u64 >= count, "{file} {kind}");
        }
    }
}

#[test]
fn every_comparison_of_stix_with_an_exchanged_value_is_read() {
    let expected = expected();
    for (file, set) in expected["other_sets"]["stix"].as_object().unwrap() {
        let (records, reading) = read_file(file);
        assert_eq!(reading.format, Format::Stix, "{file}");
        let exchanged = |path: &str| {
            ["ipv4-addr:", "domain-name:", "file:hashes.", "email-message:from_ref"]
                .iter()
                .any(|start| path.starts_with(start))
        };
        let paths = set["comparisons_by_path"].as_object().unwrap().iter();
        let count: u64 = paths
            .filter(|(path, _)| exchanged(path))
            .map(|(_, count)| count.as_u64().unwrap())
            .sum();
        let read = records.iter().filter(|record| {
            matches!(record.class, Class::Indicator(_)) && record.raw.starts_with('[')
        });
        assert_eq!(read.count() as u64, count, "{file}");
    }
}

#[test]
fn events_and_their_twins_in_stix_name_the_same_values() {
    for name in ["attributes", "events", "objects"] {
        let part = |number| format!("misp/misp-stix/test_{name}_collection_{number}.json");
        let misp = indicators_of(&[&part("1"), &part("2")]);
        assert_eq!(indicators_of(&[&part("stix21")]), misp, "{name}");
    }
}

#[test]
fn every_address_of_a_mail_list_and_every_user_of_an_archive_is_read() {
    let expected = expected();
    for (file, set) in expected["other_sets"]["emails"].as_object().unwrap() {
        assert_eq!(indicators_of(&[file]).len() as u64, set["valid"].as_u64().unwrap(), "{file}");
    }
    let (records, reading) = read_file("accounts/twitter_io_users_SYNTHETIC.csv");
    let hashed = reading.skipped.values().sum::<u64>();
    let users: BTreeSet<_> = records.iter().map(|record| record.row).collect();
    assert_eq!((users.len() as u64 + hashed, users.len() * 2), (24, records.len()));
}
