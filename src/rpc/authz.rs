//! Authorisation: a table of the roles that may call each method, and a layer around all services that checks it.
//! A method that is not in the table is denied.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::{debug, warn};

use super::drain::until_stopped;
use super::status::status;
use crate::domain::partner::Role;
use crate::error::{Error, Kind, Result};
use crate::exchange::{Caller, Exchange};
use crate::metrics::Metrics;
use crate::sampled_log::SampledLog;
use crate::tls::{PeerInfo, Source};

const EVERYBODY: &[Role] = &[Role::Member, Role::Liaison, Role::Observer, Role::Operator];
const WRITERS: &[Role] = &[Role::Member];
const READERS: &[Role] = &[Role::Member, Role::Observer];
const OPERATORS: &[Role] = &[Role::Operator];
/// A liaison must name its purpose, and receives only tips that were sent to it.
const TIPPED: &[Role] = &[Role::Member, Role::Liaison];
/// A liaison must name its purpose, and receives only objects that are released to it.
const FEED_READERS: &[Role] = &[Role::Member, Role::Observer, Role::Liaison];
const HOLDERS: &[Role] = &[Role::Member, Role::Operator];
const INSIDERS: &[Role] = &[Role::Member, Role::Observer, Role::Operator];

/// Every full method name, and the roles that may call it. Liaisons may only call `WhoAmI`, read objects that are
/// released to them, and read and answer tips that were sent to them.
pub const METHODS: &[(&str, &[Role])] = &[
    ("/tipoff.v1.IndicatorService/SubmitIndicators", WRITERS),
    ("/tipoff.v1.IndicatorService/StreamIndicators", WRITERS),
    ("/tipoff.v1.IndicatorService/WithdrawIndicators", WRITERS),
    ("/tipoff.v1.IndicatorService/ReleaseIndicators", WRITERS),
    ("/tipoff.v1.IndicatorService/ReportSightings", WRITERS),
    ("/tipoff.v1.IndicatorService/GiveFeedback", WRITERS),
    ("/tipoff.v1.IndicatorService/GetIndicator", READERS),
    ("/tipoff.v1.IndicatorService/LookupIndicators", READERS),
    ("/tipoff.v1.CampaignService/PutCampaign", WRITERS),
    ("/tipoff.v1.CampaignService/GetCampaign", READERS),
    ("/tipoff.v1.CampaignService/ListCampaigns", READERS),
    ("/tipoff.v1.CampaignService/ReportEnforcement", WRITERS),
    ("/tipoff.v1.CampaignService/WithdrawEnforcements", WRITERS),
    ("/tipoff.v1.CampaignService/ListEnforcements", READERS),
    ("/tipoff.v1.FeedService/Subscribe", FEED_READERS),
    ("/tipoff.v1.FeedService/Acknowledge", FEED_READERS),
    ("/tipoff.v1.FeedService/Pull", FEED_READERS),
    ("/tipoff.v1.FeedService/Snapshot", FEED_READERS),
    ("/tipoff.v1.FeedService/ListSubscriptions", FEED_READERS),
    ("/tipoff.v1.FeedService/DeleteSubscription", FEED_READERS),
    ("/tipoff.v1.PartnerService/WhoAmI", EVERYBODY),
    ("/tipoff.v1.PartnerService/ListPartners", INSIDERS),
    ("/tipoff.v1.PartnerService/ListGroups", INSIDERS),
    ("/tipoff.v1.PartnerService/PutPartner", OPERATORS),
    ("/tipoff.v1.PartnerService/SuspendPartner", OPERATORS),
    ("/tipoff.v1.PartnerService/ResumePartner", OPERATORS),
    ("/tipoff.v1.PartnerService/RevokeCertificate", OPERATORS),
    ("/tipoff.v1.PartnerService/ListRevocations", OPERATORS),
    ("/tipoff.v1.PartnerService/PutGroup", OPERATORS),
    ("/tipoff.v1.PartnerService/ConfirmTerms", WRITERS),
    ("/tipoff.v1.TipService/SendTip", WRITERS),
    ("/tipoff.v1.TipService/GetTip", TIPPED),
    ("/tipoff.v1.TipService/ListTips", TIPPED),
    ("/tipoff.v1.TipService/RespondToTip", TIPPED),
    ("/tipoff.v1.TipService/WithdrawTip", WRITERS),
    ("/tipoff.v1.AuditService/ListDeliveries", WRITERS),
    ("/tipoff.v1.AuditService/ListAccesses", WRITERS),
    ("/tipoff.v1.AuditService/PlaceHold", WRITERS),
    ("/tipoff.v1.AuditService/RenewHold", WRITERS),
    ("/tipoff.v1.AuditService/LiftHold", WRITERS),
    ("/tipoff.v1.AuditService/ListHolds", HOLDERS),
    ("/tipoff.v1.AuditService/ListHeldObjects", WRITERS),
    ("/grpc.health.v1.Health/Check", INSIDERS),
    ("/grpc.health.v1.Health/Watch", INSIDERS),
    ("/grpc.health.v1.Health/List", INSIDERS),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", INSIDERS),
];

