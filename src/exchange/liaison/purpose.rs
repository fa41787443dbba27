//! Purposes: a liaison states one with each request, and the registry says which it may use.

use std::time::Duration;

use crate::domain::partner::Role;
use crate::domain::purpose::Purpose;
use crate::domain::{Invalid, PartnerId};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::{Caller, Core, unknown_partner};

/// The longest time that a purpose may be valid.
const MAX_DURATION: Duration = Duration::from_secs(366 * 86_400);

impl Core {
    /// Checks the purpose of a request: required for liaisons, by what the registry allows them; refused for others.
    pub(in crate::exchange) fn check_purpose(
        &self,
        caller: &Caller,
        purpose: Option<&Purpose>,
    ) -> Result<()> {
        if caller.role() != Role::Liaison {
            return match purpose {
                None => Ok(()),
                Some(_) => Err(invalid("purpose", "is a liaison's alone")),
            };
        }
        let missing = "is missing: a liaison says for what it reads";
        let purpose = purpose.ok_or_else(|| invalid("purpose", missing))?;
        let now = self.clock.now();
        if purpose.has_expired(now) {
            return Err(invalid("purpose.until", "has passed"));
        }
        if purpose.until > now.plus(MAX_DURATION) {
            return Err(invalid("purpose.until", "is more than 366 days away"));
        }
        if purpose.reference.is_empty() && purpose.kind.needs_reference() {
            let reason = format!("is missing: a {} has one", purpose.kind);
            return Err(invalid("purpose.reference", reason));
        }
        self.check_registered(caller.partner(), purpose)
    }

    /// Checks jurisdiction and kind against the registry.
    pub(in crate::exchange) fn check_registered(
        &self,
        liaison: &PartnerId,
        purpose: &Purpose,
    ) -> Result<()> {
        let registry = self.registry();
        let known = registry.partner(liaison).ok_or_else(|| unknown_partner(liaison))?;
        match known.jurisdiction.as_deref() {
            Some(own) if own == &*purpose.jurisdiction => {}
            Some(own) => {
                let reason = format!("is not {own}, which the registry says of you");
                return Err(invalid("purpose.jurisdiction", reason));
            }
            None => {
                let reason = "cannot be held against the registry, which says none of you";
                return Err(invalid("purpose.jurisdiction", reason));
            }
        }
        if known.purposes.contains(&purpose.kind) {
            return Ok(());
        }
        let all: Vec<_> = known.purposes.iter().map(|kind| kind.as_str()).collect();
        let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        let message = format!(
            "you may not read for a purpose of the kind `{}`; those that the registry allows you: {all}",
            purpose.kind
        );
        Err(Error::new(Kind::Denied, "purpose_denied", message))
    }

    /// Fails once the purpose of an open feed has expired, or the registry no longer allows it.
    pub(in crate::exchange) fn check_purpose_holds(
        &self,
        reader: &PartnerId,
        purpose: Option<&Purpose>,
    ) -> Result<()> {
        let Some(purpose) = purpose else { return Ok(()) };
        if purpose.has_expired(self.clock.now()) {
            let message = "the purpose has run out: ask again for one that has not";
            return Err(Error::new(Kind::Denied, "purpose_ended", message));
        }
        self.check_registered(reader, purpose).map_err(|_| {
            let message = "the registry no longer allows you this purpose";
            Error::new(Kind::Denied, "purpose_ended", message)
        })
    }

    /// Whether a caller may read tips: not with purpose `public`. Fails like [`Core::check_purpose`].
    pub(in crate::exchange) fn may_read_tips(
        &self,
        caller: &Caller,
        purpose: Option<&Purpose>,
    ) -> Result<bool> {
        self.check_purpose(caller, purpose)?;
        Ok(!purpose.is_some_and(Purpose::is_public))
    }
}

fn invalid(field: &'static str, reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Invalid::new(field, reason).into()
}
