//! Observables: objects with values, as a pattern compares them or as a bundle holds them.

use serde_json::Value;

use super::object::Object;
use crate::domain::{Indicator, Kind, Platform};
use crate::formats::kinds::of_kind;
use crate::formats::{Assumed, Class, SkipReason};

/// The properties that hold values: of which object, and of which kind. Names that begin with `x-tipoff-` are the
/// exchange's own; `hostname`, `phone-number`, `cryptocurrency-wallet` and `media-content` are `OpenCTI`'s, `app` is that
/// of the Mobile Verification Toolkit.
pub const VALUES: &[(&str, &str, Kind)] = &[
    ("url", "value", Kind::Url),
    ("domain-name", "value", Kind::Domain),
    ("domain-name", "resolves_to_refs.value", Kind::Ip),
    ("ipv4-addr", "value", Kind::Ip),
    ("ipv6-addr", "value", Kind::Ip),
    ("email-addr", "value", Kind::Email),
    ("email-message", "from_ref.value", Kind::Email),
    ("email-message", "sender_ref.value", Kind::Email),
    ("autonomous-system", "number", Kind::Asn),
    ("network-traffic", "src_ref.value", Kind::Ip),
    ("network-traffic", "dst_ref.value", Kind::Ip),
    ("network-traffic", "extensions.http-request-ext.request_header.Host", Kind::Domain),
    ("user-account", "account_login", Kind::Account),
    ("user-account", "user_id", Kind::AccountId),
    ("hostname", "value", Kind::Domain),
    ("x-opencti-hostname", "value", Kind::Domain),
    ("phone-number", "value", Kind::Phone),
    ("x-opencti-phone-number", "value", Kind::Phone),
    ("cryptocurrency-wallet", "value", Kind::CryptoAddress),
    ("cryptocurrency-wallet", "address", Kind::CryptoAddress),
    ("x-opencti-cryptocurrency-wallet", "value", Kind::CryptoAddress),
    ("media-content", "url", Kind::Url),
    ("app", "id", Kind::AndroidPackage),
    ("x-tipoff-page", "value", Kind::Page),
    ("x-tipoff-community", "value", Kind::Community),
    ("x-tipoff-channel", "value", Kind::Channel),
    ("x-tipoff-phone-number", "value", Kind::Phone),
    ("x-tipoff-hashtag", "value", Kind::Hashtag),
    ("x-tipoff-android-package", "value", Kind::AndroidPackage),
    ("x-tipoff-ios-app", "value", Kind::IosAppId),
    ("x-tipoff-crypto-address", "value", Kind::CryptoAddress),
    ("x-tipoff-perceptual-hash", "pdq", Kind::Pdq),
];

/// Objects whose property `hashes` holds the digests of a file.
pub const FILES: &[&str] = &["file", "artifact"];

/// The algorithms of digests, without hyphens and in lower case.
pub const DIGESTS: &[(&str, Kind)] = &[
    ("md5", Kind::Md5),
    ("sha1", Kind::Sha1),
    ("sha256", Kind::Sha256),
    ("sha512", Kind::Sha512),
    ("ssdeep", Kind::Ssdeep),
    ("tlsh", Kind::Tlsh),
    ("pdq", Kind::Pdq),
];

/// Account types that are no platform on which accounts are exchanged.
pub const LOCAL_ACCOUNTS: &[&str] = &[
    "unix",
    "windows-local",
    "windows-domain",
    "ldap",
    "tacacs",
    "radius",
    "nis",
    "openid",
    "kerberos",
];

/// The properties of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observable {
    /// The object's type.
    pub kind: String,
    /// Properties with their values, in order. Indexes of lists are left out.
    pub fields: Vec<(String, String)>,
}

impl Observable {
    /// The properties of an observable object that may hold values.
    pub fn of_object(object: &Object<'_>) -> Self {
        let mut fields = Vec::new();
        let mut add = |name: &str, text: Option<&str>| {
            fields.extend(text.map(|text| (name.to_owned(), text.to_owned())));
        };
        add("account_type", object.account_type.as_deref());
        add("platform", object.platform.as_deref());
        add("account_login", object.account_login.as_deref());
        add("user_id", object.user_id.as_deref());
        add("pdq", object.pdq.as_deref());
        add("url", object.url.as_deref());
        add("address", object.address.as_deref());
        add("value", object.value.as_ref().and_then(text).as_deref());
        add("number", object.number.as_ref().and_then(text).as_deref());
        for (algorithm, digest) in &object.hashes {
            add(&format!("hashes.{algorithm}"), text(digest).as_deref());
        }
        Self { kind: (*object.kind).to_owned(), fields }
    }

