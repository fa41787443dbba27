//! Converts the configuration's text values to typed settings.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use spiffe::TrustDomain;

use crate::config::{
    Config, ConfigError, Connections, GroupSeed, History, MIN_STREAM_WINDOWS, PartnerSeed,
    Requests, Telemetry, ranges,
};
use crate::domain::label::Labels;
use crate::domain::partner::{GroupDefinition, HourlyLimits, Partner, Role, Terms};
use crate::domain::purpose::PurposeKind;
use crate::domain::{GroupId, Invalid, PartnerId, Platform, Tlp, text};
use crate::exchange::{RandomIds, Seed, Settings};
use crate::rpc::RequestLimits;
use crate::telemetry::Traces;
use crate::tls::ConnectionLimits;

/// Characters of a display name, as in a request of an operator.
const MAX_NAME_CHARS: usize = 200;

type ConfigResult<T> = Result<T, ConfigError>;

/// A configuration with every value parsed.
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
    /// Parses every value. The error names the first invalid one.
    pub fn of(config: &Config) -> ConfigResult<Self> {
        // A configuration built in code has not been through `Config::read`.
        ranges::check(config)?;
        if !config.server.ops.ip().is_loopback() {
            return Err(value(
                "server.ops",
                "is not a loopback address: the metrics have no authentication",
            ));
        }
        let (grpc, ops) = (config.server.grpc, config.server.ops);
        let share_ip = grpc.ip().is_unspecified() || grpc.ip() == ops.ip();
        if share_ip && ops.port() != 0 && ops.port() == grpc.port() {
            return Err(value("server.ops", "has the port of server.grpc: choose another one"));
        }
        let trust_domain = TrustDomain::new(&config.server.trust_domain)
            .map_err(|error| value("server.trust_domain", error.to_string()))?;
        super::shared_journal::check(config)?;
        check_telemetry(&config.telemetry)?;
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

fn check_telemetry(telemetry: &Telemetry) -> ConfigResult<()> {
    if !telemetry.otlp_endpoint.is_empty() {
        Traces::check_endpoint(&telemetry.otlp_endpoint)
            .map_err(|reason| value("telemetry.otlp_endpoint", reason))?;
    }
    if !(0.0..=1.0).contains(&telemetry.sampled_ratio) {
        return Err(value("telemetry.sampled_ratio", "must be 0 to 1"));
    }
    Ok(())
}

fn seed(config: &Config) -> ConfigResult<Seed> {
    let partners = config.partners.iter().map(partner).collect::<ConfigResult<Vec<_>>>()?;
    let groups = config.groups.iter().map(group).collect::<ConfigResult<Vec<_>>>()?;
    let mut ids = BTreeSet::new();
    for partner in &partners {
        if !ids.insert(&partner.id) {
            return Err(value(format!("partners.{}", partner.id), "is defined twice"));
        }
        check_partner(partner, &groups)?;
    }
    for group in &groups {
        check_members(group, &partners)?;
    }
    check_single_restricted_group(&groups)?;
    check_platform_owners(&partners)?;
    Ok(Seed { partners, groups })
}

fn check_partner(partner: &Partner, groups: &[GroupDefinition]) -> ConfigResult<()> {
    let invalid = |reason| Err(value(format!("partners.{}", partner.id), reason));
    if let Some(owned) = partner.platforms.first()
        && partner.role != Role::Member
    {
        return invalid(format!(
            "has the role {} and cannot own a platform ({owned})",
            partner.role
        ));
    }
    if partner.role != Role::Liaison && !partner.purposes.is_empty() {
        return invalid(format!("has the role {}: only a liaison can have purposes", partner.role));
    }
    if let Some(default) = &partner.default_group
        && !groups.iter().any(|group| group.id == *default && group.members.contains(&partner.id))
    {
        return invalid(format!("has the default group `{default}`, which it is not in"));
    }
    Ok(())
}

fn check_members(group: &GroupDefinition, partners: &[Partner]) -> ConfigResult<()> {
    let invalid = |reason| Err(value(format!("groups.{}", group.id), reason));
    for member in &group.members {
        let Some(partner) = partners.iter().find(|partner| partner.id == *member) else {
            return invalid(format!("has a member `{member}` that is not a partner"));
        };
        let role = partner.role;
        if !role.may_receive() {
            return invalid(format!(
                "has the member `{member}`: the role {role} cannot be in a group"
            ));
        }
        if group.restricted.is_some() && role != Role::Member {
            return invalid(format!(
                "has the member `{member}`: the role {role} cannot be in a restricted group"
            ));
        }
    }
    Ok(())
}

fn check_single_restricted_group(groups: &[GroupDefinition]) -> ConfigResult<()> {
    let mut restricted = groups.iter().filter(|group| group.restricted.is_some());
    if let (Some(first), Some(second)) = (restricted.next(), restricted.next()) {
        let reason =
            format!("has terms, but so has `{}`: only one group can be restricted", first.id);
        return Err(value(format!("groups.{}", second.id), reason));
    }
    Ok(())
}

fn check_platform_owners(partners: &[Partner]) -> ConfigResult<()> {
    for (i, first) in partners.iter().enumerate() {
        for second in &partners[i + 1..] {
            if let Some(shared) = first.platforms.iter().find(|p| second.platforms.contains(p)) {
                let reason = format!("owns `{shared}`, but so does `{}`", first.id);
                return Err(value(format!("partners.{}", second.id), reason));
            }
        }
    }
    Ok(())
}

fn partner(seed: &PartnerSeed) -> ConfigResult<Partner> {
    let key = |field: &str| format!("partners.{}.{field}", seed.id);
    let platforms = seed.platforms.iter().map(|text| Platform::parse(text));
    let group = seed.default_group.as_deref().map(GroupId::parse).transpose();
    let tlp = seed.default_tlp.as_deref().map(Tlp::from_str).transpose();
    let purposes = seed.purposes.iter().map(|text| text.parse());
    let purposes = purposes.collect::<Result<BTreeSet<PurposeKind>, _>>();
    Ok(Partner {
        id: PartnerId::parse(&seed.id).map_err(at(key("id")))?,
        name: name(seed.name.as_ref(), &seed.id).map_err(at(key("name")))?,
        role: seed.role.parse().map_err(at(key("role")))?,
        platforms: platforms.collect::<Result<_, _>>().map_err(at(key("platforms")))?,
        jurisdiction: seed.jurisdiction.clone(),
        default_group: group.map_err(at(key("default_group")))?,
        default_tlp: tlp.map_err(at(key("default_tlp")))?.unwrap_or(Tlp::Amber),
        purposes: purposes.map_err(at(key("purposes")))?.into_iter().collect(),
        referrals_off: false,
        limits: HourlyLimits {
            submitted: seed.max_submitted_per_hour.filter(|limit| *limit > 0),
            withdrawn: seed.max_withdrawn_per_hour.filter(|limit| *limit > 0),
        },
    })
}

/// A display name; defaults to the id.
fn name(name: Option<&String>, id: &str) -> Result<String, Invalid> {
    let name = name.map_or(id, |name| name.trim());
    text::check_line("name", name, MAX_NAME_CHARS)?;
    Ok(name.to_owned())
}

fn group(seed: &GroupSeed) -> ConfigResult<GroupDefinition> {
    let key = |field: &str| format!("groups.{}.{field}", seed.id);
    let members = seed.members.iter().map(|id| PartnerId::parse(id));
    Ok(GroupDefinition {
        id: GroupId::parse(&seed.id).map_err(at(key("id")))?,
        name: name(seed.name.as_ref(), &seed.id).map_err(at(key("name")))?,
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
        access_retention: Duration::from_secs(storage.accesses_kept_days * 86_400),
        withdrawal_retention: Duration::from_secs(storage.withdrawals_kept_days * 86_400),
        random_ids: RandomIds::default(),
    }
}

fn requests(requests: &Requests) -> RequestLimits {
    RequestLimits {
        batch_items: requests.batch_items,
        lookup_values: requests.lookup_values,
        batches_in_flight: requests.batches_in_flight,
        heartbeat: Duration::from_secs(requests.heartbeat_s),
        unread_timeout: Duration::from_secs(requests.blocked_s),
    }
}

fn connections(connections: &Connections) -> ConfigResult<ConnectionLimits> {
    let min_kb = connections.stream_window_kb * MIN_STREAM_WINDOWS;
    if connections.connection_window_kb < min_kb {
        let reason =
            format!("must be at least {MIN_STREAM_WINDOWS} times stream_window_kb: {min_kb}");
        return Err(value("connections.connection_window_kb", reason));
    }
    Ok(ConnectionLimits {
        total: connections.total,
        per_identity: connections.per_identity,
        per_address: connections.per_address,
        handshake_timeout: Duration::from_secs(connections.handshake_timeout_s),
        handshakes_in_flight: connections.handshakes_in_flight,
        handshakes_per_address: connections.handshakes_per_address,
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
