//! The values of an attribute, by its type and by the object that it belongs to.

use super::event::Attribute;
use crate::domain::{Kind, Platform};
use crate::formats::details::words;
use crate::formats::kinds::{DeclaredType, declared, of_kind};
use crate::formats::{Class, SkipReason, cell, tags};

/// Categories whose addresses are references to what others wrote, unless they are for detection.
pub const REFERENCE_CATEGORIES: &[&str] = &[
    "External analysis",
    "Antivirus detection",
    "Internal reference",
    "Support Tool",
    "Attribution",
];

/// Relations of objects about accounts, pages, groups and channels, by the word that their name ends with: the relation,
/// and the kind of its values.
pub const RELATIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "account",
        &[
            ("id", "account_id"),
            ("account-id", "account_id"),
            ("user-id", "account_id"),
            ("userid", "account_id"),
            ("name", "account"),
            ("account-name", "account"),
            ("username", "account"),
            ("user-name", "account"),
            ("screen-name", "account"),
            ("account-login", "account"),
            ("handle", "account"),
            ("phone", "phone"),
            ("phone-number", "phone"),
            ("link", PROFILE),
            ("url", PROFILE),
            ("profile-url", PROFILE),
        ],
    ),
    (
        "user",
        &[
            ("id", "account_id"),
            ("user-id", "account_id"),
            ("username", "account"),
            ("link", PROFILE),
            ("url", PROFILE),
        ],
    ),
    ("bot", &[("username", "account"), ("id", "account_id")]),
    ("page", &[("page-id", "page"), ("id", "page"), ("link", PROFILE), ("url", PROFILE)]),
    (
        "group",
        &[("group-id", "community"), ("id", "community"), ("link", PROFILE), ("url", PROFILE)],
    ),
    ("subreddit", &[("subreddit-name", "community"), ("subreddit-url", PROFILE), ("url", PROFILE)]),
    (
        "channel",
        &[
            ("channel-id", "channel"),
            ("channel-name", "channel"),
            ("username", "channel"),
            ("link", PROFILE),
            ("url", PROFILE),
        ],
    ),
];

/// The address of a profile. It is the account, page or group.
pub const PROFILE: &str = "profile";

/// Relations whose values are other people's, or addresses of pictures, whatever their type.
pub const RELATIONS_TO_OTHERS: &[&str] = &[
    "follower",
    "followers",
    "following",
    "twitter-followers",
    "twitter-following",
    "moderator-of",
    "embedded-safe-link",
    "nameserver",
    "ns-record",
    "mx-record",
    "account-avatar-url",
    "user-avatar-url",
    "channel-avatar-url",
    "profile-image-url",
    "profile-banner-url",
    "subreddit-banner-url",
    "subreddit-icon-url",
];

/// Relations of objects about messages whose values received them.
pub const RECIPIENT_RELATIONS: &[&str] = &["to-user", "to-number"];

/// Attributes of other objects whose type says too little, or something else.
pub const OBJECT_ATTRIBUTES: &[(&str, &str, Meaning)] = &[
    ("android-app", "appid", Meaning::Kind("android_package")),
    ("android-app", "certificate", Meaning::Other),
    ("coin-address", "address", Meaning::Kind("crypto_address")),
    ("user-account", "username", Meaning::Kind("account")),
    ("user-account", "user-id", Meaning::Kind("account_id")),
    ("phone", "msisdn", Meaning::Kind("phone")),
    ("instant-message", "from-user", Meaning::Kind("account")),
    ("instant-message", "to-user", Meaning::Kind("account")),
];

/// What an attribute of an object is.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// A value of this kind.
    Kind(&'static str),
    /// Nothing that is exchanged.
    Other,
}

/// What the object around an attribute says.
#[derive(Clone, Debug, Default)]
pub struct ObjectContext<'a> {
    /// The object's name: `twitter-account`.
    pub object: &'a str,
    /// The platform that another attribute of the object names.
    pub platform: Option<&'a str>,
}

