//! From the configuration's text to what each room takes.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use spiffe::TrustDomain;

use crate::config::{
    Config, ConfigError, Connections, GroupSeed, History, PartnerSeed, Requests, SMALL_FRAMES,
    ranges,
};
use crate::domain::label::Labels;
use crate::domain::partner::{GroupDefinition, Partner, Role, Terms};
use crate::domain::purpose::PurposeKind;
use crate::domain::{GroupId, Invalid, PartnerId, Platform, Tlp};
use crate::exchange::{Seed, Settings};
use crate::rpc::RequestLimits;
use crate::tls::ConnectionLimits;

type Read<T> = Result<T, ConfigError>;

/// A configuration whose every value was read.
#[derive(Clone, Debug)]
pub struct CheckedConfig {
    pub trust_domain: TrustDomain,
    pub labels: Labels,
    pub seed: Seed,
    pub suspended: BTreeSet<PartnerId>,
    pub exchange: Settings,
    pub requests: RequestLimits,
    pub connections: ConnectionLimits,
}

impl CheckedConfig {
    /// Reads every value, or names the first that cannot be used.
    pub fn of(config: &Config) -> Read<Self> {
        // One that was made in code was not checked when it was read.
        ranges::check(config)?;
        if !config.server.ops.ip().is_loopback() {
            return Err(value("server.ops", "is not a loopback address: metrics have no login"));
        }
        let trust_domain = TrustDomain::new(&config.server.trust_domain)
            .map_err(|error| value("server.trust_domain", error.to_string()))?;
        let labels = Labels::with(config.labels.clone()).map_err(at("labels"))?;
        let suspended = config.access.suspended.iter().map(|id| PartnerId::parse(id));
        let suspended = suspended.collect::<Result<_, _>>().map_err(at("access.suspended"))?;
        Ok(Self {
            trust_domain,
            labels,
            seed: seed(config)?,
            suspended,
            exchange: exchange(config),
            requests: requests(&config.requests),
            connections: connections(&config.connections)?,
        })
    }
}

fn seed(config: &Config) -> Read<Seed> {
    let partners = config.partners.iter().map(partner).collect::<Read<Vec<_>>>()?;
    let groups = config.groups.iter().map(group).collect::<Read<Vec<_>>>()?;
    let mut seen = BTreeSet::new();
    for partner in &partners {
        let key = format!("partners.{}", partner.id);
        if !seen.insert(&partner.id) {
            return Err(value(key, "stands twice"));
        }
        if let Some(owned) = partner.platforms.first()
            && partner.role != Role::Member
        {
            let reason = format!("is a {} and cannot own a platform ({owned})", partner.role);
            return Err(value(key, reason));
        }
        if partner.role != Role::Liaison && !partner.purposes.is_empty() {
            let reason = format!("is a {}, and only a liaison has purposes", partner.role);
            return Err(value(key, reason));
        }
        let home = partner.default_group.as_ref();
        if let Some(home) = home
            && !groups.iter().any(|group| group.id == *home && group.members.contains(&partner.id))
        {
            return Err(value(key, format!("has the default group `{home}`, which it is not in")));
        }
    }
    for group in &groups {
        let key = format!("groups.{}", group.id);
        for member in &group.members {
            match partners.iter().find(|partner| partner.id == *member) {
                None => {
                    return Err(value(key, format!("has a member `{member}` who is no partner")));
                }
                Some(partner) if !partner.role.may_receive() => {
                    let reason = format!("has `{member}`, and a {} is in no group", partner.role);
                    return Err(value(key, reason));
                }
                Some(partner) if group.restricted.is_some() && partner.role != Role::Member => {
                    let role = partner.role;
                    let reason = format!("has `{member}`, and a {role} is in no restricted group");
                    return Err(value(key, reason));
                }
                Some(_) => {}
            }
        }
    }
    let mut restricted = groups.iter().filter(|group| group.restricted.is_some());
    if let (Some(first), Some(second)) = (restricted.next(), restricted.next()) {
        let reason = format!("has terms, and so has `{}`: one group is restricted", first.id);
        return Err(value(format!("groups.{}", second.id), reason));
    }
    for (at, first) in partners.iter().enumerate() {
        for second in &partners[at + 1..] {
            if let Some(both) = first.platforms.iter().find(|p| second.platforms.contains(p)) {
                let reason = format!("owns `{both}`, and so does `{}`", first.id);
                return Err(value(format!("partners.{}", second.id), reason));
            }
        }
    }
    Ok(Seed { partners, groups })
}

