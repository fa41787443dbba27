//! The settings of a journal in JetStream, from the configuration.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, ConfigError, JetStream, JournalBackend};
use crate::journal::{Backend, JetStreamSettings};

const GB: u64 = 1024 * 1024 * 1024;

/// The settings of the journal. The values are checked: see [`check`].
pub fn settings(config: &Config, clock: &Arc<dyn Clock>) -> JetStreamSettings {
    let table = &config.jetstream;
    let local = super::stores::journal_settings(&config.storage, clock);
    let path = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
    JetStreamSettings {
        credentials: path(&table.credentials),
        system_credentials: path(&table.system_credentials),
        ca: path(&table.ca),
        identity: path(&table.certificate).zip(path(&table.key)),
        stream: table.stream.clone(),
        replicas: table.replicas,
        max_bytes: i64::try_from(table.max_gb.saturating_mul(GB)).unwrap_or(i64::MAX),
        duplicate_window: Duration::from_secs(table.duplicate_window_s),
        accept_unsafe: table.accept_unsafe,
        copy: copy(table),
        connect_timeout: Duration::from_secs(table.connect_timeout_s),
        ..JetStreamSettings::new(table.servers.clone(), local, Arc::clone(clock))
    }
}

/// The backend of the local copy.
pub fn copy(table: &JetStream) -> Backend {
    match table.copy {
        JournalBackend::Files => Backend::Files,
        // `check` refuses a copy in JetStream.
        JournalBackend::Sled | JournalBackend::JetStream => Backend::Sled,
    }
}

/// Checks the table, if the journal is in JetStream. Reads no file and connects to nothing.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    if config.storage.journal != JournalBackend::JetStream {
        return Ok(());
    }
    let table = &config.jetstream;
    if table.servers.is_empty() {
        return Err(value("servers", "names no server: storage.journal is \"jetstream\""));
    }
    for server in &table.servers {
        let (scheme, host) = server.split_once("://").unwrap_or(("nats", server));
        if !["nats", "tls"].contains(&scheme) || host.is_empty() {
            return Err(value(
                "servers",
                format!("{server} is not an address like tls://nats-1.example:4222"),
            ));
        }
        if host.contains('@') {
            return Err(value(
                "servers",
                "holds a login: write it to a file, and set jetstream.credentials",
            ));
        }
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if table.stream.is_empty() || table.stream.len() > 64 || !table.stream.chars().all(is_word) {
        return Err(value("stream", "must be 1 to 64 letters, digits, hyphens and underscores"));
    }
    if table.certificate.as_os_str().is_empty() != table.key.as_os_str().is_empty() {
        return Err(value("certificate", "needs jetstream.key, and the other way round"));
    }
    if table.copy == JournalBackend::JetStream {
        return Err(value("copy", "must be \"sled\" or \"files\""));
    }
    Ok(())
}

/// Checks that the files that the table names can be read.
pub fn check_files(config: &Config) -> Vec<ConfigError> {
    if config.storage.journal != JournalBackend::JetStream {
        return Vec::new();
    }
    let table = &config.jetstream;
    let files = [
        ("credentials", &table.credentials),
        ("system_credentials", &table.system_credentials),
        ("ca", &table.ca),
        ("certificate", &table.certificate),
        ("key", &table.key),
    ];
    let named = files.into_iter().filter(|(_, file)| !file.as_os_str().is_empty());
    let unreadable = named.filter_map(|(key, file)| {
        let error = std::fs::File::open(file).err()?;
        Some(value(key, format!("{}: {error}", file.display())))
    });
    unreadable.collect()
}

fn value(key: &str, reason: impl Into<String>) -> ConfigError {
    ConfigError::Value { key: format!("jetstream.{key}"), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(table: &str) -> String {
        let text = format!("[storage]\njournal = 'jetstream'\n[jetstream]\n{table}");
        check(&Config::parse(&text).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn each_wrong_value_is_refused_by_its_key() {
        let cases = [
            ("", "jetstream.servers: names no server"),
            ("servers = ['http://a:1']", "jetstream.servers: http://a:1 is not an address"),
            ("servers = ['tls://']", "jetstream.servers: tls:// is not"),
            ("servers = ['tls://u:p@a:1']", "jetstream.servers: holds a login"),
            ("servers = ['a:1']\nstream = 'a.b'", "jetstream.stream: "),
            ("servers = ['a:1']\nkey = 'k'", "jetstream.certificate: needs jetstream.key"),
            ("servers = ['a:1']\ncopy = 'jetstream'", "jetstream.copy: "),
        ];
        for (table, expected) in cases {
            let error = refused(table);
            assert!(error.starts_with(expected), "{table}: {error}");
        }
        let valid =
            "[storage]\njournal = 'jetstream'\n[jetstream]\nservers = ['tls://a:4222', 'b']";
        check(&Config::parse(valid).unwrap()).unwrap();
        check(&Config::default()).unwrap();
    }

    #[test]
    fn each_file_that_cannot_be_read_is_named() {
        let text = "[storage]\njournal = 'jetstream'\n[jetstream]\nca = '/no/ca'\nkey = '/no/key'";
        let errors = check_files(&Config::parse(text).unwrap());
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].starts_with("jetstream.ca: /no/ca: "), "{errors:?}");
    }
}
