//! The unit of systemd, and what the node reports to a service manager.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tipoff::config::Config;

use super::source;
use super::support::World;
use super::support::process::Process;

pub const UNIT: &str = "deploy/systemd/tipoff.service";

/// `systemd-analyze` rates the exposure of a unit from 0 to 100. This one has 11: a service in the network has more
/// than 0.
const MOST_EXPOSED: u32 = 15;

/// Runs `systemd-analyze`, and returns its output and its warnings. It has to succeed.
pub fn systemd_analyze(arguments: &[&str]) -> (String, String) {
    let mut command = Command::new("systemd-analyze");
    let output = command.args(arguments).env("SYSTEMD_COLORS", "0").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{arguments:?}: {out}{err}");
    (out, err)
}

/// The unit, with the binary of this build.
fn unit(folder: &Path) -> PathBuf {
    let unit = std::fs::read_to_string(source(UNIT)).unwrap();
    let path = folder.join("tipoff.service");
    std::fs::write(&path, unit.replace("/usr/bin/tipoff", env!("CARGO_BIN_EXE_tipoff"))).unwrap();
    path
}

/// The values of a key in the unit, in order.
pub fn values(key: &str) -> Vec<String> {
    let unit = std::fs::read_to_string(source(UNIT)).unwrap();
    let values = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    values.map(str::to_owned).collect()
}

#[test]
fn systemd_accepts_the_unit_and_rates_it_as_hardened() {
    let folder = TempDir::new().unwrap();
    let unit = unit(folder.path());
    let unit = unit.to_str().unwrap();
    let (_, warnings) = systemd_analyze(&["verify", "--man=no", unit]);
    // It only warns of keys and values that it does not know.
    assert_eq!(warnings, "");
    let threshold = format!("--threshold={MOST_EXPOSED}");
    systemd_analyze(&["security", "--offline=true", &threshold, unit]);
}

#[test]
fn the_package_creates_the_user_of_the_unit() {
    let root = TempDir::new().unwrap();
    std::fs::create_dir(root.path().join("etc")).unwrap();
    let users = source("deploy/systemd/tipoff.sysusers");
    let root_flag = format!("--root={}", root.path().display());
    let created = Command::new("systemd-sysusers").arg(root_flag).arg(users).output().unwrap();
    assert!(created.status.success(), "{created:?}");
    let accounts = std::fs::read_to_string(root.path().join("etc/passwd")).unwrap();
    let account = accounts.lines().find(|line| line.starts_with("tipoff:")).unwrap();
    assert!(account.ends_with(":/var/lib/tipoff:/usr/sbin/nologin"), "{account}");
    assert_eq!((values("User"), values("Group")), (vec!["tipoff".into()], vec!["tipoff".into()]));
    let folder = std::fs::read_to_string(source("deploy/systemd/tipoff.tmpfile")).unwrap();
    let mode = values("StateDirectoryMode").remove(0);
    assert!(folder.ends_with(&format!("d /var/lib/tipoff {mode} tipoff tipoff\n")), "{folder}");
}

#[test]
fn the_unit_gives_the_node_the_time_and_the_files_that_its_defaults_need() {
    let config = Config::default();
    let [stop] = <[String; 1]>::try_from(values("TimeoutStopSec")).unwrap();
    assert!(stop.parse::<u64>().unwrap() > config.server.drain_timeout_s + 10);
    let [files] = <[String; 1]>::try_from(values("LimitNOFILE")).unwrap();
    let connections = config.connections.total + config.connections.handshakes_in_flight;
    assert!(files.parse::<usize>().unwrap() > connections + 1_024);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_reports_to_the_service_manager_when_it_is_ready_reloads_and_stops() {
    let world = World::new();
    let path = world.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let receive = || {
        let mut message = [0; 512];
        let length = socket.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    };
    let mut node = Process::prepare(&world);
    node.set_env("NOTIFY_SOCKET", path.to_str().unwrap());
    node.start();
    assert_eq!(receive(), "READY=1\n");
    node.client(&world, "birdsite").who_am_i().await.unwrap();
    node.signal(Signal::SIGHUP);
    let reloading = receive();
    let [first, second] = <[&str; 2]>::try_from(reloading.lines().collect::<Vec<_>>()).unwrap();
    assert_eq!(first, "RELOADING=1");
    let time = second.strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(time.parse::<u64>().unwrap() > 0);
    assert_eq!(receive(), "READY=1\n");
    node.signal(Signal::SIGTERM);
    assert_eq!(receive(), "STOPPING=1\n");
    assert!(node.wait().success());
}
