//! An accepted connection: its peer, permits and deadlines.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;

use super::limits::Guard;
use super::open::OpenConnection;
use super::{PeerInfo, Source};
use crate::domain::PartnerId;

/// A connection after its handshake. It ends when the client's certificate expires or is revoked, or early if
/// the client sends nothing.
#[derive(Debug)]
pub struct Connection {
    stream: TlsStream<TcpStream>,
    peer: PeerInfo,
    /// Fires when the client's certificate expires.
    certificate_expiry: Pin<Box<Sleep>>,
    /// Completes when the client's certificate is revoked.
    revoked: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Fires if no bytes arrive in time; `None` after the first ones.
    first_request_deadline: Option<Pin<Box<Sleep>>>,
    _permits: ConnectionPermits,
}

/// The permits that a connection holds.
#[derive(Debug)]
pub struct ConnectionPermits {
    /// Counts towards all connections.
    pub total: OwnedSemaphorePermit,
    /// Counts towards its partner, or towards its source if it is unidentified.
    pub share: Share,
    /// Its entry among the open connections.
    pub open: OpenConnection,
}

/// The limit that a connection counts towards.
#[derive(Debug)]
pub enum Share {
    /// The limit per partner.
    Partner(#[allow(dead_code)] Guard<PartnerId>),
    /// The limit per source.
    Source(#[allow(dead_code)] Guard<Source>),
}

impl Connection {
    /// Wraps a stream. `lifetime` is the remaining validity of the client's certificate.
    pub fn new(
        stream: TlsStream<TcpStream>,
        peer: PeerInfo,
        lifetime: Duration,
        first_request_timeout: Duration,
        permits: ConnectionPermits,
    ) -> Self {
        // Tokio's timers reach about two years. No connection lives that long: the limit on its age
        // ends it first.
        let lifetime = lifetime.min(Duration::from_secs(365 * 86_400));
        Self {
            stream,
            peer,
            certificate_expiry: Box::pin(tokio::time::sleep(lifetime)),
            revoked: Box::pin(permits.open.closed.clone().cancelled_owned()),
            first_request_deadline: Some(Box::pin(tokio::time::sleep(first_request_timeout))),
            _permits: permits,
        }
    }
}

impl Connection {
    /// Completes with an error once the client's certificate has expired or was revoked. Writes ask it too: a peer that
    /// reads nothing would keep the connection from reading.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let message = if self.certificate_expiry.as_mut().poll(cx).is_ready() {
            "the client's certificate has expired"
        } else if self.revoked.as_mut().poll(cx).is_ready() {
            "the client's certificate was revoked"
        } else {
            return Poll::Pending;
        };
        Poll::Ready(io::Error::new(io::ErrorKind::ConnectionAborted, message))
    }
}

impl Connected for Connection {
    type ConnectInfo = PeerInfo;

    fn connect_info(&self) -> PeerInfo {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_end(cx) {
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.first_request_deadline = None;
        } else if let Some(deadline) = &mut self.first_request_deadline
            && read.is_pending()
            && deadline.as_mut().poll(cx).is_ready()
        {
            let message = "the client sent nothing in time";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(error) = self.poll_end(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_end(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(error) = self.poll_end(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
