//! Writes the access log.

use crate::domain::PartnerId;
use crate::domain::entry::{Accessed, AccessedVersions, AppendId, Body};
use crate::domain::purpose::{AccessWay, Purpose};
use crate::error::Result;
use crate::exchange::liaison::{AccessedObjects, Liaison};

impl Liaison {
    /// Records the objects of a message before it is sent to a liaison. The record is durable
    /// and listed when this returns. After an error the message must not be sent. Not idempotent: each call adds a
    /// record.
    pub async fn record_access(
        &self,
        liaison: &PartnerId,
        way: AccessWay,
        purpose: &Purpose,
        accessed: AccessedObjects,
    ) -> Result<()> {
        if accessed.is_empty() {
            return Ok(());
        }
        let accessed = accessed.versions.into_iter();
        let accessed = accessed.map(|((author, names_reference), versions)| {
            let versions = versions.into_iter().collect();
            AccessedVersions { author, names_reference, versions }
        });
        let body = Body::Accessed(Accessed {
            way,
            purpose: purpose.clone(),
            accessed: accessed.collect(),
        });
        let id = AppendId::from_bytes(self.core.settings.random_ids.next());
        self.core.commit(id, Some(liaison), body).await?.items()?;
        Ok(())
    }
}
