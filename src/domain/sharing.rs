//! Who receives an object, what they may do with it, and the one rule that decides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::entry::Position;
use super::invalid::Invalid;
use super::partner::{GroupId, PartnerId, Role};
use super::time::Timestamp;

/// A Traffic Light Protocol marking, FIRST TLP 2.0, from the narrowest to the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tlp {
    /// For the named partners only.
    Red,
    /// For the recipients' own organisations only.
    AmberStrict,
    /// For the recipients' organisations and their clients.
    Amber,
    /// For the community.
    Green,
    /// For everybody.
    Clear,
}

impl Tlp {
    /// Every marking, from the narrowest to the widest.
    pub const ALL: &'static [Tlp] =
        &[Tlp::Red, Tlp::AmberStrict, Tlp::Amber, Tlp::Green, Tlp::Clear];

    /// The marking as TLP 2.0 writes it, without `TLP:`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Tlp::Red => "RED",
            Tlp::AmberStrict => "AMBER+STRICT",
            Tlp::Amber => "AMBER",
            Tlp::Green => "GREEN",
            Tlp::Clear => "CLEAR",
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Tlp {
    type Err = Invalid;

    /// Takes any case, with or without `TLP:` in front.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let upper = text.trim().to_ascii_uppercase();
        let name = upper.strip_prefix("TLP:").unwrap_or(&upper);
        Tlp::ALL.iter().copied().find(|tlp| tlp.as_str() == name).ok_or_else(|| {
            Invalid::new(
                "sharing.tlp",
                format!("`{text}` is not RED, AMBER+STRICT, AMBER, GREEN or CLEAR"),
            )
        })
    }
}

/// Who the exchange delivers an object to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Audience {
    /// The members of these groups and these partners. At least one is named.
    Named {
        /// Groups that the author was in.
        groups: BTreeSet<GroupId>,
        /// Members and observers, each by name.
        partners: BTreeSet<PartnerId>,
    },
    /// All members and observers.
    Everyone,
    /// Liaisons and public exports too.
    Public,
}

/// An author's leave for one liaison to read an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Release {
    /// To whom.
    pub liaison: PartnerId,
    /// On what ground, in the author's words.
    pub basis: String,
    /// Until when; `None` for no end.
    pub until: Option<Timestamp>,
}

/// Who receives an object, what they may do with it, which liaisons it is released to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sharing {
    /// What those who receive it may do with it.
    pub tlp: Tlp,
    /// Who receives it.
    pub audience: Audience,
    /// Which liaisons it is released to.
    pub releases: Vec<Release>,
}

/// What an author asked for, before defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharingRequest {
    /// The marking; the author's default when `None`.
    pub tlp: Option<Tlp>,
    /// The audience; the marking's default when `None`.
    pub audience: Option<AudienceRequest>,
    /// The releases; each explicit.
    pub releases: Vec<Release>,
}

/// An audience as an author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudienceRequest {
    /// These groups and partners. Naming nobody is an error, never "everyone".
    Named {
        /// The groups.
        groups: Vec<GroupId>,
        /// The partners.
        partners: Vec<PartnerId>,
    },
    /// All members and observers.
    Everyone,
    /// Liaisons and public exports too.
    Public,
}

impl Audience {
    /// An audience as its author names one that it shared with before: the names count, and not who
    /// is in the groups by now.
    pub fn named_before(request: AudienceRequest, field: &'static str) -> Result<Self, Invalid> {
        Ok(match request {
            AudienceRequest::Everyone => Audience::Everyone,
            AudienceRequest::Public => Audience::Public,
            AudienceRequest::Named { groups, partners } => {
                if groups.is_empty() && partners.is_empty() {
                    return Err(Invalid::new(field, "is set but names nobody"));
                }
                let (groups, partners) = (groups.into_iter().collect(), partners.into_iter());
                Audience::Named { groups, partners: partners.collect() }
            }
        })
    }
}