/// The method in metrics that is not in the table, so that callers cannot create metric labels.
pub const UNKNOWN: &str = "unknown";

/// The name of a method and the roles that may call it. `None` if the method is not in the table.
pub fn rule_of(method: &str) -> Option<(&'static str, &'static [Role])> {
    METHODS.iter().find(|(name, _)| *name == method).copied()
}

/// Puts [`Authorised`] around every service.
#[derive(Clone, Debug)]
pub struct AuthoriseLayer {
    exchange: Arc<Exchange>,
    metrics: Arc<Metrics>,
    log: Arc<SampledLog>,
    stop: CancellationToken,
}

impl AuthoriseLayer {
    /// Creates the layer. Writes refusals to the log as often as `log` says. On `stop` it ends the streams of health and
    /// reflection; our own services end theirs.
    pub fn new(
        exchange: Arc<Exchange>,
        metrics: Arc<Metrics>,
        log: Arc<SampledLog>,
        stop: CancellationToken,
    ) -> Self {
        Self { exchange, metrics, log, stop }
    }
}

impl<S> Layer<S> for AuthoriseLayer {
    type Service = Authorised<S>;

    fn layer(&self, inner: S) -> Authorised<S> {
        Authorised { inner, layer: self.clone() }
    }
}

/// A service wrapped by [`AuthoriseLayer`]. It passes on only calls whose certificate names a partner with a role that
/// may make them, and puts the [`Caller`] into the request's extensions.
#[derive(Clone, Debug)]
pub struct Authorised<S> {
    inner: S,
    layer: AuthoriseLayer,
}

impl<S> Service<Request<Body>> for Authorised<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future =
        Pin<Box<dyn Future<Output = std::result::Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.layer.admit(&request) {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                let is_ours = request.uri().path().starts_with("/tipoff.");
                let calling = self.inner.call(request);
                if is_ours {
                    return Box::pin(calling);
                }
                let stop = self.layer.stop.clone();
                Box::pin(async move { Ok(calling.await?.map(|body| until_stopped(body, stop))) })
            }
            Err(error) => {
                let refusal = status(&error).into_http();
                Box::pin(async move { Ok(refusal) })
            }
        }
    }
}

impl AuthoriseLayer {
    fn admit(&self, request: &Request<Body>) -> Result<Caller> {
        let rule = rule_of(request.uri().path());
        let method = rule.map_or(UNKNOWN, |(name, _)| name);
        let caller = self.caller(request).inspect_err(|error| {
            self.metrics.denied(method, error.label());
            let source = source(request);
            if self.log.is_due(self.exchange.clock().instant(), error.label(), &source) {
                warn!(label = error.label(), method, source, "refused a caller: {error}");
            }
        })?;
        let error = match rule {
            Some((_, roles)) if roles.contains(&caller.role()) => return Ok(caller),
            Some(_) => {
                let reason =
                    format!("{} `{}` may not call this method", caller.role(), caller.partner());
                Error::new(Kind::Denied, "method_denied", reason)
            }
            None => Error::new(
                Kind::Unimplemented,
                "method_unknown",
                "the exchange has no such method: your client may be newer than the exchange",
            ),
        };
        debug!(partner = %caller.partner(), role = %caller.role(), method, "refused a call: {error}");
        self.metrics.denied(method, error.label());
        Err(error)
    }

    fn caller(&self, request: &Request<Body>) -> Result<Caller> {
        let unauthenticated =
            |label, message: String| Error::new(Kind::Unauthenticated, label, message);
        let peer = request.extensions().get::<PeerInfo>().ok_or_else(|| {
            unauthenticated("no_identity", "the connection has no identity".into())
        })?;
        let identity = peer
            .identity
            .as_ref()
            .as_ref()
            .map_err(|error| unauthenticated(error.label(), error.to_string()))?;
        self.exchange.admit(&identity.partner)
    }
}

/// The partner that calls, or its address if it is none.
fn source(request: &Request<Body>) -> String {
    let Some(peer) = request.extensions().get::<PeerInfo>() else { return String::new() };
    match peer.identity.as_ref() {
        Ok(identity) => identity.partner.to_string(),
        Err(_) => Source::of(peer.address.ip()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::wire::DESCRIPTORS;

    #[test]
    fn the_table_holds_every_method_of_the_protocol_and_no_other_of_ours() {
        let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
        let mut declared = Vec::new();
        for file in set.file.iter().filter(|file| file.package() == "tipoff.v1") {
            for service in &file.service {
                for method in &service.method {
                    declared.push(format!("/tipoff.v1.{}/{}", service.name(), method.name()));
                }
            }
        }
        let mut tabled: Vec<_> = METHODS
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .filter(|name| name.starts_with("/tipoff.v1."))
            .collect();
        declared.sort();
        tabled.sort();
        assert!(!declared.is_empty());
        assert_eq!(declared, tabled);
    }

    #[test]
    fn a_method_that_is_not_in_the_table_is_nobodys() {
        for method in ["/tipoff.v1.IndicatorService/Nothing", "", "/"] {
            assert_eq!(rule_of(method), None);
        }
    }
}
