//! Live streams with nothing to send: the memory and CPU that each costs.

use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use tipoff::wire::pb;
use tipoff::wire::pb::subscribe_request::Start;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Streaming};

use crate::report::Row;
use crate::support::raw::{AsTheyAre, channel_to};
use crate::work::{self, Used, resident_mb, started};

const PARTNERS: usize = 10;
/// The stream limit of one connection.
const STREAMS_A_CONNECTION: usize = 100;
/// The heartbeat interval.
const WATCHED: Duration = Duration::from_secs(15);

pub async fn run(streams: usize) -> Row {
    let world = work::world(PARTNERS);
    let mut exchange = started(&world);
    let before = resident_mb(exchange.id());
    let now = Start::FromNow(pb::FromNow {});
    let request = pb::SubscribeRequest { start: Some(now), ..Default::default() };
    let request = Bytes::from(request.encode_to_vec());
    let mut open = Vec::with_capacity(streams);
    let mut channel = None;
    for number in 0..streams {
        if number.is_multiple_of(STREAMS_A_CONNECTION) {
            let partner = format!("p{}", number / STREAMS_A_CONNECTION % PARTNERS);
            channel = Some(channel_to(&world, &exchange.url(), &partner));
        }
        open.push(opened(channel.clone().unwrap(), request.clone()).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (held, began) = (resident_mb(exchange.id()), Used::by(exchange.id()));
    tokio::time::sleep(WATCHED).await;
    let used = Used::by(exchange.id());
    drop(open);
    assert!(exchange.terminate().success());
    #[allow(clippy::cast_precision_loss)]
    let each_kb = (held - before) * 1024.0 / streams as f64;
    let busy = (used.cpu_s - began.cpu_s) / WATCHED.as_secs_f64();
    Row {
        met: each_kb <= 60.0 && busy <= 0.05,
        rss_mb: used.rss_mb,
        cpu_s: used.cpu_s - began.cpu_s,
        ..Row::of(("idle", streams as u64), (each_kb, 60.0, "KB each, at most"), 1.0, 0.0)
    }
}

/// A stream whose first message has arrived.
async fn opened(channel: Channel, request: Bytes) -> Streaming<Bytes> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/tipoff.v1.FeedService/Subscribe");
    let answer = grpc.server_streaming(Request::new(request), path, AsTheyAre).await.unwrap();
    let mut stream = answer.into_inner();
    stream.message().await.unwrap().expect("its place");
    stream
}
