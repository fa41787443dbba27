//! The properties of STIX objects that are read, of any type.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An object. Properties of other types are absent.
#[allow(clippy::struct_field_names)] // The names of the standard.
#[derive(Debug, Deserialize)]
pub struct Object<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Text<'a>,
    #[serde(borrow, default)]
    pub id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub modified: Option<Text<'a>>,
    #[serde(default)]
    pub revoked: Option<bool>,
    #[serde(borrow, default)]
    pub created_by_ref: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub description: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub labels: Vec<Text<'a>>,
    #[serde(default)]
    pub confidence: Option<u32>,
    #[serde(borrow, default)]
    pub object_marking_refs: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub granular_markings: Vec<GranularMarking<'a>>,
    #[serde(borrow, default)]
    pub external_references: Vec<ExternalReference<'a>>,
    #[serde(borrow, default)]
    pub kill_chain_phases: Vec<KillChainPhase<'a>>,
    #[serde(default)]
    pub extensions: BTreeMap<String, Value>,

    #[serde(borrow, default)]
    pub pattern: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub pattern_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub indicator_types: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub valid_from: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub valid_until: Option<Text<'a>>,

    #[serde(default)]
    pub definition: Option<Value>,

    #[serde(borrow, default)]
    pub relationship_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub source_ref: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub target_ref: Option<Text<'a>>,

    #[serde(borrow, default)]
    pub sighting_of_ref: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub first_seen: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub last_seen: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub first_observed: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub last_observed: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub object_refs: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub to_refs: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub cc_refs: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub bcc_refs: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub opinion: Option<Text<'a>>,
    /// Observables of STIX 2.0, inside of their observation.
    #[serde(default, deserialize_with = "by_number")]
    pub objects: Option<BTreeMap<String, Value>>,

    // Observables.
    #[serde(default)]
    pub value: Option<Value>,
    #[serde(default)]
    pub number: Option<Value>,
    #[serde(default)]
    pub hashes: BTreeMap<String, Value>,
    #[serde(borrow, default)]
    pub account_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub account_login: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub user_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub platform: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub pdq: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub url: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub address: Option<Text<'a>>,
}

impl Object<'_> {
    /// Whether its maker took it back.
    pub fn is_revoked(&self) -> bool {
        self.revoked == Some(true)
    }
}

/// Objects by their number. A list of objects is that of a bundle, which holds nothing if it is read as an object.
fn by_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, Value>>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Object(objects) => Some(objects.into_iter().collect()),
        _ => None,
    })
}

/// A marking of parts of an object. It counts for the whole: what is taken may be one of the parts.
#[derive(Debug, Deserialize)]
pub struct GranularMarking<'a> {
    #[serde(borrow, default)]
    pub marking_ref: Option<Text<'a>>,
}

/// A reference to a report or to an entry of a framework.
#[derive(Debug, Deserialize)]
pub struct ExternalReference<'a> {
    #[serde(borrow, default)]
    pub source_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub external_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub url: Option<Text<'a>>,
}

/// A phase of a kill chain.
#[derive(Debug, Deserialize)]
pub struct KillChainPhase<'a> {
    #[serde(borrow, default)]
    pub kill_chain_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub phase_name: Option<Text<'a>>,
}

/// A string, borrowed from the document where it has no escapes.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}
