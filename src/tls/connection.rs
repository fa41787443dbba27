//! An accepted connection: who is there, and for how long it may stay.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::PeerInfo;
use super::limits::Guard;
use crate::domain::PartnerId;

/// A connection whose handshake is done. It ends with its certificate, and early if nothing is
/// asked on it.
#[derive(Debug)]
pub struct Connection {
    stream: TlsStream<TcpStream>,
    peer: PeerInfo,
    /// When it ends, whatever happens on it: the certificate's end.
    ends: Pin<Box<Sleep>>,
    /// Until when the first bytes are awaited.
    silence: Option<Pin<Box<Sleep>>>,
    _counted: Counted,
}

/// What a connection holds of the bounds.
#[derive(Debug)]
pub struct Counted {
    /// Of all connections.
    pub total: OwnedSemaphorePermit,
    /// Of its partner's; of its address's where it names no partner.
    pub share: Share,
}

/// Whose share of the connections it is.
#[derive(Debug)]
pub enum Share {
    /// A partner's.
    Partner(#[allow(dead_code)] Guard<PartnerId>),
    /// An address's.
    Address(#[allow(dead_code)] Guard<IpAddr>),
}

impl Connection {
    /// Takes an accepted stream.
    pub fn new(
        stream: TlsStream<TcpStream>,
        peer: PeerInfo,
        lives: Duration,
        silence: Duration,
        counted: Counted,
    ) -> Self {
        // A timer reaches some two years; a certificate that ends later has its connection renewed
        // long before by the bound on a connection's age.
        let lives = lives.min(Duration::from_secs(365 * 86_400));
        Self {
            stream,
            peer,
            ends: Box::pin(tokio::time::sleep(lives)),
            silence: Some(Box::pin(tokio::time::sleep(silence))),
            _counted: counted,
        }
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
        if self.ends.as_mut().poll(cx).is_ready() {
            let message = "the client's certificate has ended";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, message)));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.silence = None;
        } else if let Some(silence) = &mut self.silence
            && read.is_pending()
            && silence.as_mut().poll(cx).is_ready()
        {
            let message = "nothing was asked on the connection";
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
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
