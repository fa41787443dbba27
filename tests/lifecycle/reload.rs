//! What a reload (SIGHUP) says that it took, and what it did not take.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;
use tipoff::client::ClientError;

use super::support::forge;
use super::support::process::Process;
use super::support::{World, no_retries, soon};

/// Edits the configuration, sends SIGHUP, and returns what the node logs until the line with `last`.
async fn reload(node: &Process, edit: impl FnOnce(String) -> String, last: &str) -> String {
    let config = fs::read_to_string(node.config()).unwrap();
    fs::write(node.config(), edit(config)).unwrap();
    let before = node.log().len();
    node.signal(Signal::SIGHUP);
    soon(async {
        loop {
            let new = node.log().split_off(before);
            if let Some((_, rest)) = new.split_once(last)
                && rest.contains('\n')
            {
                return new;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

fn line<'a>(log: &'a str, part: &str) -> &'a str {
    log.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part}: {log}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_logs_what_it_took_and_which_keys_need_a_restart() {
    let world = World::new();
    let mut node = Process::prepare(&world);
    node.start();
    node.wait_ready();
    forge::write_crl(&world, forge::numbered_crl(&world, 300));
    let suspend = |config: String| {
        config.replace("drain_timeout_s = 10", "drain_timeout_s = 11")
            + "[[partners]]\nid = \"newcomer\"\nrole = \"observer\"\n[access]\nsuspended = [\"watcher\", \"facegraph\"]\n"
    };
    let log = reload(&node, suspend, "until the next restart").await;
    let identity = line(&log, "reloaded the identity folder");
    for part in ["certificate_end=\"20", "lists=1", "numbers=\"0x012c\"", "revoked="] {
        assert!(identity.contains(part), "{part}: {identity}");
    }
    let access = line(&log, "reloaded the configuration: access.suspended");
    assert!(access.contains("added=\"facegraph watcher\" removed=\"\""), "{access}");
    let restart = line(&log, "until the next restart");
    assert!(restart.contains("keys=\"partners.newcomer server.drain_timeout_s\""), "{restart}");
    let client = node.client(&world, "facegraph").with_retry_policy(no_retries());
    assert!(matches!(client.who_am_i().await, Err(ClientError::Denied(_))));

    let resume = |config: String| config.replace("\"watcher\", \"facegraph\"", "\"watcher\"");
    let log = reload(&node, resume, "until the next restart").await;
    let access = line(&log, "reloaded the configuration: access.suspended");
    assert!(access.contains("suspended=\"watcher\" added=\"\" removed=\"facegraph\""), "{access}");
    client.who_am_i().await.unwrap();
    assert!(node.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_with_an_error_takes_nothing_and_names_it() {
    let world = World::new();
    let mut node = Process::prepare(&world);
    node.start();
    node.wait_ready();
    let misspelt = |config: String| config + "[access]\nsuspended = [\"facegraf\"]\n";
    let log = reload(&node, misspelt, "the old one stays in use").await;
    assert!(log.contains("access.suspended: `facegraf` is not a partner"), "{log}");
    let unknown = |config: String| config.replace("facegraf", "facegraph") + "suspend = 1\n";
    let log = reload(&node, unknown, "keeping the old one").await;
    assert!(log.contains("unknown field `suspend`"), "{log}");
    node.client(&world, "facegraph").who_am_i().await.unwrap();
    assert!(node.terminate().success());
}
