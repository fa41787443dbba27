//! The compose file and the manifests fit the image, the configuration and what `identities.sh` makes.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use tipoff::config::{Config, JournalBackend};

use crate::dockerfile::FinalStage;
use crate::source;
use crate::support::command::{Ran, done};
use crate::support::python::python;

/// The documents of a YAML file as JSON.
fn documents(path: &str) -> Vec<Value> {
    const TO_JSON: &str = "import json, sys, ruamel.yaml\n\
        print(json.dumps(list(ruamel.yaml.YAML(typ='safe').load_all(open(sys.argv[1])))))";
    let mut command = Command::new(python());
    let ran = done(Ran::of(command.args(["-c", TO_JSON]).arg(source(path))));
    serde_json::from_str(&ran.out).unwrap()
}

/// The object of a kind in a manifest.
fn object(file: &str, kind: &str) -> Value {
    let mut documents = documents(&format!("deploy/kubernetes/{file}.yaml")).into_iter();
    documents.find(|document| document["kind"] == kind).unwrap()
}

fn config() -> Config {
    Config::read(&source("deploy/cluster/config/tipoff.toml")).unwrap()
}

fn strings(array: &Value) -> Vec<&str> {
    array.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

#[test]
fn the_configuration_of_a_node_names_the_servers_and_what_identities_sh_makes() {
    let config = config();
    assert_eq!(config.storage.journal, JournalBackend::JetStream);
    assert!(config.server.ops.ip().is_loopback());
    assert!(!config.jetstream.accept_unsafe);
    assert_eq!(config.jetstream.replicas, 3);
    let servers: Vec<_> = (0..3).map(|at| format!("tls://nats-{at}.nats:4222")).collect();
    assert_eq!(config.jetstream.servers, servers);

    let made = tempfile::tempdir().unwrap();
    let mut script = Command::new(source("deploy/cluster/identities.sh"));
    done(Ran::of(script.arg(made.path())));
    let table = &config.jetstream;
    let named =
        [&table.ca, &table.certificate, &table.key, &table.credentials, &table.system_credentials];
    for file in named {
        let name = file.strip_prefix("/etc/tipoff/nats").unwrap();
        assert!(made.path().join("node").join(name).exists(), "{}", file.display());
    }
    // A second run renews the certificates, and keeps authority and passwords.
    let read = |file: &str| fs::read(made.path().join(file)).unwrap();
    let kept = ["authority/ca.pem", "authority/ca-key.pem", "nats/logins.conf", "node/login"];
    let (before, certificate) = (kept.map(read), read("nats/cert.pem"));
    done(Ran::of(Command::new(source("deploy/cluster/identities.sh")).arg(made.path())));
    assert_eq!(kept.map(read), before);
    assert_ne!(read("nats/cert.pem"), certificate);
}

#[test]
fn the_compose_file_runs_the_image_with_the_files_that_the_configurations_name() {
    let compose = &documents("deploy/cluster/compose.yaml")[0];
    let stage = FinalStage::read();
    let mut disks = BTreeSet::new();
    for at in 0..3 {
        let (node, nats) = (format!("tipoff-{at}"), format!("nats-{at}"));
        let service = |name: &str| compose["services"][name].clone();
        for service in [service(&node), service(&nats)] {
            assert_eq!(service["user"], stage.one("USER"));
            assert_eq!(service["read_only"], true);
            assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]));
            disks.insert(strings(&service["volumes"])[0].split(':').next().unwrap().to_owned());
        }
        let node = service(&node);
        let volumes = strings(&node["volumes"]);
        assert!(volumes[0].ends_with(&format!(":{}", stage.one("VOLUME"))));
        assert!(config().storage.data.starts_with(stage.one("VOLUME")));
        assert!(volumes.contains(&"./secrets/server:/etc/tipoff/server:ro"));
        assert!(volumes.contains(&"./secrets/node:/etc/tipoff/nats:ro"));
        let command = strings(&node["command"]);
        assert_eq!(command, ["serve", "--config", "/etc/tipoff/config/tipoff.toml"]);
        let nats = service(&nats);
        assert_eq!(nats["environment"]["SERVER_NAME"], format!("nats-{at}"));
        let alias = &nats["networks"]["journal"]["aliases"][0];
        assert_eq!(alias, &format!("nats-{at}.nats"));
        assert_eq!(nats["stop_signal"], "SIGUSR2");
        assert!(nats["ports"].is_null(), "only nodes reach the servers");
    }
    assert_eq!(disks.len(), 6, "each process has its own disk: {disks:?}");
}

