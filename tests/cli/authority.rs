//! Commands that need no exchange: `pki`, `serve --check-config`, and a demo that fails early.

use std::fs;
use std::path::Path;

use crate::support::command::{Ran, tipoff};

#[test]
fn the_authority_makes_identities_and_overwrites_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = |arguments: &[&str]| Ran::of(&mut tipoff(arguments));
    let init = ["pki", "init", &path("ca"), "--trust-domain", "tipoff.test"];
    assert_eq!(run(&init).code, Some(0));
    let key = fs::read(folder.path().join("ca/ca-key.pem")).unwrap();
    let again = run(&init);
    assert_ne!(again.code, Some(0), "{again:?}");
    assert!(again.err.contains("ca"), "{again:?}");
    assert_eq!(fs::read(folder.path().join("ca/ca-key.pem")).unwrap(), key);

    let issue =
        |arguments: &[&str]| run(&[&["pki", "issue", "--ca", &path("ca")][..], arguments].concat());
    assert_eq!(issue(&["birdsite", "--out", &path("birdsite")]).code, Some(0));
    for file in ["ca.pem", "cert.pem", "key.pem"] {
        assert!(folder.path().join("birdsite").join(file).exists(), "{file}");
    }
    for private in ["birdsite/key.pem", "ca/ca-key.pem"] {
        assert_eq!(mode(&folder.path().join(private)) & 0o077, 0, "{private} is its owner's alone");
    }
    let before = fs::read(folder.path().join("birdsite/key.pem")).unwrap();
    issue(&["birdsite", "--out", &path("birdsite")]).failed(2, "--replace");
    issue(&["birdsite", "--out", &path("ca")]).failed(2, "authority");
    assert_eq!(fs::read(folder.path().join("birdsite/key.pem")).unwrap(), before);
    let json = issue(&["birdsite", "--replace", "--json", "--out", &path("birdsite")]);
    let issued = &json.lines()[0];
    let shown = run(&["pki", "show", "--ca", &path("ca")]).out;
    assert!(shown.contains(issued["serial"].as_str().unwrap()), "{json:?}: {shown}");
    issue(&["birdsite", "--workload", "a b", "--out", &path("x")]).failed(2, "workload `a b`");
    issue(&["--server-name", "bad name!", "--out", &path("x")]).failed(2, "bad name!");
    issue(&["Not A Partner", "--out", &path("x")]).failed(2, "Not A Partner");
    issue(&["--out", &path("x")]).failed(2, "PARTNER");
    issue(&["birdsite", "--days", "0", "--out", &path("x")]).failed(2, "--days");
    run(&["pki", "issue", "birdsite", "--ca", &path("none"), "--out", &path("x")])
        .failed(2, "none");
}

fn mode(file: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).unwrap().permissions().mode()
}

#[test]
fn a_configuration_is_checked_without_starting_anything() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str| {
        let file = folder.path().join("tipoff.toml");
        fs::write(&file, text).unwrap();
        Ran::of(tipoff(&["serve", "--check-config", "--config"]).arg(file))
    };
    let without = check("[server]\nidentity = \"/nowhere/server\"\n");
    without.failed(2, "/nowhere/server");
    let (ca, server) = (folder.path().join("ca"), folder.path().join("server"));
    Ran::of(tipoff(&["pki", "init"]).arg(&ca));
    let mut issue = tipoff(&["pki", "issue", "--server-name", "localhost", "--ca"]);
    Ran::of(issue.arg(&ca).arg("--out").arg(&server));
    let identity = format!(
        "[server]\ngrpc = \"127.0.0.1:0\"\nops = \"127.0.0.1:0\"\nidentity = \"{}\"\n",
        server.display()
    );
    let good = check(&format!("{identity}[storage]\ndata = \"data\"\n"));
    assert_eq!(good.code, Some(0), "{good:?}");
    fs::write(server.join("crl.pem"), "no list").unwrap();
    check(&identity).failed(2, "crl.pem");
    assert!(!folder.path().join("data").exists());
    check("[storage]\ndta = \"data\"\n").failed(2, "dta");
    check("[server]\ngrpc = \"here\"\n").failed(2, "grpc");
    check("[server]\nops = \"0.0.0.0:7445\"\n").failed(2, "server.ops");
    check("[server]\ngrpc = \"0.0.0.0:7445\"\n").failed(2, "has the port of server.grpc");
    // Every number in the table of ranges.
    for number in tipoff::config::ranges::NUMBERS {
        let (table, key) = number.key.split_once('.').unwrap();
        let above = number.range.end() + 1;
        for outside in number.range.start().checked_sub(1).into_iter().chain([above]) {
            let setting = format!("{} = {outside}: must be {number}", number.key);
            check(&format!("[{table}]\n{key} = {outside}\n")).failed(2, &setting);
        }
    }
    let header = check("[connections]\nheader_kb = 4194304\n");
    header.failed(2, "connections.header_kb = 4194304: must be 1 to 1024 (KB)");
    // Other commands that read the file check it too.
    let file = folder.path().join("tipoff.toml");
    fs::write(&file, "[storage]\nmin_free_mb = 99999999999999\n").unwrap();
    let shown = Ran::of(tipoff(&["journal", "show", "--config"]).arg(&file));
    shown.failed(2, "storage.min_free_mb = 99999999999999: must be 1 to 1000000000 (MB)");
    check("[connections]\nheader_kb = -1\n").failed(2, "header_kb");
    check("[connections]\nstream_window_kb = 1024\n").failed(2, "connection_window_kb");
    check("[[partners]]\nid = \"ab\"\nrole = \"king\"\n").failed(2, "king");
    let missing = Ran::of(&mut tipoff(&["serve", "--config", "/nowhere/tipoff.toml"]));
    missing.failed(2, "/nowhere/tipoff.toml");
}

#[test]
fn a_demo_of_a_missing_report_does_not_start() {
    Ran::of(&mut tipoff(&["demo", "--data", "/nowhere.csv"])).failed(2, "/nowhere.csv");
}
