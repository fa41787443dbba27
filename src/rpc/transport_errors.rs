//! Gives the errors that tonic makes itself the codes and details that errors of the exchange have.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::status::status;
use crate::domain::Invalid;
use crate::error::{Error, Kind};

/// Ends calls that take longer than `timeout` with `DEADLINE_EXCEEDED`, up to the head of their response. tonic's own
/// timeout ends them with `CANCELLED`, which means that the client did it. A deadline that the client sends is left to
/// tonic. Messages that tonic does not read get the codes of [`with_exchange_code`].
#[derive(Clone, Copy, Debug)]
pub struct TransportErrorsLayer {
    /// The longest time until the head of a response.
    pub timeout: Duration,
}

impl<S> Layer<S> for TransportErrorsLayer {
    type Service = TransportErrors<S>;

    fn layer(&self, inner: S) -> TransportErrors<S> {
        TransportErrors { inner, timeout: self.timeout }
    }
}

/// A service wrapped by [`TransportErrorsLayer`].
#[derive(Clone, Debug)]
pub struct TransportErrors<S> {
    inner: S,
    timeout: Duration,
}

impl<S> Service<Request<Body>> for TransportErrors<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (timeout, call) = (self.timeout, self.inner.call(request));
        Box::pin(async move {
            let Ok(result) = tokio::time::timeout(timeout, call).await else {
                let message = format!("the exchange did not answer within {} s", timeout.as_secs());
                let error = Error::new(Kind::TimedOut, "timed_out", message);
                return Ok(status(&error).into_http());
            };
            let response = result?;
            // A response that is an error has its status in the head.
            Ok(match Status::from_header_map(response.headers()) {
                Some(error) => match rename(&error) {
                    Some(renamed) => status(&renamed).into_http(),
                    None => response,
                },
                None => response,
            })
        })
    }
}

/// The status of an error that a stream of requests ended with: that of a message which is too large or cannot be decoded
/// gets the code and details that the exchange gives such requests.
pub fn with_exchange_code(error: Status) -> Status {
    rename(&error).map_or(error, |renamed| status(&renamed))
}

/// `None` if the error is not tonic's, or has the right code. tonic tells its errors apart only by their text.
fn rename(error: &Status) -> Option<Error> {
    if !error.details().is_empty() {
        return None;
    }
    let text = error.message();
    match error.code() {
        Code::OutOfRange => {
            let (_, sizes) = text.split_once("decoded message length too large: ")?;
            let message = format!("the message is too large: {sizes}");
            Some(Error::new(Kind::Quota, "message_too_large", message))
        }
        Code::Internal => {
            // A wrong compression flag is INTERNAL by gRPC's own rule.
            const UNDECODABLE: [&str; 3] = [
                "failed to decode Protobuf message",
                "Missing request message",
                "Unexpected EOF decoding stream",
            ];
            let is_undecodable = UNDECODABLE.iter().any(|start| text.starts_with(start));
            is_undecodable
                .then(|| Error::invalid(Invalid::new("message", format!("cannot be read: {text}"))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_tonic_get_the_codes_of_the_exchange() {
        let large = "Error, decoded message length too large: found 9 bytes, the limit is: 8 bytes";
        let undecodable = "failed to decode Protobuf message: invalid wire type";
        let table = [
            (Status::out_of_range(large), Code::ResourceExhausted),
            (Status::internal(undecodable), Code::InvalidArgument),
            (Status::internal("Unexpected EOF decoding stream."), Code::InvalidArgument),
            (Status::internal("anything else"), Code::Internal),
            (Status::out_of_range("the cursor is of another epoch"), Code::OutOfRange),
        ];
        for (error, code) in table {
            let text = error.message().to_owned();
            assert_eq!(with_exchange_code(error).code(), code, "{text}");
        }
        let ours = status(&Error::internal("receipt", "failed to decode Protobuf message"));
        assert_eq!(with_exchange_code(ours).code(), Code::Internal);
    }
}
