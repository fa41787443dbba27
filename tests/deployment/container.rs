//! The container image: the exchange and its health check in the file tree of the image, as its user.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tipoff::client::Client;
use tipoff::config::Config;

use super::dockerfile::{FinalStage, Root};
use super::source;
use super::support::command::Ran;
use super::support::python::python;
use super::support::{TRUST_DOMAIN, World, batch, domain};

/// A process that is killed when this is dropped, so that a failed test leaves nothing behind.
struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes the folder `/etc/tipoff` of the image: the configuration of this repository with other names and ports, and
/// the identity of the world's server.
fn configure(world: &World, root: &Path, (user, group): (u32, u32)) {
    let etc = root.join("etc/tipoff");
    let server = etc.join("server");
    fs::create_dir_all(&server).unwrap();
    for file in ["ca.pem", "cert.pem", "key.pem"] {
        let copied = server.join(file);
        fs::copy(world.config.server.identity.join(file), &copied).unwrap();
        chown(&copied, Some(user), Some(group)).unwrap();
    }
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = fs::read_to_string(source("deploy/tipoff.toml")).unwrap();
    let config = config
        .replace("0.0.0.0:7443", &free().to_string())
        .replace("127.0.0.1:7445", &free().to_string())
        .replace("\"exchange.example\"", &format!("\"{TRUST_DOMAIN}\""))
        .replace("min_free_mb = 1024", "min_free_mb = 16")
        .replace("suspended = []", "");
    fs::write(etc.join("tipoff.toml"), config + &world.partners).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_serves_partners_as_its_user_and_its_health_check_tells_ready_from_not() {
    let world = World::new();
    let stage = FinalStage::read();
    let (root, empty, volume) = (world.path("root"), world.path("empty"), world.path("volume"));
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(&empty).unwrap();
    fs::create_dir(&volume).unwrap();
    stage.lay_out(
        &root,
        &[("/tipoff", Path::new(env!("CARGO_BIN_EXE_tipoff"))), ("/empty", &empty)],
    );
    configure(&world, &root, stage.user());
    // A new volume gets the owner and the mode of the folder of the image.
    let owned = fs::metadata(root.join(&stage.one("VOLUME")[1..])).unwrap();
    chown(&volume, Some(owned.uid()), Some(owned.gid())).unwrap();
    fs::set_permissions(&volume, owned.permissions()).unwrap();

    let inside = Root { folder: &root, volume: &volume, user: stage.user() };
    let health = || Ran::of(&mut inside.command(&stage.health_check()));
    let before = health();
    assert_eq!(before.code, Some(1), "{before:?}");
    assert!(before.err.contains("no answer from"), "{before:?}");

    let mut exchange = inside.command(&stage.command());
    let log = world.path("log");
    exchange.stdout(Stdio::piped()).stderr(fs::File::create(&log).unwrap());
    let mut exchange = KilledOnDrop(exchange.spawn().unwrap());
    let mut bound = String::new();
    BufReader::new(exchange.0.stdout.take().unwrap()).read_line(&mut bound).unwrap();
    let bound: Value = serde_json::from_str(&bound)
        .unwrap_or_else(|_| panic!("not ready: {}", fs::read_to_string(&log).unwrap()));
    let ready = health();
    assert_eq!((ready.code, ready.out.as_str()), (Some(0), "ready\n"), "{ready:?}");

    let port = bound["grpc"].as_str().unwrap().rsplit_once(':').unwrap().1;
    let url = format!("https://localhost:{port}");
    let client = Client::new(&url, &world.identity("birdsite")).unwrap();
    client.submit(batch("s", 1, None, vec![domain("a.example")])).await.unwrap();

    let id = exchange.0.id();
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (user, group) = stage.user();
    assert_eq!(field("Uid"), format!("{user} {user} {user} {user}"));
    assert_eq!(field("Gid"), format!("{group} {group} {group} {group}"));
    assert_eq!((field("CapEff"), field("NoNewPrivs")), ("0000000000000000".into(), "1".into()));
    assert_eq!(fs::metadata(volume.join("journal")).unwrap().uid(), user);

    kill(Pid::from_raw(i32::try_from(id).unwrap()), Signal::SIGTERM).unwrap();
    assert!(exchange.0.wait().unwrap().success());
    let after = health();
    assert_eq!(after.code, Some(1), "{after:?}");
}

/// The compose file as JSON.
fn compose() -> Value {
    const TO_JSON: &str = "import json, sys, ruamel.yaml\n\
        print(json.dumps(ruamel.yaml.YAML(typ='safe').load(open(sys.argv[1]))))";
    let mut command = std::process::Command::new(python());
    let ran = Ran::of(command.args(["-c", TO_JSON]).arg(source("deploy/docker/compose.yaml")));
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[test]
fn the_compose_file_is_valid_and_runs_the_image_as_it_was_tested() {
    let mut check = std::process::Command::new(python());
    check.args(["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]);
    let checked = Ran::of(check.arg(source("deploy/docker/compose.yaml")));
    assert_eq!(checked.code, Some(0), "{checked:?}");

    let stage = FinalStage::read();
    let service = &compose()["services"]["tipoff"];
    assert_eq!(service["user"], stage.one("USER"));
    assert_eq!(service["read_only"], true);
    assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]));
    assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]));
    let port = stage.one("EXPOSE");
    assert_eq!(service["ports"], serde_json::json!([format!("{port}:{port}")]));
    let volumes =
        serde_json::json!([format!("data:{}", stage.one("VOLUME")), "./etc:/etc/tipoff:ro"]);
    assert_eq!(service["volumes"], volumes);
    let grace: u64 =
        service["stop_grace_period"].as_str().unwrap().strip_suffix('s').unwrap().parse().unwrap();
    assert!(grace > Config::default().server.drain_timeout_s + 10);
}

#[test]
fn the_default_configuration_is_valid_and_listens_on_the_port_of_the_image() {
    let config = fs::read_to_string(source("deploy/tipoff.toml")).unwrap();
    let config = Config::parse(&config).unwrap();
    let port: u16 = FinalStage::read().one("EXPOSE").parse().unwrap();
    assert_eq!(config.server.grpc, ([0, 0, 0, 0], port).into());
    assert!(config.server.ops.ip().is_loopback());
    assert_eq!(config.storage.data.to_str(), Some(FinalStage::read().one("VOLUME")));
    assert_eq!(config.partners.len(), 1);
}
