//! Partners and groups of the configuration, into the journal.

use tracing::{info, warn};

use super::Exchange;
use crate::domain::entry::{AppendId, Body};
use crate::domain::partner::{Group, GroupDefinition, Partner};
use crate::error::Result;
use crate::journal::Append;

/// What the configuration says of partners and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seed {
    /// The partners.
    pub partners: Vec<Partner>,
    /// The groups, over these partners.
    pub groups: Vec<GroupDefinition>,
}

impl Exchange {
    /// Puts into the journal the partners and groups that it does not know. Those that it knows
    /// stand as the journal says; where the configuration says otherwise, the log names them.
    ///
    /// Taken up where a crash left it, and idempotent.
    pub async fn seed(&self, seed: Seed) -> Result<()> {
        let registry = self.registry();
        let mut added = 0;
        for partner in seed.partners {
            match registry.partner(&partner.id) {
                Some(known) if *known == partner => {}
                Some(_) => warn!(partner = %partner.id, "{DIFFERS}"),
                None => {
                    let id = AppendId::derive(&[b"seed partner", partner.id.as_str().as_bytes()]);
                    self.put(id, Body::PartnerPut(partner)).await?;
                    added += 1;
                }
            }
        }
        for group in seed.groups {
            match registry.group(&group.id) {
                Some(known) if is_as_defined(known, &group) => {}
                Some(_) => warn!(group = %group.id, "{DIFFERS}"),
                None => {
                    let id = AppendId::derive(&[b"seed group", group.id.as_str().as_bytes()]);
                    self.put(id, Body::GroupPut(group)).await?;
                    added += 1;
                }
            }
        }
        if added > 0 {
            info!(added, "partners and groups of the configuration were put into the registry");
        }
        Ok(())
    }

    async fn put(&self, id: AppendId, body: Body) -> Result<()> {
        let stamp = self.append(Append::new(id, None, body)).await?;
        self.index.outcome(stamp.sequence).await?;
        Ok(())
    }
}

const DIFFERS: &str = "the configuration differs from the registry, and the registry stands";

fn is_as_defined(group: &Group, definition: &GroupDefinition) -> bool {
    let mut members: Vec<_> = group.members().collect();
    let mut defined: Vec<_> = definition.members.iter().collect();
    members.sort_unstable();
    defined.sort_unstable();
    defined.dedup();
    members == defined
        && group.name == definition.name
        && group.history_all == definition.history_all
}
