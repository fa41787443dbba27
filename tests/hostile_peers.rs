//! Peers that attack the exchange below gRPC: the calls of others stay fast, and its memory bounded.
//!
//! Strangers attack the handshake; a partner attacks HTTP/2, which nobody else reaches. Attackers come from 127.0.0.2, the
//! good client from 127.0.0.1. Measures time and memory, so it runs alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use support::World;
use support::clock::stopwatch;
use support::process::Process;
use tipoff::client::{Client, FeedStart};
use tipoff::wire::pb;

/// How long each attack goes on.
const ATTACK: Duration = Duration::from_secs(3);
/// Connections that attack at the same time.
const ATTACKERS: usize = 8;
/// The most memory that the exchange may take under any attack.
const MAX_MEGABYTES: u64 = 250;
/// Connections of strangers that are open at the same time.
const STRANGERS: usize = 10_000;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const END_HEADERS: u8 = 4;

/// The types of frames, by RFC 9113, section 6.
mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PING: u8 = 6;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The headers of a call, in HPACK without a table.
fn call_headers() -> Vec<u8> {
    // `:method: POST` and `:scheme: https` by their index.
    let mut block = vec![0x83, 0x87];
    let mut literal = |index: &[u8], value: &str| {
        block.extend(index);
        block.push(u8::try_from(value.len()).unwrap());
        block.extend(value.as_bytes());
    };
    literal(&[0x04], "/tipoff.v1.PartnerService/WhoAmI");
    literal(&[0x01], "localhost");
    literal(&[0x0f, 0x10], "application/grpc");
    block
}

/// The bytes that an attack sends again and again. `round` counts them on one connection, from 0.
type Attack = fn(round: u32) -> Vec<u8>;

