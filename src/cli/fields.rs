//! The flags behind the fields that the exchange names in an error.

use clap::{ArgMatches, Command};

/// Fields whose flag has another name.
const FLAGS: &[(&str, &str)] = &[
    ("attribution.actor", "actor"),
    ("audience", "to"),
    ("audience.groups", "group"),
    ("audience.partners", "to"),
    ("contribution.techniques", "technique"),
    ("contribution.targets", "target"),
    ("counts.asset", "count"),
    ("counts.platform", "count"),
    ("default_sharing.tlp", "default-tlp"),
    ("default_sharing.audience", "default-group"),
    ("enforcements", "enforcement"),
    ("liaisons", "to"),
    ("recipients", "to"),
    ("recipient", "to"),
    ("replaces", "replaces-group"),
    ("purpose.jurisdiction", "purpose"),
    ("purpose.kind", "purpose"),
    ("purpose.reference", "purpose"),
    ("releases", "release-to"),
    ("releases.basis", "release-basis"),
    ("releases.until", "release-until"),
    ("submission_id", "submission"),
    ("tip_id", "tip"),
    ("valid_until", "until"),
];

/// The flags of the command that was run: their long names.
#[derive(Debug, Default)]
pub struct Flags(Vec<String>);

impl Flags {
    /// The flags of the command that these matches name.
    pub fn of(program: &Command, matches: &ArgMatches) -> Self {
        let (mut command, mut matches) = (program, matches);
        while let Some((name, sub)) = matches.subcommand()
            && let Some(found) = command.find_subcommand(name)
        {
            (command, matches) = (found, sub);
        }
        let longs = command.get_arguments().filter_map(|flag| flag.get_long());
        Self(longs.map(ToOwned::to_owned).collect())
    }

    /// The flag that gives a field of a request, with its dashes. `None` if the command has none.
    pub fn of_field(&self, field: &str) -> Option<String> {
        let field = without_indexes(field);
        // The last parts say most: `contribution.attribution.country` is the country.
        let starts = field.match_indices('.').map(|(dot, _)| dot + 1);
        for part in std::iter::once(0).chain(starts).filter_map(|start| field.get(start..)) {
            let alias = FLAGS.iter().find(|(name, _)| *name == part).map(|(_, flag)| *flag);
            let same = part.replace(['_', '.'], "-");
            let singular = same.strip_suffix('s').unwrap_or(&same);
            let mut names = alias.into_iter().chain([same.as_str(), singular]);
            if let Some(flag) = names.find(|name| self.0.iter().any(|long| long == name)) {
                return Some(format!("--{flag}"));
            }
        }
        None
    }
}

/// `filter.authors[2]` is `filter.authors`.
fn without_indexes(field: &str) -> String {
    let mut depth = 0_u32;
    let is_kept = |character: &char| {
        match character {
            '[' => depth += 1,
            ']' => {
                depth = depth.saturating_sub(1);
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    field.chars().filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(arguments: &[&str]) -> Flags {
        let program = super::super::command();
        let matches = program.clone().try_get_matches_from(arguments).unwrap();
        Flags::of(&program, &matches)
    }

    #[test]
    fn a_field_is_named_by_the_flag_of_the_command() {
        let put = flags(&["tipoff", "campaign", "put", "x", "--name", "a"]);
        assert_eq!(put.of_field("contribution.attribution.country").unwrap(), "--country");
        assert_eq!(put.of_field("contribution.techniques[3]").unwrap(), "--technique");
        assert_eq!(put.of_field("sharing.tlp").unwrap(), "--tlp");
        assert_eq!(put.of_field("contribution.sharing.audience").unwrap(), "--to");
        assert_eq!(put.of_field("sharing.audience.partners").unwrap(), "--to");
        assert_eq!(put.of_field("sharing.audience.groups").unwrap(), "--group");
        let export = flags(&["tipoff", "export", "--format", "csv"]);
        assert_eq!(export.of_field("filter.authors").unwrap(), "--author");
        assert_eq!(export.of_field("purpose.kind").unwrap(), "--purpose");
        assert_eq!(export.of_field("page_token"), None);
    }
}
