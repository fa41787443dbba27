//! A disk that runs full.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use tipoff::client::ClientError;

use crate::support::disk::Tmpfs;
use crate::support::process::Process;
use crate::support::{World, batch, domain, no_retries, ops_get, soon};
use crate::value;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_makes_the_node_unready_and_is_logged_once_and_so_is_its_end() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("NOT RUN, since this is not root and cannot mount: a disk that runs full");
        return;
    }
    let mut world = World::new();
    let disk = Tmpfs::mount(&world.path("disk"), "64m");
    world.config.storage.data = disk.at.join("data");
    let mut exchange = Process::prepare(&world);
    exchange.start();
    exchange.wait_ready();
    let client = exchange.client(&world, "birdsite").with_retry_policy(no_retries());
    let one = |number| batch("s", number, None, vec![domain(&format!("n{number}.example"))]);
    let ops = exchange.ops();
    client.submit(one(1)).await.unwrap();
    assert!(ops_get(ops, "/ready").await.unwrap().contains("200 OK"));

    // The minimum is 16 MB.
    fs::write(disk.at.join("filler"), vec![1; 52 << 20]).unwrap();
    for number in 2..12 {
        let refused = client.submit(one(number)).await.unwrap_err();
        assert!(matches!(&refused, ClientError::Busy(why) if why.contains("room")), "{refused}");
    }
    let ready = ops_get(ops, "/ready").await.unwrap();
    assert!(ready.contains("503") && ready.contains("MB of disk space are free"), "{ready}");
    let metrics = ops_get(ops, "/metrics").await.unwrap();
    assert_eq!(value(&metrics, "tipoff_ready"), Some(0.0));
    let free = value(&metrics, "tipoff_disk_free_bytes").unwrap();
    assert!(free > 0.0 && free < 16e6, "{free}");

    // Nobody asks and nobody writes: the node finds out by itself.
    fs::remove_file(disk.at.join("filler")).unwrap();
    soon(async {
        while !exchange.log().contains("has room again") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert!(ops_get(ops, "/ready").await.unwrap().contains("200 OK"));
    client.submit(one(2)).await.unwrap();
    let log = exchange.log();
    assert_eq!(log.matches("MB of disk space are free").count(), 1, "{log}");
    assert_eq!(log.matches("has room again").count(), 1, "{log}");
    exchange.terminate();
}
