//! Ingest without storage: streams of four clients are decoded, validated and canonicalised. The
//! limit is a server that only decodes.

use crate::ingest;
use crate::raw::RawServer;
use crate::report::Row;
use crate::work::{self, rate};

pub async fn run(items: u64) -> Row {
    let world = work::world(1);
    let empty = tempfile::tempdir().unwrap();
    let (elapsed, limit) = {
        let reading = RawServer::start_reading(&world);
        let (elapsed, receipts) = ingest::streamed(&world, &reading.url, items).await;
        assert!(!receipts.is_empty());
        let bare = RawServer::start(&world, empty.path());
        let (limit, _) = ingest::streamed(&world, &bare.url, items).await;
        (elapsed, limit)
    };
    Row::of(("wire", items), (rate(items, elapsed), rate(items, limit), "indicators/s"), 0.4, 0.0)
}
