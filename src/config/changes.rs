//! The keys in which two configurations differ.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Config;

/// The keys whose values differ, in order: `storage.data`, `partners.birdsite.name`. A partner or a group that only
/// one of them has is one key: `partners.tubeworks`.
pub fn changed_keys(one: &Config, other: &Config) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    compare("", &table(one), &table(other), &mut keys);
    keys
}

/// A configuration as it stands in a file. Each partner and each group is a table under its id, so that their order
/// does not count.
fn table(config: &Config) -> Table {
    // Fails for numbers above i64::MAX alone, which are out of every range.
    let table = Table::try_from(config).unwrap_or_default();
    table.into_iter().map(|(key, value)| (key, by_id(value))).collect()
}

fn by_id(value: Value) -> Value {
    let id = |value: &Value| Some(value.get("id")?.as_str()?.to_owned());
    match value {
        Value::Array(values) if !values.is_empty() && values.iter().all(|it| id(it).is_some()) => {
            Value::Table(values.into_iter().filter_map(|it| Some((id(&it)?, it))).collect())
        }
        value => value,
    }
}

fn compare(prefix: &str, one: &Table, other: &Table, keys: &mut BTreeSet<String>) {
    for key in one.keys().chain(other.keys()) {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (one.get(key), other.get(key)) {
            (Some(Value::Table(one)), Some(Value::Table(other))) => {
                compare(&path, one, other, keys);
            }
            (one, other) if one == other => {}
            // All partners, or none: their ids are named, and not the list.
            (Some(Value::Table(one)), Some(Value::Array(_))) => {
                keys.extend(one.keys().map(|id| format!("{path}.{id}")));
            }
            (Some(Value::Array(_)), Some(Value::Table(other))) => {
                keys.extend(other.keys().map(|id| format!("{path}.{id}")));
            }
            _ => {
                keys.insert(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(one: &str, other: &str) -> Vec<String> {
        let (one, other) = (Config::parse(one).unwrap(), Config::parse(other).unwrap());
        changed_keys(&one, &other).into_iter().collect()
    }

    #[test]
    fn each_key_that_differs_is_named_once() {
        assert_eq!(changed("", ""), [""; 0]);
        assert_eq!(changed("", "[server]\ndrain_timeout_s = 20"), [""; 0], "it is the default");
        assert_eq!(
            changed(
                "labels = ['a']\n[storage]\ndata = 'a'\njournal = 'files'",
                "[server]\ngrpc = '127.0.0.1:1'\n[storage]\ndata = 'b'\n[access]\nsuspended = ['c']",
            ),
            ["access.suspended", "labels", "server.grpc", "storage.data", "storage.journal"]
        );
    }

    #[test]
    fn partners_and_groups_are_named_by_id_in_any_order() {
        let partner = |id: &str, rest: &str| {
            format!(
                "[[partners]]\nid = '{id}'\nrole = 'member'\n{rest}\n[[groups]]\nid = '{id}'\nmembers = []\n"
            )
        };
        let (a, b) = (partner("a", ""), partner("b", ""));
        assert_eq!(changed(&format!("{a}{b}"), &format!("{b}{a}")), [""; 0]);
        let named = partner("a", "name = 'A'");
        assert_eq!(
            changed(&format!("{a}{b}"), &named),
            ["groups.b", "partners.a.name", "partners.b"]
        );
        assert_eq!(changed("", &a), ["groups.a", "partners.a"]);
        assert_eq!(changed(&a, ""), ["groups.a", "partners.a"]);
    }
}
