//! Writing the access log.

use uuid::Uuid;

use crate::domain::PartnerId;
use crate::domain::entry::{Accessed, AccessedVersions, AppendId, Body};
use crate::domain::purpose::{AccessWay, Purpose};
use crate::error::Result;
use crate::exchange::liaison::{AccessedObjects, Liaison};

impl Liaison {
    /// Records the objects of a message before it is sent to a liaison. Durable and listed when it returns; after an
    /// error the message must not be sent. Not idempotent: sending twice is recorded twice.
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
        let given = accessed.by.into_iter().map(|((author, named), versions)| {
            let versions = versions.into_iter().collect();
            AccessedVersions { author, names_reference: named, versions }
        });
        let body =
            Body::Accessed(Accessed { way, purpose: purpose.clone(), accessed: given.collect() });
        let id = AppendId::from_bytes(*Uuid::new_v4().as_bytes());
        self.core.commit(id, Some(liaison), body).await?.items()?;
        Ok(())
    }
}
