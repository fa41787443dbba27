//! What the keys of JSON objects say of what is below them.

use serde_json::{Map, Value};

use crate::domain::{Indicator, Kind};
use crate::formats::involvement::involvement_of;
use crate::formats::kinds::excluded::{BYSTANDERS, is_allowlist_key};
use crate::formats::kinds::{DeclaredType, declared, normal};
use crate::formats::{Class, columns, tags};

/// Keys of objects about the makers of a record or about where a value was found. Nothing in them is a value.
pub const ABOUT_OTHERS: &[&str] = &[
    "created_by",
    "org",
    "orgc",
    "organization",
    "organisation",
    "whois",
    "certificate",
    "ssl_certificate",
    "reference",
    "external_reference",
    "source",
    "link",
    "_links",
    "paging",
    "pagination",
    "hosting",
    "hoster",
    "brand",
    "company",
    "reported_by",
    "submitted_by",
    "published_by",
    "cert",
    "ssl",
    "tls",
    "x509",
    "favicon",
    "icon",
];

/// Keys of objects about a report, or about what shows that it is right. Their web address is no indicator; other values
/// in them are.
pub const ABOUT_REPORTS: &[&str] = &[
    "report",
    "article",
    "blog",
    "advisory",
    "feed",
    "evidence",
    "proof",
    "screenshot",
    "image",
    "avatar",
    "archive",
    "metadata",
    "meta",
    "generator",
    "schema",
];

/// Whether a key says that what is below it are values: `indicators`, `domains`, `hashes`.
pub fn names_values(key: &str) -> bool {
    let name = normal(key);
    columns::VALUES.iter().any(|known| columns::has_name(&name, known))
        || DeclaredType::names_column(&name).is_some()
}

/// Whether what is below a key is somebody else's: `author`, `target`.
pub fn is_about_others(key: &str) -> bool {
    let name = normal(key);
    let is_named =
        ABOUT_OTHERS.iter().chain(BYSTANDERS).any(|known| columns::has_name(&name, known));
    is_named || is_allowlist_key(&name)
}

/// Whether what is below a key is about a report: `article`, `evidence`.
pub fn is_about_report(key: &str) -> bool {
    let name = normal(key);
    ABOUT_REPORTS.iter().any(|known| columns::has_name(&name, known))
}

/// Whether the keys of an object are values: `{"pier.example": {"score": 90}}`.
pub fn are_values(fields: &Map<String, Value>) -> bool {
    let is_value =
        |key: &String| Indicator::read(key, None).is_ok_and(|read| is_unmistakable(&read));
    !fields.is_empty() && fields.keys().all(is_value)
}

/// Whether a value has a form that no name or id has.
pub fn is_unmistakable(read: &Indicator) -> bool {
    use Kind::{Domain, Email, Ip, Network, Url};
    matches!(read.kind(), Domain | Email | Ip | Network | Url) || read.kind().is_file_digest()
}

/// Whether one text or an array of texts are values below a key that names a platform (`twitter`), a role (`victims`) or
/// a harm (`c2`). Each text must be one, because such keys have other contents too.
pub fn lists_values(key: &str, nested: &Value) -> bool {
    let all = nested.as_array().map_or(std::slice::from_ref(nested), Vec::as_slice);
    let texts: Option<Vec<&str>> = all.iter().map(Value::as_str).collect();
    let Some(texts) = texts.filter(|texts| !texts.is_empty()) else { return false };
    if let Some(DeclaredType::OnPlatform(_)) = DeclaredType::of(key) {
        return texts.iter().all(|text| matches!(declared(key, None, text), Class::Indicator(_)));
    }
    let states_harm = || tags::label(key).or_else(|| tags::label(key.trim_end_matches('s')));
    let is_value =
        |text: &&str| Indicator::read(text, None).is_ok_and(|read| is_unmistakable(&read));
    (involvement_of(key).is_some() || states_harm().is_some()) && texts.iter().all(is_value)
}

/// Types of objects that describe the document: some lists in lines end with one.
pub const METADATA: &[&str] = &["metadata", "meta", "header", "footer"];

pub fn is_metadata(element: &Value) -> bool {
    element.get("type").and_then(Value::as_str).is_some_and(|name| METADATA.contains(&name))
}

/// Whether an object is a feed event other than an item. Those are printed between the items, and
/// are not for submission.
pub fn is_feed_event(fields: &Map<String, Value>) -> bool {
    let names =
        ["removed", "group_change", "sighting", "feedback", "campaign", "enforcement", "tip"];
    let is_item = ["value", "indicator"].iter().any(|name| fields.contains_key(*name));
    !is_item && fields.contains_key("cursor") && names.iter().any(|name| fields.contains_key(*name))
}
