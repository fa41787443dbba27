//! `serve --check-config`: what a configuration names, without a start.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::World;
use super::support::command::{Ran, tipoff};
use super::support::process::Process;

fn check(node: &Process) -> Ran {
    Ran::of(tipoff(&["serve", "--check-config", "--config"]).arg(node.config()))
}

fn edit(node: &Process, from: &str, to: &str) {
    let config = fs::read_to_string(node.config()).unwrap();
    assert!(config.contains(from), "{config}");
    fs::write(node.config(), config.replace(from, to)).unwrap();
}

/// Every path below a folder, with size, mode and time of the last change.
fn listing(folder: &Path) -> Vec<(PathBuf, u64, u32, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = path.symlink_metadata().unwrap();
        if about.is_dir() {
            found.extend(listing(&path));
        }
        found.push((path, about.len(), about.permissions().mode(), about.modified().unwrap()));
    }
    found.sort();
    found
}

#[test]
fn a_check_before_the_first_start_says_what_the_start_creates_and_changes_nothing() {
    let world = World::new();
    let node = Process::prepare(&world);
    edit(&node, "[server]", "[access]\nsuspended = [\"nobody-known\"]\n[server]");
    let before = listing(world.folder.path());
    let ran = check(&node);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let data = world.config.storage.data.display();
    assert!(ran.out.contains(&format!("note: storage.data: {data} does not exist")), "{ran:?}");
    assert!(ran.out.contains("note: access.suspended: `nobody-known`"), "{ran:?}");
    assert!(ran.out.ends_with(&format!("{} is valid\n", node.config().display())), "{ran:?}");
    assert_eq!(listing(world.folder.path()), before);

    edit(&node, "min_free_mb = 16", "min_free_mb = 1000000000");
    let full = check(&node);
    assert!(full.out.contains("note: storage.min_free_mb: "), "{full:?}");
}

#[test]
fn a_check_names_each_address_in_use_by_its_key() {
    let world = World::new();
    let node = Process::prepare(&world);
    let holders = [node.grpc(), node.ops()].map(|address| TcpListener::bind(address).unwrap());
    let ran = check(&node);
    ran.failed(1, &format!("cannot listen on {} (server.grpc)", node.grpc()));
    ran.failed(1, &format!("cannot listen on {} (server.ops)", node.ops()));
    drop(holders);
    assert_eq!(check(&node).code, Some(0));
}

#[test]
fn a_check_beside_the_running_node_reports_it_and_a_stopped_node_leaves_no_trace() {
    let world = World::new();
    let mut node = Process::prepare(&world);
    node.start();
    node.wait_ready();
    let ran = check(&node);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for note in ["a running node holds", "server.grpc: ", "server.ops: "] {
        assert!(ran.out.contains(note), "{note}: {ran:?}");
    }
    assert!(node.terminate().success());
    let before = listing(world.folder.path());
    let ran = check(&node);
    assert_eq!((ran.code, ran.out.matches("note").count()), (Some(0), 0), "{ran:?}");
    assert_eq!(listing(world.folder.path()), before);

    edit(&node, "journal = \"sled\"", "journal = \"files\"");
    check(&node).failed(2, "holds a journal in sled");
    fs::remove_dir_all(world.config.storage.data.join("journal")).unwrap();
    check(&node).failed(1, "journal is missing or empty");
}

#[test]
fn a_check_by_another_user_names_the_data_folder() {
    const NOBODY: u32 = 65_534;
    let world = World::new();
    let mut node = Process::prepare(&world);
    node.start();
    node.wait_ready();
    assert!(node.terminate().success());
    let binary = world.path("tipoff");
    fs::copy(env!("CARGO_BIN_EXE_tipoff"), &binary).unwrap();
    let readable = |path: &Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    let identity = &world.config.server.identity;
    readable(world.folder.path(), 0o755);
    readable(&identity.join("key.pem"), 0o644);
    let mut command = Command::new(&binary);
    command.args(["serve", "--check-config", "--config"]).arg(node.config());
    let ran = Ran::of(command.uid(NOBODY).gid(NOBODY));
    let data = world.config.storage.data.display();
    ran.failed(2, &format!("storage.data: {data} cannot be read and written by this user"));
}

#[test]
fn an_authority_of_another_trust_domain_is_named_by_a_check_and_refused_at_a_start() {
    let world = World::new();
    let node = Process::prepare(&world);
    edit(&node, "trust_domain = \"tipoff.test\"", "trust_domain = \"other.test\"");
    let named =
        "ca.pem: is of the trust domain `tipoff.test`, but server.trust_domain is `other.test`";
    check(&node).failed(2, named);
    let (status, log) = node.run_to_end();
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains(named), "{log}");
    // Beside the authority of the trust domain, another one may stand in ca.pem.
    let other = world.path("other");
    let mut init = tipoff(&["pki", "init", "--trust-domain", "other.test"]);
    assert_eq!(Ran::of(init.arg(&other)).code, Some(0));
    let ca = world.config.server.identity.join("ca.pem");
    let both =
        [fs::read_to_string(&ca).unwrap(), fs::read_to_string(other.join("ca.pem")).unwrap()];
    fs::write(&ca, both.concat()).unwrap();
    assert_eq!(check(&node).code, Some(0));
}
