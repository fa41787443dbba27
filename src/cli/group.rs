//! `tipoff group`

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::failure::{Completion, Failure, Outcome};
use super::{Global, identity, output, text};
use crate::client::Client;
use crate::wire::pb;

/// List and manage sharing groups
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Create a group, or change its members (operators)
    Put(Put),
    /// List your groups; operators see every group
    List,
    /// Confirm the terms of a restricted group that you are in
    Confirm {
        /// Id of the group
        id: String,
        /// The exact terms, as group list shows them to members
        #[arg(long, value_name = "TEXT")]
        terms: String,
    },
}

/// Create a group, or change its members (operators)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A partner that leaves is told to drop what it saw only through the group. For an \
                  existing group, options that you omit stay unchanged. History and restriction are \
                  fixed when the group is created."
)]
pub struct Put {
    /// Id: 2 to 63 of a-z, 0-9 and `-`
    id: String,
    /// Display name; default for a new group: its id
    #[arg(long)]
    name: Option<String>,
    /// Member; repeat it for the complete list: others leave
    #[arg(long = "member", value_name = "PARTNER", conflicts_with_all = ["add", "remove"])]
    members: Vec<String>,
    /// Partner that joins; may be repeated
    #[arg(long, value_name = "PARTNER")]
    add: Vec<String>,
    /// Partner that leaves; may be repeated
    #[arg(long, value_name = "PARTNER")]
    remove: Vec<String>,
    /// What new members see; default for a new group: from-join
    #[arg(long)]
    history: Option<History>,
    /// Make it the restricted group: the one that may hold objects with restricted labels
    #[arg(long, requires = "terms")]
    restricted: bool,
    /// Terms of the source, which each member of a restricted group must confirm
    #[arg(long, value_name = "TEXT")]
    terms: Option<String>,
}

/// What new members of a group see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum History {
    /// What is shared after they join
    #[value(alias = "joined")]
    FromJoin,
    /// Also what was shared before
    All,
}

impl Group {
    pub async fn run(&self, global: &Global) -> Outcome {
        match self {
            Group::Put(put) => put.run(global).await,
            Group::List => list(&identity::client(global)?.groups().await?, global),
            Group::Confirm { id, terms } => {
                identity::client(global)?.confirm_terms(id, terms).await?;
                if global.json {
                    output::json(&json!({ "group": id, "confirmed": true }))?;
                } else {
                    output::line(&format!("confirmed the terms of {id}"))?;
                }
                Ok(Completion::Whole)
            }
        }
    }
}

impl Put {
    /// Reads the group, changes it and writes it back. If two operators change the members at the
    /// same time, the later write wins.
    async fn run(&self, global: &Global) -> Outcome {
        let client = identity::client(global)?;
        let existing = client.groups().await?.into_iter().find(|group| group.id == self.id);
        self.check_removed(&client, existing.as_ref()).await?;
        let put = client.put_group(self.group(existing)).await?;
        let group = put.group.unwrap_or_default();
        if global.json {
            let mut object = object(&group);
            object["sequence"] = put.sequence.into();
            object["unchanged"] = put.unchanged.into();
            output::json(&object)?;
            return Ok(Completion::Whole);
        }
        let members =
            if group.members.is_empty() { "nobody".into() } else { group.members.join(", ") };
        let change =
            if put.unchanged { "unchanged".into() } else { format!("entry {}", put.sequence) };
        output::line(&format!("members of {}, {change}: {members}", group.id))?;
        Ok(Completion::Whole)
    }

    /// Removing a partner that is not in the group changes nothing, but a misspelt one is an error.
    async fn check_removed(
        &self,
        client: &Client,
        existing: Option<&pb::SharingGroup>,
    ) -> Result<(), Failure> {
        let is_member = |id| existing.is_some_and(|group| group.members.contains(id));
        if self.remove.iter().all(is_member) {
            return Ok(());
        }
        let partners = client.partners().await?;
        match self.remove.iter().find(|id| partners.iter().all(|partner| partner.id != **id)) {
            Some(unknown) => {
                Err(Failure::usage(format!("--remove: there is no partner `{unknown}`")))
            }
            None => Ok(()),
        }
    }