    /// An observable inside of an observation of STIX 2.0.
    pub fn of_value(value: &Value) -> Option<Self> {
        let kind = value.get("type")?.as_str()?.to_owned();
        let mut fields = Vec::new();
        for (name, value) in value.as_object()? {
            fields.extend(text(value).map(|text| (name.clone(), text)));
            for (inner, value) in value.as_object().into_iter().flatten() {
                fields.extend(text(value).map(|text| (format!("{name}.{inner}"), text)));
            }
        }
        Some(Self { kind, fields })
    }

    /// The properties as text.
    pub fn text(&self) -> String {
        let fields =
            self.fields.iter().map(|(name, value)| format!("{}:{name} = {value}", self.kind));
        fields.collect::<Vec<_>>().join(", ")
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Whether a property only says where or what the others are.
    pub fn is_circumstance(name: &str) -> bool {
        matches!(name, "account_type" | "platform" | "currency" | "chain" | "service")
    }
}

/// Whether objects of a type hold values.
pub fn is_observable(kind: &str) -> bool {
    FILES.contains(&kind)
        || VALUES.iter().any(|(known, ..)| *known == kind)
        || UNEXCHANGED.contains(&kind)
}

/// Observables of the standard that hold no value which is exchanged.
pub const UNEXCHANGED: &[&str] =
    &["directory", "mutex", "process", "software", "windows-registry-key", "x509-certificate"];

/// Reads the values of an observable. `stated` are the kind and platform that the object states besides.
pub fn classes(
    observable: &Observable,
    stated: Option<(&str, Option<&str>)>,
    assumed: &Assumed,
) -> Vec<Class> {
    let platform = ["account_type", "platform", "currency", "chain", "service"]
        .iter()
        .find_map(|name| observable.field(name));
    if platform.is_some_and(|platform| LOCAL_ACCOUNTS.contains(&platform)) {
        return Vec::new();
    }
    let platform =
        stated.and_then(|(_, platform)| platform).or(platform).or(assumed.platform.as_deref());
    // A kind that is stated for a pattern with one value.
    let stated: Option<Kind> = stated.and_then(|(kind, _)| kind.parse().ok());
    let read = observable.fields.iter().filter_map(|(name, value)| {
        let kind = kind_of(&observable.kind, name)?;
        let number = (kind == Kind::Asn).then(|| format!("AS{}", value.trim_start_matches("AS")));
        let value = number.as_deref().unwrap_or(value);
        // Some give the domain that an object refers to in place of its address.
        if name.ends_with("_ref.value")
            && kind == Kind::Ip
            && value.parse::<std::net::IpAddr>().is_err()
        {
            let read = Indicator::read(value, None);
            return Some(read.map_or_else(Class::Unreadable, Class::Indicator));
        }
        let kind = stated.unwrap_or(kind);
        let is_account = matches!(kind, Kind::Account | Kind::AccountId);
        match of_kind(kind, platform.map(known_platform), value) {
            // An account of an unknown service, as a local one.
            Class::Unreadable(_) if is_account && platform.is_none() => {
                Some(Class::Neither(SkipReason::OtherKind))
            }
            class => Some(class),
        }
    });
    read.collect()
}

/// The platform by its id. An account type of STIX may be another name of it.
fn known_platform(name: &str) -> &str {
    Platform::known_id(name).unwrap_or(name)
}

/// The kind of the values of a property.
fn kind_of(object: &str, property: &str) -> Option<Kind> {
    if FILES.contains(&object) {
        let algorithm = property.strip_prefix("hashes.")?;
        let plain = algorithm.replace(['-', '_'], "").to_ascii_lowercase();
        return DIGESTS.iter().find(|(name, _)| *name == plain).map(|(_, kind)| *kind);
    }
    let has_name = |(of, name, _): &&(&str, &str, Kind)| *of == object && *name == property;
    VALUES.iter().find(has_name).map(|(.., kind)| *kind)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
