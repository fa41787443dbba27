//! Subscription filters.

use super::{enums::ProtoEnum, pb};
use crate::domain::assessment::Confidence;
use crate::domain::filter::Filter;
use crate::domain::label::Labels;
use crate::domain::{CampaignId, GroupId, Invalid, PartnerId, Platform};

/// Maximum number of values in one list of a filter.
const MAX_FILTER_VALUES: usize = 100;

/// Parses a filter. An absent one matches everything.
pub fn read(filter: Option<&pb::Filter>, labels: &Labels) -> Result<Filter, Invalid> {
    let Some(filter) = filter else { return Ok(Filter::default()) };
    let lists = [
        ("filter.kinds", filter.kinds.len()),
        ("filter.platforms", filter.platforms.len()),
        ("filter.labels", filter.labels.len()),
        ("filter.groups", filter.groups.len()),
        ("filter.authors", filter.authors.len()),
        ("filter.campaigns", filter.campaigns.len()),
        ("filter.verdicts", filter.verdicts.len()),
        ("filter.involvements", filter.involvements.len()),
    ];
    for (field, count) in lists {
        if count > MAX_FILTER_VALUES {
            return Err(Invalid::new(field, format!("has more than {MAX_FILTER_VALUES} values")));
        }
    }
    let with_field =
        |field: &'static str| move |invalid: Invalid| Invalid::new(field, invalid.reason);
    let platform = |text: &String| Platform::parse(text).map_err(with_field("filter.platforms"));
    let label = |text: &String| labels.parse(text).map_err(with_field("filter.labels"));
    let group = |text: &String| GroupId::parse(text).map_err(with_field("filter.groups"));
    let author = |text: &String| PartnerId::parse(text).map_err(with_field("filter.authors"));
    // Whether the reader may see the campaign is checked for each item, because it can change.
    let campaign = |text: &String| CampaignId::parse(text).map_err(with_field("filter.campaigns"));
    Ok(Filter {
        kinds: read_enums("filter.kinds", &filter.kinds)?,
        platforms: filter.platforms.iter().map(platform).collect::<Result<_, _>>()?,
        labels: filter.labels.iter().map(label).collect::<Result<_, _>>()?,
        groups: filter.groups.iter().map(group).collect::<Result<_, _>>()?,
        authors: filter.authors.iter().map(author).collect::<Result<_, _>>()?,
        min_confidence: filter
            .min_confidence
            .map(Confidence::new)
            .transpose()
            .map_err(with_field("filter.min_confidence"))?,
        campaigns: filter.campaigns.iter().map(campaign).collect::<Result<_, _>>()?,
        verdicts: read_enums("filter.verdicts", &filter.verdicts)?,
        involvements: read_enums("filter.involvements", &filter.involvements)?,
    })
}

/// Converts a filter.
pub fn write(filter: &Filter) -> pb::Filter {
    fn texts<T: ToString>(list: &[T]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }
    let Filter { kinds, platforms, labels, groups, authors, min_confidence, campaigns, .. } =
        filter;
    let Filter { verdicts, involvements, .. } = filter;
    pb::Filter {
        kinds: kinds.iter().map(|kind| pb::Kind::from(*kind).into()).collect(),
        platforms: texts(platforms),
        labels: texts(labels),
        groups: texts(groups),
        authors: texts(authors),
        min_confidence: min_confidence.map(|min| min.percent().into()),
        campaigns: texts(campaigns),
        verdicts: verdicts.iter().map(|verdict| pb::Verdict::from(*verdict).into()).collect(),
        involvements: involvements.iter().map(|role| pb::Involvement::from(*role).into()).collect(),
    }
}

/// Parses a list of enumeration values. None of them may be unspecified.
fn read_enums<W: ProtoEnum>(field: &'static str, numbers: &[i32]) -> Result<Vec<W>, Invalid> {
    let read = |number: &i32| match W::read(*number) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(Invalid::new(field, "has a value that is not specified")),
        Err(invalid) => Err(Invalid::new(field, invalid.reason)),
    };
    numbers.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_written_as_it_was_read() {
        let asked = pb::Filter {
            kinds: vec![pb::Kind::Url.into(), pb::Kind::Account.into()],
            platforms: vec!["x".into(), "forum.example".into()],
            labels: vec!["spam".into()],
            groups: vec!["core".into()],
            authors: vec!["birdsite".into()],
            min_confidence: Some(0),
            campaigns: vec![CampaignId::from_bytes([7; 16]).to_string()],
            verdicts: vec![pb::Verdict::Malicious.into()],
            involvements: vec![pb::Involvement::Attacker.into(), pb::Involvement::Victim.into()],
        };
        for asked in [asked, pb::Filter::default()] {
            let filter = read(Some(&asked), &Labels::default()).unwrap();
            assert_eq!(write(&filter), asked);
        }
    }

    #[test]
    fn a_value_that_does_not_hold_is_named_by_its_list() {
        let many = vec!["spam".to_owned(); MAX_FILTER_VALUES + 1];
        let table = [
            (pb::Filter { kinds: vec![0], ..pb::Filter::default() }, "filter.kinds"),
            (pb::Filter { verdicts: vec![9], ..pb::Filter::default() }, "filter.verdicts"),
            (pb::Filter { involvements: vec![0], ..pb::Filter::default() }, "filter.involvements"),
            (pb::Filter { groups: vec!["-".into()], ..pb::Filter::default() }, "filter.groups"),
            (
                pb::Filter { campaigns: vec!["hydra".into()], ..pb::Filter::default() },
                "filter.campaigns",
            ),
            (pb::Filter { labels: many, ..pb::Filter::default() }, "filter.labels"),
            (
                pb::Filter { min_confidence: Some(101), ..pb::Filter::default() },
                "filter.min_confidence",
            ),
        ];
        for (asked, field) in table {
            assert_eq!(read(Some(&asked), &Labels::default()).unwrap_err().field, field);
        }
    }
}
