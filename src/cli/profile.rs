//! The exchanges that a user has named in `~/.config/tipoff/config.toml`.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::failure::Failure;

/// What the flags of a command say about one exchange, or the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Addresses of the exchange: text with commas, or a list.
    #[serde(rename = "server", default, deserialize_with = "addresses")]
    pub servers: Option<Vec<String>>,
    /// Identity folder.
    pub identity: Option<PathBuf>,
    /// Seconds to wait for an answer; 0 for no limit.
    pub timeout: Option<u32>,
}

impl Profile {
    /// This profile, with what it lacks from another one.
    pub fn or(self, other: Profile) -> Self {
        Self {
            servers: self.servers.or(other.servers),
            identity: self.identity.or(other.identity),
            timeout: self.timeout.or(other.timeout),
        }
    }
}

/// The configuration file of a user.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profiles {
    /// The exchange that is used without --exchange. Not needed if there is only one.
    default: Option<String>,
    #[serde(default)]
    exchange: BTreeMap<String, Profile>,
}

/// The profile of an exchange, or the default one if `name` is `None`. Empty if the user has no configuration file.
pub fn read(name: Option<&str>) -> Result<Profile, Failure> {
    let path = path().filter(|path| path.exists() || name.is_some());
    let Some(path) = path else {
        return match name {
            Some(name) => Err(Failure::usage(format!(
                "--exchange {name}: neither XDG_CONFIG_HOME nor HOME is set, so there is no configuration file"
            ))),
            None => Ok(Profile::default()),
        };
    };
    let text = fs::read_to_string(&path).map_err(|error| match (error.kind(), name) {
        (io::ErrorKind::NotFound, Some(name)) => Failure::usage(format!(
            "--exchange {name}: there is no {}. Create it, with a section [exchange.{name}]",
            path.display()
        )),
        _ => Failure::usage(format!("cannot read {}: {error}", path.display())),
    })?;
    let profile = parse(&text, name)
        .map_err(|reason| Failure::usage(format!("{}: {reason}", path.display())))?;
    let identity = profile.identity.map(|identity| resolve(&path, &identity));
    Ok(Profile { identity, ..profile })
}

fn addresses<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an address, or a list of addresses")]
    enum Addresses {
        Text(String),
        List(Vec<String>),
    }
    Ok(Some(match Addresses::deserialize(value)? {
        Addresses::Text(text) => text.split(',').map(str::to_owned).collect(),
        Addresses::List(list) => list,
    }))
}

fn path() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join("tipoff/config.toml"))
}

fn parse(text: &str, name: Option<&str>) -> Result<Profile, String> {
    let Profiles { default, mut exchange } =
        toml::from_str(text).map_err(|error| error.to_string())?;
    let names = exchange.keys().cloned().collect::<Vec<_>>().join(", ");
    let name = match (name.or(default.as_deref()), exchange.len()) {
        (Some(name), _) => name.to_owned(),
        (None, 0) => return Ok(Profile::default()),
        (None, 1) => names.clone(),
        (None, _) => {
            return Err(format!(
                "has several exchanges: set `default`, or pass --exchange. It has {names}"
            ));
        }
    };
    exchange.remove(&name).ok_or_else(|| {
        let has = if names.is_empty() { "no exchange".into() } else { names };
        format!("has no section [exchange.{name}]. It has {has}")
    })
}

/// A folder that the file names: `~/` is the user's home, and a relative path starts at the file.
fn resolve(file: &Path, folder: &Path) -> PathBuf {
    match (folder.strip_prefix("~"), env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => file.parent().unwrap_or(Path::new(".")).join(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "
        default = 'main'
        [exchange.main]
        server = 'https://main.example:7443'
        identity = 'main'
        [exchange.trial]
        server = 'https://trial.example:7443'
        timeout = 5
    ";

    #[test]
    fn an_exchange_is_found_by_its_name_or_is_the_default() {
        let server = |text, name| parse(text, name).map(|profile| profile.servers);
        let named = |name: &str| Ok(Some(vec![format!("https://{name}.example:7443")]));
        assert_eq!(server(TWO, Some("trial")), named("trial"));
        assert_eq!(server(TWO, None), named("main"));
        let only = "[exchange.main]\nserver = 'https://main.example:7443'";
        assert_eq!(server(only, None), named("main"));
        assert_eq!(server("", None), Ok(None));
    }

    #[test]
    fn what_cannot_be_decided_is_an_error_with_the_names_that_there_are() {
        let table = [
            (TWO, Some("test"), "no section [exchange.test]. It has main, trial"),
            (&TWO.replace("default = 'main'", ""), None, "set `default`, or pass --exchange"),
            ("", Some("main"), "It has no exchange"),
            ("[exchange.main]\nsever = 'x'", None, "unknown field `sever`"),
        ];
        for (text, name, reason) in table {
            let error = parse(text, name).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn flags_take_precedence_field_by_field() {
        let given = Profile { timeout: Some(1), ..Profile::default() };
        let merged = given.or(parse(TWO, Some("trial")).unwrap());
        assert_eq!(merged.timeout, Some(1));
        assert_eq!(merged.servers.unwrap(), ["https://trial.example:7443"]);
    }

    #[test]
    fn an_exchange_may_have_several_addresses() {
        for server in ["'https://a,https://b'", "['https://a', 'https://b']"] {
            let profile = parse(&format!("[exchange.main]\nserver = {server}"), None).unwrap();
            assert_eq!(profile.servers.unwrap(), ["https://a", "https://b"]);
        }
        let error = parse("[exchange.main]\nserver = 3", None).unwrap_err();
        assert!(error.contains("an address, or a list of addresses"), "{error}");
    }

    #[test]
    fn a_relative_folder_starts_at_the_file() {
        let file = Path::new("/etc/tipoff/config.toml");
        assert_eq!(resolve(file, Path::new("id")), Path::new("/etc/tipoff/id"));
        assert_eq!(resolve(file, Path::new("/id")), Path::new("/id"));
    }
}
