//! Stores a feed's cursor in a file, for readers that do not use a durable subscription.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::domain::hex;
use crate::wire::pb;

/// The stored cursor of one feed. The file belongs to one exchange, partner and filter; opening it
/// for another feed is an error.
#[derive(Clone, Debug)]
pub struct FeedState {
    path: PathBuf,
    file: StateFile,
}

/// The content of the file, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    /// The addresses, separated by commas.
    server: String,
    partner: String,
    /// Digest of the filter, in hex.
    filter: String,
    /// The cursor in URL-safe base64. Absent until the first save.
    cursor: Option<String>,
}

/// Why a file cannot be used as feed state.
#[derive(Debug, Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// The action that failed.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The content is not feed state.
    #[error("{path} is not a feed state file: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file belongs to another feed.
    #[error("{path} belongs to another feed: its {what} is {found}, not {expected}")]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// The value in the file.
        found: String,
        /// The requested value.
        expected: String,
    },
}

impl FeedState {
    /// Opens the state file of a feed. If it does not exist, it is created by the first save.
    ///
    /// The exchange is the same if one of its addresses is in the file: nodes come and go.
    pub fn open(
        path: &Path,
        servers: &[impl AsRef<str>],
        partner: &str,
        filter: Option<&pb::Filter>,
    ) -> Result<Self, StateError> {
        let expected = StateFile {
            server: addresses(servers).join(","),
            partner: partner.to_owned(),
            filter: digest(filter),
            cursor: None,
        };
        let path = path.to_owned();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path, file: expected });
            }
            Err(source) => return Err(StateError::File { action: "read", path, source }),
        };
        let file: StateFile = match serde_json::from_slice(&text) {
            Ok(file) => with_addresses(file, &expected.server),
            Err(error) => return Err(StateError::Content { path, reason: error.to_string() }),
        };
        let fields = [
            ("server", &file.server, &expected.server),
            ("partner", &file.partner, &expected.partner),
            ("filter", &file.filter, &expected.filter),
        ];
        let differing = fields.into_iter().find(|(_, found, expected)| found != expected);
        if let Some((what, found, expected)) = differing {
            let (found, expected) = (found.clone(), expected.clone());
            return Err(StateError::Other { path, what, found, expected });
        }
        if file.cursor.as_deref().is_some_and(|text| read_cursor(text).is_none()) {
            return Err(StateError::Content { path, reason: "its cursor is not valid".into() });
        }
        Ok(Self { path, file })
    }

    /// The stored cursor. `None` before the first save.
    pub fn cursor(&self) -> Option<pb::Cursor> {
        self.file.cursor.as_deref().and_then(read_cursor)
    }

    /// Stores the cursor durably. The file is replaced atomically: after a crash it holds the old
    /// cursor or the new one.
    pub fn save(&mut self, cursor: &pb::Cursor) -> Result<(), StateError> {
        let cursor = Some(URL_SAFE_NO_PAD.encode(&cursor.token));
        if self.file.cursor == cursor {
            return Ok(());
        }
        let file = StateFile { cursor, ..self.file.clone() };
        let text = serde_json::to_string(&file).map_err(io::Error::from);
        let written = text.and_then(|text| replace(&self.path, &(text + "\n")));
        written.map_err(|source| StateError::File {
            action: "write",
            path: self.path.clone(),
            source,
        })?;
        self.file = file;
        Ok(())
    }
}

/// The addresses in a form that can be compared.
fn addresses(servers: &[impl AsRef<str>]) -> Vec<&str> {
    servers.iter().map(|server| server.as_ref().trim_end_matches('/')).collect()
}

/// The file, with the addresses that its exchange has now if it shares one of them.
fn with_addresses(file: StateFile, servers: &str) -> StateFile {
    let is_shared = file.server.split(',').any(|known| servers.split(',').any(|now| now == known));
    if is_shared { StateFile { server: servers.to_owned(), ..file } } else { file }
}

/// Replaces a file atomically and durably: writes a temporary file in the same folder, syncs it, renames it, and syncs
/// the folder. Only the owner can read the file.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default();
    // `tempfile` creates files with mode 0600.
    let mut file = tempfile::Builder::new().prefix(name).suffix(".new").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

fn read_cursor(text: &str) -> Option<pb::Cursor> {
    let token = URL_SAFE_NO_PAD.decode(text).ok()?;
    Some(pb::Cursor { token: token.into() })
}

