//! Sharing: TLP marking, audience and releases of an object, and the access rule [`may_see`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::entry::Position;
use super::invalid::Invalid;
use super::partner::{GroupId, PartnerId, Role};
use super::time::Timestamp;

/// A Traffic Light Protocol marking (FIRST TLP 2.0), from the strictest to the widest.
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
    /// Every marking, from the strictest to the widest.
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

    /// Accepts any case, with or without the prefix `TLP:`.
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

/// The partners to which the exchange delivers an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Audience {
    /// The members of these groups, and these partners. At least one is named.
    Named {
        /// Groups that the author was a member of.
        groups: BTreeSet<GroupId>,
        /// Members and observers.
        partners: BTreeSet<PartnerId>,
    },
    /// All members and observers.
    Everyone,
    /// Also liaisons and public exports.
    Public,
}

/// An author's permission for one liaison to read an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Release {
    /// The liaison.
    pub liaison: PartnerId,
    /// The legal basis, in the author's words.
    pub basis: String,
    /// When it expires; `None` for never.
    pub until: Option<Timestamp>,
}

/// Who receives an object and what they may do with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sharing {
    /// What recipients may do with it.
    pub tlp: Tlp,
    /// Who receives it.
    pub audience: Audience,
    /// The liaisons that it is released to.
    pub releases: Vec<Release>,
}

/// The sharing that an author requests, before defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharingRequest {
    /// The marking; `None` for the author's default.
    pub tlp: Option<Tlp>,
    /// The audience; `None` for the marking's default.
    pub audience: Option<AudienceRequest>,
    /// The releases. They have no default.
    pub releases: Vec<Release>,
}

/// A requested audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudienceRequest {
    /// These groups and partners. An empty list is an error and never means "everyone".
    Named {
        /// The groups.
        groups: Vec<GroupId>,
        /// The partners.
        partners: Vec<PartnerId>,
    },
    /// All members and observers.
    Everyone,
    /// Also liaisons and public exports.
    Public,
}

impl Audience {
    /// The audience of an earlier request. Only the names count; membership is not checked again.
    pub fn from_names(request: AudienceRequest, field: &'static str) -> Result<Self, Invalid> {
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

/// The facts about partners that the rules need, at the current state of the registry.
pub trait Directory {
    /// A partner's role; `None` for an unknown partner.
    fn role(&self, partner: &PartnerId) -> Option<Role>;
    /// Whether the partner is a member of the group.
    fn is_member(&self, group: &GroupId, partner: &PartnerId) -> bool;
    /// The group that receives the partner's AMBER objects if it names no audience.
    fn default_group(&self, partner: &PartnerId) -> Option<GroupId>;
    /// The partner's default marking.
    fn default_tlp(&self, partner: &PartnerId) -> Tlp;
}

impl Sharing {
    /// Applies defaults and checks the rules. The error names the first field that breaks one.
    pub fn resolve(
        request: SharingRequest,
        author: &PartnerId,
        community: &dyn Directory,
    ) -> Result<Sharing, Invalid> {
        let tlp = request.tlp.unwrap_or_else(|| community.default_tlp(author));
        let audience = match request.audience {
            None => default_audience(tlp, author, community)?,
            Some(AudienceRequest::Named { groups, partners }) => {
                resolve_named(groups, partners, author, community)?
            }
            Some(AudienceRequest::Everyone) => Audience::Everyone,
            Some(AudienceRequest::Public) => Audience::Public,
        };
        check_audience_width(tlp, &audience)?;
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

    /// The part of this sharing that a reader may know: its own groups and itself, but no other
    /// names. The author sees all of it.
    pub fn view_for(&self, reader: &Reader, author: &PartnerId, position: Position) -> SharingView {
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

/// The part of a [`Sharing`] that one reader may know. Readers with equal rights have equal views,
/// so an encoded view can be shared between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SharingView {
    /// What the reader may do with the object.
    pub tlp: Tlp,
    /// The groups and names through which the reader receives it. For a liaison: named, but empty.
    pub audience: Audience,
    /// The reader's own releases.
    pub releases: Vec<Release>,
}

/// A reader's rights: its role and memberships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The partner.
    pub id: PartnerId,
    /// Its role.
    pub role: Role,
    /// The sequence of the entry that enrolled it.
    pub since: u64,
    /// For each of its groups, the sequence from which on it sees the group's objects.
    pub groups: BTreeMap<GroupId, u64>,
}

impl Reader {
    /// Whether the reader sees an object accepted at `position` through this group.
    pub fn sees_group(&self, group: &GroupId, position: Position) -> bool {
        self.groups.get(group).is_some_and(|since| position.sequence >= *since)
    }
}

/// The time to pass to [`may_see`] where releases must not expire by the clock: before every release's end.
pub const NO_RELEASE_EXPIRED: Timestamp = Timestamp::from_millis(0);

/// The access rule. Everything that leaves the exchange is checked by it.
///
/// `position` is where the object was accepted. A member sees its groups' objects from the start of
/// its membership, and objects for everyone from its enrolment on. Public objects are visible to
/// every reader but operators. Releases expire by `now`, even before the entry that records their
/// end. An author always sees its own objects; an operator sees no content.
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

/// Checks releases: the marking allows them, each has a basis, and no liaison is named twice.
fn check_releases(tlp: Tlp, releases: &[Release]) -> Result<(), Invalid> {
    let wrong = |field, reason| Err(Invalid::new(field, reason));
    if tlp == Tlp::Red && !releases.is_empty() {
        let reason = "are not possible: TLP:RED goes to named partners only";
        return wrong("sharing.releases", reason);
    }
    if releases.iter().any(|release| release.basis.trim().is_empty()) {
        return wrong("sharing.releases.basis", "is missing: a release needs a legal basis");
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
    community: &dyn Directory,
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
            resolve_named(vec![group], Vec::new(), author, community)
        }
        Tlp::Green => Ok(Audience::Everyone),
        Tlp::Clear => Ok(Audience::Public),
    }
}

fn resolve_named(
    groups: Vec<GroupId>,
    partners: Vec<PartnerId>,
    author: &PartnerId,
    community: &dyn Directory,
) -> Result<Audience, Invalid> {
    if groups.is_empty() && partners.is_empty() {
        return Err(Invalid::new("sharing.audience", "is set but names nobody"));
    }
    for group in &groups {
        // An unknown group and one that the author is not in give the same error, so that nobody
        // can probe for group names.
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

/// Checks that the marking allows an audience as wide as this.
fn check_audience_width(tlp: Tlp, audience: &Audience) -> Result<(), Invalid> {
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
