//! Finds enforcements that look like one that was reported before under another id.
//!
//! A report with a count and a report by command have ids of their own, and would count one deed twice.

use std::time::Duration;

use crate::cli::failure::Failure;
use crate::cli::{render, text};
use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::domain::Day;
use crate::wire::pb;

/// How far back earlier ones are looked for.
const LOOK_BACK: Duration = Duration::from_secs(31 * 86_400);
/// How many of them an error names.
const MAX_NAMED: usize = 5;

/// Fails if this partner reported the same number of the same assets on the same platform within a month, under another id.
/// `author` is this partner.
pub async fn check(
    client: &Client,
    author: &str,
    enforcements: impl IntoIterator<Item = &pb::Enforcement>,
) -> Result<(), Failure> {
    let since = SystemClock.now().as_millis() - i64::try_from(LOOK_BACK.as_millis()).unwrap_or(0);
    let request = pb::ListEnforcementsRequest {
        author: author.to_owned(),
        from: Day::of(crate::domain::Timestamp::from_millis(since)).to_string(),
        ..Default::default()
    };
    let earlier = client.enforcements(&request).await?;
    let repeats: Vec<String> = enforcements
        .into_iter()
        .flat_map(|one| earlier.iter().filter_map(|earlier| repeat(one, earlier)))
        .collect();
    if repeats.is_empty() {
        return Ok(());
    }
    let named = repeats[..repeats.len().min(MAX_NAMED)].join("; ");
    let more = match repeats.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Err(Failure::usage(format!(
        "you reported the same before: {named}{more}. Add --as-well if these are other assets, or they would count \
         twice"
    )))
}

/// The count that an enforcement has in common with an earlier one, in words.
fn repeat(one: &pb::Enforcement, earlier: &pb::VisibleEnforcement) -> Option<String> {
    let before = earlier.enforcement.as_ref()?;
    if before.id == one.id || before.source != one.source {
        return None;
    }
    let is_same = |a: &pb::EnforcementCount, b: &pb::EnforcementCount| {
        (a.asset, &a.platform, a.count) == (b.asset, &b.platform, b.count)
    };
    let count =
        one.counts.iter().find(|count| before.counts.iter().any(|it| is_same(count, it)))?;
    let at = text::local_time(earlier.accepted_at.as_ref()).unwrap_or_default();
    Some(format!("{} at {at} ({})", render::enforcement::count(count), before.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_of_the_same_assets_is_a_repeat_unless_it_has_the_same_id() {
        let count = |platform: &str, count| pb::EnforcementCount {
            asset: pb::AssetKind::Page.into(),
            platform: platform.into(),
            count,
            ..Default::default()
        };
        let enforcement = |id: &str, counts: Vec<pb::EnforcementCount>| pb::Enforcement {
            id: id.into(),
            counts,
            ..Default::default()
        };
        let earlier = pb::VisibleEnforcement {
            enforcement: Some(enforcement("a", vec![count("facebook", 7), count("instagram", 3)])),
            ..Default::default()
        };
        let table = [
            (enforcement("a", vec![count("facebook", 7)]), false),
            (enforcement("b", vec![count("facebook", 7)]), true),
            (enforcement("b", vec![count("facebook", 8), count("instagram", 3)]), true),
            (enforcement("b", vec![count("facebook", 3)]), false),
            (enforcement("b", vec![count("", 7)]), false),
        ];
        for (one, is_repeat) in table {
            assert_eq!(repeat(&one, &earlier).is_some(), is_repeat, "{one:?}");
        }
        let reported = pb::Enforcement {
            source: pb::EnforcementSource::Reported.into(),
            ..enforcement("b", vec![count("facebook", 7)])
        };
        assert_eq!(repeat(&reported, &earlier), None);
    }
}
