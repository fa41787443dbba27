//! Flags for audiences and TLP markings.

use crate::domain::sharing::Tlp;
use crate::wire::pb;

/// The audience and marking of a new object.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Sharing")]
pub struct SharingFlags {
    /// TLP marking: RED, AMBER+STRICT, AMBER, GREEN, CLEAR
    #[arg(long, value_name = "TLP")]
    pub tlp: Option<Tlp>,
    /// Group that receives it; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// Partner that receives it; may be repeated
    #[arg(long = "to", value_name = "PARTNER")]
    pub partners: Vec<String>,
}

/// The audience of existing objects.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Audience")]
pub struct AudienceFlags {
    /// Group that it was shared with
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Partner that it was shared with
    #[arg(long = "to", value_name = "PARTNER")]
    partners: Vec<String>,
    /// Objects shared with all members and observers
    #[arg(long, conflicts_with_all = ["groups", "partners"])]
    everyone: bool,
    /// Objects shared with the public
    #[arg(long, conflicts_with_all = ["groups", "partners", "everyone"])]
    public: bool,
}

/// The audience of existing objects, for commands where `--to` names a liaison.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "meant", multiple = true)]
#[command(next_help_heading = "Only objects for this audience")]
pub struct AudienceFilterFlags {
    /// Group that it was shared with
    #[arg(id = "meant_groups", long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Partner that it was shared with
    #[arg(id = "meant_partners", long = "partner", value_name = "PARTNER")]
    partners: Vec<String>,
    /// Objects shared with all members and observers
    #[arg(id = "meant_everyone", long = "everyone")]
    #[arg(conflicts_with_all = ["meant_groups", "meant_partners"])]
    everyone: bool,
    /// Objects shared with the public
    #[arg(id = "meant_public", long = "public")]
    #[arg(conflicts_with_all = ["meant_groups", "meant_partners", "meant_everyone"])]
    public: bool,
}

impl AudienceFilterFlags {
    /// The groups of the flags.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The audience. `None` if no flag is given: objects of any audience.
    pub fn audience(&self) -> Option<pb::Audience> {
        audience(&self.groups, &self.partners, self.everyone, self.public)
    }
}

/// The audience whose objects a submission replaces.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Replace your objects for")]
pub struct ReplacesFlags {
    /// Group: your objects for it about the same indicators end
    #[arg(id = "replaces_groups", long = "replaces-group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Partner, alone or together with groups
    #[arg(id = "replaces_partners", long = "replaces-partner", value_name = "PARTNER")]
    partners: Vec<String>,
    /// All members and observers
    #[arg(id = "replaces_everyone", long = "replaces-everyone")]
    #[arg(conflicts_with_all = ["replaces_groups", "replaces_partners"])]
    everyone: bool,
    /// The public
    #[arg(id = "replaces_public", long = "replaces-public")]
    #[arg(conflicts_with_all = ["replaces_groups", "replaces_partners", "replaces_everyone"])]
    public: bool,
}

impl SharingFlags {
    /// The sharing. `None` if no flag is given: the exchange applies your defaults.
    pub fn sharing(&self) -> Option<pb::Sharing> {
        let audience = audience(&self.groups, &self.partners, false, false);
        if self.tlp.is_none() && audience.is_none() {
            return None;
        }
        Some(pb::Sharing {
            tlp: self.tlp.map_or(pb::Tlp::Unspecified, pb::Tlp::from).into(),
            audience: audience.and_then(|audience| audience.audience).map(to_sharing_audience),
            releases: Vec::new(),
        })
    }
}

impl AudienceFlags {
    /// The groups of the flags.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The audience. `None` if no flag is given: objects of any audience.
    pub fn audience(&self) -> Option<pb::Audience> {
        audience(&self.groups, &self.partners, self.everyone, self.public)
    }
}

impl ReplacesFlags {
    /// The audience. `None` if nothing is replaced.
    pub fn audience(&self) -> Option<pb::Audience> {
        audience(&self.groups, &self.partners, self.everyone, self.public)
    }
}

fn audience(
    groups: &[String],
    partners: &[String],
    everyone: bool,
    public: bool,
) -> Option<pb::Audience> {
    use pb::audience::Audience;
    let named = || pb::NamedAudience { groups: groups.to_vec(), partners: partners.to_vec() };
    let audience = match (everyone, public) {
        (_, true) => Audience::Public(pb::Public {}),
        (true, _) => Audience::Everyone(pb::Everyone {}),
        _ if groups.is_empty() && partners.is_empty() => return None,
        _ => Audience::Named(named()),
    };
    Some(pb::Audience { audience: Some(audience) })
}

fn to_sharing_audience(audience: pb::audience::Audience) -> pb::sharing::Audience {
    match audience {
        pb::audience::Audience::Named(named) => pb::sharing::Audience::Named(named),
        pb::audience::Audience::Everyone(all) => pb::sharing::Audience::Everyone(all),
        pb::audience::Audience::Public(public) => pb::sharing::Audience::Public(public),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_give_the_audience_and_no_flag_gives_none() {
        use pb::audience::Audience;
        let of = |flags: AudienceFlags| flags.audience().and_then(|audience| audience.audience);
        assert_eq!(of(AudienceFlags::default()), None);
        let named = AudienceFlags {
            groups: vec!["core".into()],
            partners: vec!["tubeworks".into()],
            ..AudienceFlags::default()
        };
        let expected =
            pb::NamedAudience { groups: vec!["core".into()], partners: vec!["tubeworks".into()] };
        assert_eq!(of(named), Some(Audience::Named(expected)));
        let everyone = AudienceFlags { everyone: true, ..AudienceFlags::default() };
        assert_eq!(of(everyone), Some(Audience::Everyone(pb::Everyone {})));
        let public = ReplacesFlags { public: true, ..ReplacesFlags::default() };
        let public = public.audience().and_then(|audience| audience.audience);
        assert_eq!(public, Some(Audience::Public(pb::Public {})));
    }

    #[test]
    fn without_flags_the_exchange_applies_the_default_sharing() {
        assert_eq!(SharingFlags::default().sharing(), None);
        let marked = SharingFlags { tlp: Some(Tlp::Green), ..SharingFlags::default() };
        let marked = marked.sharing().unwrap();
        assert_eq!((marked.tlp(), marked.audience), (pb::Tlp::Green, None));
        let named = SharingFlags { groups: vec!["core".into()], ..SharingFlags::default() };
        let named = named.sharing().unwrap();
        assert_eq!(named.tlp(), pb::Tlp::Unspecified);
        assert!(matches!(named.audience, Some(pb::sharing::Audience::Named(_))));
    }
}
