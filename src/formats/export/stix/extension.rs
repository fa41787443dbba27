//! The extension with the fields of an assessment that STIX has no properties for.

use serde_json::{Value, json};

use super::FIXED_AT;
use crate::domain::Kind;
use crate::domain::assessment::{Basis, Involvement, Severity, Verdict};

/// The object that defines the extension. `maker` is the identity of its author.
pub fn definition(id: &str, maker: &str) -> Value {
    json!({
        "type": "extension-definition", "spec_version": "2.1", "id": id,
        "created": FIXED_AT, "modified": FIXED_AT, "created_by_ref": maker,
        "name": "Tipoff assessment", "version": "1.0.0",
        "description": "What a partner of a Tipoff exchange says of an indicator beyond what \
                        STIX has properties for: its version, kind and platform, the verdict, \
                        severity, involvement, basis and audience, and other \
                        names of an account.",
        "schema": schema().to_string(),
        "extension_types": ["property-extension"],
    })
}

/// The JSON Schema of the extension.
fn schema() -> Value {
    let one_of = |names: Vec<&str>| json!({ "enum": names });
    let time = json!({ "type": "string", "format": "date-time" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tipoff assessment",
        "type": "object",
        "properties": {
            "extension_type": { "const": "property-extension" },
            "assessment_version": { "type": "string", "pattern": "^[0-9]+\\.[0-9]+$" },
            "indicator_id": { "type": "string", "format": "uuid" },
            "kind": one_of(Kind::ALL.iter().map(|kind| kind.as_str()).collect()),
            "platform": { "type": "string" },
            "verdict": one_of(Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect()),
            "severity": one_of(Severity::ALL.iter().map(|severity| severity.as_str()).collect()),
            "involvement": one_of(Involvement::ALL.iter().map(|involvement| involvement.as_str()).collect()),
            "basis": one_of(Basis::ALL.iter().map(|basis| basis.as_str()).collect()),
            "audience": { "type": "array", "items": { "type": "string" } },
            "first_seen": time,
            "last_seen": time,
            "account_id": { "type": "string" },
            "former_handles": { "type": "array", "items": { "type": "string" } },
        },
        "required": ["extension_type", "assessment_version", "indicator_id", "kind", "verdict"],
    })
}
