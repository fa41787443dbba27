//! A feed's place in a file, for a reader that goes on by itself.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::wire::pb;

/// How far one reader has come with one feed, on disk. The place is one of the feed's own: of the
/// server, the partner and the filter that it was written for, and another is refused.
#[derive(Clone, Debug)]
pub struct FeedState {
    path: PathBuf,
    kept: StateFile,
}

/// What the file holds, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    server: String,
    partner: String,
    /// The digest of the filter, in hex.
    filter: String,
    /// The cursor, in base64 for addresses; absent before the first.
    cursor: Option<String>,
}

/// Why a file does not keep the place of a feed.
#[derive(Debug, Error)]
pub enum StateError {
    /// It cannot be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path} does not hold the place of a feed: {reason}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It is of another feed.
    #[error("{path} holds the place of another feed: its {what} is {held}, and not {asked}")]
    Other {
        /// Which file.
        path: PathBuf,
        /// What is another.
        what: &'static str,
        /// What the file has.
        held: String,
        /// What was asked for.
        asked: String,
    },
}

impl FeedState {
    /// Opens the file of a feed, or begins one: it is written with the first place that is kept.
    pub fn open(
        path: &Path,
        server: &str,
        partner: &str,
        filter: Option<&pb::Filter>,
    ) -> Result<Self, StateError> {
        let asked = StateFile {
            server: server.trim_end_matches('/').to_owned(),
            partner: partner.to_owned(),
            filter: digest(filter),
            cursor: None,
        };
        let path = path.to_owned();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path, kept: asked });
            }
            Err(source) => return Err(StateError::File { action: "read", path, source }),
        };
        let kept: StateFile = match serde_json::from_slice(&text) {
            Ok(kept) => kept,
            Err(error) => return Err(StateError::Content { path, reason: error.to_string() }),
        };
        let same = [
            ("server", &kept.server, &asked.server),
            ("partner", &kept.partner, &asked.partner),
            ("filter", &kept.filter, &asked.filter),
        ];
        if let Some((what, held, asked)) = same.into_iter().find(|(_, held, asked)| held != asked) {
            let (held, asked) = (held.clone(), asked.clone());
            return Err(StateError::Other { path, what, held, asked });
        }
        if kept.cursor.as_deref().is_some_and(|text| read_cursor(text).is_none()) {
            return Err(StateError::Content { path, reason: "its cursor is none".into() });
        }
        Ok(Self { path, kept })
    }

    /// The place; `None` before one was kept.
    pub fn cursor(&self) -> Option<pb::Cursor> {
        self.kept.cursor.as_deref().and_then(read_cursor)
    }

    /// Keeps a place. Once this returns it is on disk, and whatever happens meanwhile, the file holds
    /// either the old place or the new one.
    pub fn keep(&mut self, cursor: &pb::Cursor) -> Result<(), StateError> {
        let cursor = Some(URL_SAFE_NO_PAD.encode(&cursor.token));
        if self.kept.cursor == cursor {
            return Ok(());
        }
        let kept = StateFile { cursor, ..self.kept.clone() };
        let text = serde_json::to_string(&kept).map_err(io::Error::from);
        let written = text.and_then(|text| replace(&self.path, &(text + "\n")));
        written.map_err(|source| StateError::File {
            action: "write",
            path: self.path.clone(),
            source,
        })?;
        self.kept = kept;
        Ok(())
    }
}

/// Writes beside the file and puts it in its place, so that a crash leaves a whole one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = OsString::from(path);
    beside.push(".new");
    // A file that a crash left there keeps its mode otherwise.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn read_cursor(text: &str) -> Option<pb::Cursor> {
    let token = URL_SAFE_NO_PAD.decode(text).ok()?;
    Some(pb::Cursor { token: token.into() })
}

/// A filter's digest: the same for lists in another order or with repetitions, which ask for the same.
fn digest(filter: Option<&pb::Filter>) -> String {
    fn set<T: Ord>(mut list: Vec<T>) -> Vec<T> {
        list.sort_unstable();
        list.dedup();
        list
    }
    let pb::Filter { kinds, platforms, labels, groups, authors, min_confidence, campaigns } =
        filter.cloned().unwrap_or_default();
    let filter = pb::Filter {
        kinds: set(kinds),
        platforms: set(platforms),
        labels: set(labels),
        groups: set(groups),
        authors: set(authors),
        min_confidence,
        campaigns: set(campaigns),
    };
    let digest = Sha256::digest(filter.encode_to_vec());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
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
    fn a_place_is_kept_over_a_restart_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.json");
        let open = || FeedState::open(&path, SERVER, "birdsite", None).unwrap();
        let mut state = open();
        assert_eq!(state.cursor(), None);
        assert!(!path.exists(), "nothing to keep yet");
        state.keep(&cursor(1)).unwrap();
        state.keep(&cursor(2)).unwrap();
        assert_eq!(open().cursor(), Some(cursor(2)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "only its owner reads it");
    }

    #[test]
    fn a_place_of_another_feed_is_refused_and_says_what_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.json");
        let filter = domains(&["x", "facebook"]);
        let open = |server, partner, filter: Option<&pb::Filter>| {
            FeedState::open(&path, server, partner, filter)
        };
        open(SERVER, "birdsite", Some(&filter)).unwrap().keep(&cursor(1)).unwrap();
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
        let whole = FeedState::open(&folder.path().join("all"), SERVER, "birdsite", None);
        assert_eq!(whole.unwrap().kept.filter, digest(Some(&pb::Filter::default())));
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
            let refused = FeedState::open(&path, SERVER, "a", None).unwrap_err();
            assert!(matches!(refused, StateError::Content { .. }), "{refused}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let folder_itself = FeedState::open(folder.path(), SERVER, "a", None).unwrap_err();
        assert!(matches!(folder_itself, StateError::File { .. }), "{folder_itself}");
    }

    #[test]
    fn a_place_that_cannot_be_kept_is_an_error_and_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/there");
        let mut state = FeedState::open(&path, SERVER, "a", None).unwrap();
        assert!(matches!(state.keep(&cursor(1)), Err(StateError::File { action: "write", .. })));
        assert_eq!(state.cursor(), None);
        fs::create_dir(folder.path().join("not")).unwrap();
        state.keep(&cursor(1)).unwrap();
        assert_eq!(FeedState::open(&path, SERVER, "a", None).unwrap().cursor(), Some(cursor(1)));
    }
}
