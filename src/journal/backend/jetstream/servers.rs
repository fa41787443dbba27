//! Checks that the servers keep what they acknowledge.
//!
//! A client of an ordinary account sees the version of the server that it is connected to. Whether a server
//! syncs before it acknowledges is only shown to the system account, which asks all servers at once.

use std::time::Duration;

use async_nats::{Client, StatusCode};
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::time::timeout;

use super::refusal::MIN_SERVER;
use super::settings::{JetStreamSettings, MAX_MESSAGE_BYTES};

/// The request that every server of a cluster answers.
const REQUEST: &str = "$SYS.REQ.SERVER.PING.JSZ";
/// How long to wait for the first answer, and for each further one.
const FIRST_ANSWER: Duration = Duration::from_secs(2);
const NEXT_ANSWER: Duration = Duration::from_millis(300);

/// What makes the servers unsafe. Empty if they are safe. An error passes by itself: no server answers.
pub async fn risks(settings: &JetStreamSettings, client: &Client) -> Result<Vec<String>, String> {
    let connected = client.try_server_info().ok_or("no connection")?;
    let mut risks = Vec::new();
    if usize::try_from(MAX_MESSAGE_BYTES).is_ok_and(|needed| connected.max_payload < needed) {
        let (name, found) = (&connected.server_name, connected.max_payload);
        risks.push(format!(
            "{name} has max_payload = {found}, and entries need {MAX_MESSAGE_BYTES}"
        ));
    }
    let Some(credentials) = &settings.system_credentials else {
        risks.extend(version_risk(&connected.server_name, &connected.version));
        risks.push(
            "nobody can say whether they sync before they acknowledge: set jetstream.system_credentials to a login of \
             the system account"
                .into(),
        );
        return Ok(risks);
    };
    let system = settings.connect_system(credentials).await?;
    let answers = ask(&system).await;
    // Its task ends with the last handle; a failed drain changes nothing.
    let _ = system.drain().await;
    for answer in answers? {
        let Some(config) = &answer.data.config else { continue };
        let server = &answer.server;
        risks.extend(version_risk(&server.name, &server.ver));
        if !config.sync_always {
            risks.push(format!(
                "{} acknowledges before it syncs: set sync_interval: always in its jetstream block",
                server.name
            ));
        }
    }
    Ok(risks)
}

/// The answers of all servers with JetStream.
async fn ask(system: &Client) -> Result<Vec<Answer>, String> {
    let inbox = system.new_inbox();
    let mut replies = system.subscribe(inbox.clone()).await.map_err(|error| error.to_string())?;
    let sent = system.publish_with_reply(REQUEST, inbox, "{}".into()).await;
    sent.map_err(|error| error.to_string())?;
    let mut answers = Vec::new();
    let mut wait = FIRST_ANSWER;
    while let Ok(Some(reply)) = timeout(wait, replies.next()).await {
        // Nobody listens: it is another account.
        if reply.status == Some(StatusCode::NO_RESPONDERS) {
            break;
        }
        wait = NEXT_ANSWER;
        let answer = serde_json::from_slice::<Answer>(&reply.payload);
        answers.push(answer.map_err(|error| {
            format!("a server answers {REQUEST} with what is no answer: {error}")
        })?);
    }
    if answers.iter().all(|answer| answer.data.config.is_none()) {
        return Err(format!(
            "no server with JetStream answers {REQUEST}: is jetstream.system_credentials a login of the system account?"
        ));
    }
    Ok(answers)
}

/// What is wrong with a server's version.
fn version_risk(server: &str, version: &str) -> Option<String> {
    let (major, minor, patch) = MIN_SERVER;
    let (numbers, is_prerelease) = match version.split_once('-') {
        Some((numbers, _)) => (numbers, true),
        None => (version, false),
    };
    // A pre-release of the oldest one may lack what that one brought.
    let is_new_enough = parse_version(numbers)
        .is_some_and(|found| found > MIN_SERVER || (found == MIN_SERVER && !is_prerelease));
    (!is_new_enough)
        .then(|| format!("{server} is version {version}, and {major}.{minor}.{patch} is the oldest that is accepted"))
}

fn parse_version(numbers: &str) -> Option<(u64, u64, u64)> {
    let mut numbers = numbers.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

#[derive(Deserialize)]
struct Answer {
    server: Server,
    #[serde(default)]
    data: State,
}

#[derive(Deserialize)]
struct Server {
    name: String,
    ver: String,
}

#[derive(Default, Deserialize)]
struct State {
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    sync_always: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_older_than_the_minimum_are_named() {
        for version in ["2.14.5", "2.14.10", "2.15.0", "2.15.0-RC.1", "3.0.0"] {
            assert_eq!(version_risk("n1", version), None, "{version}");
        }
        for version in ["2.14.4", "2.14.5-RC.1", "2.9.10", "1.99.99", "", "2.15", "two"] {
            let risk = version_risk("n1", version).unwrap();
            assert!(risk.contains("n1 is version") && risk.contains("2.14.5"), "{risk}");
        }
    }
}
