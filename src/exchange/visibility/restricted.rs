//! Objects with restricted labels. Only members of the restricted group may hold them.

use crate::domain::entry::{Item, Rejection};
use crate::domain::label::Label;
use crate::domain::partner::Group;
use crate::domain::sharing::{Audience, Sharing};
use crate::domain::{Assessment, Invalid, PartnerId, Tlp};
use crate::index::Registry;

/// Rejects restricted items unless their sharing keeps them in the restricted group. Returns the others, and all
/// rejections.
pub fn reject_restricted(
    items: Vec<Item>,
    sharing: &Sharing,
    registry: &Registry,
    mut rejected: Vec<Rejection>,
) -> (Vec<Item>, Vec<Rejection>) {
    if !items.iter().any(|item| is_restricted(&item.assessment))
        || stays_in_group(sharing, registry.restricted_group())
    {
        return (items, rejected);
    }
    let (accepted, restricted): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|item| !is_restricted(&item.assessment));
    rejected.extend(restricted.into_iter().map(|item| {
        let label = item.assessment.labels.iter().find(|label| label.is_restricted());
        Rejection { index: item.index, invalid: rejection_reason(label, registry) }
    }));
    (accepted, rejected)
}

/// Whether an assessment has a restricted label.
pub fn is_restricted(assessment: &Assessment) -> bool {
    assessment.labels.iter().any(Label::is_restricted)
}

/// Whether a sharing keeps an object in the restricted group: only that group is named, and there are no releases.
pub fn stays_in_group(sharing: &Sharing, group: Option<&Group>) -> bool {
    let Some(group) = group else { return false };
    let Audience::Named { groups, partners } = &sharing.audience else { return false };
    matches!(sharing.tlp, Tlp::Amber | Tlp::AmberStrict)
        && partners.is_empty()
        && groups.len() == 1
        && groups.contains(&group.id)
        && sharing.releases.is_empty()
}

/// Whether all of the partners are members of the restricted group and have confirmed its terms. False for none.
pub fn may_hold(registry: &Registry, partners: &[&PartnerId]) -> bool {
    let is_entitled = |group: &Group, partner: &PartnerId| {
        group.current(partner).is_some() && registry.has_confirmed(partner)
    };
    let Some(group) = registry.restricted_group() else { return false };
    !partners.is_empty() && partners.iter().all(|partner| is_entitled(group, partner))
}

/// Why an object with a restricted label is rejected. It does not name the group, since others need not know it.
fn rejection_reason(label: Option<&Label>, registry: &Registry) -> Invalid {
    let label = label.map(Label::as_str).unwrap_or_default();
    let reason = match registry.restricted_group() {
        None => format!("`{label}` is restricted: this exchange has no group entitled to hold it"),
        Some(_) => format!(
            "`{label}` is restricted: share it as AMBER or AMBER+STRICT with the group entitled to hold \
             it, and with nobody else"
        ),
    };
    Invalid::new("labels", reason)
}