/// What the rules need to know of the partners, now.
pub trait Community {
    /// A partner's role; `None` when there is no such partner.
    fn role(&self, partner: &PartnerId) -> Option<Role>;
    /// Whether a partner is in a group.
    fn is_member(&self, group: &GroupId, partner: &PartnerId) -> bool;
    /// The group that the partner's AMBER objects go to when it names no audience.
    fn default_group(&self, partner: &PartnerId) -> Option<GroupId>;
    /// The partner's marking when it gives none.
    fn default_tlp(&self, partner: &PartnerId) -> Tlp;
}

impl Sharing {
    /// What an author's request comes to, or the first field of it that breaks a rule.
    pub fn resolve(
        request: SharingRequest,
        author: &PartnerId,
        community: &dyn Community,
    ) -> Result<Sharing, Invalid> {
        let tlp = request.tlp.unwrap_or_else(|| community.default_tlp(author));
        let audience = match request.audience {
            None => default_audience(tlp, author, community)?,
            Some(AudienceRequest::Named { groups, partners }) => {
                named(groups, partners, author, community)?
            }
            Some(AudienceRequest::Everyone) => Audience::Everyone,
            Some(AudienceRequest::Public) => Audience::Public,
        };
        bounded(tlp, &audience)?;
        for release in &request.releases {
            if community.role(&release.liaison) != Some(Role::Liaison) {
                let reason = format!("`{}` is not a liaison of this exchange", release.liaison);
                return Err(Invalid::new("sharing.releases", reason));
            }
        }
        check_releases(tlp, &request.releases)?;
        let sharing = Sharing { tlp, audience, releases: request.releases };
        Ok(sharing)
    }

    /// The part of this sharing that a reader may know: its own groups, itself, never the other
    /// names. The author sees all of it.
    pub fn seen_by(&self, reader: &Reader, author: &PartnerId, position: Position) -> SharingView {
        if reader.id == *author {
            return SharingView {
                tlp: self.tlp,
                audience: self.audience.clone(),
                releases: self.releases.clone(),
            };
        }
        let audience = match &self.audience {
            Audience::Named { groups, partners } => Audience::Named {
                groups: groups
                    .iter()
                    .filter(|group| reader.sees_group(group, position))
                    .cloned()
                    .collect(),
                partners: partners.get(&reader.id).cloned().into_iter().collect(),
            },
            whole => whole.clone(),
        };
        let releases = self.releases.iter().filter(|r| r.liaison == reader.id).cloned().collect();
        SharingView { tlp: self.tlp, audience, releases }
    }
}

/// The part of a [`Sharing`] that one reader may know. Readers with the same rights have equal
/// views, so what is encoded for one serves the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SharingView {
    /// What the reader may do with the object.
    pub tlp: Tlp,
    /// Through what the reader receives it. Named, but naming nobody, for a liaison.
    pub audience: Audience,
    /// The reader's own releases.
    pub releases: Vec<Release>,
}

/// A partner as the rule of sight knows it: its role and its memberships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub id: PartnerId,
    /// What it is on the exchange.
    pub role: Role,
    /// From which sequence on it is a partner.
    pub since: u64,
    /// From which sequence on it sees what is shared with each of its groups.
    pub groups: BTreeMap<GroupId, u64>,
}

impl Reader {
    /// Whether the reader sees what was accepted at `position` for this group.
    pub fn sees_group(&self, group: &GroupId, position: Position) -> bool {
        self.groups.get(group).is_some_and(|since| position.sequence >= *since)
    }
}

/// The rule of sight. Every way out of the exchange goes through it.
///
/// `position` is where the object was accepted: a member sees what came at or after the beginning
/// of its membership, and a partner what was for every partner since it is one. What is public is
/// there for whoever comes. `now` ends releases by the clock, even before the entry that records their
/// end. An operator sees no content, and an author always sees its own.
pub fn may_see(
    reader: &Reader,
    sharing: &Sharing,
    author: &PartnerId,
    position: Position,
    now: Timestamp,
) -> bool {
    match reader.role {
        Role::Operator => false,
        Role::Liaison => {
            sharing.audience == Audience::Public
                || sharing.releases.iter().any(|release| {
                    release.liaison == reader.id && release.until.is_none_or(|until| now < until)
                })
        }
        Role::Member | Role::Observer => {
            reader.id == *author
                || match &sharing.audience {
                    Audience::Public => true,
                    Audience::Everyone => position.sequence >= reader.since,
                    Audience::Named { groups, partners } => {
                        partners.contains(&reader.id)
                            || groups.iter().any(|group| reader.sees_group(group, position))
                    }
                }
        }
    }
}

