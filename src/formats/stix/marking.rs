//! Markings of TLP 1 and 2, by their published ids and by their definitions.

use serde_json::Value;

use super::object::Object;
use crate::domain::sharing::Tlp;
use crate::formats::details::words;
use crate::formats::export::stix::marking_id;

/// The markings of TLP 1 that the standard defines (STIX 2.1, 7.2.1.4).
pub const TLP_1: &[(&str, Tlp)] = &[
    ("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::Clear),
    ("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::Green),
    ("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", Tlp::Amber),
    ("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::Red),
];

/// The marking with a published id.
pub fn published(id: &str) -> Option<Tlp> {
    let of_2 = || Tlp::ALL.iter().copied().find(|tlp| marking_id(*tlp) == id);
    TLP_1.iter().find(|(known, _)| *known == id).map(|(_, tlp)| *tlp).or_else(of_2)
}

/// The marking that an object defines. `None` if it is a statement or another kind of marking.
pub fn defined(object: &Object<'_>) -> Option<Tlp> {
    let text = |value: &Value| value.as_str().and_then(words::tlp);
    let by_definition =
        object.definition.as_ref().and_then(|definition| text(definition.get("tlp")?));
    let by_extension =
        || object.extensions.values().find_map(|extension| text(extension.get("tlp_2_0")?));
    let by_name = || {
        let name =
            object.name.as_deref().filter(|name| name.to_ascii_uppercase().starts_with("TLP"))?;
        words::tlp(name)
    };
    by_definition.or_else(by_extension).or_else(by_name)
}
