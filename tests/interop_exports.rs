//! The libraries of MISP, STIX and ThreatExchange read what is exported.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use support::command::{Stage, done};
use support::python;

/// A value of each kind.
const EVERY_KIND: &str = r##"{"kind":"account","value":"x:harbour_watcher","verdict":"malicious","note":"seen\ntwice"}
{"kind":"account","value":"github:harbour"}
{"kind":"account_id","platform":"x","value":"1234567890"}
{"kind":"page","platform":"facebook","value":"harbour.page"}
{"kind":"community","platform":"reddit","value":"harbour"}
{"kind":"channel","platform":"telegram","value":"+AbC"}
{"kind":"domain","value":"bücher.example","verdict":"non_malicious"}
{"kind":"url","value":"https://a.example/it's/\\path?q='x'","references":["https://report.example/1"]}
{"kind":"email","value":"someone@mail.example","first_seen":"2026-01-01T10:00:00.5Z","last_seen":"2026-02-01"}
{"kind":"phone","value":"+1 202 555 0143"}
{"kind":"ip","value":"192.0.2.7"}
{"kind":"ip","value":"2001:db8::7"}
{"kind":"network","value":"192.0.2.0/24"}
{"kind":"asn","value":"AS64496"}
{"kind":"md5","value":"9e107d9d372bb6826bd81d3542a419d6"}
{"kind":"sha1","value":"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"}
{"kind":"sha256","value":"d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"}
{"kind":"sha512","value":"07e547d9586f6a73f73fbac0435ed76951218fb7d0c8d788a309d785436bbb642e93a252a954f23912547d1e8a3b5ed6e1bfd7097821233fa0538f3db854fee6"}
{"kind":"ssdeep","value":"96:aB/+cDeF0123:xYz/+789"}
{"kind":"tlsh","value":"T16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf1a2"}
{"kind":"pdq","value":"f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"}
{"kind":"hashtag","value":"#harbour"}
{"kind":"android_package","value":"com.example.Harbour"}
{"kind":"ios_app_id","value":"id1234567890"}
{"kind":"crypto_address","platform":"bitcoin","value":"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}
"##;

#[test]
fn other_tools_read_what_is_exported() {
    let stage = Stage::new();
    let put = ["campaign", "put", "--name", "Harbour network", "--actor", "somebody", "--json"];
    let put = [&put[..], &["--group", "core"]].concat();
    let campaign = done(stage.run("birdsite", &put)).lines()[0]["campaign_id"].clone();
    let campaign = campaign.as_str().unwrap();
    let kinds = stage.file("kinds.jsonl", EVERY_KIND);
    done(stage.run("birdsite", &["submit", &kinds, "--label", "phishing", "--campaign", campaign]));
    let public = stage.file("public.txt", "public.example\n");
    done(stage.run("birdsite", &["submit", &public, "--tlp", "CLEAR"]));
    let folder = stage.world.path("exports");
    std::fs::create_dir(&folder).unwrap();
    for (format, name) in
        [("stix", "stix.json"), ("misp", "misp"), ("threatexchange", "threatexchange.json")]
    {
        let out = folder.join(name).display().to_string();
        done(stage.run("facegraph", &["export", "--format", format, "--out", &out]));
    }
    let output = python::script("read_exports.py", &[&folder]);
    let (stdout, stderr) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
    let stdout = String::from_utf8(stdout).unwrap();
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let read: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |library: &str| read.iter().find(|line| line["library"] == library).unwrap();
    check(&of, EVERY_KIND.lines().count() + 1);
}

fn check<'a>(of: &impl Fn(&str) -> &'a Value, count: usize) {
    let validated = of("stix2-validator");
    assert_eq!(validated["valid"], true, "{validated}");
    assert_eq!((&validated["errors"], &validated["warnings"]), (&json!([]), &json!([])));
    let types = &of("stix2")["types"];
    assert_eq!((&types["indicator"], &types["campaign"]), (&json!(count), &json!(1)));
    let attributed = 1;
    assert_eq!(types["relationship"], json!(count - 1 + attributed));
    let converted = of("misp-stix from STIX");
    assert_eq!(converted["errors"], json!({}));
    let has = |line: &Value, field: &str, value: &str| {
        let values = line[field].as_array().unwrap();
        assert!(values.contains(&json!(value)), "{value} is not in {line}");
    };
    has(converted, "attributes", "public.example");

    let feed = of("pymisp");
    // One for each marking: the public value names no campaign.
    assert_eq!(feed["events"], 2);
    assert_eq!(feed["attributes"].as_array().unwrap().len(), count);
    assert_eq!(feed["distributions"], json!([0, 3]));
    has(feed, "attributes", "twitter-id harbour_watcher");
    has(feed, "attributes", "text telegram:+AbC");
    has(feed, "tags", "tipoff:group=\"core\"");
    let converted = of("misp-stix to STIX");
    assert_eq!(converted["errors"], json!([]));
    assert!(converted["indicators"].as_u64().unwrap() > 10, "{converted}");

    let descriptors = of("threatexchange");
    // All but SHA-512, TLSH, hashtag, iOS app and crypto address.
    assert_eq!(descriptors["descriptors"].as_array().unwrap().len(), count - 5);
    has(descriptors, "descriptors", "URI https://facebook.com/pg/harbour.page");
    has(descriptors, "opinions", "POSITIVE_CLASS");
    has(descriptors, "opinions", "NEGATIVE_CLASS");
    assert_eq!(descriptors["pdq"].as_array().unwrap().len(), 1);
    has(descriptors, "urls", "https://x.com/harbour_watcher");
}