#[test]
fn the_manifests_run_the_image_hardened_with_objects_that_the_readme_makes() {
    let readme = fs::read_to_string(source("deploy/kubernetes/README.md")).unwrap();
    let (user, group) = FinalStage::read().user();
    for file in ["tipoff", "nats"] {
        let set = object(file, "StatefulSet");
        assert_eq!(set["spec"]["replicas"], 3);
        let pod = &set["spec"]["template"]["spec"];
        let security = &pod["securityContext"];
        assert_eq!(
            (&security["runAsUser"], &security["runAsGroup"]),
            (&user.into(), &group.into())
        );
        assert_eq!(
            (&security["runAsNonRoot"], &security["fsGroup"]),
            (&true.into(), &group.into())
        );
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], false);
        let container = &pod["containers"][0];
        assert_eq!(
            container["securityContext"],
            serde_json::json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]}})
        );
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            assert!(
                container[probe]["exec"].is_object(),
                "{file} {probe}: the port is on loopback"
            );
        }
        assert!(container["resources"]["requests"]["memory"].is_string());
        let spread = &pod["topologySpreadConstraints"][0];
        assert_eq!(spread["topologyKey"], "topology.kubernetes.io/zone");
        assert_eq!(object(file, "PodDisruptionBudget")["spec"]["maxUnavailable"], 1);
        for volume in pod["volumes"].as_array().unwrap() {
            let (kind, name) = match &volume["configMap"]["name"] {
                Value::String(name) => ("ConfigMap", name.as_str()),
                _ => ("Secret", volume["secret"]["secretName"].as_str().unwrap()),
            };
            assert!(readme.contains(&format!("{kind} `{name}`")), "{name} is not in the README");
        }
    }
    let grace = &object("tipoff", "StatefulSet")["spec"]["template"]["spec"];
    let grace = grace["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(grace > config().server.drain_timeout_s + 10);
}

#[test]
fn the_network_policies_let_only_nodes_reach_the_servers_and_only_servers_their_routes() {
    let policies = documents("deploy/kubernetes/network-policies.yaml");
    let policy = |name: &str| {
        let mut policies = policies.iter();
        policies.find(|policy| policy["metadata"]["name"] == name).unwrap()["spec"].clone()
    };
    // Nothing is allowed but what a policy allows.
    let nothing = policy("nothing");
    assert_eq!(nothing["podSelector"], serde_json::json!({}));
    assert_eq!((&nothing["ingress"], &nothing["egress"]), (&Value::Null, &Value::Null));
    let allowed = |name: &str| {
        let mut allowed = Vec::new();
        for rule in policy(name)["ingress"].as_array().unwrap() {
            let port = rule["ports"][0]["port"].as_u64().unwrap();
            let Some(from) = rule["from"].as_array() else {
                allowed.push((port, "anybody".to_owned()));
                continue;
            };
            for from in from {
                let name = &from["podSelector"]["matchLabels"]["app.kubernetes.io/name"];
                assert!(from["namespaceSelector"].is_null());
                allowed.push((port, name.as_str().unwrap().to_owned()));
            }
        }
        allowed
    };
    let expected = [(4222, "tipoff"), (4222, "nats-admin"), (6222, "nats")];
    assert_eq!(allowed("nats"), expected.map(|(port, name)| (port, name.to_owned())));
    assert_eq!(allowed("tipoff"), [(7443, "anybody".to_owned())]);
}
