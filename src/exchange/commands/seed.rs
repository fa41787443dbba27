//! Adds partners and groups of the configuration to the registry.

use tracing::{info, warn};

use crate::domain::entry::{Body, Outcome, VoidReason};
use crate::domain::partner::{GroupDefinition, Partner};
use crate::error::Result;
use crate::exchange::commands::Commands;

/// The partners and groups of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seed {
    /// The partners.
    pub partners: Vec<Partner>,
    /// The groups of these partners.
    pub groups: Vec<GroupDefinition>,
}

impl Commands {
    /// Adds the partners and groups that are missing in the registry. Where they differ, the registry is kept, and a
    /// warning is logged. Idempotent, so a crash in between is harmless.
    pub async fn seed(&self, seed: Seed) -> Result<()> {
        let registry = self.core.registry();
        let mut added = 0;
        for partner in seed.partners {
            match registry.partner(&partner.id) {
                Some(known) if *known == partner => {}
                Some(_) => warn!(partner = %partner.id, "{DIFFERS}"),
                None => {
                    self.put(Body::PartnerPut(partner)).await?;
                    added += 1;
                }
            }
        }
        for group in seed.groups {
            match registry.group(&group.id) {
                Some(known) if known.is_as_defined(&group) => {}
                Some(_) => warn!(group = %group.id, "{DIFFERS}"),
                None => {
                    self.put(Body::GroupPut(group)).await?;
                    added += 1;
                }
            }
        }
        if added > 0 {
            info!(added, "partners and groups of the configuration were put into the registry");
        }
        Ok(())
    }

    async fn put(&self, body: Body) -> Result<()> {
        let committed = self.core.commit_change(None, body).await?;
        if let Outcome::Void(VoidReason::Registry(rule)) = &*committed.outcome {
            warn!("the registry does not allow what the configuration adds: {}", rule.reason());
        }
        Ok(())
    }
}

const DIFFERS: &str = "the configuration differs from the registry, and the registry is kept";
