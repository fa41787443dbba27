//! The system calls of an exchange, against those that its unit allows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nix::sys::signal::Signal;
use tipoff::config::JournalBackend;

use super::support::process::Process;
use super::support::{World, batch, domain, soon};
use super::systemd::{systemd_analyze, values};

/// The sets of system calls, as this version of systemd has them.
struct Sets(BTreeMap<String, Vec<String>>);

impl Sets {
    fn read() -> Self {
        let mut sets: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut current = String::new();
        let (listed, _) = systemd_analyze(&["syscall-filter", "--no-pager"]);
        for line in listed.lines() {
            match line.trim_start() {
                "" => {}
                comment if comment.starts_with('#') => {}
                // The heading of a set begins the line; its calls and the sets in it are indented.
                name if !line.starts_with(' ') => name.clone_into(&mut current),
                call => sets.entry(current.clone()).or_default().push(call.to_owned()),
            }
        }
        Self(sets)
    }

    fn calls(&self, name: &str) -> BTreeSet<String> {
        match self.0.get(name) {
            Some(names) => names.iter().flat_map(|name| self.calls(name)).collect(),
            None => BTreeSet::from([name.to_owned()]),
        }
    }

    /// The calls that the unit allows: the first line lists what is allowed, `~` takes away, later lines add.
    fn allowed(&self) -> BTreeSet<String> {
        let mut allowed = BTreeSet::new();
        for line in values("SystemCallFilter") {
            let (is_denied, names) = match line.strip_prefix('~') {
                Some(names) => (true, names),
                None => (false, line.as_str()),
            };
            for call in names.split(' ').flat_map(|name| self.calls(name)) {
                if is_denied {
                    allowed.remove(&call);
                } else {
                    allowed.insert(call);
                }
            }
        }
        allowed
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_makes_no_system_call_that_its_unit_denies() {
    let allowed = Sets::read().allowed();
    assert!(allowed.contains("fdatasync") && !allowed.contains("mount"), "{allowed:?}");
    for journal in [JournalBackend::Sled, JournalBackend::Files] {
        let mut world = World::new();
        world.config.storage.journal = journal;
        let made = calls_of_a_node(&world).await;
        assert!(made.contains("fdatasync") && made.contains("accept4"), "{made:?}");
        let denied: Vec<_> = made.difference(&allowed).collect();
        assert!(denied.is_empty(), "{journal:?}: {denied:?}");
    }
}

/// Starts a node, uses it, reloads and stops it, and returns the system calls that it made.
async fn calls_of_a_node(world: &World) -> BTreeSet<String> {
    let summary = world.path("calls");
    let mut node = Process::prepare(world);
    // With -D the node is the direct child, and gets the signals.
    node.set_launcher(&["strace", "-D", "-f", "-qq", "-c", "-o", summary.to_str().unwrap()]);
    node.start();
    node.wait_ready();
    let items = (0..500).map(|number| domain(&format!("n{number}.example"))).collect();
    let client = node.client(world, "birdsite");
    client.submit(batch("s", 1, None, items)).await.unwrap();
    node.signal(Signal::SIGHUP);
    soon(async {
        while !node.log().contains("reloaded the configuration") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(node.terminate().success(), "{}", node.log());
    // strace writes it after the node has ended.
    let text = soon(async {
        loop {
            match std::fs::read_to_string(&summary) {
                Ok(text) if text.trim_end().ends_with("total") => return text,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    })
    .await;
    // Each row begins with its share of the time. The last one is the sum.
    let rows =
        text.lines().filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()));
    let names = rows.filter_map(|row| row.split_whitespace().last());
    names.filter(|name| *name != "total").map(str::to_owned).collect()
}
