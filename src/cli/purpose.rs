//! Flags for the purpose of a liaison.

use std::time::Duration;

use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::domain::purpose::PurposeKind;
use crate::wire::{pb, timestamp};

/// Validity of a purpose without --purpose-until.
const DEFAULT_VALIDITY: Duration = Duration::from_secs(86_400);

/// The purpose for which a liaison reads.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Liaisons")]
pub struct PurposeFlags {
    /// Purpose for which you read: `warrant:W-17:GB`, or `public::GB` without a document. Kinds:
    /// warrant, subpoena, emergency, voluntary, public
    #[arg(long, value_name = "KIND:REF:JURISDICTION", value_parser = read, env = "TIPOFF_PURPOSE")]
    purpose: Option<pb::Purpose>,
    /// End of the purpose; default: in 24 hours
    #[arg(long, value_name = "TIME", value_parser = super::text::read_end)]
    #[arg(requires = "purpose")]
    purpose_until: Option<prost_types::Timestamp>,
}

impl PurposeFlags {
    /// Adds the purpose to the client.
    pub fn client(&self, client: Client) -> Client {
        let Some(purpose) = self.purpose.clone() else { return client };
        let until = self
            .purpose_until
            .unwrap_or_else(|| timestamp(SystemClock.now().plus(DEFAULT_VALIDITY)));
        client.with_purpose(pb::Purpose { until: Some(until), ..purpose })
    }
}

/// Parses `KIND:REF:JURISDICTION`. The reference itself may contain colons.
fn read(text: &str) -> Result<pb::Purpose, String> {
    let parts = text.split_once(':').and_then(|(kind, rest)| {
        let (reference, jurisdiction) = rest.rsplit_once(':')?;
        Some((kind, reference, jurisdiction))
    });
    let (kind, reference, jurisdiction) =
        parts.ok_or("expected KIND:REF:JURISDICTION, such as warrant:W-17:GB")?;
    let kind: PurposeKind = kind.parse().map_err(|error: crate::domain::Invalid| error.reason)?;
    Ok(pb::Purpose {
        kind: pb::PurposeKind::from(kind).into(),
        reference: reference.into(),
        jurisdiction: jurisdiction.into(),
        until: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_read_with_colons_in_its_reference() {
        let parts = |text| {
            let read = read(text).ok()?;
            let kind = read.kind();
            Some((kind, read.reference, read.jurisdiction))
        };
        let warrant = |of: &str| Some((pb::PurposeKind::Warrant, of.into(), "GB".into()));
        assert_eq!(parts("warrant:W-17:GB"), warrant("W-17"));
        assert_eq!(parts("warrant:court:W-17:GB"), warrant("court:W-17"));
        assert_eq!(parts("public::US").unwrap().1, "");
        for bad in ["", "warrant", "warrant:W-17", "order:W-17:GB"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
