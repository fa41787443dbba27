//! `tipoff partner`

mod entry;

use clap::Subcommand;
use serde_json::json;

use self::entry::{object, role, row};
use super::failure::{Completion, Failure, Outcome};
use super::{Global, identity, numbers, output, platform, text};
use crate::domain::partner::Role;
use crate::domain::purpose::PurposeKind;
use crate::domain::sharing::Tlp;
use crate::wire::pb;

/// List and manage partners
#[derive(Debug, Subcommand)]
pub enum Partner {
    /// Enrol a partner, or change its registry entry (operators)
    Put(Put),
    /// List all partners
    #[command(
        after_help = "SETTINGS has what is not the default: default group and TLP, purposes, referrals, limits. \
                      Operators see all of it, others the purposes."
    )]
    List,
    /// Suspend a partner (operators)
    #[command(
        after_help = "Its open streams end immediately. Its objects stay, unless you withdraw them \
                      with --compromised-since."
    )]
    Suspend {
        /// Id of the partner
        id: String,
        /// Also withdraw the indicators that it submitted at or after this time: for stolen keys
        #[arg(long, value_name = "TIME", value_parser = text::read_time)]
        compromised_since: Option<prost_types::Timestamp>,
    },
    /// End the suspension of a partner (operators)
    Resume {
        /// Id of the partner
        id: String,
    },
}

/// Enrol a partner, or change its registry entry (operators)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Options that you omit stay unchanged; an empty text removes a value. The role of a \
                  partner cannot change. Create its certificate with pki issue."
)]
pub struct Put {
    /// Id, as in its certificate: 2 to 63 of a-z, 0-9 and `-`
    id: String,
    /// Role of a new partner: member, liaison, observer, operator
    #[arg(long, value_parser = read_role)]
    role: Option<Role>,
    /// Display name; default: the id
    #[arg(long)]
    name: Option<String>,
    /// Platform that it owns, by id, name or host; repeat it for the complete list
    #[arg(long = "platform", value_name = "PLATFORM")]
    platforms: Vec<String>,
    /// A platform of these is new: its name is not misspelt
    #[arg(long, requires = "platforms")]
    new_platform: bool,
    /// Jurisdiction, as an ISO 3166 code
    #[arg(long, value_name = "CODE")]
    jurisdiction: Option<String>,
    /// For a liaison, a purpose for which it may read: warrant, subpoena, emergency, voluntary,
    /// public; repeat it for the complete list
    #[arg(long = "purpose", value_name = "KIND")]
    purposes: Vec<PurposeKind>,
    /// Group for its AMBER objects without an audience
    #[arg(long, value_name = "GROUP")]
    default_group: Option<String>,
    /// TLP marking of its objects without one; default: AMBER
    #[arg(long, value_name = "TLP")]
    default_tlp: Option<Tlp>,
    /// Whether it receives referrals of assets on its platforms; default: on
    #[arg(long, value_name = "on|off")]
    referrals: Option<Referrals>,
    /// How many items it may submit in an hour; 0 for no limit
    #[arg(long, value_name = "N", value_parser = numbers::at_least::<u64>(0))]
    max_submitted_per_hour: Option<u64>,
    /// How many assessments it may withdraw in an hour; 0 for no limit
    #[arg(long, value_name = "N", value_parser = numbers::at_least::<u64>(0))]
    max_withdrawn_per_hour: Option<u64>,
}

/// Whether a partner receives referrals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Referrals {
    /// It receives them
    On,
    /// It receives none
    Off,
}

