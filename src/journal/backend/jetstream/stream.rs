//! The stream: creation, the check of its settings, and the check that it continues the local copy.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, Info, PersistenceMode, RawMessageErrorKind, Stream};

use super::Shared;
use super::follower::SessionEnd;
use super::frame::Kind;
use super::refusal::Refusal;
use crate::domain::entry::AppendId;

/// A replica counts for the quorum if the leader heard of it within this time.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// Opens the stream, or creates it if the local copy is empty. Returns what is wrong with its settings.
pub async fn open(shared: &Shared) -> Result<(Stream, Vec<String>), SessionEnd> {
    let settings = &shared.settings;
    let found = shared.context.get_stream(&settings.stream).await;
    let stream = match found {
        Ok(stream) => stream,
        Err(error) if is_not_found(&error.kind()) => {
            let head = shared.copy.end().sequence;
            if head > 0 {
                return Err(Refusal::StreamGone { stream: settings.stream.clone(), head }.into());
            }
            // Two nodes may create it at the same time: with the same settings both succeed.
            let created = shared.context.create_stream(settings.stream_config()).await;
            created.map_err(|error| SessionEnd::lost("cannot create the stream", error))?
        }
        Err(error) => return Err(SessionEnd::lost("cannot open the stream", error)),
    };
    let differences = differences(&stream.cached_info().config, &settings.stream_config());
    Ok((stream, differences))
}

