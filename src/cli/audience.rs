//! The flags that say with whom.

use crate::domain::sharing::Tlp;
use crate::wire::pb;

/// With whom something is shared, and what they may do with it.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "With whom")]
pub struct SharingFlags {
    /// What recipients may do with it: RED, AMBER+STRICT, AMBER, GREEN, CLEAR
    #[arg(long, value_name = "TLP")]
    pub tlp: Option<Tlp>,
    /// A group that receives it
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// A partner that receives it
    #[arg(long = "to", value_name = "PARTNER")]
    pub partners: Vec<String>,
}

/// An audience by itself, as it was named.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Said to whom")]
pub struct AudienceFlags {
    /// A group that it was shared with
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// A partner that it was shared with
    #[arg(long = "to", value_name = "PARTNER")]
    partners: Vec<String>,
    /// What was shared with all members and observers
    #[arg(long, conflicts_with_all = ["groups", "partners"])]
    everyone: bool,
    /// What was shared with the public
    #[arg(long, conflicts_with_all = ["groups", "partners", "everyone"])]
    public: bool,
}

/// The one audience that is meant, where `--to` names somebody else.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "meant", multiple = true)]
#[command(next_help_heading = "Said to this audience alone")]
pub struct AudienceFilterFlags {
    /// A group that it was shared with
    #[arg(id = "meant_groups", long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// A partner that it was shared with
    #[arg(id = "meant_partners", long = "partner", value_name = "PARTNER")]
    partners: Vec<String>,
    /// What was shared with all members and observers
    #[arg(id = "meant_everyone", long = "everyone")]
    #[arg(conflicts_with_all = ["meant_groups", "meant_partners"])]
    everyone: bool,
    /// What was shared with the public
    #[arg(id = "meant_public", long = "public")]
    #[arg(conflicts_with_all = ["meant_groups", "meant_partners", "meant_everyone"])]
    public: bool,
}

impl AudienceFilterFlags {
    /// The audience; `None` for whatever it was.
    pub fn audience(&self) -> Option<pb::Audience> {
        audience(&self.groups, &self.partners, self.everyone, self.public)
    }
}

/// The audience that a submission takes the place of.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "In place of what was said to")]
pub struct ReplacesFlags {
    /// A group: what you say of the same indicators to the audience so named ends
    #[arg(id = "replaces_groups", long = "replaces-group", value_name = "GROUP")]
    groups: Vec<String>,
    /// A partner, alone or beside the groups
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
    /// The sharing; `None` where no flag says anything of it.
    pub fn sharing(&self) -> Option<pb::Sharing> {
        let audience = audience(&self.groups, &self.partners, false, false);
        if self.tlp.is_none() && audience.is_none() {
            return None;
        }
        Some(pb::Sharing {
            tlp: self.tlp.map_or(pb::Tlp::Unspecified, pb::Tlp::from).into(),
            audience: audience.and_then(|audience| audience.audience).map(of_sharing),
            releases: Vec::new(),
        })
    }
}

impl AudienceFlags {
    /// The audience; `None` for whatever it was.
    pub fn audience(&self) -> Option<pb::Audience> {
        audience(&self.groups, &self.partners, self.everyone, self.public)
    }
}

impl ReplacesFlags {
    /// The audience; `None` where nothing is replaced.
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

fn of_sharing(audience: pb::audience::Audience) -> pb::sharing::Audience {
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
    fn an_audience_is_what_the_flags_name_and_no_flag_is_none() {
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
    fn a_sharing_that_no_flag_says_anything_of_is_left_to_the_exchange() {
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
