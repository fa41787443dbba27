//! Commands that may repeat what was done before, or misspell a name, and ask.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::command::{Stage, done};

#[test]
fn a_count_that_was_reported_under_another_id_is_asked_about() {
    let stage = Stage::new();
    let report = stage.file("report.csv", "platform,accounts removed\nX,936\n");
    done(stage.run("birdsite", &["submit", &report]));
    // The same file counts once, whoever sends it again.
    done(stage.run("birdsite", &["submit", &report, "--again"]));

    let put = ["enforcement", "put", "--count", "936 accounts on x"];
    let asked = stage.run("birdsite", &put);
    asked.failed(2, "936 accounts on x");
    assert!(asked.err.contains("--as-well"), "{asked:?}");
    done(stage.run("birdsite", &["enforcement", "put", "--count", "937 accounts on x"]));
    done(stage.run("birdsite", &[&put[..], &["--as-well"]].concat()));
    done(stage.run("birdsite", &[&put[..], &["--as-well"]].concat()));
    // Another partner reports its own.
    done(stage.run("facegraph", &[&put[..], &["--reported"]].concat()));

    // The other way round, and before anything is sent.
    let second = "platform,accounts removed\nX,937\n";
    let second = stage.file("second.csv", second);
    stage.run("birdsite", &["submit", &second]).failed(2, "--as-well");
    done(stage.run("birdsite", &["submit", &second, "--as-well"]));
}

#[test]
fn an_export_goes_to_nobody_else_unless_somebody_is_named() {
    let stage = Stage::new();
    let secret = stage.file("secret.txt", "secret.example\n");
    done(stage.run("birdsite", &["submit", &secret, "--to", "tubeworks"]));
    let exported = done(stage.run("tubeworks", &["export", "--format", "csv"])).out;
    let exported = stage.file("exported.csv", exported);
    stage
        .run("tubeworks", &["submit", &exported])
        .failed(2, "says with whom each value was shared");
    done(stage.run("tubeworks", &["submit", &exported, "--dry-run"]));
    let named = done(stage.run("tubeworks", &["submit", &exported, "--to", "birdsite"]));
    assert!(named.err.contains("columns not read: audience, author"), "{named:?}");
}

#[test]
fn a_platform_that_nobody_knows_is_asked_about() {
    let stage = Stage::new();
    let put = ["partner", "put", "tubeworks", "--platform", "youtub"];
    let asked = stage.run("exchange-ops", &put);
    asked.failed(2, "did you mean `youtube`?");
    done(stage.run("exchange-ops", &["partner", "put", "tubeworks", "--platform", "you tube"]));
    let new = ["partner", "put", "tubeworks", "--platform", "harbourboard", "--new-platform"];
    done(stage.run("exchange-ops", &new));
    let file = stage.file("handles.txt", "pier_desk\n");
    let submit = ["submit", &file, "--kind", "account", "--platform", "facebok"];
    stage.run("birdsite", &submit).failed(2, "did you mean `facebook`?");
    done(stage.run("birdsite", &["submit", &file, "--kind", "account", "--platform", "facebook"]));
}