impl Partner {
    pub async fn run(&self, global: &Global) -> Outcome {
        match self {
            Partner::Put(put) => put.run(global).await,
            Partner::List => list(global).await,
            Partner::Suspend { id, compromised_since } => {
                suspend(id, *compromised_since, global).await
            }
            Partner::Resume { id } => {
                let resumed = identity::client(global)?.resume_partner(id).await?;
                if global.json {
                    output::json(&json!({
                        "partner": id,
                        "suspended": resumed.still_suspended,
                    }))?;
                } else if resumed.still_suspended {
                    output::line(&format!(
                        "{id} stays suspended on this node: remove it from access.suspended in the configuration \
                         of the exchange, and send SIGHUP"
                    ))?;
                } else {
                    output::line(&format!("{id} is no longer suspended"))?;
                }
                Ok(Completion::Whole)
            }
        }
    }
}

impl Put {
    async fn run(&self, global: &Global) -> Outcome {
        platform::check(
            "--platform",
            self.platforms.iter().map(String::as_str),
            self.new_platform,
        )?;
        let client = identity::client(global)?;
        let partners = client.partners().await?;
        let known = partners.iter().find(|partner| partner.id == self.id);
        let put = client.put_partner(self.request(known)?).await?;
        let partner = put.partner.unwrap_or_default();
        if global.json {
            let mut object = object(&partner);
            object["sequence"] = put.sequence.into();
            object["unchanged"] = put.unchanged.into();
            output::json(&object)?;
        } else if put.unchanged {
            output::line(&format!("{} is unchanged", partner.id))?;
        } else {
            let role = role(&partner);
            let how = if known.is_some() { "changed" } else { "enrolled" };
            let entry = put.sequence;
            output::line(&format!(
                "{} is {how} with the role {role}, by entry {entry}",
                partner.id
            ))?;
        }
        Ok(Completion::Whole)
    }

    /// The new registry entry: the current one with the changes of the flags.
    fn request(&self, known: Option<&pb::Partner>) -> Result<pb::PutPartnerRequest, Failure> {
        let known = known.cloned().unwrap_or_default();
        let role = match self.role {
            Some(role) => pb::Role::from(role),
            None if known.id.is_empty() => {
                return Err(Failure::usage(format!("{} is new: pass its --role", self.id)));
            }
            None => known.role(),
        };
        let named = |name: String| if name.is_empty() { self.id.clone() } else { name };
        let partner = pb::Partner {
            id: self.id.clone(),
            name: self.name.clone().unwrap_or_else(|| named(known.name.clone())),
            role: role.into(),
            platforms: match self.platforms.as_slice() {
                [] => known.platforms.clone(),
                named => named.to_vec(),
            },
            jurisdiction: self.jurisdiction.clone().unwrap_or(known.jurisdiction.clone()),
            purposes: match self.purposes.as_slice() {
                [] => known.purposes.clone(),
                named => named.iter().map(|kind| pb::PurposeKind::from(*kind).into()).collect(),
            },
            referrals_off: self.referrals.map_or(known.referrals_off, |it| it == Referrals::Off),
            max_submitted_per_hour: self
                .max_submitted_per_hour
                .unwrap_or(known.max_submitted_per_hour),
            max_withdrawn_per_hour: self
                .max_withdrawn_per_hour
                .unwrap_or(known.max_withdrawn_per_hour),
            ..pb::Partner::default()
        };
        Ok(pb::PutPartnerRequest {
            partner: Some(partner),
            default_group: self.default_group.clone().unwrap_or(known.default_group.clone()),
            default_tlp: self.default_tlp.map_or(known.default_tlp(), pb::Tlp::from).into(),
        })
    }
}

async fn list(global: &Global) -> Outcome {
    let partners = identity::client(global)?.partners().await?;
    if global.json {
        for partner in &partners {
            output::json(&object(partner))?;
        }
    } else {
        let header = ["ID", "NAME", "ROLE", "PLATFORMS", "JURISDICTION", "STATUS", "SETTINGS"];
        output::line(&output::table(header, partners.iter().map(row)))?;
    }
    Ok(Completion::Whole)
}

