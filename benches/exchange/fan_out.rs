//! One publisher, and many subscribers with different rights and filters.
//!
//! `fan-out` measures the delivery rate: the items are stored, recent, and not cached for readers
//! yet. In `fan-out live`, the subscribers follow while the publisher publishes. Clients count the
//! items in the received bytes and decode nothing, so that the exchange is measured. The limit
//! sends exactly the bytes that the exchange sent.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::uri::PathAndQuery;
use prost::Message;
use prost::encoding::{decode_key, decode_varint};
use tipoff::wire::pb;
use tipoff::wire::pb::subscribe_request::Start;
use tokio::task::JoinHandle;
use tonic::Request;
use tonic::client::Grpc;
use tonic::transport::Channel;

use crate::raw::{self, RawServer};
use crate::report::Row;
use crate::support::process::Process;
use crate::support::raw::{AsTheyAre, call_raw, channel_to};
use crate::support::{World, named, sharing};
use crate::work::{self, Used, rate, started};

const SUBMIT: &str = "/tipoff.v1.IndicatorService/SubmitIndicators";
/// Enough partners that a thousand readers stay within the connection limit of a partner.
const PARTNERS: usize = 20;
/// The connections of these partners.
pub const MAX_READERS: u64 = 64 * PARTNERS as u64;
const BATCH: u64 = 500;
/// The size of one round of deliveries. It fits into the memory cache of the exchange.
const ROUND: u64 = 50_000;

/// Delivers what was stored before, with at least this many deliveries.
pub async fn run(subscribers: usize, deliveries: u64) -> Row {
    let bench = Bench::new(subscribers);
    let rounds = deliveries.div_ceil(ROUND * subscribers as u64);
    let mut elapsed = Duration::ZERO;
    let mut start = Start::FromStart(pb::FromStart {});
    let mut messages = Vec::new();
    for round in 0..rounds {
        let items = round * ROUND..(round + 1) * ROUND;
        bench.publish(batches(items.clone())).await;
        let requests = bench.readers.iter().map(|reader| reader.request(start.clone()));
        let (took, received) = bench.follow(requests.collect(), items).await;
        elapsed += took;
        start = Start::Cursor(last_cursor(&received[0]));
        messages = received;
    }
    bench.row("fan-out", rounds, elapsed, &messages).await
}

/// Delivers what is published at the same time.
pub async fn live(subscribers: usize) -> Row {
    let bench = Bench::new(subscribers);
    let now = Start::FromNow(pb::FromNow {});
    let requests = bench.readers.iter().map(|reader| reader.request(now.clone()));
    let batches = batches(0..ROUND);
    let following = bench.follow(requests.collect(), 0..ROUND);
    let publishing = async {
        // Streams from now must have started before.
        tokio::time::sleep(Duration::from_secs(1)).await;
        #[allow(clippy::disallowed_methods)]
        let start = Instant::now();
        bench.publish(batches).await;
        start
    };
    let (start, (_, messages)) = tokio::join!(publishing, following);
    bench.row("fan-out live", 1, start.elapsed(), &messages).await
}

struct Bench {
    world: World,
    exchange: Process,
    readers: Vec<Reader>,
    channels: Vec<Channel>,
}

impl Bench {
    fn new(subscribers: usize) -> Self {
        let world = work::world(PARTNERS);
        let exchange = started(&world);
        let readers: Vec<_> = (0..subscribers).map(Reader).collect();
        let channels = channels(&world, &exchange.url(), &readers);
        Self { world, exchange, readers, channels }
    }

    async fn publish(&self, batches: Vec<Bytes>) {
        let publisher = channel_to(&self.world, &self.exchange.url(), "p0");
        for batch in batches {
            call_raw(&publisher, SUBMIT, batch).await.unwrap();
        }
    }

    /// The time until every reader had everything, and the messages of the first readers, one of
    /// each sort.
    async fn follow(&self, requests: Vec<Bytes>, items: Range<u64>) -> (Duration, Vec<Vec<Bytes>>) {
        let expected = self.readers.iter().map(|reader| reader.expects(items.clone())).collect();
        follow(&self.channels, requests, expected).await
    }

    async fn row(
        mut self,
        scenario: &'static str,
        rounds: u64,
        elapsed: Duration,
        messages: &[Vec<Bytes>],
    ) -> Row {
        let used = Used::by(self.exchange.id());
        assert!(self.exchange.terminate().success());
        let expected = |reader: &Reader| reader.expects(0..ROUND);
        let once: u64 = self.readers.iter().map(expected).sum();

        let folder = tempfile::tempdir().unwrap();
        let limit = self.limit(folder.path(), messages, rounds).await;
        let figures = (rate(rounds * once, elapsed), rate(rounds * once, limit), "deliveries/s");
        let subscribers = self.readers.len();
        let floor = if subscribers == 100 { 2_000_000.0 } else { 0.0 };
        Row {
            rss_mb: used.rss_mb,
            cpu_s: used.cpu_s,
            ..Row::of((scenario, subscribers as u64), figures, 0.6, floor)
        }
    }

    async fn limit(&self, folder: &Path, messages: &[Vec<Bytes>], rounds: u64) -> Duration {
        for (number, stream) in messages.iter().enumerate() {
            raw::write_stream(folder, number, stream);
        }
        let server = RawServer::start(&self.world, folder);
        let channels = channels(&self.world, &server.url, &self.readers);
        let mut elapsed = Duration::ZERO;
        for _ in 0..rounds {
            let sort = |reader: &Reader| u8::try_from(reader.0 % Reader::SORTS).unwrap();
            let named =
                |reader: &Reader| Start::Cursor(pb::Cursor { token: vec![sort(reader)].into() });
            let requests = self.readers.iter().map(|reader| reader.request(named(reader)));
            let expected = self.readers.iter().map(|reader| reader.expects(0..ROUND));
            let (took, _) = follow(&channels, requests.collect(), expected.collect()).await;
            elapsed += took;
        }
        elapsed
    }
}