    /// The group with the changes of the flags.
    fn group(&self, existing: Option<pb::SharingGroup>) -> pb::SharingGroup {
        let is_new = existing.is_none();
        let mut group = existing.unwrap_or_default();
        group.id.clone_from(&self.id);
        if let Some(name) = &self.name {
            group.name.clone_from(name);
        } else if is_new {
            group.name.clone_from(&self.id);
        }
        if !self.members.is_empty() {
            group.members.clone_from(&self.members);
        }
        group.members.extend(self.add.iter().cloned());
        group.members.retain(|member| !self.remove.contains(member));
        group.members.sort_unstable();
        group.members.dedup();
        if let Some(history) = self.history {
            group.history_all = history == History::All;
        }
        group.restricted |= self.restricted;
        if let Some(terms) = &self.terms {
            group.terms.clone_from(terms);
        }
        group
    }
}

fn list(groups: &[pb::SharingGroup], global: &Global) -> Outcome {
    if global.json {
        for group in groups {
            output::json(&object(group))?;
        }
        return Ok(Completion::Whole);
    }
    if groups.is_empty() {
        output::line("no groups")?;
        return Ok(Completion::Whole);
    }
    let header = ["ID", "NAME", "HISTORY", "MEMBERS"];
    output::line(&output::table(header, groups.iter().map(row)))?;
    for group in groups.iter().filter(|group| group.restricted) {
        output::line(&format!("terms of {}: {}", group.id, text::one_line(&group.terms)))?;
    }
    Ok(Completion::Whole)
}

fn row(group: &pb::SharingGroup) -> [String; 4] {
    let id = if group.restricted { format!("{} (restricted)", group.id) } else { group.id.clone() };
    [id, text::one_line(&group.name), history(group).into(), group.members.join(", ")]
}

fn history(group: &pb::SharingGroup) -> &'static str {
    if group.history_all { "all" } else { "from-join" }
}

fn object(group: &pb::SharingGroup) -> Value {
    json!({
        "group": group.id,
        "name": group.name,
        "members": group.members,
        "history": history(group),
        "restricted": group.restricted,
        "terms": group.terms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put() -> Put {
        Put {
            id: "core".into(),
            name: None,
            members: Vec::new(),
            add: Vec::new(),
            remove: Vec::new(),
            history: None,
            restricted: false,
            terms: None,
        }
    }

    fn existing() -> pb::SharingGroup {
        pb::SharingGroup {
            id: "core".into(),
            name: "The core".into(),
            members: vec!["birdsite".into(), "watcher".into()],
            history_all: true,
            restricted: false,
            terms: String::new(),
        }
    }

    #[test]
    fn options_that_are_omitted_stay_unchanged_in_an_existing_group() {
        assert_eq!(put().group(Some(existing())), existing());
        let renamed = Put { name: Some("Core".into()), ..put() }.group(Some(existing()));
        assert_eq!((renamed.name.as_str(), renamed.members.len()), ("Core", 2));
        assert!(renamed.history_all);
        let named = Put { members: vec!["tubeworks".into()], ..put() }.group(Some(existing()));
        assert_eq!(named.members, ["tubeworks"], "named members are the complete list");
        let history = Put { history: Some(History::FromJoin), ..put() }.group(Some(existing()));
        assert!(!history.history_all, "the exchange decides whether that is allowed");
    }

    #[test]
    fn adding_and_removing_members_is_idempotent() {
        let change = Put { add: vec!["facegraph".into()], remove: vec!["watcher".into()], ..put() };
        let once = change.group(Some(existing()));
        assert_eq!(once.members, ["birdsite", "facegraph"]);
        assert_eq!(change.group(Some(once.clone())), once);
    }

    #[test]
    fn a_new_group_defaults_to_its_id_as_name_and_history_from_join() {
        let new = put().group(None);
        assert_eq!((new.id.as_str(), new.name.as_str()), ("core", "core"));
        assert!(!new.history_all && !new.restricted && new.members.is_empty());
        let closed = Put { restricted: true, terms: Some("terms of 2026".into()), ..put() };
        let closed = closed.group(None);
        assert!(closed.restricted);
        assert_eq!(row(&closed)[0], "core (restricted)");
        assert_eq!(object(&closed)["terms"], "terms of 2026");
    }
}
