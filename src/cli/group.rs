//! `tipoff group`

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::failure::{Completion, Outcome};
use super::{Global, identity, output, words};
use crate::wire::pb;

/// Who shares with whom
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Make a group, or change who is in it (operators)
    Put(Put),
    /// The groups that you are in; for an operator, every group
    List,
    /// Confirm the terms of the restricted group that you are in
    Confirm {
        /// The group
        id: String,
        /// Its terms, word for word, as group list shows them to its members
        #[arg(long, value_name = "TEXT")]
        terms: String,
    },
}

/// Make a group, or change who is in it (operators)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Who leaves is told to drop what it saw only through the group. Of a group that \
                        is there, what no flag names stays as it is; whether new members see what was \
                        shared before, and whether it is restricted, is fixed when it is made."
)]
pub struct Put {
    /// Its id: 2 to 63 of a-z, 0-9 and `-`
    id: String,
    /// Its name for people; the id of a new one when left out
    #[arg(long)]
    name: Option<String>,
    /// A member; together they are all of its members, and who is not named leaves
    #[arg(long = "member", value_name = "PARTNER", conflicts_with_all = ["add", "remove"])]
    members: Vec<String>,
    /// A partner that joins
    #[arg(long, value_name = "PARTNER")]
    add: Vec<String>,
    /// A partner that leaves
    #[arg(long, value_name = "PARTNER")]
    remove: Vec<String>,
    /// What a new member sees; from-join of a new group when left out
    #[arg(long)]
    history: Option<History>,
    /// It is the one closed group that may hold objects with restricted labels
    #[arg(long, requires = "terms")]
    restricted: bool,
    /// The terms of the source, which each member of a restricted group confirms
    #[arg(long, value_name = "TEXT")]
    terms: Option<String>,
}

/// What a new member of a group sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum History {
    /// What is shared from when it joined
    FromJoin,
    /// What was shared before, too
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
                    output::json(&json!({ "confirmed": id }))?;
                } else {
                    output::line(&format!("the terms of {id} are confirmed"))?;
                }
                Ok(Completion::Whole)
            }
        }
    }
}

impl Put {
    /// Reads the group and puts it whole. Two operators who change the members of one group at the
    /// same time should not: the later of them decides.
    async fn run(&self, global: &Global) -> Outcome {
        let client = identity::client(global)?;
        let there = client.groups().await?.into_iter().find(|group| group.id == self.id);
        let put = client.put_group(self.group(there)).await?;
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
        let how =
            if put.unchanged { "as before".into() } else { format!("by entry {}", put.sequence) };
        output::line(&format!("in {}, {how}: {members}", group.id))?;
        Ok(Completion::Whole)
    }

    /// The group as it is to be, from what it is now.
    fn group(&self, there: Option<pb::SharingGroup>) -> pb::SharingGroup {
        let is_new = there.is_none();
        let mut group = there.unwrap_or_default();
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
        output::line("none")?;
        return Ok(Completion::Whole);
    }
    let header = ["ID", "NAME", "HISTORY", "MEMBERS"];
    output::line(&output::table(header, groups.iter().map(row)))?;
    for group in groups.iter().filter(|group| group.restricted) {
        output::line(&format!("the terms of {}: {}", group.id, words::one_line(&group.terms)))?;
    }
    Ok(Completion::Whole)
}

fn row(group: &pb::SharingGroup) -> [String; 4] {
    let id = if group.restricted { format!("{} (restricted)", group.id) } else { group.id.clone() };
    [id, words::one_line(&group.name), history(group).into(), group.members.join(", ")]
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

    fn there() -> pb::SharingGroup {
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
    fn of_a_group_that_is_there_what_no_flag_names_stays() {
        assert_eq!(put().group(Some(there())), there());
        let renamed = Put { name: Some("Core".into()), ..put() }.group(Some(there()));
        assert_eq!((renamed.name.as_str(), renamed.members.len()), ("Core", 2));
        assert!(renamed.history_all);
        let named = Put { members: vec!["tubeworks".into()], ..put() }.group(Some(there()));
        assert_eq!(named.members, ["tubeworks"], "named, they are all of them");
        let history = Put { history: Some(History::FromJoin), ..put() }.group(Some(there()));
        assert!(!history.history_all, "the exchange says whether that may be");
    }

    #[test]
    fn members_join_and_leave_one_by_one_and_doing_it_twice_is_doing_it_once() {
        let change = Put { add: vec!["facegraph".into()], remove: vec!["watcher".into()], ..put() };
        let once = change.group(Some(there()));
        assert_eq!(once.members, ["birdsite", "facegraph"]);
        assert_eq!(change.group(Some(once.clone())), once);
    }

    #[test]
    fn a_new_group_has_its_id_for_a_name_and_history_from_the_join_on() {
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
