//! Partners and the groups in which they share.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::invalid::Invalid;
use super::platform::Platform;
use super::sharing::Tlp;

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

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

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    (2..=63).contains(&bytes.len())
        && bytes[0] != b'-'
        && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// What a partner is on the exchange. A role never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The group that AMBER objects go to when their author names no audience.
    pub default_group: Option<GroupId>,
    /// The TLP of an object whose author gives none.
    pub default_tlp: Tlp,
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
    /// Who is in it from this entry on.
    pub members: Vec<PartnerId>,
}

/// A stretch of the journal during which a partner was in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Who.
    pub partner: PartnerId,
    /// The sequence of the entry that took it in.
    pub from: u64,
    /// The sequence of the entry that took it out; `None` while it is a member.
    pub until: Option<u64>,
}

/// A sharing group as the journal's entries add up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name for people.
    pub name: String,
    /// Whether a new member sees what was shared with the group before it joined.
    pub history_all: bool,
    /// Every membership there was, by the order in which they began.
    pub memberships: Vec<Membership>,
}

impl Group {
    /// The current membership of a partner.
    pub fn current(&self, partner: &PartnerId) -> Option<&Membership> {
        self.memberships.iter().find(|m| m.partner == *partner && m.until.is_none())
    }

    /// Who is in the group now.
    pub fn members(&self) -> impl Iterator<Item = &PartnerId> {
        self.memberships.iter().filter(|m| m.until.is_none()).map(|m| &m.partner)
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
        let (history_all, mut memberships) = previous
            .map_or((definition.history_all, Vec::new()), |g| (g.history_all, g.memberships));
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
        Group { id: definition.id.clone(), name: definition.name.clone(), history_all, memberships }
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
