//! Partners and the groups in which they share.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::platform::Platform;
use super::purpose::PurposeKind;
use super::sharing::Tlp;

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "shared_text")] Arc<str>);

        impl $name {
            /// Takes a slug: `[a-z0-9][a-z0-9-]{1,62}`.
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

            /// Takes an id from the journal or the index as it was stored.
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

/// Serialises a text that clones share.
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

/// What a partner is on the exchange. A role never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// A platform: submits, subscribes, tips.
    Member,
    /// Law enforcement: reads what was released to it.
    Liaison,
    /// Reads what its groups see.
    Observer,
    /// Runs the exchange and sees no content.
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

    /// Whether a partner of this role may stand in a group or be named in an audience.
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
    /// Its id, the one that its certificate names.
    pub id: PartnerId,
    /// Its name for people.
    pub name: String,
    /// What it is on the exchange.
    pub role: Role,
    /// The platforms it owns. Who owns which platform is no secret.
    pub platforms: Vec<Platform>,
    /// Where its law applies, as an ISO 3166 code such as `GB`.
    pub jurisdiction: Option<String>,
    /// Of a liaison, the kinds of purpose that it may read for, in order, each once; one without any
    /// reads nothing.
    pub purposes: Vec<PurposeKind>,
    /// The group that AMBER objects go to when their author names no audience.
    pub default_group: Option<GroupId>,
    /// The TLP of an object whose author gives none.
    pub default_tlp: Tlp,
    /// Whether it takes no referrals of what others submit of its platforms.
    pub referrals_off: bool,
}

/// What a group is, as the operator put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDefinition {
    /// Its id.
    pub id: GroupId,
    /// Its name for people.
    pub name: String,
    /// Whether a new member sees what was shared with the group before it joined.
    pub history_all: bool,
    /// Of the one closed group that may hold objects with restricted labels, the terms of their
    /// source, which each member confirms.
    pub restricted: Option<Terms>,
    /// Who is in it from this entry on.
    pub members: Vec<PartnerId>,
}

/// The terms of a source of restricted objects: a text, or where it is to be found and in which
/// version. At most 1,000 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms(Box<str>);

impl Terms {
    /// Takes a text that is not empty.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.trim() {
            "" => Err(Invalid::new("group.terms", "is missing: a restricted group has terms")),
            terms if terms.len() > 1_000 => {
                Err(Invalid::new("group.terms", "is longer than 1,000 bytes"))
            }
            terms => Ok(Self(terms.into())),
        }
    }

    /// Takes a text from the journal or the index as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A stretch of the journal during which a partner was in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Who.
    pub partner: PartnerId,
    /// The sequence of the entry that took it in.
    pub from: u64,
    /// The sequence of the entry that took it out; `None` while it is a member.
    pub until: Option<u64>,
}

/// A sharing group as the journal's entries add up to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name for people.
    pub name: String,
    /// Whether a new member sees what was shared with the group before it joined.
    pub history_all: bool,
    /// The terms of the source, where this is the restricted group.
    pub restricted: Option<Terms>,
    /// Every membership there was, by the order in which they began.
    pub memberships: Vec<Membership>,
}

impl Group {
    /// The membership of a partner as of an entry.
    pub fn at(&self, partner: &PartnerId, sequence: u64) -> Option<&Membership> {
        let covers =
            |m: &&Membership| m.from <= sequence && m.until.is_none_or(|until| sequence < until);
        self.memberships.iter().filter(|m| m.partner == *partner).find(covers)
    }

    /// Who joined and who left with an entry.
    pub fn changes(&self, sequence: u64) -> (Vec<PartnerId>, Vec<PartnerId>) {
        let named = |at: fn(&Membership) -> Option<u64>| {
            let all = self.memberships.iter().filter(move |m| at(m) == Some(sequence));
            all.map(|m| m.partner.clone()).collect()
        };
        (named(|m| Some(m.from)), named(|m| m.until))
    }

    /// The current membership of a partner.
    pub fn current(&self, partner: &PartnerId) -> Option<&Membership> {
        self.memberships.iter().find(|m| m.partner == *partner && m.until.is_none())
    }

    /// Who is in the group now.
    pub fn members(&self) -> impl Iterator<Item = &PartnerId> {
        self.memberships.iter().filter(|m| m.until.is_none()).map(|m| &m.partner)
    }

    /// Whether the group stands as it is defined.
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

    /// The group after the entry at `sequence` defined it anew: those who were in and still are
    /// keep their membership, the others' begin or end there.
    pub fn redefined(
        previous: Option<Group>,
        definition: &GroupDefinition,
        sequence: u64,
    ) -> Group {
        // A group's history is fixed when it is created: an old member's shared objects were
        // given under that rule.
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
