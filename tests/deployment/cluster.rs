//! The cluster of `deploy/`: its files run three real NATS servers and three nodes, on loopback.

mod files;
mod processes;

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::context::ContextBuilder;

use self::processes::Cluster;
use super::support::clock::stopwatch;
use super::support::command::done;

/// The longest time for anything here.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn the_files_run_a_cluster_that_goes_on_without_a_server_or_a_node() {
    let mut cluster = Cluster::start();
    let submit = |cluster: &Cluster, node: usize, value: &str| {
        done(cluster.run(node, &["submit", "--kind", "domain", value]));
    };
    let finds = |cluster: &Cluster, node: usize, value: &str| {
        let started = stopwatch();
        let is_known = || {
            let answer = cluster.run(node, &["lookup", value, "--json"]);
            answer.code == Some(0) && answer.lines()[0]["result"] == "known"
        };
        while !is_known() {
            assert!(started.elapsed() < SOON, "node {node} does not find {value}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let file = |value: &str| cluster.file(value, format!("{value}\n"));
    let values: Vec<_> = ["one.example", "two.example", "three.example"].map(file).into();

    submit(&cluster, 0, &values[0]);
    finds(&cluster, 1, "one.example");

    cluster.kill_server(0);
    submit(&cluster, 1, &values[1]);
    finds(&cluster, 2, "two.example");

    cluster.kill_node(1);
    submit(&cluster, 2, &values[2]);
    finds(&cluster, 0, "three.example");

    // A server and a node come back.
    cluster.start_server(0);
    cluster.start_node(1);
    finds(&cluster, 1, "three.example");
    for node in 0..3 {
        assert_eq!(cluster.health(node), "ready\n");
    }
    let violations = cluster.server_logs_with("Permissions Violation");
    assert_eq!(violations, [""; 0], "the node needs more rights than nats.conf grants");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_the_rights_of_its_login_and_needs_a_certificate() {
    let cluster = Cluster::start_servers();
    let admin = cluster.client("admin", "admin/login").await.unwrap();
    let context = jetstream::new(admin.clone());
    let stream = jetstream::stream::Config {
        name: "TIPOFF".into(),
        subjects: vec!["TIPOFF.entry".into()],
        num_replicas: 3,
        ..jetstream::stream::Config::default()
    };
    // Until the servers have elected a leader, nobody answers.
    let started = stopwatch();
    while let Err(error) = context.create_stream(stream.clone()).await {
        assert!(started.elapsed() < SOON, "{error}");
    }
    // Clients would connect to these too, and no address is in the certificate.
    assert_eq!(admin.server_info().connect_urls, [""; 0]);

    let node = cluster.client("node", "node/login").await.unwrap();
    let node = ContextBuilder::new().timeout(Duration::from_secs(1)).build(node);
    node.get_stream("TIPOFF").await.unwrap();
    let changed = jetstream::stream::Config { max_messages: 1, ..stream };
    assert!(node.update_stream(changed).await.is_err());
    assert!(node.delete_stream("TIPOFF").await.is_err());
    let other = jetstream::stream::Config { name: "OTHER".into(), ..Default::default() };
    assert!(node.create_stream(other).await.is_err());

    // The system account answers the one request, and no other.
    let system = cluster.client("node", "node/system-login").await.unwrap();
    let ask = |request: &'static str| {
        let asked = system.request(request, "{}".into());
        async {
            tokio::time::timeout(Duration::from_secs(2), asked).await.is_ok_and(|it| it.is_ok())
        }
    };
    assert!(ask("$SYS.REQ.SERVER.PING.JSZ").await);
    assert!(!ask("$SYS.REQ.SERVER.PING.CONNZ").await);

    let stranger = cluster.client_without_certificate("node/login").await;
    assert!(stranger.is_err(), "a client without a certificate");
    assert!(context.get_stream("TIPOFF").await.is_ok());
}

#[test]
fn a_certificate_of_a_node_is_none_of_a_server() {
    let cluster = Cluster::start_servers();
    // A fourth server, with the certificate of a node.
    cluster.run_intruder();
    let started = stopwatch();
    while cluster.server_logs_with("authentication error").is_empty() {
        assert!(started.elapsed() < SOON, "nobody refused it");
        std::thread::sleep(Duration::from_millis(100));
    }
}
