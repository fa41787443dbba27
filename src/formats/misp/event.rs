//! Events, objects and attributes as MISP writes them: its core format, and what its interface exports.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{
    Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
};

/// An event, or what is around events, objects and attributes: `{"response": …}`, `{"Event": …}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    pub info: Scalar,
    pub date: Scalar,
    pub threat_level_id: Scalar,
    pub distribution: Scalar,
    #[serde(rename = "Tag")]
    pub tags: Many<Tag>,
    #[serde(rename = "Galaxy")]
    pub galaxies: Many<Galaxy>,
    #[serde(rename = "Attribute")]
    pub attributes: Many<Attribute>,
    #[serde(rename = "Object")]
    pub objects: Many<Object>,
    #[serde(rename = "ShadowAttribute")]
    pub proposals: Many<IgnoredAny>,
    #[serde(rename = "Event")]
    pub events: Many<Event>,
    pub response: Many<Event>,
}

/// Attributes that describe one thing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Object {
    pub name: Scalar,
    pub comment: Scalar,
    pub deleted: Scalar,
    pub distribution: Scalar,
    pub first_seen: Scalar,
    pub last_seen: Scalar,
    #[serde(rename = "Attribute")]
    pub attributes: Many<Attribute>,
}

/// A value with its type.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Attribute {
    #[serde(rename = "type")]
    pub kind: Scalar,
    pub category: Scalar,
    pub value: Scalar,
    pub comment: Scalar,
    pub to_ids: Scalar,
    pub deleted: Scalar,
    pub distribution: Scalar,
    pub object_relation: Scalar,
    pub first_seen: Scalar,
    pub last_seen: Scalar,
    #[serde(rename = "Tag")]
    pub tags: Many<Tag>,
    #[serde(rename = "Galaxy")]
    pub galaxies: Many<Galaxy>,
    #[serde(rename = "Sighting")]
    pub sightings: Many<Sighting>,
    #[serde(rename = "ShadowAttribute")]
    pub proposals: Many<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tag {
    pub name: Scalar,
}

/// A knowledge base whose entries are attached.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Galaxy {
    #[serde(rename = "type")]
    pub kind: Scalar,
    #[serde(rename = "GalaxyCluster")]
    pub clusters: Many<Cluster>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Cluster {
    pub value: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sighting {
    /// 0 for a sighting, 1 for a false positive, 2 for an expiration.
    #[serde(rename = "type")]
    pub kind: Scalar,
    pub date_sighting: Scalar,
}

/// A string, number or boolean as text. Exports write one field in either form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scalar(String);

impl Scalar {
    /// The text, without outer blanks. Blank for `null` and for what is no scalar.
    pub fn text(&self) -> &str {
        self.0.trim()
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number or a boolean")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(text.to_owned()))
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Scalar, E> {
        Ok(Scalar(boolean.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Scalar, A::Error> {
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::default())
    }
}

/// A list, or one in place of a list.
#[derive(Debug)]
pub struct Many<T>(Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Many<T> {
    /// The elements.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Many<T>, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = all.next_element()? {
            many.push(one);
        }
        Ok(Many(many))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| Many(vec![one]))
    }

    fn visit_unit<E>(self) -> Result<Many<T>, E> {
        Ok(Many::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Many<T>, E> {
        Ok(Many::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
}
