//! Enumerations: one table per pair of protocol and domain type. Zero means unspecified.

use super::pb;
use crate::domain::assessment::{Basis, Involvement, Severity, Verdict};
use crate::domain::enforcement::{AssetKind, EnforcementMethod, EnforcementSource};
use crate::domain::feedback::Opinion;
use crate::domain::partner::Role;
use crate::domain::purpose::{AccessWay, PurposeKind};
use crate::domain::tip::{TipState, Urgency};
use crate::domain::{Invalid, Kind, Tlp};

macro_rules! table {
    ($field:literal, $domain:ident <-> $wire:ident { $($variant:ident),+ $(,)? }) => {
        impl From<$domain> for pb::$wire {
            fn from(value: $domain) -> Self {
                match value {
                    $($domain::$variant => pb::$wire::$variant,)+
                }
            }
        }

        impl ProtoEnum for $domain {
            fn read(number: i32) -> Result<Option<Self>, Invalid> {
                match pb::$wire::try_from(number) {
                    Ok(pb::$wire::Unspecified) => Ok(None),
                    $(Ok(pb::$wire::$variant) => Ok(Some($domain::$variant)),)+
                    Err(_) => Err(Invalid::new($field, format!("{number} is not a number of this enumeration"))),
                }
            }
        }
    };
}

/// A domain enumeration with a protocol counterpart.
pub trait ProtoEnum: Sized {
    /// Parses the protocol's number; `None` for zero (unspecified).
    fn read(number: i32) -> Result<Option<Self>, Invalid>;
}

table!("kind", Kind <-> Kind {
    Account, AccountId, Page, Community, Channel, Domain, Url, Email, Phone, Ip, Md5, Sha1, Sha256,
    Pdq, Tlsh, Hashtag, AndroidPackage, IosAppId, CryptoAddress, Network, Asn, Sha512, Ssdeep,
});
table!("verdict", Verdict <-> Verdict { NonMalicious, Unknown, Suspicious, Malicious });
table!("severity", Severity <-> Severity { Info, Low, Medium, High, Critical });
table!("involvement", Involvement <-> Involvement { Attacker, Victim, AbusedService, ThirdParty });
table!("basis", Basis <-> Basis { Own, Received, Public });
table!("sharing.tlp", Tlp <-> Tlp { Red, AmberStrict, Amber, Green, Clear });
table!("opinion", Opinion <-> Opinion {
    StronglyDisagree, Disagree, Neutral, Agree, StronglyAgree,
});
table!("counts.asset", AssetKind <-> AssetKind {
    Account, Page, Group, Channel, Bot, Post, Event, Ad, Domain, Website, App, Asset, Other,
});
table!("method", EnforcementMethod <-> EnforcementMethod {
    ProactiveAutomated, AfterTip, AfterInvestigation,
});
table!("source", EnforcementSource <-> EnforcementSource { Own, Reported });
table!("purpose.kind", PurposeKind <-> PurposeKind {
    Warrant, Subpoena, Emergency, Voluntary, Public,
});
table!("way", AccessWay <-> AccessWay { Subscribe, Pull, Snapshot, Tip });
table!("urgency", Urgency <-> TipUrgency { Routine, Priority, ImminentHarm });
table!("state", TipState <-> TipState {
    Sent, Acknowledged, Investigating, Actioned, NoViolation, Declined, Monitoring, Closed,
    Withdrawn,
});
table!("role", Role <-> Role { Member, Liaison, Observer, Operator });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_keeps_its_number_both_ways_in_the_order_of_the_protocol() {
        for (index, kind) in Kind::ALL.iter().enumerate() {
            let number = pb::Kind::from(*kind) as i32;
            assert_eq!(number, i32::try_from(index).unwrap() + 1, "{kind}");
            assert_eq!(Kind::read(number), Ok(Some(*kind)));
        }
    }

    #[test]
    fn zero_is_not_said_and_a_strange_number_is_named() {
        assert_eq!(Verdict::read(0), Ok(None));
        assert_eq!(Verdict::read(99).unwrap_err().field, "verdict");
    }
}
