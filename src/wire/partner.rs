//! Partners and groups, out.

use super::pb;
use crate::domain::partner::{Group, Partner};

/// Writes a partner as any other may see it.
pub fn write(partner: &Partner) -> pb::Partner {
    pb::Partner {
        id: partner.id.to_string(),
        name: partner.name.clone(),
        role: pb::Role::from(partner.role).into(),
        platforms: partner.platforms.iter().map(ToString::to_string).collect(),
        jurisdiction: partner.jurisdiction.clone().unwrap_or_default(),
    }
}

/// Writes a group as its members may see it.
pub fn write_group(group: &Group) -> pb::SharingGroup {
    let mut members: Vec<_> = group.members().map(ToString::to_string).collect();
    members.sort_unstable();
    pb::SharingGroup {
        id: group.id.to_string(),
        name: group.name.clone(),
        members,
        history_all: group.history_all,
    }
}
