//! The label sets of the metrics. Each has a bounded number of values.

use prometheus_client::encoding::EncodeLabelSet;

/// A reason: the label of an error or of a refused connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    pub label: &'static str,
}

/// A reason for which items or requests of a partner were rejected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Rejected {
    pub partner: String,
    pub label: &'static str,
}

/// A method, and a reason for which calls of it were denied.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Denied {
    pub method: &'static str,
    pub label: &'static str,
}

/// The number of partners is limited by the registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Partner {
    pub partner: String,
}

/// A part of the data folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Store {
    pub store: &'static str,
}

/// The number of subscriptions per partner is limited, so the number of label sets is too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EncodeLabelSet)]
pub struct Subscription {
    pub partner: String,
    pub subscription: String,
}

/// The issuer of a revocation list. The operator's file limits their number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EncodeLabelSet)]
pub struct Issuer {
    pub issuer: String,
}

/// Where a revocation comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RevokedBy {
    pub source: &'static str,
}

/// What was built.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Build {
    pub version: &'static str,
    pub commit: &'static str,
}
