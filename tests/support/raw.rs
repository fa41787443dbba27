//! Calls with raw bytes, for requests that no client would send.

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

use super::{Running, World};

/// A channel of a partner, without the client library.
pub fn raw_channel(world: &World, node: &Running, partner: &str) -> Channel {
    channel_to(world, &node.url, partner)
}

/// The same for any server.
pub fn channel_to(world: &World, url: &str, partner: &str) -> Channel {
    let folder = world.identity(partner);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read("ca.pem")))
        .identity(Identity::from_pem(read("cert.pem"), read("key.pem")));
    Endpoint::from_shared(url.to_owned()).unwrap().tls_config(tls).unwrap().connect_lazy()
}

/// Sends bytes as a request, and returns the bytes of the response.
pub async fn call_raw(
    channel: &Channel,
    method: &str,
    bytes: impl Into<Bytes>,
) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path: PathAndQuery = method.parse().unwrap();
    let request = Request::new(bytes.into());
    grpc.unary(request, path, AsTheyAre).await.map(tonic::Response::into_inner)
}

/// A codec that passes bytes through.
#[derive(Clone, Copy, Default)]
pub struct AsTheyAre;

impl Codec for AsTheyAre {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for AsTheyAre {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, bytes: Bytes, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.put_slice(&bytes);
        Ok(())
    }
}

impl Decoder for AsTheyAre {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buf.remaining();
        Ok(Some(buf.copy_to_bytes(length)))
    }
}