fn partner(seed: &PartnerSeed) -> Read<Partner> {
    let key = |field: &str| format!("partners.{}.{field}", seed.id);
    let platforms = seed.platforms.iter().map(|text| Platform::parse(text));
    let group = seed.default_group.as_deref().map(GroupId::parse).transpose();
    let tlp = seed.default_tlp.as_deref().map(Tlp::from_str).transpose();
    let purposes = seed.purposes.iter().map(|text| text.parse());
    let purposes = purposes.collect::<Result<BTreeSet<PurposeKind>, _>>();
    Ok(Partner {
        id: PartnerId::parse(&seed.id).map_err(at(key("id")))?,
        name: seed.name.clone().unwrap_or_else(|| seed.id.clone()),
        role: seed.role.parse().map_err(at(key("role")))?,
        platforms: platforms.collect::<Result<_, _>>().map_err(at(key("platforms")))?,
        jurisdiction: seed.jurisdiction.clone(),
        default_group: group.map_err(at(key("default_group")))?,
        default_tlp: tlp.map_err(at(key("default_tlp")))?.unwrap_or(Tlp::Amber),
        purposes: purposes.map_err(at(key("purposes")))?.into_iter().collect(),
        referrals_off: false,
    })
}

fn group(seed: &GroupSeed) -> Read<GroupDefinition> {
    let key = |field: &str| format!("groups.{}.{field}", seed.id);
    let members = seed.members.iter().map(|id| PartnerId::parse(id));
    Ok(GroupDefinition {
        id: GroupId::parse(&seed.id).map_err(at(key("id")))?,
        name: seed.name.clone().unwrap_or_else(|| seed.id.clone()),
        history_all: seed.history == History::All,
        restricted: seed
            .terms
            .as_deref()
            .map(Terms::parse)
            .transpose()
            .map_err(at(key("terms")))?,
        members: members.collect::<Result<_, _>>().map_err(at(key("members")))?,
    })
}

fn exchange(config: &Config) -> Settings {
    let (requests, storage) = (&config.requests, &config.storage);
    Settings {
        read_after_timeout: Duration::from_secs(requests.read_after_timeout_s),
        idle_close: Duration::from_secs(requests.idle_close_s),
        subscriptions_per_partner: requests.subscriptions_per_partner,
        accesses_kept: Duration::from_secs(storage.accesses_kept_days * 86_400),
    }
}

fn requests(requests: &Requests) -> RequestLimits {
    RequestLimits {
        batch_items: requests.batch_items,
        lookup_values: requests.lookup_values,
        batches_in_flight: requests.batches_in_flight,
        heartbeat: Duration::from_secs(requests.heartbeat_s),
        blocked: Duration::from_secs(requests.blocked_s),
    }
}

fn connections(connections: &Connections) -> Read<ConnectionLimits> {
    let least = connections.stream_window_kb * SMALL_FRAMES;
    if connections.connection_window_kb < least {
        let reason = format!("has to be at least {SMALL_FRAMES} times stream_window_kb: {least}");
        return Err(value("connections.connection_window_kb", reason));
    }
    Ok(ConnectionLimits {
        total: connections.total,
        per_identity: connections.per_identity,
        per_address: connections.per_address,
        handshake_timeout: Duration::from_secs(connections.handshake_timeout_s),
        handshakes_in_flight: connections.handshakes_in_flight,
        first_request_timeout: Duration::from_secs(connections.first_request_timeout_s),
        calls: connections.in_flight,
    })
}

fn value(key: impl Into<String>, reason: impl Into<String>) -> ConfigError {
    ConfigError::Value { key: key.into(), reason: reason.into() }
}

fn at(key: impl Into<String>) -> impl FnOnce(Invalid) -> ConfigError {
    let key = key.into();
    move |invalid| ConfigError::Value { key, reason: invalid.reason.into_owned() }
}
