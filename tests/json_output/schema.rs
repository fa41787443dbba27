//! A JSON Schema of the lines that commands print.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Properties whose values are maps.
const MAPS: [&str; 1] = ["referred"];

/// The types and properties that a value has in any of the lines.
#[derive(Debug, Default)]
pub struct Shape {
    types: BTreeSet<&'static str>,
    objects: u64,
    /// Each property, and in how many objects it was.
    properties: BTreeMap<String, (u64, Shape)>,
    elements: Option<Box<Shape>>,
}

impl Shape {
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
                    let (count, shape) = self.properties.entry(name.clone()).or_default();
                    *count += 1;
                    shape.add(value);
                }
            }
            _ => {}
        }
    }

    /// Adds the names of properties that are null in some line.
    pub fn add_nullable(&self, names: &mut BTreeSet<String>) {
        for (name, (_, shape)) in &self.properties {
            if shape.types.contains("null") {
                names.insert(name.clone());
            }
            shape.add_nullable(names);
        }
        self.elements.iter().for_each(|shape| shape.add_nullable(names));
    }

    /// Lets the properties of these names be null, also where no line has that.
    pub fn let_be_null(&mut self, names: &BTreeSet<String>) {
        for (name, (_, shape)) in &mut self.properties {
            if names.contains(name) {
                shape.types.insert("null");
            }
            shape.let_be_null(names);
        }
        self.elements.iter_mut().for_each(|shape| shape.let_be_null(names));
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
            let mut values = Shape::default();
            for (_, shape) in self.properties.values() {
                values.types.extend(&shape.types);
            }
            schema.insert("additionalProperties".into(), values.schema(false, describe));
        } else if self.objects > 0 {
            let mut properties = Map::new();
            for (name, (_, shape)) in &self.properties {
                let mut property = shape.schema(MAPS.contains(&name.as_str()), describe);
                property["description"] = describe(name).into();
                properties.insert(name.clone(), property);
            }
            let required = self.properties.iter().filter(|(_, (count, _))| *count == self.objects);
            let required: Vec<_> = required.map(|(name, _)| name).collect();
            schema.insert("properties".into(), properties.into());
            schema.insert("required".into(), json!(required));
        }
        schema.into()
    }
}
