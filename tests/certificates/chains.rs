//! Certificates with authorities between them and the root, and those with weak keys and signatures.

use std::path::Path;

use rcgen::BasicConstraints;

use crate::support::forge::{self, Root, good, write_crl};
use crate::support::python::script;
use crate::support::{Running, World, who};
use crate::{BIRDSITE, nobody, refused_for};

/// Asserts that a connection is refused, counted by this label, and that the client tells the reason.
async fn counted(node: &Running, identity: &Path, label: &str, reason: &str) {
    let before = node.refused_connections(label).await;
    refused_for(node, identity, reason).await;
    node.refused_more_often(label, before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_good_only_as_long_as_its_authorities_allow() {
    let world = World::new();
    let root = Root::trusted(&world, "root");
    let node = world.start().await;
    for (name, constraints, is_good) in [
        ("deep", BasicConstraints::Unconstrained, true),
        ("flat", BasicConstraints::Constrained(0), false),
    ] {
        let first = root.below("first", 7, constraints);
        let second = first.below("second", 8, BasicConstraints::Unconstrained);
        let chain = second.pem.clone() + &first.pem;
        let identity = second.signed(&world, name, &good(&[BIRDSITE]), &chain);
        if is_good {
            assert_eq!(who(&node, &identity).await.unwrap(), "birdsite");
        } else {
            counted(&node, &identity, "certificate_path_too_long", "its chain too long").await;
        }
        // Without the authorities in between, nothing leads to the root.
        let alone = second.signed(&world, &format!("{name}-alone"), &good(&[BIRDSITE]), "");
        counted(&node, &alone, "certificate_unknown_issuer", "another authority signed it").await;
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_or_unlisted_authority_takes_its_certificates_with_it() {
    let world = World::new();
    let root = Root::trusted(&world, "root");
    let below = |name, serial| root.below(name, serial, BasicConstraints::Unconstrained);
    let (revoked, listed, unlisted) =
        (below("revoked", 7), below("listed", 8), below("unlisted", 9));
    let lists = [forge::good_crl(&world), root.list(7), revoked.list(1), listed.list(1)];
    write_crl(&world, lists.concat());
    let node = world.start().await;
    let identity =
        |below: &Root, name: &str| below.signed(&world, name, &good(&[BIRDSITE]), &below.pem);
    assert_eq!(who(&node, &identity(&listed, "listed")).await.unwrap(), "birdsite");
    let (revoked, unlisted) = (identity(&revoked, "revoked"), identity(&unlisted, "unlisted"));
    counted(&node, &revoked, "certificate_revoked", "it was revoked").await;
    counted(&node, &unlisted, "certificate_unlisted_issuer", "revocation list").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weak_keys_and_signatures_are_refused() {
    let world = World::new();
    let node = world.start().await;
    let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"];
    let strong = forge::signed_by_openssl(&world, "strong", &curve, "-sha256");
    assert_eq!(who(&node, &strong).await.unwrap(), "birdsite");
    let sha1 = forge::signed_by_openssl(&world, "sha1", &curve, "-sha1");
    counted(&node, &sha1, "certificate_weak_signature", "not accepted").await;
    // A client with such a key does not start here, so that another one shows it.
    let weak = forge::signed_by_openssl(&world, "rsa1024", &rsa, "-sha256");
    let before = node.refused_connections("certificate_weak_key").await;
    let port = node.url.rsplit(':').next().unwrap();
    let output = script("tls_client.py", &[&weak, Path::new(port)]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("refused"), "{printed}");
    node.refused_more_often("certificate_weak_key", before).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_resumed() {
    let world = World::new();
    let node = world.start().await;
    let port = node.url.rsplit(':').next().unwrap();
    let output = script("tls_client.py", &[&world.identity("birdsite"), Path::new(port)]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(printed.trim(), "TLSv1.3 resumed=False", "{errors}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_names_no_partner_is_counted_by_the_reason() {
    let world = World::new();
    let node = world.start().await;
    let twice = [BIRDSITE, "spiffe://tipoff.test/partner/facegraph"];
    let table: [(&str, &[&str], &str, &str); 5] = [
        ("none", &[], "no URI SAN", "identity_no_uri"),
        ("two", &twice, "2 URI SANs", "identity_many_uris"),
        (
            "capitals",
            &["spiffe://TIPOFF.TEST/partner/birdsite"],
            "not in lower case",
            "identity_not_canonical",
        ),
        (
            "foreign",
            &["spiffe://other.test/partner/birdsite"],
            "another trust domain",
            "identity_foreign",
        ),
        (
            "stranger",
            &["spiffe://tipoff.test/partner/stranger"],
            "not a partner",
            "partner_unknown",
        ),
    ];
    for (name, uris, reason, label) in table {
        nobody(&node, &forge::signed(&world, name, &good(uris)), reason).await;
        let metrics = node.ops_get("/metrics").await;
        let series = format!(
            "tipoff_denied_total{{method=\"/tipoff.v1.PartnerService/WhoAmI\",label=\"{label}\"}} 1"
        );
        assert!(metrics.contains(&series), "{series} is not in\n{metrics}");
    }
    node.stop().await;
}
