//! The flags that every command has: where the exchange is, how long to wait for it, what to print.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::TcpListener;
use std::time::Duration;

use support::World;
use support::command::{Ran, Stage, done, tipoff};
use tipoff::clock::{Clock, SystemClock};

/// A server that takes connections and never sends a byte.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    (listener, url)
}

#[test]
fn a_silent_server_is_named_within_the_time_that_the_user_gave() {
    let world = World::new();
    let (_listener, url) = silent();
    let started = SystemClock.instant();
    let mut command = tipoff(&["whoami", "--server", &url, "--timeout", "2"]);
    let ran = Ran::of(command.env("TIPOFF_IDENTITY", world.identity("birdsite")));
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains(&format!("{url}: the exchange cannot be reached")), "{ran:?}");
    assert!(ran.err.contains("no answer within 2 s"), "{ran:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());

    // With more time, it says what the server did.
    let mut command = tipoff(&["whoami", "--server", &url, "--timeout", "8"]);
    let ran = Ran::of(command.env("TIPOFF_IDENTITY", world.identity("birdsite")));
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("it took the connection, but sent nothing for 5 s"), "{ran:?}");
}

#[test]
fn an_ops_listener_has_no_more_time_than_the_user_gave() {
    let (listener, _) = silent();
    let address = listener.local_addr().unwrap().to_string();
    let metrics = format!("http://{address}/metrics");
    for (command, code) in [(["health", "--ops", &address], 1), (["top", "--metrics", &metrics], 3)]
    {
        let ran = Ran::of(&mut tipoff(&[&command[..], &["--timeout", "1"]].concat()));
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.err.contains("did not answer within 1 s"), "{ran:?}");
    }
}

#[test]
fn a_named_exchange_of_the_configuration_file_is_used_and_flags_take_precedence() {
    let stage = Stage::new();
    let config = stage.world.path("config");
    std::fs::create_dir_all(config.join("tipoff")).unwrap();
    let text = format!(
        "default = 'main'\n[exchange.main]\nserver = '{}'\nidentity = '{}'\n\
         [exchange.trial]\nserver = 'https://localhost:1'\ntimeout = 1\n",
        stage.exchange.url(),
        stage.world.identity("birdsite").display(),
    );
    std::fs::write(config.join("tipoff/config.toml"), text).unwrap();
    let run = |arguments: &[&str]| Ran::of(tipoff(arguments).env("XDG_CONFIG_HOME", &config));
    let main = done(run(&["whoami", "--json"]));
    assert_eq!(main.lines()[0]["partner"], "birdsite");
    let identity = stage.world.identity("facegraph").display().to_string();
    let other = done(run(&["whoami", "--json", "--identity", &identity]));
    assert_eq!(other.lines()[0]["partner"], "facegraph");
    let trial = run(&["whoami", "--exchange", "trial", "--identity", &identity]);
    assert_eq!(trial.code, Some(3), "{trial:?}");
    assert!(trial.err.contains("https://localhost:1: "), "{trial:?}");
    let unknown = run(&["whoami", "--exchange", "test"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(
        unknown.err.contains("has no section [exchange.test]. It has main, trial"),
        "{unknown:?}"
    );
}

#[test]
fn quiet_leaves_results_and_errors_and_no_remarks() {
    let stage = Stage::new();
    let file = stage.file("a.csv", "domain\na.example\n");
    done(stage.run("birdsite", &["submit", &file]));
    let follow = ["subscribe", "--from", "start", "--count", "1"];
    let loud = done(stage.run("birdsite", &follow));
    assert!(loud.err.contains("continue with --from"), "{loud:?}");
    let quiet = done(stage.run("birdsite", &[&follow[..], &["--quiet"]].concat()));
    assert_eq!((quiet.out, quiet.err), (loud.out, String::new()));
    let failed = stage.run("birdsite", &["submit", "missing.csv", "-q"]);
    assert!(failed.err.contains("missing.csv"), "{failed:?}");
}
