//! Objects with restricted labels go to the one closed group entitled to hold them, and nowhere
//! else.

use crate::domain::entry::{Item, Rejection};
use crate::domain::label::Label;
use crate::domain::partner::Group;
use crate::domain::sharing::{Audience, Sharing};
use crate::domain::{Assessment, Invalid, PartnerId, Tlp};
use crate::index::Registry;

/// The items that may be held with their sharing, and the rejections with those that may not.
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
    let (held, refused): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|item| !is_restricted(&item.assessment));
    rejected.extend(refused.into_iter().map(|item| {
        let label = item.assessment.labels.iter().find(|label| label.is_restricted());
        Rejection { index: item.index, invalid: refusal(label, registry) }
    }));
    (held, rejected)
}

/// Whether an assessment is under a restricted label.
pub fn is_restricted(said: &Assessment) -> bool {
    said.labels.iter().any(Label::is_restricted)
}

/// Whether what is shared so stays in the closed group: named alone, and released to nobody.
pub fn stays_in_group(sharing: &Sharing, group: Option<&Group>) -> bool {
    let Some(group) = group else { return false };
    let Audience::Named { groups, partners } = &sharing.audience else { return false };
    matches!(sharing.tlp, Tlp::Amber | Tlp::AmberStrict)
        && partners.is_empty()
        && groups.len() == 1
        && groups.contains(&group.id)
        && sharing.releases.is_empty()
}

/// Whether each of some partners is in the closed group and has confirmed its terms; not where there are
/// none.
pub fn may_hold(registry: &Registry, partners: &[&PartnerId]) -> bool {
    let holds = |group: &Group, partner: &PartnerId| {
        group.current(partner).is_some() && registry.has_confirmed(partner)
    };
    let Some(group) = registry.restricted_group() else { return false };
    !partners.is_empty() && partners.iter().all(|partner| holds(group, partner))
}

/// Why an object under a restricted label is refused. It names no group: who is not in it need not
/// know of it.
fn refusal(label: Option<&Label>, registry: &Registry) -> Invalid {
    let label = label.map(Label::as_str).unwrap_or_default();
    let reason = match registry.restricted_group() {
        None => format!("`{label}` is restricted: this exchange has no group entitled to hold it"),
        Some(_) => format!(
            "`{label}` is restricted: it goes as AMBER or AMBER+STRICT to the group entitled to hold \
             it, and to nobody else"
        ),
    };
    Invalid::new("labels", reason)
}
