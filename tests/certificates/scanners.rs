//! What scanners of TLS that others wrote say of the exchange.

use std::process::Command;

use serde_json::Value;

use crate::support::World;
use crate::support::python::python;

#[tokio::test(flavor = "multi_thread")]
async fn sslyze_finds_tls_1_3_alone_and_a_required_certificate() {
    let world = World::new();
    let node = world.start().await;
    let report = world.path("sslyze.json");
    let target = node.url.replace("https://localhost", "127.0.0.1");
    let scans = ["--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3", "--resum"];
    let attacks = ["--compression", "--reneg", "--heartbleed", "--robot", "--openssl_ccs"];
    let scan = tokio::task::block_in_place(|| {
        let mut scan = Command::new(python());
        scan.args(["-m", "sslyze", &target, "--quiet"]).args(scans).args(attacks);
        scan.arg("--json_out").arg(&report).output().unwrap()
    });
    let report = std::fs::read(&report)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&scan.stderr)));
    let report: Value = serde_json::from_slice(&report).unwrap();
    let scanned = &report["server_scan_results"][0];
    assert_eq!(scanned["connectivity_result"]["client_auth_requirement"], "REQUIRED");
    let result = |name: &str| {
        let result = &scanned["scan_result"][name];
        assert_eq!(result["status"], "COMPLETED", "{name}: {result}");
        result["result"].clone()
    };
    for (name, is_supported) in [
        ("ssl_2_0_cipher_suites", false),
        ("ssl_3_0_cipher_suites", false),
        ("tls_1_0_cipher_suites", false),
        ("tls_1_1_cipher_suites", false),
        ("tls_1_2_cipher_suites", false),
        ("tls_1_3_cipher_suites", true),
    ] {
        assert_eq!(result(name)["is_tls_version_supported"], is_supported, "{name}");
    }
    let resumption = result("session_resumption");
    assert_eq!(resumption["tls_ticket_successful_resumptions_count"], 0, "{resumption}");
    assert_eq!(result("tls_compression")["supports_compression"], false);
    assert_eq!(result("heartbleed")["is_vulnerable_to_heartbleed"], false);
    assert_eq!(result("openssl_ccs_injection")["is_vulnerable_to_ccs_injection"], false);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sslscan_finds_tls_1_3_alone() {
    let world = World::new();
    let node = world.start().await;
    let target = node.url.replace("https://localhost", "127.0.0.1");
    let scan = tokio::task::block_in_place(|| {
        Command::new("sslscan").args(["--no-colour", &target]).output().unwrap()
    });
    let report = String::from_utf8(scan.stdout).unwrap();
    for (version, state) in [
        ("SSLv2", "disabled"),
        ("SSLv3", "disabled"),
        ("TLSv1.0", "disabled"),
        ("TLSv1.1", "disabled"),
        ("TLSv1.2", "disabled"),
        ("TLSv1.3", "enabled"),
    ] {
        let line = report.lines().find(|line| line.starts_with(version)).unwrap_or_default();
        assert!(line.ends_with(state), "{version} is not {state}:\n{report}");
    }
    node.stop().await;
}
