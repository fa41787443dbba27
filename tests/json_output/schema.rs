//! A JSON Schema of what was seen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Properties whose values are maps.
const MAPS: [&str; 1] = ["referred"];

/// The shapes of a value in all lines that were seen.
#[derive(Debug, Default)]
pub struct Seen {
    types: BTreeSet<&'static str>,
    objects: u64,
    /// Each property, and in how many objects it was.
    properties: BTreeMap<String, (u64, Seen)>,
    elements: Option<Box<Seen>>,
}

impl Seen {
    pub fn add(&mut self, value: &Value) {
        self.types.insert(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        });
        match value {
            Value::Array(elements) => {
                let all = self.elements.get_or_insert_default();
                for one in elements {
                    all.add(one);
                }
            }
            Value::Object(object) => {
                self.objects += 1;
                for (name, value) in object {
                    let (count, seen) = self.properties.entry(name.clone()).or_default();
                    *count += 1;
                    seen.add(value);
                }
            }
            _ => {}
        }
    }

    /// The schema. `describe` says what a property is. In a map, the names are ids of partners.
    pub fn schema(&self, is_map: bool, describe: &mut impl FnMut(&str) -> String) -> Value {
        let mut schema = Map::new();
        let mut types = self.types.clone();
        if types.contains("number") {
            types.remove("integer");
        }
        let types: Vec<_> = types.into_iter().collect();
        match types[..] {
            // An array that was always empty.
            [] => {}
            [one] => drop(schema.insert("type".into(), one.into())),
            _ => drop(schema.insert("type".into(), types.into())),
        }
        if let Some(elements) = &self.elements {
            schema.insert("items".into(), elements.schema(false, describe));
        }
        if self.objects > 0 && is_map {
            let mut values = Seen::default();
            for (_, seen) in self.properties.values() {
                values.types.extend(&seen.types);
            }
            schema.insert("additionalProperties".into(), values.schema(false, describe));
        } else if self.objects > 0 {
            let mut properties = Map::new();
            for (name, (_, seen)) in &self.properties {
                let mut property = seen.schema(MAPS.contains(&name.as_str()), describe);
                property["description"] = describe(name).into();
                properties.insert(name.clone(), property);
            }
            let required = self.properties.iter().filter(|(_, (count, _))| *count == self.objects);
            let required: Vec<_> = required.map(|(name, _)| name).collect();
            schema.insert("properties".into(), properties.into());
            schema.insert("required".into(), json!(required));
            schema.insert("additionalProperties".into(), false.into());
        }
        schema.into()
    }
}