/// Reads the values of an attribute.
pub fn classes(attribute: &Attribute, context: &ObjectContext<'_>) -> Vec<Class> {
    let (kind, value) = (attribute.kind.text(), attribute.value.text());
    let relation = attribute.object_relation.text();
    if value.is_empty() {
        return vec![Class::Neither(SkipReason::Empty)];
    }
    if let Some(class) = class_by_tipoff_tags(attribute) {
        return vec![class];
    }
    if !context.object.is_empty() && RELATIONS_TO_OTHERS.contains(&relation) {
        return vec![Class::Neither(SkipReason::OtherKind)];
    }
    if let Some((stated, platform)) = of_relation(context, relation) {
        return vec![match stated {
            PROFILE => profile(value),
            // The name that is shown to people is no handle.
            _ if relation.ends_with("name") && value.contains(char::is_whitespace) => {
                Class::Neither(SkipReason::OtherKind)
            }
            stated => declared(stated, Some(platform), value),
        }];
    }
    if is_of_section(context.object, kind) {
        return vec![Class::Neither(SkipReason::OtherKind)];
    }
    let stated = OBJECT_ATTRIBUTES
        .iter()
        .find(|(object, name, _)| *object == context.object && *name == relation);
    match stated {
        Some((.., Meaning::Other)) => return vec![Class::Neither(SkipReason::OtherKind)],
        Some((.., Meaning::Kind(stated))) if of_type(kind).is_none() => {
            let is_crypto = *stated == "crypto_address";
            return match context.platform {
                // A local account, or one of an unknown service.
                None if !is_crypto && *stated != "android_package" && *stated != "phone" => {
                    vec![Class::Neither(SkipReason::OtherKind)]
                }
                platform => vec![declared(stated, platform, value)],
            };
        }
        _ => {}
    }
    if is_reference(attribute) {
        return vec![Class::Neither(SkipReason::Reference)];
    }
    let kind = if kind == "malware-sample" { "filename|md5" } else { kind };
    let parts = kind.split('|').zip(value.split('|'));
    cell::exchanged(parts.map(|(kind, value)| of_part(kind, value, context)))
}

/// The value by the exchange's own tags, as its exports have them where a type of MISP says too little.
fn class_by_tipoff_tags(attribute: &Attribute) -> Option<Class> {
    let tagged = |name: &str| {
        attribute.tags.iter().find_map(|tag| tags::tipoff_tag_value(tag.name.text(), name))
    };
    let (kind, platform) = (tagged("kind")?.parse::<Kind>().ok()?, tagged("platform"));
    let value = attribute.value.text();
    let prefix = platform.map(|platform| format!("{platform}:")).unwrap_or_default();
    Some(of_kind(kind, platform, value.strip_prefix(&prefix).unwrap_or(value)))
}

/// Whether an attribute is a digest of a part of a file: `pe-section`.
fn is_of_section(object: &str, kind: &str) -> bool {
    let digest = || match of_type(kind) {
        Some(DeclaredType::Kind(kind, _)) => {
            kind.is_file_digest() || matches!(kind, Kind::Ssdeep | Kind::Tlsh)
        }
        _ => false,
    };
    object.ends_with("-section") && digest()
}

/// Whether an address only leads to what others wrote.
fn is_reference(attribute: &Attribute) -> bool {
    let is_for_detection = words::boolean(attribute.to_ids.text()) == Some(true);
    match attribute.kind.text() {
        "link" => true,
        "url" | "uri" => {
            !is_for_detection && REFERENCE_CATEGORIES.contains(&attribute.category.text())
        }
        _ => false,
    }
}

fn of_part(kind: &str, value: &str, context: &ObjectContext<'_>) -> Class {
    if of_type(kind).is_none() {
        return Class::Neither(SkipReason::OtherKind);
    }
    match declared(kind, context.platform, value) {
        // A path, without a host.
        Class::Unreadable(_) if kind == "uri" => Class::Neither(SkipReason::OtherKind),
        class => class,
    }
}

/// The meaning of an attribute's type, if it is one that is exchanged.
fn of_type(kind: &str) -> Option<DeclaredType> {
    DeclaredType::of(kind).filter(|meaning| *meaning != DeclaredType::Unsupported)
}

/// The kind and platform of an attribute of an account object: `twitter-account`, `telegram-bot`.
fn of_relation<'a>(context: &ObjectContext<'a>, relation: &str) -> Option<(&'static str, &'a str)> {
    let (front, last) = context.object.rsplit_once('-')?;
    let platform = Platform::known_id(front)?;
    let (_, relations) = RELATIONS.iter().find(|(name, _)| *name == last)?;
    let (_, kind) = relations.iter().find(|(name, _)| *name == relation)?;
    // A YouTube channel is an account in this model.
    let kind = if platform == "youtube" && *kind == "channel" { "account" } else { kind };
    Some((kind, platform))
}

/// The account at an address. Other addresses on a platform are references.
fn profile(value: &str) -> Class {
    match declared("url", None, value) {
        Class::Indicator(read) if read.kind().needs_platform() => Class::Indicator(read),
        _ => Class::Neither(SkipReason::Reference),
    }
}