async fn suspend(
    id: &str,
    compromised_since: Option<prost_types::Timestamp>,
    global: &Global,
) -> Outcome {
    let request = pb::SuspendPartnerRequest { id: id.to_owned(), compromised_since };
    let suspended = identity::client(global)?.suspend_partner(request).await?;
    if global.json {
        output::json(&json!({
            "partner": id,
            "suspended": true,
            "withdrawn": suspended.withdrawn,
            "sequences": suspended.sequences,
        }))?;
        return Ok(Completion::Whole);
    }
    output::line(&format!("{id} is suspended"))?;
    if let Some(since) = compromised_since {
        let versions = text::count(suspended.withdrawn, "version");
        let by = if suspended.sequences.is_empty() {
            String::new()
        } else {
            format!(", by {}", text::entries(&suspended.sequences))
        };
        output::line(&format!(
            "{versions} since {} withdrawn{by}",
            text::local_time(Some(&since)).unwrap_or_default()
        ))?;
    }
    Ok(Completion::Whole)
}

fn read_role(text: &str) -> Result<Role, String> {
    Role::ALL.iter().copied().find(|role| role.as_str() == text).ok_or_else(|| {
        let all: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("is not one of {}", all.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::entry::settings;
    use super::*;

    #[test]
    fn a_new_partner_has_the_values_of_the_flags_and_its_id_as_name() {
        let put = Put {
            new_platform: false,
            id: "forumhub".into(),
            role: Some(Role::Member),
            name: None,
            platforms: vec!["forum.example".into()],
            jurisdiction: Some("PL".into()),
            purposes: Vec::new(),
            default_group: Some("core".into()),
            default_tlp: Some(Tlp::Green),
            referrals: Some(Referrals::Off),
            max_submitted_per_hour: None,
            max_withdrawn_per_hour: Some(5_000),
        };
        let request = put.request(None).unwrap();
        assert_eq!(request.default_tlp(), pb::Tlp::Green);
        let partner = request.partner.unwrap();
        assert_eq!((partner.max_submitted_per_hour, partner.max_withdrawn_per_hour), (0, 5_000));
        assert_eq!((partner.name.as_str(), partner.role()), ("forumhub", pb::Role::Member));
        let expected = ["forumhub", "forumhub", "member", "forum.example", "PL", ""];
        assert_eq!(row(&partner)[..6], expected);
    }

    #[test]
    fn options_that_are_omitted_keep_their_registry_value() {
        let known = pb::Partner {
            id: "forumhub".into(),
            name: "Forumhub".into(),
            role: pb::Role::Member.into(),
            platforms: vec!["forum.example".into()],
            default_group: "core".into(),
            default_tlp: pb::Tlp::AmberStrict.into(),
            referrals_off: true,
            max_submitted_per_hour: 7,
            max_withdrawn_per_hour: 9,
            ..pb::Partner::default()
        };
        let put = Put {
            new_platform: false,
            id: "forumhub".into(),
            role: None,
            name: None,
            platforms: Vec::new(),
            jurisdiction: Some("PL".into()),
            purposes: Vec::new(),
            default_group: None,
            default_tlp: None,
            referrals: None,
            max_submitted_per_hour: None,
            max_withdrawn_per_hour: Some(0),
        };
        let request = put.request(Some(&known)).unwrap();
        assert_eq!(request.default_tlp(), pb::Tlp::AmberStrict);
        assert_eq!(request.default_group, "core");
        let partner = request.partner.unwrap();
        assert!(partner.referrals_off);
        assert_eq!((partner.max_submitted_per_hour, partner.max_withdrawn_per_hour), (7, 0));
        let settings = settings(&known);
        assert_eq!(
            settings,
            "default group core, default TLP:AMBER+STRICT, no referrals, submits 7/hour, withdraws 9/hour"
        );
        assert!(put.request(None).is_err(), "a new partner needs a role");
    }

    #[test]
    fn a_role_is_read_by_its_name() {
        assert_eq!(read_role("liaison"), Ok(Role::Liaison));
        assert!(read_role("king").unwrap_err().contains("observer"));
    }
}
