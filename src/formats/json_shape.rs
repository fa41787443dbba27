//! Tells formats in JSON apart by the keys at the beginning of a document, which may end anywhere.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Format;

/// Containers in one another that are looked at.
const MAX_DEPTH: usize = 5;
/// Keys and strings that are looked at.
const MAX_PATHS: usize = 8_000;

/// Characters of a text that are kept.
const MAX_TEXT_CHARS: usize = 80;

/// Characters of a key that are compared.
const MAX_KEY_CHARS: usize = 64;

/// Keys that only descriptors of `ThreatExchange` have.
const DESCRIPTOR_KEYS: &[&str] =
    &["/share_level", "/privacy_type", "/raw_indicator", "/should_delete", "/review_status"];
/// Keys around or in events of MISP.
const MISP_KEYS: &[&str] = &[
    "/Event",
    "/[]/Event",
    "/response/[]/Event",
    "/response/Event",
    "/Attribute",
    "/[]/Attribute",
    "/response/Attribute",
    "/response/[]/Attribute",
    "/Object",
    "/response/Object",
    "/response/[]/Object",
];
/// Where the objects of STIX lie.
const STIX_PLACES: &[&str] = &["", "/[]", "/objects/[]", "/[]/objects/[]"];

/// The format of a document that begins with `head`.
pub fn format(head: &str) -> Format {
    let paths = KeyPaths::of(head);
    let has = |path: &str| paths.0.iter().any(|(known, _)| known == path);
    let is_stix_object = |place: &&str| {
        let has_id = paths
            .0
            .iter()
            .any(|(path, text)| *path == format!("{place}/id") && text.contains("--"));
        has_id && has(&format!("{place}/type"))
    };
    if STIX_PLACES.iter().any(is_stix_object) {
        return Format::Stix;
    }
    if MISP_KEYS.iter().any(|path| has(path)) || paths.is_manifest() {
        return Format::Misp;
    }
    // A page without descriptors.
    if has("/data") && has("/paging") && !has("/data/[]") {
        return Format::ThreatExchange;
    }
    let is_descriptor =
        |(path, _): &(String, String)| DESCRIPTOR_KEYS.iter().any(|key| path.ends_with(key));
    if paths.0.iter().any(is_descriptor) { Format::ThreatExchange } else { Format::Jsonl }
}

/// Whether a document that begins with `head` is the manifest of a MISP feed.
pub fn is_manifest(head: &str) -> bool {
    KeyPaths::of(head).is_manifest()
}

/// Paths of keys, each with its text if it is one.
struct KeyPaths(Vec<(String, String)>);

impl KeyPaths {
    fn of(head: &str) -> Self {
        let mut paths = Self(Vec::new());
        let mut documents = serde_json::Deserializer::from_str(head);
        // It fails where the head ends. What was found before counts.
        let _ = Collect { path: String::new(), depth: 0, paths: &mut paths }
            .deserialize(&mut documents);
        paths
    }

    /// Whether it is the manifest of a MISP feed: what is known of each event, by its UUID.
    fn is_manifest(&self) -> bool {
        self.0.iter().any(|(path, _)| {
            let id = path.strip_prefix('/').and_then(|path| path.strip_suffix("/Orgc"));
            id.is_some_and(|id| uuid::Uuid::parse_str(id).is_ok())
        })
    }
}

/// Collects the paths below a key or an element.
struct Collect<'a> {
    path: String,
    depth: usize,
    paths: &'a mut KeyPaths,
}

impl Collect<'_> {
    fn below(&mut self, key: &str) -> Collect<'_> {
        let key: String = key.chars().take(MAX_KEY_CHARS).collect();
        let path = format!("{}/{key}", self.path);
        Collect { path, depth: self.depth + 1, paths: self.paths }
    }
}

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.paths.0.len() >= MAX_PATHS {
            return IgnoredAny::deserialize(deserializer).map(drop);
        }
        // The value may be cut off.
        self.paths.0.push((self.path.clone(), String::new()));
        if self.depth >= MAX_DEPTH {
            return IgnoredAny::deserialize(deserializer).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(self.below(&key))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut all: A) -> Result<(), A::Error> {
        while all.next_element_seed(self.below("[]"))?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        // The last path is that of this text.
        if let Some((_, known)) = self.paths.0.last_mut() {
            *known = text.chars().take(MAX_TEXT_CHARS).collect();
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart_by_their_keys_wherever_the_head_ends() {
        let table = [
            (r#"{"type":"bundle","id":"bundle--1","objects":[{"ty"#, Format::Stix),
            (
                r#"{"id": "bundle--1", "objects": [{"created": "x", "id": "indicator--1", "type": "indicator""#,
                Format::Stix,
            ),
            (
                r#"{"more":false,"objects":[{"type":"indicator","id":"indicator--1"}]}"#,
                Format::Stix,
            ),
            (r#"[{"type":"url","id":"url--1"}]"#, Format::Stix),
            (r#"{"Event":{"info":"x"}}"#, Format::Misp),
            (r#"{"response":[{"Event":{"#, Format::Misp),
            (
                r#"{"57c4445b-c548-4654-af0b-4be3950d210f":{"Orgc":{"name":"x"},"info":"y"}}"#,
                Format::Misp,
            ),
            (
                r#"{"data":[{"indicator":{"type":"DOMAIN"},"share_level":"GREEN"#,
                Format::ThreatExchange,
            ),
            (r#"{"value":"a.example","type":"domain","id":"12"}"#, Format::Jsonl),
            (r#"{"data":[{"signal":"https://a.example/"}]}"#, Format::Jsonl),
            (r#"{"data":[],"paging":{}}"#, Format::ThreatExchange),
            (r#"["a.example"]"#, Format::Jsonl),
        ];
        for (head, expected) in table {
            assert_eq!(format(head), expected, "{head}");
        }
        let deep = "[".repeat(200_000);
        assert_eq!(format(&deep), Format::Jsonl);
    }
}