const ATTACKS: [(&str, Attack); 10] = [
    ("rapid reset", |round| {
        let stream = round * 2 + 1;
        let open = frame(kind::HEADERS, END_HEADERS, stream, &call_headers());
        [open, frame(kind::RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat()
    }),
    ("endless headers", |round| {
        if round == 0 {
            return frame(kind::HEADERS, 0, 1, &call_headers());
        }
        // A header of its own in each.
        let name = format!("x-{round:08}");
        let header = [&[0, 10][..], name.as_bytes(), &[1, b'y']].concat();
        frame(kind::CONTINUATION, 0, 1, &header)
    }),
    ("settings", |_| frame(kind::SETTINGS, 0, 0, &[])),
    ("pings", |round| frame(kind::PING, 0, 0, &u64::from(round).to_be_bytes())),
    ("priorities", |round| frame(kind::PRIORITY, 0, round * 2 + 1, &[0, 0, 0, 0, 16])),
    ("empty data", |round| {
        if round == 0 {
            return frame(kind::HEADERS, END_HEADERS, 1, &call_headers());
        }
        frame(kind::DATA, 0, 1, &[])
    }),
    ("window updates", |_| frame(kind::WINDOW_UPDATE, 0, 0, &1u32.to_be_bytes())),
    ("half requests", |round| frame(kind::HEADERS, END_HEADERS, round * 2 + 1, &call_headers())),
    ("one byte at a time", |round| {
        let request = frame(kind::HEADERS, END_HEADERS, 1, &call_headers());
        vec![request[round as usize % request.len()]]
    }),
    ("noise", |round| vec![u8::try_from(round % 251).unwrap(); 64]),
];

/// A TLS connection of a partner from the address of attackers.
async fn connect(identity: &Path, to: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let certificates = |name: &str| -> Vec<CertificateDer<'static>> {
        let read = CertificateDer::pem_file_iter(identity.join(name)).unwrap();
        read.collect::<Result<_, _>>().unwrap()
    };
    let mut roots = rustls::RootCertStore::empty();
    for root in certificates("ca.pem") {
        roots.add(root).unwrap();
    }
    let key = PrivateKeyDer::from_pem_file(identity.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(certificates("cert.pem"), key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = connect_silent(to).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn connect_silent(to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind("127.0.0.2:0".parse().unwrap())?;
    socket.connect(to).await
}

/// Sends an attack over one connection after the other until it is aborted. Counts what it sends.
async fn attack(identity: std::path::PathBuf, to: SocketAddr, bytes: Attack, sent: Arc<AtomicU64>) {
    loop {
        let Ok(stream) = connect(&identity, to).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let (mut reader, mut writer) = tokio::io::split(stream);
        let drain = tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            while reader.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
        });
        let opening = [PREFACE, &frame(kind::SETTINGS, 0, 0, &[])].concat();
        let mut alive = writer.write_all(&opening).await.is_ok();
        // Streams have odd numbers of 31 bits.
        for round in 0..1 << 29 {
            if !alive || drain.is_finished() {
                break;
            }
            alive = writer.write_all(&bytes(round)).await.is_ok() && writer.flush().await.is_ok();
            sent.fetch_add(alive.into(), Ordering::Relaxed);
            if bytes(0).len() == 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        drain.abort();
    }
}

/// How long the calls of the good client took.
struct Latencies {
    p99: Duration,
    slowest: Duration,
    calls: usize,
}

/// Calls as a good client, over an open connection and over new ones, until `until` has passed. Fails if a call does.
async fn good_client(world: &World, exchange: &Process, until: Duration) -> Latencies {
    let identity = world.identity("birdsite");
    let url = exchange.url();
    let connect = || Client::new(&url, &identity).unwrap().with_retry_policy(support::no_retries());
    let open = connect();
    let start = stopwatch();
    let mut times = Vec::new();
    while start.elapsed() < until || times.len() < 100 {
        let fresh = connect();
        let client = if times.len() % 2 == 0 { &open } else { &fresh };
        let call = stopwatch();
        client.who_am_i().await.unwrap_or_else(|error| panic!("call {}: {error}", times.len()));
        times.push(call.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times.sort_unstable();
    let calls = times.len();
    Latencies { p99: times[calls * 99 / 100], slowest: times[calls - 1], calls }
}

fn megabytes(exchange: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", exchange.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

fn started(world: &World) -> Process {
    let mut exchange = Process::prepare(world);
    exchange.start();
    exchange.wait_ready();
    exchange
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_on_http_2_slow_nobody_down() {
    let world = World::new();
    let mut exchange = started(&world);
    let identity = world.identity("facegraph");
    for (name, bytes) in ATTACKS {
        let sent = Arc::new(AtomicU64::new(0));
        let mut attackers = JoinSet::new();
        for _ in 0..ATTACKERS {
            attackers.spawn(attack(identity.clone(), exchange.grpc(), bytes, Arc::clone(&sent)));
        }
        let Latencies { p99, slowest, calls } = good_client(&world, &exchange, ATTACK).await;
        attackers.shutdown().await;
        let (sent, used) = (sent.load(Ordering::Relaxed), megabytes(&exchange));
        eprintln!(
            "{name}: {sent} sent; {calls} calls, p99 {p99:?}, slowest {slowest:?}; {used} MB"
        );
        assert!(sent > 100, "{name}: {sent} frames are no attack");
        assert!(p99 < Duration::from_secs(1), "{name}: p99 {p99:?}");
        assert!(used < MAX_MEGABYTES, "{name}: {used} MB");
    }
    // The partner that attacked is served again.
    exchange.client(&world, "facegraph").who_am_i().await.unwrap();
    let lines = exchange.log().lines().count();
    assert!(lines < 1_000, "{lines} lines in the log");
    assert!(exchange.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_strangers_slow_nobody_down() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let world = World::new();
    let mut exchange = started(&world);
    for (name, first) in
        [("silent", &[][..]), ("half a hello", &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])]
    {
        let mut strangers = Vec::new();
        for number in 0..STRANGERS {
            let mut stream =
                connect_silent(exchange.grpc()).await.unwrap_or_else(|e| panic!("{number}: {e}"));
            // Fails if the exchange has given its place to another one.
            let _ = stream.write_all(first).await;
            strangers.push(stream);
        }
        let Latencies { p99, slowest, calls } = good_client(&world, &exchange, ATTACK).await;
        let used = megabytes(&exchange);
        eprintln!("{name}: {calls} calls, p99 {p99:?}, slowest {slowest:?}; {used} MB");
        assert!(p99 < Duration::from_secs(1), "{name}: p99 {p99:?}");
        assert!(used < MAX_MEGABYTES, "{name}: {used} MB");
    }
    let lines = exchange.log().lines().count();
    assert!(lines < 1_000, "{lines} lines in the log");
    assert!(exchange.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_sends_nothing_after_its_handshake_is_cut_off() {
    let world = World::new();
    let mut exchange = started(&world);
    let mut stream = connect(&world.identity("facegraph"), exchange.grpc()).await.unwrap();
    let mut bytes = [0; 1024];
    let ended = async { while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("it stays open");
    exchange.client(&world, "birdsite").who_am_i().await.unwrap();
    assert!(exchange.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_and_a_suspension_end_a_stream_within_a_second() {
    let world = World::new();
    let mut exchange = started(&world);
    let operator = exchange.client(&world, "exchange-ops");
    let follow = async |partner: &str| {
        let client = exchange.client(&world, partner).with_retry_policy(support::no_retries());
        let mut feed = client.subscribe(FeedStart::Now, None);
        // The first event has the cursor.
        assert!(tokio::time::timeout(Duration::from_secs(1), feed.next()).await.is_err());
        feed
    };
    let (mut revoked, mut suspended) = (follow("birdsite").await, follow("facegraph").await);
    let certificates = pb::revoke_certificate_request::Certificates::Partner("birdsite".into());
    let request = pb::RevokeCertificateRequest {
        certificates: Some(certificates),
        reason: "a laptop was stolen".into(),
    };
    let start = stopwatch();
    operator.revoke_certificate(request).await.unwrap();
    revoked.next().await.unwrap_err();
    let until_revoked = start.elapsed();
    let start = stopwatch();
    let request = pb::SuspendPartnerRequest { id: "facegraph".into(), compromised_since: None };
    operator.suspend_partner(request).await.unwrap();
    suspended.next().await.unwrap_err();
    let until_suspended = start.elapsed();
    eprintln!("revoked after {until_revoked:?}, suspended after {until_suspended:?}");
    assert!(until_revoked < Duration::from_secs(1), "{until_revoked:?}");
    assert!(until_suspended < Duration::from_secs(1), "{until_suspended:?}");
    assert!(exchange.terminate().success());
}
