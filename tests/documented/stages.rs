//! The stage of each document: who reads it, and what was there before.

use std::fs;
use std::os::unix::fs::symlink;

use tipoff::config::JournalBackend;

use super::console::{Document, root};
use super::stage::Stage;
use super::support::process::Process;
use super::support::{TRUST_DOMAIN, World};

/// Starts an exchange by itself, from the sample configuration.
pub fn readme() -> Stage {
    let (stage, addresses) = Stage::with_addresses();
    let sample = stage.path("work/samples/tipoff.toml");
    let text = fs::read_to_string(&sample).unwrap();
    fs::write(&sample, text.replace("[server]\n", &addresses)).unwrap();
    stage
}

pub fn certificates() -> Stage {
    Stage::new()
}

/// The operator of a stopped node with a journal of its own, which goes into a stream. The working directory is
/// `deploy/cluster`.
pub fn cluster() -> Stage {
    let (mut stage, addresses) = Stage::with_addresses();
    for folder in ["etc/tipoff", "var/lib"] {
        let path = stage.path(folder);
        fs::create_dir_all(&path).unwrap();
        stage.replace(&format!("/{folder}"), &path.display().to_string());
    }
    fs::copy(root().join("deploy/cluster/identities.sh"), stage.path("work/identities.sh"))
        .unwrap();
    stage.replace("runuser -u tipoff -- ", "env -- ");
    let single = World::new();
    let mut node = Process::prepare(&single);
    node.start();
    node.wait_ready();
    assert!(node.terminate().success());
    let data = stage.path("var/lib/tipoff");
    fs::rename(&single.config.storage.data, &data).unwrap();
    let jetstream = stage.start_nats().table();
    let identity = stage.path("etc/tipoff/server");
    fs::rename(&single.config.server.identity, &identity).unwrap();
    let config_text = format!(
        "{addresses}trust_domain = \"{TRUST_DOMAIN}\"\nidentity = \"{}\"\n\n[storage]\ndata = \"{}\"\n\
         journal = \"jetstream\"\n\n[jetstream]\nservers = {:?}\ncredentials = \"{}\"\nsystem_credentials = \"{}\"\n\
         replicas = {}\nmax_gb = 1\n{}",
        identity.display(),
        data.display(),
        jetstream.servers,
        jetstream.credentials.display(),
        jetstream.system_credentials.display(),
        jetstream.replicas,
        single.partners,
    );
    let config = stage.path("etc/tipoff/tipoff.toml");
    fs::write(&config, config_text).unwrap();
    stage.set("UNIT_CONFIG", &config.display().to_string());
    stage
}

pub fn contributing() -> Stage {
    Stage::new()
}

pub fn performance() -> Stage {
    Stage::new()
}

pub fn testing() -> Stage {
    Stage::new()
}

/// The operator of a node that does not run yet.
pub fn configuration() -> Stage {
    let (stage, addresses) = Stage::with_addresses();
    let stage = stage.with_authority();
    let identity = stage.world().config.server.identity.display().to_string();
    let config =
        format!("{addresses}identity = \"{identity}\"\ntrust_domain = \"{TRUST_DOMAIN}\"\n");
    stage.file("tipoff.toml", config);
    stage
}

/// Facegraph's investigator. Birdsite has shared a report and accounts that changed their handles, and sent a tip.
pub fn for_investigators() -> Stage {
    let stage = Stage::with_exchange("facegraph");
    stage.already("birdsite", &["submit", "samples/harbour-network.csv"]);
    let accounts =
        "platform,account,account_id,former_handles\nx,new_desk,1234567,older_desk;old_desk\n";
    stage.file("accounts.csv", accounts);
    stage.already("birdsite", &["submit", "accounts.csv", "--tlp", "GREEN"]);
    let narrative = "We suspended 936 accounts of one network; you may have more of it.";
    stage.already(
        "birdsite",
        &["tip", "send", narrative, "--to", "facegraph", "--urgency", "priority"],
    );
    let block_list: String = (1..=12).map(|n| format!("login-{n}.example\n")).collect();
    stage.file("blocklist.txt", format!("{block_list}old-login.example\n"));
    stage.file("suspects.txt", "harbour-daily.example\nnobody.example\n");
    stage.file("corrected.csv", "domain,confidence\nlighthouse-daily.example,80\n");
    stage.file("values.csv", "domain\nlighthouse-daily.example\n");
    stage.file("report.csv", "domain\nharbour-observer.example\nharbour-shop.example\n");
    stage
}

/// The liaison. Facegraph has released a campaign and sent a tip.
pub fn for_liaisons() -> Stage {
    let stage = Stage::with_exchange("cyber-unit");
    stage.file("network.txt", "harbour-observer.example\nharbour-daily.example\n");
    let basis = ["--release-to", "cyber-unit", "--release-basis", "warrant W-2019-17"];
    let submit = ["submit", "network.txt", "--kind", "domain"];
    stage.already("facegraph", &[&submit[..], &basis].concat());
    stage.already("facegraph", &["tip", "send", "Two sites of one network.", "--to", "cyber-unit"]);
    stage
}

