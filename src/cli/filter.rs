//! Flags that filter a feed.

use super::failure::Failure;
use super::{numbers, text};
use crate::domain::Kind;
use crate::domain::assessment::{Involvement, Verdict};
use crate::wire::pb;

/// The filter of a reader, within what it may see.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Filter")]
pub struct FilterFlags {
    /// Only indicators of this kind; may be repeated
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only indicators on this platform, by id, name or host; may be repeated
    #[arg(long = "platform", value_name = "PLATFORM")]
    platforms: Vec<String>,
    /// Only assessments with this harm label; may be repeated
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Only objects shared with this group; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Only objects of this partner; may be repeated
    #[arg(long = "author", value_name = "PARTNER")]
    authors: Vec<String>,
    /// Only objects of this campaign, by id; may be repeated
    #[arg(long = "campaign", value_name = "CAMPAIGN")]
    campaigns: Vec<String>,
    /// Minimum confidence, 0 to 100
    #[arg(long, value_name = "PERCENT", value_parser = numbers::within::<u32>(0..=100))]
    min_confidence: Option<u32>,
    /// Only this verdict: `non_malicious`, `unknown`, `suspicious`, `malicious`; may be repeated
    #[arg(long = "verdict", value_name = "VERDICT")]
    verdicts: Vec<Verdict>,
    /// Only values with this involvement: `attacker`, `victim`, `abused_service`, `third_party`; may be repeated
    #[arg(long = "involvement", value_name = "ROLE")]
    involvements: Vec<Involvement>,
}

impl FilterFlags {
    /// The filter that the flags give.
    pub fn filter(&self) -> Result<pb::Filter, Failure> {
        let kinds = self.kinds.iter().map(|text| text.parse::<Kind>());
        let kinds = kinds.map(|kind| kind.map(|kind| pb::Kind::from(kind).into()));
        Ok(pb::Filter {
            kinds: kinds.collect::<Result<_, _>>().map_err(Failure::usage)?,
            platforms: self.platforms.clone(),
            labels: self.labels.clone(),
            groups: self.groups.clone(),
            authors: self.authors.clone(),
            min_confidence: self.min_confidence,
            campaigns: self.campaigns.clone(),
            verdicts: self.verdicts.iter().map(|one| pb::Verdict::from(*one).into()).collect(),
            involvements: self
                .involvements
                .iter()
                .map(|one| pb::Involvement::from(*one).into())
                .collect(),
        })
    }
}

/// A filter in the terms of its flags. `everything` if it is empty.
pub fn describe(filter: &pb::Filter) -> String {
    let kinds: Vec<String> = filter.kinds().map(text::kind).collect();
    let verdicts = text::enum_names(filter.verdicts().map(|one| one.as_str_name()), "VERDICT_");
    let roles =
        text::enum_names(filter.involvements().map(|one| one.as_str_name()), "INVOLVEMENT_");
    let lists = [
        ("kind", &kinds),
        ("platform", &filter.platforms),
        ("label", &filter.labels),
        ("group", &filter.groups),
        ("author", &filter.authors),
        ("campaign", &filter.campaigns),
        ("verdict", &verdicts),
        ("involvement", &roles),
    ];
    let set = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let mut parts: Vec<_> = set.map(|(name, list)| format!("{name} {}", list.join(", "))).collect();
    parts.extend(filter.min_confidence.map(|minimum| format!("confidence from {minimum}")));
    if parts.is_empty() { "everything".into() } else { parts.join("; ") }
}

/// Names a group that one is not in. A command that looks for objects in it finds nothing, without saying why.
pub fn check_groups(groups: &[String], me: &pb::WhoAmIResponse) -> Result<(), Failure> {
    let Some(group) = groups.iter().find(|group| !me.groups.contains(group)) else {
        return Ok(());
    };
    let groups = if me.groups.is_empty() { "none".into() } else { me.groups.join(", ") };
    Err(Failure::usage(format!("you are not in the group `{group}`. Your groups: {groups}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_described_in_the_terms_of_its_flags() {
        assert_eq!(describe(&pb::Filter::default()), "everything");
        let flags = FilterFlags {
            kinds: vec!["domain".into(), "url".into()],
            authors: vec!["birdsite".into()],
            min_confidence: Some(70),
            verdicts: vec![Verdict::Malicious],
            involvements: vec![Involvement::AbusedService],
            ..FilterFlags::default()
        };
        let filter = flags.filter().unwrap();
        assert_eq!(
            describe(&filter),
            "kind domain, url; author birdsite; verdict malicious; involvement abused_service; confidence from 70"
        );
        let unknown = FilterFlags { kinds: vec!["rumour".into()], ..FilterFlags::default() };
        assert!(unknown.filter().is_err());
    }
}
