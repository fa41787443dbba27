//! The names of an account over time: its stable id, and the handles that it had before.

use serde::{Deserialize, Serialize};

use super::indicator::{Indicator, Kind};
use super::invalid::Invalid;
use super::platform::Platform;

/// The most former handles of one assessment.
pub const MAX_FORMER_HANDLES: usize = 20;

/// Other names of the account that an assessment is about, in their canonical form. All are on the platform of the
/// indicator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountNames {
    /// The platform's stable id, if the indicator is a handle.
    pub account_id: Option<Box<str>>,
    /// Handles that the account had before, sorted and without duplicates. If the indicator is a stable id, any of its
    /// handles.
    pub former_handles: Vec<Box<str>>,
}

impl AccountNames {
    /// Parses the other names of `indicator`, as people write them: a handle with or without `@`, or the address of a
    /// profile. Names that equal the indicator are left out. Only an `account` and an `account_id` have other names.
    pub fn parse(
        indicator: &Indicator,
        account_id: &str,
        former_handles: &[impl AsRef<str>],
    ) -> Result<Self, Invalid> {
        if account_id.is_empty() && former_handles.is_empty() {
            return Ok(Self::default());
        }
        if former_handles.len() > MAX_FORMER_HANDLES {
            let reason =
                format!("has {} entries: the limit is {MAX_FORMER_HANDLES}", former_handles.len());
            return Err(Invalid::new("former_handles", reason));
        }
        let account_id = match account_id {
            "" => None,
            text => other_name(indicator, "account_id", Kind::AccountId, text)?,
        };
        if account_id.is_some() && indicator.kind() == Kind::AccountId {
            let reason = "is another id than the indicator: an account has one stable id";
            return Err(Invalid::new("account_id", reason));
        }
        let mut handles = Vec::with_capacity(former_handles.len());
        for text in former_handles {
            let handle = other_name(indicator, "former_handles", Kind::Account, text.as_ref())?;
            handles.extend(handle);
        }
        handles.sort_unstable();
        handles.dedup();
        Ok(Self { account_id, former_handles: handles })
    }

    /// Whether there is no other name.
    pub fn is_empty(&self) -> bool {
        self.account_id.is_none() && self.former_handles.is_empty()
    }

    /// The names as indicators on a platform.
    pub fn indicators(&self, platform: &Platform) -> impl Iterator<Item = Indicator> {
        let on_platform =
            move |kind, name: &str| Indicator::canonical(kind, Some(platform.clone()), name);
        let id = self.account_id.iter().map(move |id| on_platform(Kind::AccountId, id));
        id.chain(self.former_handles.iter().map(move |name| on_platform(Kind::Account, name)))
    }
}

/// Whether indicators of a kind are accounts, which have other names.
pub const fn is_account(kind: Kind) -> bool {
    matches!(kind, Kind::Account | Kind::AccountId)
}

/// The canonical form of another name of `indicator`; `None` if it is the indicator itself.
fn other_name(
    indicator: &Indicator,
    field: &'static str,
    kind: Kind,
    text: &str,
) -> Result<Option<Box<str>>, Invalid> {
    let Some(platform) = indicator.platform().filter(|_| is_account(indicator.kind())) else {
        let reason =
            format!("is for accounts only, and the kind of this value is {}", indicator.kind());
        return Err(Invalid::new(field, reason));
    };
    let shown = || text.chars().take(80).collect::<String>().escape_debug().to_string();
    let name = Indicator::parse(kind, Some(platform.as_str()), text).map_err(|invalid| {
        Invalid::new(field, format!("`{}`: {} {}", shown(), invalid.field, invalid.reason))
    })?;
    if name.platform() != Some(platform) {
        let reason = format!("`{}` is on another platform than the account", shown());
        return Err(Invalid::new(field, reason));
    }
    Ok((name != *indicator).then(|| name.into_value()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> Indicator {
        Indicator::read(text, None).unwrap()
    }

    fn id_of(value: &str) -> Indicator {
        Indicator::parse(Kind::AccountId, Some("x"), value).unwrap()
    }

    #[test]
    fn names_have_one_canonical_form_and_their_order_does_not_matter() {
        let harbour = account("x:harbour_desk");
        let names = AccountNames::parse(&harbour, "1234567", &["@Pier_Desk", "x.com/old_desk"]);
        let names = names.unwrap();
        assert_eq!(names.account_id.as_deref(), Some("1234567"));
        assert_eq!(names.former_handles, ["old_desk".into(), "pier_desk".into()]);
        let again = ["old_desk", "pier_desk", "@PIER_desk", "Harbour_Desk"];
        assert_eq!(AccountNames::parse(&harbour, "1234567", &again).unwrap(), names);
        let indicators: Vec<_> = names.indicators(harbour.platform().unwrap()).collect();
        assert_eq!(indicators, [id_of("1234567"), account("x:old_desk"), account("x:pier_desk")]);
    }

    #[test]
    fn a_stable_id_has_handles_and_no_other_id() {
        let id = id_of("1234567");
        let names = AccountNames::parse(&id, "1234567", &["harbour_desk"]).unwrap();
        assert_eq!(names.account_id, None);
        assert_eq!(names.former_handles, ["harbour_desk".into()]);
        assert_eq!(AccountNames::parse(&id, "7654321", &[""; 0]).unwrap_err().field, "account_id");
    }

    #[test]
    fn an_invalid_name_is_refused_by_its_field() {
        let harbour = account("x:harbour_desk");
        let field = |indicator: &Indicator, id: &str, handles: &[&str]| {
            AccountNames::parse(indicator, id, handles).unwrap_err().field
        };
        assert_eq!(field(&harbour, "", &["not a handle"]), "former_handles");
        assert_eq!(field(&harbour, "", &["https://t.me/harbour"]), "former_handles");
        assert_eq!(field(&harbour, "a b", &[]), "account_id");
        assert_eq!(field(&harbour, "", &["a"; MAX_FORMER_HANDLES + 1]), "former_handles");
        assert_eq!(field(&account("a.example"), "1", &[]), "account_id");
        assert_eq!(field(&account("a.example"), "", &["a"]), "former_handles");
    }
}