/// Digest of a filter. Order and repetitions in its lists do not change it.
fn digest(filter: Option<&pb::Filter>) -> String {
    fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
        list.sort_unstable();
        list.dedup();
        list
    }
    let pb::Filter {
        kinds,
        platforms,
        labels,
        groups,
        authors,
        min_confidence,
        campaigns,
        verdicts,
        involvements,
    } = filter.cloned().unwrap_or_default();
    let filter = pb::Filter {
        kinds: sorted(kinds),
        platforms: sorted(platforms),
        labels: sorted(labels),
        groups: sorted(groups),
        authors: sorted(authors),
        min_confidence,
        campaigns: sorted(campaigns),
        verdicts: sorted(verdicts),
        involvements: sorted(involvements),
    };
    let digest = Sha256::digest(filter.encode_to_vec());
    hex::encode(&digest[..16])
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const SERVER: &str = "https://localhost:7443";

    fn cursor(token: u8) -> pb::Cursor {
        pb::Cursor { token: vec![token; 17].into() }
    }

    fn domains(platforms: &[&str]) -> pb::Filter {
        pb::Filter {
            platforms: platforms.iter().map(ToString::to_string).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn a_cursor_survives_a_restart_and_no_temporary_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.json");
        let open = || FeedState::open(&path, &[SERVER], "birdsite", None).unwrap();
        let mut state = open();
        assert_eq!(state.cursor(), None);
        assert!(!path.exists(), "nothing to save yet");
        state.save(&cursor(1)).unwrap();
        state.save(&cursor(2)).unwrap();
        assert_eq!(open().cursor(), Some(cursor(2)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "only its owner reads it");
    }

    #[test]
    fn a_file_of_another_feed_is_refused_and_the_error_names_the_difference() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.json");
        let filter = domains(&["x", "facebook"]);
        let open = |server, partner, filter: Option<&pb::Filter>| {
            FeedState::open(&path, &[server], partner, filter)
        };
        open(SERVER, "birdsite", Some(&filter)).unwrap().save(&cursor(1)).unwrap();
        for (server, partner, filter, what) in [
            ("https://elsewhere:7443", "birdsite", Some(&filter), "server"),
            (SERVER, "facegraph", Some(&filter), "partner"),
            (SERVER, "birdsite", Some(&domains(&["x"])), "filter"),
            (SERVER, "birdsite", None, "filter"),
        ] {
            let refused = open(server, partner, filter).unwrap_err();
            assert!(refused.to_string().contains(&format!("its {what} is")), "{refused}");
        }
        let slash = format!("{SERVER}/");
        let same = open(&slash, "birdsite", Some(&domains(&["facebook", "x"])));
        assert_eq!(same.unwrap().cursor(), Some(cursor(1)));
        let whole = FeedState::open(&folder.path().join("all"), &[SERVER], "birdsite", None);
        assert_eq!(whole.unwrap().file.filter, digest(Some(&pb::Filter::default())));
    }

    #[test]
    fn an_exchange_is_the_same_while_one_of_its_addresses_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.json");
        let open = |servers: &[&str]| FeedState::open(&path, servers, "birdsite", None);
        open(&["https://a", "https://b"]).unwrap().save(&cursor(1)).unwrap();
        open(&["https://c", "https://b"]).unwrap().save(&cursor(2)).unwrap();
        assert_eq!(open(&["https://c"]).unwrap().cursor(), Some(cursor(2)));
        assert!(matches!(open(&["https://a"]), Err(StateError::Other { what: "server", .. })));
    }

    #[test]
    fn a_filter_is_the_same_in_another_order_and_with_repetitions_whichever_list_it_is() {
        type With = fn(Vec<String>) -> pb::Filter;
        let lists: [With; 5] = [
            |platforms| pb::Filter { platforms, ..Default::default() },
            |labels| pb::Filter { labels, ..Default::default() },
            |groups| pb::Filter { groups, ..Default::default() },
            |authors| pb::Filter { authors, ..Default::default() },
            |campaigns| pb::Filter { campaigns, ..Default::default() },
        ];
        let digest_of = |with: With, list: &[&str]| {
            digest(Some(&with(list.iter().map(ToString::to_string).collect())))
        };
        for with in lists {
            let one = digest_of(with, &["a", "b"]);
            assert_eq!(digest_of(with, &["b", "a"]), one);
            assert_eq!(digest_of(with, &["b", "a", "b"]), one);
            assert_ne!(digest_of(with, &["a"]), one);
            assert_ne!(digest_of(with, &["a", "c"]), one);
        }
        let kinds = |kinds| digest(Some(&pb::Filter { kinds, ..Default::default() }));
        assert_eq!(kinds(vec![2, 1, 2]), kinds(vec![1, 2]));
        assert_ne!(kinds(vec![1]), kinds(vec![1, 2]));
    }

    #[test]
    fn a_file_that_is_something_else_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.json");
        let not_a_cursor = format!(
            r#"{{"server":"{SERVER}","partner":"a","filter":"{}","cursor":"?"}}"#,
            digest(None)
        );
        for text in ["", "{}", "a report\n", &not_a_cursor] {
            fs::write(&path, text).unwrap();
            let refused = FeedState::open(&path, &[SERVER], "a", None).unwrap_err();
            assert!(matches!(refused, StateError::Content { .. }), "{refused}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let folder_itself = FeedState::open(folder.path(), &[SERVER], "a", None).unwrap_err();
        assert!(matches!(folder_itself, StateError::File { .. }), "{folder_itself}");
    }

    #[test]
    fn a_failed_save_is_an_error_and_can_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/there");
        let mut state = FeedState::open(&path, &[SERVER], "a", None).unwrap();
        assert!(matches!(state.save(&cursor(1)), Err(StateError::File { action: "write", .. })));
        assert_eq!(state.cursor(), None);
        fs::create_dir(folder.path().join("not")).unwrap();
        state.save(&cursor(1)).unwrap();
        assert_eq!(FeedState::open(&path, &[SERVER], "a", None).unwrap().cursor(), Some(cursor(1)));
    }
}