/// The operator sets up an exchange. What the document says about copying a folder is done with a link.
pub fn for_operators() -> Stage {
    let (mut stage, addresses) = Stage::with_addresses();
    for folder in ["secure", "etc/tipoff", "var/lib/tipoff"] {
        let path = stage.path(folder);
        fs::create_dir_all(&path).unwrap();
        stage.replace(&format!("/{folder}"), &path.display().to_string());
    }
    symlink(stage.path("secure/server"), stage.path("etc/tipoff/server")).unwrap();
    stage.replace("https://exchange.example:7443", &stage.real("https://localhost:7443"));
    stage.replace(
        "--server-name exchange.example",
        "--server-name exchange.example --server-name localhost",
    );
    let top = stage.real("tipoff top --once --metrics http://127.0.0.1:7445/metrics");
    stage.replace("tipoff top --once", &top);
    let document = Document::read("docs/for-operators.md");
    let config = document.block("toml").replace("[server]\ngrpc = \"0.0.0.0:7443\"\n", &addresses);
    fs::write(stage.path("etc/tipoff/tipoff.toml"), stage.real(&config)).unwrap();
    stage
}

/// The backend of a platform: facegraph.
pub fn for_platforms() -> Stage {
    let stage = Stage::with_exchange("facegraph");
    stage.already("birdsite", &["submit", "samples/harbour-network.csv"]);
    stage
}

pub fn formats() -> Stage {
    let stage = Stage::with_exchange("facegraph");
    stage.already("birdsite", &["submit", "samples/harbour-network.csv"]);
    fs::copy(stage.path("work/samples/harbour-network.csv"), stage.path("work/report.csv"))
        .unwrap();
    stage
}

/// A member that exports what birdsite has shared, PDQ hashes among it.
pub fn interop() -> Stage {
    let stage = Stage::with_exchange("facegraph");
    stage.already("birdsite", &["submit", "samples/harbour-network.csv"]);
    let hash = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";
    stage.file("hashes.csv", format!("kind,value\npdq,{hash}\n"));
    stage.already("birdsite", &["submit", "hashes.csv"]);
    stage
}

/// The operator, and a member of the restricted group.
pub fn labels() -> Stage {
    Stage::with_exchange("exchange-ops")
}

/// The operator sets up an exchange, on a machine where systemd would run it. Beside it is the stopped node of another
/// exchange, whose journal is in files.
pub fn operations() -> Stage {
    let (mut stage, addresses) = Stage::with_addresses();
    for folder in ["etc/tipoff", "var/lib/tipoff", "backup"] {
        let path = stage.path(folder);
        fs::create_dir_all(&path).unwrap();
        stage.replace(&format!("/{folder}"), &path.display().to_string());
    }
    symlink(stage.path("work/server"), stage.path("etc/tipoff/server")).unwrap();
    let config = stage.path("etc/tipoff/tipoff.toml").display().to_string();
    stage.set("UNIT_CONFIG", &config);
    let (server, data) = (stage.path("work/server"), stage.path("var/lib/tipoff"));
    let config_text = format!(
        "{addresses}trust_domain = \"exchange.example\"\nidentity = \"{}\"\n\n[storage]\ndata = \"{}\"\n\n\
         [[partners]]\nid = \"operations\"\nrole = \"operator\"\n\n[[groups]]\nid = \"industry\"\nmembers = []\n",
        server.display(),
        data.display(),
    );
    fs::write(config, config_text).unwrap();
    stage.replace("https://exchange.example:7443", &stage.real("https://localhost:7443"));
    stage.replace(
        "--server-name exchange.example",
        "--server-name exchange.example --server-name localhost",
    );
    stage.replace(
        "the identity of exchange.example in server",
        "the identity of exchange.example, localhost in server",
    );
    // The document's folder of the container is the working directory.
    fs::copy(root().join("deploy/tipoff.toml"), stage.path("tipoff.toml")).unwrap();
    let server_identity = stage.path("work/server").display().to_string();
    stage.replace("/path/to/server", &server_identity);
    stage.replace("runuser -u tipoff -- ", "env -- ");
    stage.replace("install -d -o tipoff -g tipoff -m 700", "install -d -m 700");
    stage.replace("tipoff-2026-12-01.tar", "tipoff-$(date +%F).tar");
    let top = stage.real("tipoff top --once --metrics http://127.0.0.1:7445/metrics");
    stage.replace("tipoff top --once", &top);
    let authority = stage.path("work/ca").display().to_string();
    stage.replace("/secure/ca", &authority);
    let mut other = World::new();
    other.config.storage.journal = JournalBackend::Files;
    let mut node = Process::prepare(&other);
    node.start();
    node.wait_ready();
    assert!(node.terminate().success());
    fs::rename(&other.config.storage.data, stage.path("work/data")).unwrap();
    fs::create_dir(stage.path("work/old")).unwrap();
    let certificate = other.identity("birdsite").join("cert.pem");
    fs::copy(certificate, stage.path("work/old/cert.pem")).unwrap();
    stage
}