fn is_not_found(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// The settings that differ from those that the journal needs. The size may be changed, as long as it has a
/// limit.
fn differences(found: &Config, needed: &Config) -> Vec<String> {
    let unlimited = |limit: i64| if limit <= 0 { -1 } else { limit };
    let mut differences = Vec::new();
    let mut compare = |setting: &str, found: String, needed: String| {
        if found != needed {
            differences.push(format!("{setting} is {found} instead of {needed}"));
        }
    };
    macro_rules! compare {
        ($($setting:literal: $field:ident),* $(,)?) => {
            $(compare($setting, format!("{:?}", found.$field), format!("{:?}", needed.$field));)*
        };
    }
    compare! {
        "subjects": subjects, "storage": storage, "retention": retention, "discard": discard,
        "num_replicas": num_replicas, "max_msg_size": max_message_size, "max_age": max_age,
        "duplicate_window": duplicate_window, "deny_delete": deny_delete, "deny_purge": deny_purge,
        "allow_direct": allow_direct, "no_ack": no_ack, "sealed": sealed, "allow_rollup_hdrs": allow_rollup,
        "discard_new_per_subject": discard_new_per_subject, "mirror": mirror, "sources": sources,
        "republish": republish, "subject_transform": subject_transform, "allow_msg_ttl": allow_message_ttl,
        "allow_atomic": allow_atomic_publish, "allow_batched": allow_batch_publish,
        "allow_msg_schedules": allow_message_schedules, "allow_msg_counter": allow_message_counter,
    }
    let limits = [
        ("max_msgs", found.max_messages, needed.max_messages),
        ("max_msgs_per_subject", found.max_messages_per_subject, needed.max_messages_per_subject),
    ];
    for (setting, found, needed) in limits {
        compare(setting, unlimited(found).to_string(), unlimited(needed).to_string());
    }
    compare(
        "persist_mode",
        format!("{:?}", found.persist_mode.unwrap_or_default()),
        format!("{:?}", PersistenceMode::Default),
    );
    if found.max_bytes <= 0 {
        compare("max_bytes", "unlimited".into(), needed.max_bytes.to_string());
    }
    differences
}

/// Checks that the stream continues the local copy: the message at the head of the copy is the same entry,
/// and the next one is there.
pub async fn check_continuity(shared: &Shared, stream: &Stream) -> Result<(), SessionEnd> {
    // Read the head first: the stream is at least as far.
    let head = shared.copy.end().sequence;
    if head == 0 {
        return Ok(());
    }
    let local = shared.copy.read(head, 1).map_err(|error| SessionEnd::Copy(error.to_string()))?;
    let Some(local) = local.first().map(|entry| entry.id) else {
        return Err(SessionEnd::Copy(format!("entry {head} of the local copy cannot be read")));
    };
    let state = info(stream).await?.state;
    let name = &shared.settings.stream;
    let diverged = |remote: String| Refusal::Diverged {
        stream: name.clone(),
        sequence: head,
        local: format!("the entry {}", Kind::Append.message_id(local, head)),
        remote,
    };
    if state.first_sequence > head && state.last_sequence >= head {
        let folder = shared.settings.local.folder.display().to_string();
        let first = state.first_sequence;
        return Err(Refusal::Trimmed { stream: name.clone(), first, head, folder }.into());
    }
    if state.last_sequence < head {
        return Err(diverged(format!("ends at {}", state.last_sequence)).into());
    }
    match message_id_at(stream, head).await? {
        Some(remote) if is_id_of(&remote, local, head) => {}
        Some(remote) => return Err(diverged(format!("the message {remote}")).into()),
        None => return Err(diverged("no message".into()).into()),
    }
    if state.last_sequence > head && message_id_at(stream, head + 1).await?.is_none() {
        let reason = "it is missing".to_owned();
        return Err(Refusal::Message { stream: name.clone(), sequence: head + 1, reason }.into());
    }
    Ok(())
}

/// Whether the `Nats-Msg-Id` of a message is that of an entry.
fn is_id_of(message_id: &str, id: AppendId, sequence: u64) -> bool {
    [Kind::Append, Kind::Restored].iter().any(|kind| kind.message_id(id, sequence) == message_id)
}

/// The id of a message, read from the stream's leader. `None` if there is no such message. Empty if it has no id.
async fn message_id_at(stream: &Stream, sequence: u64) -> Result<Option<String>, SessionEnd> {
    match stream.get_raw_message(sequence).await {
        Ok(message) => {
            let id = message.headers.get(async_nats::header::NATS_MESSAGE_ID);
            Ok(Some(id.map(ToString::to_string).unwrap_or_default()))
        }
        Err(error) => match error.kind() {
            RawMessageErrorKind::NoMessageFound => Ok(None),
            RawMessageErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::NO_MESSAGE_FOUND =>
            {
                Ok(None)
            }
            _ => Err(SessionEnd::lost("cannot read the stream", error)),
        },
    }
}

/// The state of the stream, if its leader has a quorum.
///
/// A leader that was cut off answers until it notices, so the replicas that it has heard of are counted.
pub async fn info(stream: &Stream) -> Result<Info, SessionEnd> {
    let info = stream.get_info().await;
    let info = info.map_err(|error| SessionEnd::lost("cannot ask for the stream's head", error))?;
    let Some(cluster) = info.cluster.as_ref().filter(|cluster| !cluster.replicas.is_empty()) else {
        return Ok(info);
    };
    if cluster.leader.is_none() {
        return Err(SessionEnd::Lost("the stream has no quorum: it has no leader".into()));
    }
    let heard = cluster.replicas.iter().filter(|peer| !peer.offline && peer.active < HEARD_WITHIN);
    let (heard, all) = (heard.count() + 1, cluster.replicas.len() + 1);
    if heard * 2 <= all {
        return Err(SessionEnd::Lost(format!(
            "the stream has no quorum: {heard} of {all} servers"
        )));
    }
    Ok(info)
}

/// Removes the messages before `first`. A stream that never had a message then continues with `first`.
pub async fn purge(shared: &Shared, first: u64) -> Result<(), String> {
    let stream = shared.context.get_stream(&shared.settings.stream).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let state = &stream.cached_info().state;
    if first > state.last_sequence && state.messages > 0 {
        return Err(format!("it ends with entry {}, before entry {first}", state.last_sequence));
    }
    stream.purge().sequence(first).await.map_err(|error| error.to_string())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use async_nats::jetstream::stream::{DiscardPolicy, StorageType};

    use super::*;

    fn config() -> Config {
        Config { name: "T".into(), max_bytes: 5, deny_delete: true, ..Config::default() }
    }

    #[test]
    fn each_changed_setting_is_named_and_a_larger_stream_is_none() {
        assert!(differences(&config(), &config()).is_empty());
        assert!(differences(&Config { max_bytes: 9, ..config() }, &config()).is_empty());
        assert!(differences(&Config { max_messages: -1, ..config() }, &config()).is_empty());
        let changed = Config {
            deny_delete: false,
            storage: StorageType::Memory,
            discard: DiscardPolicy::New,
            max_bytes: -1,
            max_messages: 7,
            max_age: Duration::from_secs(1),
            ..config()
        };
        assert_eq!(
            differences(&changed, &config()),
            [
                "storage is Memory instead of File",
                "discard is New instead of Old",
                "max_age is 1s instead of 0ns",
                "deny_delete is false instead of true",
                "max_msgs is 7 instead of -1",
                "max_bytes is unlimited instead of 5",
            ]
        );
    }
}
