//! The TLP 2.0 markings that OASIS published for STIX 2.1, with their fixed ids.
//! <https://github.com/oasis-open/cti-stix-common-objects>

use serde_json::{Value, json};

use crate::domain::Tlp;

/// The extension that defines markings of TLP 2.0.
const EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// The published id of a marking.
pub fn id(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        Tlp::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        Tlp::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        Tlp::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        Tlp::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    }
}

/// The published marking.
pub fn object(tlp: Tlp) -> Value {
    json!({
        "type": "marking-definition", "spec_version": "2.1", "id": id(tlp),
        "created": "2022-10-01T00:00:00.000Z",
        "name": format!("TLP:{tlp}"),
        "extensions": { EXTENSION: {
            "extension_type": "property-extension",
            "tlp_2_0": tlp.as_str().to_ascii_lowercase(),
        }},
    })
}
