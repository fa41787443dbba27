//! The access log: written before anything leaves for a liaison.

use uuid::Uuid;

use crate::domain::PartnerId;
use crate::domain::entry::{Accessed, AccessedVersions, AppendId, Body};
use crate::domain::purpose::{AccessWay, Purpose};
use crate::error::Result;
use crate::exchange::liaison::{AccessedObjects, Liaison};

impl Liaison {
    /// Writes down what a liaison is about to be given. Once this returns it is on disk and can be listed;
    /// after an error nothing may leave. Written again where the same is given again.
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
