//! The client's side of a connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::verifiers::ServerVerifier;
use super::{IdentityFolder, provider};

/// Makes TLS connections to one server, with the certificate of an identity folder.
#[derive(Clone)]
pub struct ClientTls {
    connector: TlsConnector,
    server: ServerName<'static>,
}

impl ClientTls {
    /// Connections to a server with this name or address, for HTTP/2.
    pub fn new(identity: IdentityFolder, server: &str) -> Result<Self, String> {
        let server = ServerName::try_from(server.to_owned()).map_err(|error| error.to_string())?;
        let verifier = Arc::new(ServerVerifier::of(&identity)?);
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(identity.chain, identity.key)
            .map_err(|error| error.to_string())?;
        config.alpn_protocols.push(b"h2".to_vec());
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), server })
    }

    /// Performs the handshake, and waits for the first bytes of the server. Each of the two may take as long as `limit`.
    ///
    /// In TLS 1.3 a client has finished the handshake before the server looks at its certificate. The first bytes of an
    /// HTTP/2 server are its settings, or the TLS alert with which it refuses the certificate. An alert that arrives
    /// after a request was queued is lost: hyper reports such a request as cancelled, without a cause.
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        limit: Duration,
    ) -> io::Result<BufReader<TlsStream<S>>> {
        let handshake = self.connector.connect(self.server.clone(), stream);
        let silent = |_| {
            let seconds = limit.as_secs();
            let reason = format!("it took the connection, but sent nothing for {seconds} s");
            io::Error::new(io::ErrorKind::TimedOut, reason)
        };
        let mut stream = BufReader::new(timeout(limit, handshake).await.map_err(silent)??);
        let first = timeout(limit, stream.fill_buf()).await.map_err(silent)??;
        if first.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it closed the connection at once",
            ));
        }
        Ok(stream)
    }
}
