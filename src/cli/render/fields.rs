//! Columns and JSON fields that several kinds of objects share.

use serde_json::{Value, json};

use crate::cli::{output, text};
use crate::wire::pb;

/// When an object was accepted.
pub fn accepted_at(time: Option<&prost_types::Timestamp>) -> String {
    output::paint(output::DIM, &text::local_time(time).unwrap_or_default())
}

/// The version, padded to a column.
pub fn version(version: Option<&pb::Version>) -> String {
    format!("{:<9}", version.map(text::version).unwrap_or_default())
}

/// The TLP marking.
pub fn tlp(sharing: Option<&pb::Sharing>) -> &'static str {
    text::tlp(sharing.map(pb::Sharing::tlp).unwrap_or_default())
}

/// The audience in a cell, as exports write it. Empty for an object that was released to its reader.
pub fn audience_keywords(audience: Option<&pb::sharing::Audience>) -> Vec<String> {
    use pb::sharing::Audience;
    match audience {
        Some(Audience::Named(named)) => {
            let groups = named.groups.iter().map(|group| format!("group:{group}"));
            groups.chain(named.partners.iter().map(|id| format!("partner:{id}"))).collect()
        }
        Some(Audience::Everyone(_)) => vec!["everyone".into()],
        Some(Audience::Public(_)) => vec!["public".into()],
        None => Vec::new(),
    }
}

/// The audience, reduced by the exchange to what the reader may know of it.
pub fn audience(audience: Option<&pb::sharing::Audience>) -> Value {
    use pb::sharing::Audience;
    match audience {
        Some(Audience::Named(named)) => {
            json!({ "groups": named.groups, "partners": named.partners })
        }
        Some(Audience::Everyone(_)) => json!("everyone"),
        Some(Audience::Public(_)) => json!("public"),
        None => json!(null),
    }
}