/// Of releases to liaisons: what the marking allows, each on a ground, and no liaison twice.
fn check_releases(tlp: Tlp, releases: &[Release]) -> Result<(), Invalid> {
    let wrong = |field, reason| Err(Invalid::new(field, reason));
    if tlp == Tlp::Red && !releases.is_empty() {
        let reason = "are not possible: TLP:RED goes to named partners only";
        return wrong("sharing.releases", reason);
    }
    if releases.iter().any(|release| release.basis.trim().is_empty()) {
        return wrong("sharing.releases.basis", "is missing: a release says on what ground");
    }
    let mut named = BTreeSet::new();
    if !releases.iter().all(|release| named.insert(&release.liaison)) {
        return wrong("sharing.releases", "names a liaison twice");
    }
    Ok(())
}

fn default_audience(
    tlp: Tlp,
    author: &PartnerId,
    community: &dyn Community,
) -> Result<Audience, Invalid> {
    match tlp {
        Tlp::Red => Err(Invalid::new(
            "sharing.audience",
            "TLP:RED goes to named partners only, and none is named",
        )),
        Tlp::AmberStrict | Tlp::Amber => {
            let group = community.default_group(author).ok_or_else(|| {
                Invalid::new(
                    "sharing.audience",
                    format!("TLP:{tlp} needs an audience: you have no default group, so name one"),
                )
            })?;
            named(vec![group], Vec::new(), author, community)
        }
        Tlp::Green => Ok(Audience::Everyone),
        Tlp::Clear => Ok(Audience::Public),
    }
}

fn named(
    groups: Vec<GroupId>,
    partners: Vec<PartnerId>,
    author: &PartnerId,
    community: &dyn Community,
) -> Result<Audience, Invalid> {
    if groups.is_empty() && partners.is_empty() {
        return Err(Invalid::new("sharing.audience", "is set but names nobody"));
    }
    for group in &groups {
        // A group that does not exist and one that the author is not in read the same, so that
        // nobody can find out which groups there are.
        if !community.is_member(group, author) {
            return Err(Invalid::new(
                "sharing.audience.groups",
                format!("you are not in a group `{group}`"),
            ));
        }
    }
    for partner in &partners {
        match community.role(partner) {
            Some(Role::Member | Role::Observer) => {}
            Some(Role::Liaison) => {
                return Err(Invalid::new(
                    "sharing.audience.partners",
                    format!("`{partner}` is a liaison, which is in no audience: use a release"),
                ));
            }
            Some(Role::Operator) => {
                return Err(Invalid::new(
                    "sharing.audience.partners",
                    format!("`{partner}` runs the exchange and receives nothing"),
                ));
            }
            None => {
                return Err(Invalid::new(
                    "sharing.audience.partners",
                    format!("there is no partner `{partner}`"),
                ));
            }
        }
    }
    Ok(Audience::Named {
        groups: groups.into_iter().collect(),
        partners: partners.into_iter().collect(),
    })
}

fn bounded(tlp: Tlp, audience: &Audience) -> Result<(), Invalid> {
    let widest = match (tlp, audience) {
        (Tlp::Red, Audience::Named { groups, .. }) if groups.is_empty() => return Ok(()),
        (Tlp::Red, _) => "named partners only",
        (Tlp::AmberStrict | Tlp::Amber, Audience::Named { .. }) => return Ok(()),
        (Tlp::AmberStrict | Tlp::Amber, _) => "named groups and partners",
        (Tlp::Green, Audience::Public) => "everyone, and not public",
        (Tlp::Green | Tlp::Clear, _) => return Ok(()),
    };
    Err(Invalid::new("sharing.audience", format!("is too wide: TLP:{tlp} may go to {widest}")))
}

#[cfg(test)]
#[path = "sharing_tests.rs"]
mod tests;