/// A subscriber by its number: its partner and its filter.
#[derive(Clone, Copy, Debug)]
struct Reader(usize);

impl Reader {
    /// Two kinds of rights times four filters.
    const SORTS: usize = 8;

    fn partner(self) -> String {
        format!("p{}", self.0 % PARTNERS)
    }

    fn request(self, start: Start) -> Bytes {
        let filter = match self.filter() {
            0 => None,
            1 => Some(pb::Filter { kinds: vec![pb::Kind::Domain.into()], ..Default::default() }),
            2 => Some(pb::Filter { labels: vec!["spam".into()], ..Default::default() }),
            _ => Some(pb::Filter { min_confidence: Some(50), ..Default::default() }),
        };
        pb::SubscribeRequest { start: Some(start), filter, ..Default::default() }
            .encode_to_vec()
            .into()
    }

    fn filter(self) -> usize {
        self.0 / 2 % 4
    }

    fn expects(self, items: Range<u64>) -> u64 {
        items.filter(|item| self.gets(*item)).count() as u64
    }

    fn gets(self, item: u64) -> bool {
        let may_see = self.0.is_multiple_of(2) || !is_for_even(item / BATCH);
        let asks = match self.filter() {
            0 => true,
            1 => item.is_multiple_of(2),
            2 => item % 4 == 2,
            _ => item % 4 < 2,
        };
        may_see && asks
    }
}

/// One batch in four goes to every second partner only.
fn is_for_even(batch: u64) -> bool {
    batch % 4 == 2
}

/// Batches of domains and handles in turn, some with the label spam, with different confidence.
fn batches(items: Range<u64>) -> Vec<Bytes> {
    let batches = items.start / BATCH..items.end / BATCH;
    batches
        .map(|batch| {
            let group = if is_for_even(batch) { "even" } else { "all" };
            let items = (batch * BATCH..(batch + 1) * BATCH).map(item).collect();
            let sharing = sharing(pb::Tlp::Amber, named(&[group], &[]));
            let number = u32::try_from(batch).unwrap() + 1;
            work::encode("published", number, items, Some(sharing))
        })
        .collect()
}

fn item(number: u64) -> pb::SubmittedIndicator {
    let mut item = work::item(number);
    if number % 2 == 1 {
        item.kind = pb::Kind::Account.into();
        item.platform = "x".into();
        item.value = format!("u{:014x}", work::spread(number) >> 8);
    }
    let assessment = item.assessment.get_or_insert_default();
    assessment.confidence = Some(if number % 4 < 2 { 80 } else { 30 });
    if number % 4 == 2 {
        assessment.labels.push("spam".into());
    }
    item
}

fn channels(world: &World, url: &str, readers: &[Reader]) -> Vec<Channel> {
    readers.iter().map(|reader| channel_to(world, url, &reader.partner())).collect()
}

async fn follow(
    channels: &[Channel],
    requests: Vec<Bytes>,
    expected: Vec<u64>,
) -> (Duration, Vec<Vec<Bytes>>) {
    for channel in channels {
        // Connected before the clock starts.
        let _ = call_raw(channel, SUBMIT, Bytes::new()).await;
    }
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let reading: Vec<JoinHandle<Vec<Bytes>>> = channels
        .iter()
        .zip(requests)
        .zip(expected)
        .enumerate()
        .map(|(number, ((channel, request), expected))| {
            let keeps = number < Reader::SORTS;
            tokio::spawn(read(channel.clone(), request, expected, keeps))
        })
        .collect();
    let mut messages = Vec::new();
    for reader in reading {
        messages.push(reader.await.unwrap());
    }
    let elapsed = start.elapsed();
    messages.truncate(Reader::SORTS);
    (elapsed, messages)
}

/// Follows until this many items have arrived.
pub async fn take(channel: Channel, request: Bytes, expected: u64) {
    stream(channel, request, expected, false).await;
}

async fn read(channel: Channel, request: Bytes, expected: u64, keeps: bool) -> Vec<Bytes> {
    let (received, messages) = stream(channel, request, expected, keeps).await;
    assert_eq!(received, expected, "what the reader may see and its filter matches, and no more");
    messages
}

async fn stream(channel: Channel, request: Bytes, expected: u64, keeps: bool) -> (u64, Vec<Bytes>) {
    let mut grpc = Grpc::new(channel).max_decoding_message_size(8 * 1024 * 1024);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/tipoff.v1.FeedService/Subscribe");
    let answer = grpc.server_streaming(Request::new(request), path, AsTheyAre).await.unwrap();
    let mut stream = answer.into_inner();
    let (mut received, mut messages) = (0, Vec::new());
    while received < expected {
        let message = stream.message().await.unwrap().expect("the stream is open");
        received += count(message.clone());
        if keeps {
            messages.push(message);
        }
    }
    (received, messages)
}

/// The number of items in the bytes of a message: its fields with number 1.
fn count(mut message: Bytes) -> u64 {
    let mut items = 0;
    while message.has_remaining() {
        let (field, _) = decode_key(&mut message).unwrap();
        let length = usize::try_from(decode_varint(&mut message).unwrap()).unwrap();
        message.advance(length);
        items += u64::from(field == 1);
    }
    items
}

fn last_cursor(messages: &[Bytes]) -> pb::Cursor {
    let message = pb::SubscribeResponse::decode(messages.last().unwrap().clone()).unwrap();
    message.items.last().unwrap().cursor.clone().unwrap()
}
