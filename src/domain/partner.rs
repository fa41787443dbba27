//! Partners and sharing groups.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::platform::Platform;
use super::purpose::PurposeKind;
use super::sharing::Tlp;
use super::text;

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "shared_text")] Arc<str>);

        impl $name {
            /// Validates a slug: `[a-z0-9][a-z0-9-]{1,62}`.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                if is_slug(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(Invalid::new(
                        $field,
                        format!(
                            "`{}` is not an id: 2 to 63 of a-z, 0-9 and `-`, not beginning with `-`",
                            text.chars().take(80).collect::<String>().escape_debug()
                        ),
                    ))
                }
            }

            /// Takes an id from the journal or the index, without validation.
            pub fn from_stored(text: &str) -> Self {
                Self(text.into())
            }

            /// The slug.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::parse(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

slug! {
    /// A partner's id.
    PartnerId, "partner"
}

slug! {
    /// A sharing group's id.
    GroupId, "group"
}

/// Serialises an `Arc<str>`.
mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(text: &Arc<str>, into: S) -> Result<S::Ok, S::Error> {
        into.serialize_str(text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        <&str>::deserialize(from).map(Arc::from)
    }
}

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    (2..=63).contains(&bytes.len())
        && bytes[0] != b'-'
        && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// A partner's role. It never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// A platform: submits, subscribes, sends tips.
    Member,
    /// Law enforcement: reads what is released to it.
    Liaison,
    /// Reads what its groups see.
    Observer,
    /// Runs the exchange; sees no content.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Role] = &[Role::Member, Role::Liaison, Role::Observer, Role::Operator];

    /// The role's name in configuration and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Liaison => "liaison",
            Role::Observer => "observer",
            Role::Operator => "operator",
        }
    }

    /// Whether a partner of this role may be in a group or be named in an audience.
    pub const fn may_receive(self) -> bool {
        matches!(self, Role::Member | Role::Observer)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Role::ALL.iter().copied().find(|role| role.as_str() == text).ok_or_else(|| {
            Invalid::new("role", format!("`{text}` is not member, liaison, observer or operator"))
        })
    }
}

/// An organisation on the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Its id, as named in its certificates.
    pub id: PartnerId,
    /// Its display name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The platforms that it owns. Ownership is public.
    pub platforms: Vec<Platform>,
    /// Its jurisdiction, as an ISO 3166 code such as `GB`.
    pub jurisdiction: Option<String>,
    /// For a liaison: the kinds of purpose that it may use, sorted and without duplicates. Without
    /// any it can read nothing.
    pub purposes: Vec<PurposeKind>,
    /// The group that receives its AMBER objects if it names no audience.
    pub default_group: Option<GroupId>,
    /// The marking of its objects if it sets none.
    pub default_tlp: Tlp,
    /// Whether it has turned off referrals of assets on its platforms.
    pub referrals_off: bool,
    /// How much it may submit and withdraw in an hour.
    pub limits: HourlyLimits,
}

/// Limits that an operator sets for one partner. They hold it back until the next hour; nothing is refused for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourlyLimits {
    /// Items of submissions; `None` for no limit.
    pub submitted: Option<u64>,
    /// Withdrawn assessments; `None` for no limit.
    pub withdrawn: Option<u64>,
}

/// The desired state of a group, as set by the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDefinition {
    /// Its id.
    pub id: GroupId,
    /// Its display name.
    pub name: String,
    /// Whether new members see objects shared with the group before they joined.
    pub history_all: bool,
    /// Set for the single restricted group, which may hold objects with restricted labels: the
    /// terms that each member confirms.
    pub restricted: Option<Terms>,
    /// Its members from this entry on.
    pub members: Vec<PartnerId>,
}

/// The terms of the source of restricted objects: the text, or a reference to it with its version.
/// At most 1,000 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms(Box<str>);

impl Terms {
    /// Validates a text. It must not be empty.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.trim() {
            "" => Err(Invalid::new("group.terms", "is missing: a restricted group has terms")),
            terms if terms.len() > 1_000 => {
                Err(Invalid::new("group.terms", "is longer than 1,000 bytes"))
            }
            terms => {
                text::check("group.terms", terms, 1_000)?;
                Ok(Self(terms.into()))
            }
        }
    }

    /// Takes a text from the journal or the index, without validation.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A period of membership in a group, in journal sequences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The member.
    pub partner: PartnerId,
    /// The sequence of the entry that added it.
    pub from: u64,
    /// The sequence of the entry that removed it; `None` for a current member.
    pub until: Option<u64>,
}

