//! Input that would take quadratic time or all memory if it were read carelessly: some megabytes of each format. A test
//! runner stops what takes minutes.

use super::*;

const REPEATS: usize = 40_000;

fn read_all(text: &str, format: Format) -> usize {
    let input = Input::from_bytes(text.as_bytes()).unwrap();
    let mut count = 0;
    let _ = read_input(&input, Some(format), &Assumed::default(), &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    });
    count
}

fn bundle(pattern: &str, labels: &str) -> String {
    let pattern = serde_json::to_string(pattern).unwrap();
    format!(
        r#"{{"type":"bundle","id":"bundle--1","objects":[{{"type":"indicator","id":"indicator--1","labels":[{labels}"x"],"pattern":{pattern}}}]}}"#
    )
}

#[test]
fn a_bundle_with_one_very_large_indicator_takes_linear_time() {
    let alternatives = "domain-name:value = 'a.example' OR ".repeat(REPEATS);
    let pattern = format!("[{alternatives}domain-name:value = 'b.example']");
    assert_eq!(read_all(&bundle(&pattern, ""), Format::Stix), REPEATS + 1);
    let fields: String = (0..REPEATS).map(|at| format!("file:x{at} = 'a' AND ")).collect();
    let pattern = format!("[{fields}(file:hashes.MD5 = 'x' OR file:hashes.MD5 = 'y')]");
    read_all(&bundle(&pattern, ""), Format::Stix);
    let labels: String = (0..REPEATS).map(|at| format!("\"label {at}\",")).collect();
    assert_eq!(read_all(&bundle("[domain-name:value = 'a.example']", &labels), Format::Stix), 1);
    read_all(&bundle(&"(".repeat(REPEATS), ""), Format::Stix);
    read_all(&"{\"objects\":[".repeat(REPEATS), Format::Stix);
}

#[test]
fn an_event_whose_title_and_tags_are_very_large_takes_linear_time() {
    let info = "x".repeat(1_000_000);
    let tags: String = (0..REPEATS).map(|at| format!("{{\"name\":\"tag {at}\"}},")).collect();
    let attributes = r#"{"type":"domain","value":"a.example"},"#.repeat(REPEATS);
    let event = format!(
        r#"{{"Event":{{"info":"{info}","Tag":[{tags}{{}}],"Attribute":[{attributes}{{}}]}}}}"#
    );
    assert!(read_all(&event, Format::Misp) >= REPEATS);
    read_all(&"{\"Event\":".repeat(REPEATS), Format::Misp);
}

#[test]
fn pages_and_texts_take_linear_time() {
    read_all(&format!("<html>{}", "<a href='x'>[<td><table>".repeat(REPEATS)), Format::Html);
    read_all(&"[](".repeat(REPEATS * 10), Format::Text);
    read_all(&"`a[.]example".repeat(REPEATS), Format::Text);
    let long_key = format!("{{\"{}\":{{{}", "k".repeat(200_000), "\"a\":1,".repeat(8_000));
    assert_eq!(json_shape::format(&long_key), Format::Jsonl);
}
