//! Purposes: a liaison states one with each request. The registry lists the kinds that it may use.

use std::time::Duration;

use crate::domain::partner::Role;
use crate::domain::purpose::Purpose;
use crate::domain::{Invalid, PartnerId};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::{Caller, Core, unknown_partner};

/// The longest time that a purpose may be valid: a leap year.
const MAX_DURATION: Duration = Duration::from_secs(366 * 86_400);

impl Core {
    /// Checks the purpose of a request. Liaisons must state one that the registry allows; others must not state one.
    pub(in crate::exchange) fn check_purpose(
        &self,
        caller: &Caller,
        purpose: Option<&Purpose>,
    ) -> Result<()> {
        if caller.role() != Role::Liaison {
            return match purpose {
                None => Ok(()),
                Some(_) => Err(invalid("purpose", "is only for liaisons: leave it out")),
            };
        }
        let missing = || invalid("purpose", "is missing: a liaison must state why it reads");
        let purpose = purpose.ok_or_else(missing)?;
        let now = self.clock.now();
        if purpose.has_expired(now) {
            return Err(invalid("purpose.until", "has passed"));
        }
        if purpose.until > now.plus(MAX_DURATION) {
            return Err(invalid("purpose.until", "is more than 366 days away"));
        }
        if purpose.reference.is_empty() && purpose.kind.needs_reference() {
            let reason = format!("is missing: purpose `{}` needs one", purpose.kind);
            return Err(invalid("purpose.reference", reason));
        }
        self.check_registered(caller.partner(), purpose)
    }

    /// Checks the jurisdiction and the kind of a purpose against the registry.
    pub(in crate::exchange) fn check_registered(
        &self,
        liaison: &PartnerId,
        purpose: &Purpose,
    ) -> Result<()> {
        let registry = self.registry();
        let registered = registry.partner(liaison).ok_or_else(|| unknown_partner(liaison))?;
        match registered.jurisdiction.as_deref() {
            Some(own) if own == &*purpose.jurisdiction => {}
            Some(own) => {
                let reason = format!("must be {own}, your jurisdiction in the registry");
                return Err(invalid("purpose.jurisdiction", reason));
            }
            None => {
                let reason = "cannot be checked: the registry has no jurisdiction for you";
                return Err(invalid("purpose.jurisdiction", reason));
            }
        }
        if registered.purposes.contains(&purpose.kind) {
            return Ok(());
        }
        let allowed: Vec<_> = registered.purposes.iter().map(|kind| kind.as_str()).collect();
        let allowed = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
        let message = format!(
            "purpose `{}` is not allowed for you; the registry allows: {allowed}",
            purpose.kind
        );
        Err(Error::new(Kind::Denied, "purpose_denied", message))
    }

    /// Fails if the purpose of an open feed has expired or the registry no longer allows it.
    pub(in crate::exchange) fn check_purpose_holds(
        &self,
        reader: &PartnerId,
        purpose: Option<&Purpose>,
    ) -> Result<()> {
        let Some(purpose) = purpose else { return Ok(()) };
        if purpose.has_expired(self.clock.now()) {
            let message = "the purpose has expired: send a new request with a later expiry";
            return Err(Error::new(Kind::Denied, "purpose_ended", message));
        }
        self.check_registered(reader, purpose).map_err(|_| {
            let message = "the registry no longer allows this purpose for you";
            Error::new(Kind::Denied, "purpose_ended", message)
        })
    }

    /// Checks the purpose, and returns whether the caller may read tips: not with purpose `public`.
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