/// A sharing group, as built up by the journal's entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its display name.
    pub name: String,
    /// Whether new members see objects shared with the group before they joined.
    pub history_all: bool,
    /// The terms, if this is the restricted group.
    pub restricted: Option<Terms>,
    /// All memberships, current and past, ordered by start.
    pub memberships: Vec<Membership>,
}

impl Group {
    /// The partner's membership at the time of an entry.
    pub fn at(&self, partner: &PartnerId, sequence: u64) -> Option<&Membership> {
        let covers =
            |m: &&Membership| m.from <= sequence && m.until.is_none_or(|until| sequence < until);
        self.memberships.iter().filter(|m| m.partner == *partner).find(covers)
    }

    /// The partners that joined and left with an entry.
    pub fn changes(&self, sequence: u64) -> (Vec<PartnerId>, Vec<PartnerId>) {
        let named = |at: fn(&Membership) -> Option<u64>| {
            let all = self.memberships.iter().filter(move |m| at(m) == Some(sequence));
            all.map(|m| m.partner.clone()).collect()
        };
        (named(|m| Some(m.from)), named(|m| m.until))
    }

    /// The partner's current membership.
    pub fn current(&self, partner: &PartnerId) -> Option<&Membership> {
        self.memberships.iter().find(|m| m.partner == *partner && m.until.is_none())
    }

    /// The current members.
    pub fn members(&self) -> impl Iterator<Item = &PartnerId> {
        self.memberships.iter().filter(|m| m.until.is_none()).map(|m| &m.partner)
    }

    /// Whether the group already matches the definition.
    pub fn is_as_defined(&self, definition: &GroupDefinition) -> bool {
        let mut members: Vec<_> = self.members().collect();
        let mut defined: Vec<_> = definition.members.iter().collect();
        members.sort_unstable();
        defined.sort_unstable();
        defined.dedup();
        members == defined
            && self.name == definition.name
            && self.history_all == definition.history_all
            && self.restricted == definition.restricted
    }

    /// The group after the entry at `sequence` redefined it. Members in both keep their membership;
    /// the others' memberships start or end at this entry.
    pub fn redefined(
        previous: Option<Group>,
        definition: &GroupDefinition,
        sequence: u64,
    ) -> Group {
        // The history rule is fixed at creation: members shared their objects under that rule.
        let (history_all, restricted, mut memberships) = match previous {
            Some(group) => (group.history_all, group.restricted, group.memberships),
            None => (definition.history_all, definition.restricted.clone(), Vec::new()),
        };
        for membership in &mut memberships {
            if membership.until.is_none() && !definition.members.contains(&membership.partner) {
                membership.until = Some(sequence);
            }
        }
        for partner in &definition.members {
            if !memberships.iter().any(|m| m.partner == *partner && m.until.is_none()) {
                let partner = partner.clone();
                memberships.push(Membership { partner, from: sequence, until: None });
            }
        }
        let (id, name) = (definition.id.clone(), definition.name.clone());
        Group { id, name, history_all, restricted, memberships }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(members: &[&str]) -> GroupDefinition {
        GroupDefinition {
            id: GroupId::from_stored("core"),
            name: "Core".into(),
            history_all: false,
            restricted: None,
            members: members.iter().map(|id| PartnerId::from_stored(id)).collect(),
        }
    }

    #[test]
    fn a_slug_is_two_to_sixty_three_lower_case_letters_digits_and_hyphens() {
        for good in ["ab", "9-", "birdsite", &"a".repeat(63)] {
            assert!(PartnerId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "-ab", "Bird", "b_c", "a/b", "é-é", &"a".repeat(64)] {
            assert!(PartnerId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn redefining_a_group_ends_and_begins_memberships_and_keeps_the_rest() {
        let first = Group::redefined(None, &definition(&["birdsite", "facegraph"]), 3);
        let second = Group::redefined(Some(first), &definition(&["facegraph", "tubeworks"]), 9);
        let third = Group::redefined(Some(second), &definition(&["facegraph", "birdsite"]), 12);
        let spans: Vec<_> =
            third.memberships.iter().map(|m| (m.partner.as_str(), m.from, m.until)).collect();
        assert_eq!(
            spans,
            [
                ("birdsite", 3, Some(9)),
                ("facegraph", 3, None),
                ("tubeworks", 9, Some(12)),
                ("birdsite", 12, None)
            ]
        );
        assert_eq!(third.current(&PartnerId::from_stored("birdsite")).unwrap().from, 12);
    }
}
