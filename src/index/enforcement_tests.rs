use super::test_history::{History, applied, outcome, stopped_and_finished};
use super::*;
use crate::domain::assessment::{Confidence, Verdict};
use crate::domain::audience::AudienceDigest;
use crate::domain::campaign::Contribution;
use crate::domain::enforcement::{
    AssetKind, Enforcement, EnforcementCount, EnforcementId, EnforcementSource,
};
use crate::domain::entry::{
    Body, CampaignPut, EnforcementTarget, EnforcementWithdrawal, Enforcements, ItemOutcome,
    RequestId, VoidReason,
};
use crate::domain::partner::GroupDefinition;
use crate::domain::sharing::Audience;
use crate::domain::{CampaignId, GroupId, PartnerId, Position, Sharing, Timestamp, Tlp};

fn to(group: &str) -> Sharing {
    let groups = [GroupId::from_stored(group)].into();
    let audience = Audience::Named { groups, partners: [].into() };
    Sharing { tlp: Tlp::Amber, audience, releases: Vec::new() }
}

fn everyone() -> Sharing {
    Sharing { tlp: Tlp::Green, audience: Audience::Everyone, releases: Vec::new() }
}

fn enforcement(id: &str, count: u64) -> Enforcement {
    Enforcement {
        id: EnforcementId::from_stored(id),
        counts: vec![EnforcementCount::new(AssetKind::Account, None, count)],
        method: None,
        from: None,
        until: None,
        campaign: None,
        tip: None,
        note: None,
        source: EnforcementSource::Own,
    }
}

fn report(
    history: &mut History,
    key: &str,
    enforcements: Vec<Enforcement>,
    sharing: Sharing,
) -> u64 {
    let mut digest = [0; 32];
    digest[0] = u8::try_from(enforcements.len()).unwrap_or(0);
    let (request, items) = (RequestId::from_stored(key), (0..).zip(enforcements).collect());
    let rejected = Vec::new();
    let body = Body::Enforcements(Enforcements { request, digest, sharing, items, rejected });
    history.push(Some("birdsite"), body)
}

#[test]
fn the_newest_word_under_an_id_to_an_audience_counts() {
    let mut history = History::new();
    let first =
        report(&mut history, "1", vec![enforcement("a", 7), enforcement("b", 3)], everyone());
    let second =
        report(&mut history, "2", vec![enforcement("a", 7), enforcement("b", 4)], everyone());
    let narrow = report(&mut history, "3", vec![enforcement("a", 8)], to("core"));
    let again =
        report(&mut history, "1", vec![enforcement("a", 7), enforcement("b", 3)], everyone());
    let other = report(&mut history, "1", vec![enforcement("a", 9)], everyone());
    let (_folder, index) = applied(&history);
    let at = Position::new;
    assert_eq!(outcome(&index, first), Outcome::Applied(vec![ItemOutcome::Created; 2]));
    let changed = vec![ItemOutcome::Unchanged(at(first, 0)), ItemOutcome::Replaced(at(first, 1))];
    assert_eq!(outcome(&index, second), Outcome::Applied(changed));
    assert_eq!(outcome(&index, narrow), Outcome::Applied(vec![ItemOutcome::Created]));
    assert_eq!(outcome(&index, again), Outcome::Void(VoidReason::Repeats(first)));
    assert_eq!(outcome(&index, other), Outcome::Void(VoidReason::Conflicts(first)));
}

#[test]
fn wherever_a_large_report_stops_it_ends_with_the_same_bytes() {
    let mut history = History::new();
    let many = |count| (0..50).map(|at| enforcement(&format!("{at}"), count)).collect();
    report(&mut history, "1", many(1), everyone());
    report(&mut history, "2", many(2), everyone());
    let (_folder, whole) = applied(&history);
    for commits in 0..10 {
        let (_folder, index) = stopped_and_finished(&history, commits);
        assert_eq!(
            index.read().unwrap().digest().unwrap(),
            whole.read().unwrap().digest().unwrap(),
            "{commits}"
        );
    }
}

fn campaign(number: u8) -> CampaignId {
    CampaignId::from_bytes([number; 16])
}

fn put(history: &mut History, author: &str, key: &str, name: &str, sharing: Sharing) -> u64 {
    let mut digest = [0; 32];
    digest[0] = name.as_bytes()[0];
    let put = CampaignPut {
        request: RequestId::from_stored(key),
        digest,
        campaign: campaign(1),
        founds: author == "birdsite",
        sharing,
        contribution: Contribution::named(name),
    };
    history.push(Some(author), Body::CampaignPut(put))
}

#[test]
fn the_newest_word_on_a_campaign_to_an_audience_counts_and_who_saw_it_when_is_kept() {
    let mut history = History::new();
    let first = put(&mut history, "birdsite", "1", "a", to("core"));
    let joined = history.group(&["birdsite", "facegraph", "tubeworks"]);
    let second = put(&mut history, "birdsite", "2", "b", to("core"));
    let same = put(&mut history, "birdsite", "3", "b", to("core"));
    let theirs = put(&mut history, "facegraph", "1", "c", to("core"));
    let again = put(&mut history, "birdsite", "2", "b", to("core"));
    let other = put(&mut history, "birdsite", "2", "c", to("core"));
    let (_folder, index) = applied(&history);
    let at = |sequence| Position::new(sequence, 0);
    assert_eq!(outcome(&index, first), Outcome::Applied(vec![ItemOutcome::Created]));
    assert_eq!(outcome(&index, second), Outcome::Applied(vec![ItemOutcome::Replaced(at(first))]));
    assert_eq!(outcome(&index, same), Outcome::Applied(vec![ItemOutcome::Unchanged(at(second))]));
    assert_eq!(outcome(&index, theirs), Outcome::Applied(vec![ItemOutcome::Created]));
    assert_eq!(outcome(&index, again), Outcome::Void(VoidReason::Repeats(second)));
    assert_eq!(outcome(&index, other), Outcome::Void(VoidReason::Conflicts(second)));
    let newest: Vec<_> = index
        .read()
        .unwrap()
        .contributions_back(None)
        .map(|record| record.map(|record| (record.position.sequence, record.founded)).unwrap())
        .collect();
    assert_eq!(newest, [(theirs, false), (second, true)]);

    // Tubeworks joined after the first contribution, and sees the campaign through the second.
    let tubeworks = index.registry().reader(&PartnerId::from_stored("tubeworks")).unwrap();
    let sees = |sequence| {
        index.read().unwrap().campaign_visible_at(campaign(1), &tubeworks, sequence).unwrap()
    };
    assert_eq!((sees(joined), sees(second - 1), sees(second)), (false, false, true));
    let now = Timestamp::default();
    assert!(index.read().unwrap().campaign_visible(campaign(1), &tubeworks, now).unwrap());
    assert!(!index.read().unwrap().campaign_visible(campaign(2), &tubeworks, now).unwrap());
}

/// A batch with many writes per item: many campaigns, different expiries, and moves from another
/// audience.
fn full_batch(history: &mut History, number: u32, groups: usize, campaigns: u8) -> u64 {
    let values: Vec<String> = (0..90).map(|at| format!("n{at}.example")).collect();
    let items: Vec<_> = values.iter().map(|value| (value.as_str(), Verdict::Malicious)).collect();
    let named = (0..groups).map(|at| GroupId::from_stored(&format!("g{at}"))).collect();
    let audience = Audience::Named { groups: named, partners: [].into() };
    let sharing = Sharing { tlp: Tlp::Amber, audience, releases: Vec::new() };
    let Body::SubmissionBatch(mut batch) = History::batch_of("s", number, &items, sharing) else {
        panic!("a batch")
    };
    for (item, at) in batch.items.iter_mut().zip(0u8..) {
        item.assessment.campaign = Some(campaign(at % campaigns));
        item.assessment.valid_until = Some(Timestamp::from_millis(1_000_000 + i64::from(at)));
        item.assessment.confidence = Confidence::new(number).ok();
    }
    batch.replaces = Some(AudienceDigest::of(&Audience::Everyone));
    history.push(Some("birdsite"), Body::SubmissionBatch(batch))
}

#[test]
fn a_batch_that_names_many_campaigns_is_applied_as_a_whole_wherever_it_stops() {
    for (groups, campaigns) in [(1, 1), (1, 90), (100, 1), (100, 90)] {
        let mut history = History::new();
        for at in 0..groups {
            history.push(
                None,
                Body::GroupPut(GroupDefinition {
                    id: GroupId::from_stored(&format!("g{at}")),
                    name: "g".into(),
                    history_all: false,
                    restricted: None,
                    members: vec![PartnerId::from_stored("birdsite")],
                }),
            );
        }
        full_batch(&mut history, 1, groups, campaigns);
        full_batch(&mut history, 2, groups, campaigns);
        let (_folder, whole) = applied(&history);
        let named: usize = (0..campaigns)
            .flat_map(|at| whole.read().unwrap().campaign_versions(campaign(at), 0))
            .map(|named| named.unwrap().1.entry_versions.versions.len())
            .sum();
        assert_eq!(named, 180);
        for commits in [1, groups, groups + 1, groups + 3, groups + 9] {
            let (_folder, index) = stopped_and_finished(&history, commits);
            assert_eq!(
                index.read().unwrap().digest().unwrap(),
                whole.read().unwrap().digest().unwrap(),
                "{commits}"
            );
        }
    }
}

#[test]
fn a_withdrawal_ends_what_is_current_and_leaves_no_content() {
    let mut history = History::new();
    report(&mut history, "1", vec![enforcement("a", 7)], everyone());
    report(&mut history, "2", vec![enforcement("a", 8), enforcement("b", 3)], to("core"));
    let target = |id: &str, sharing: Sharing| EnforcementTarget {
        id: EnforcementId::from_stored(id),
        audience: AudienceDigest::of(&sharing.audience),
    };
    let targets = vec![target("a", to("core")), target("b", everyone()), target("a", to("core"))];
    let withdraw = |history: &mut History, author| {
        let targets = targets.clone();
        history.push(Some(author), Body::EnforcementWithdrawal(EnforcementWithdrawal { targets }))
    };
    let other = withdraw(&mut history, "facegraph");
    let own = withdraw(&mut history, "birdsite");
    let again = report(&mut history, "3", vec![enforcement("a", 8)], to("core"));
    let (_folder, index) = applied(&history);
    assert_eq!(outcome(&index, other), Outcome::Applied(vec![ItemOutcome::NoCurrentVersion; 3]));
    let version = Position::new(own - 2, 0);
    let expected = vec![
        ItemOutcome::Ended(version),
        ItemOutcome::NoCurrentVersion,
        ItemOutcome::NoCurrentVersion,
    ];
    assert_eq!(outcome(&index, own), Outcome::Applied(expected));
    assert_eq!(outcome(&index, again), Outcome::Applied(vec![ItemOutcome::Created]));
    let view = index.read().unwrap();
    let ended = view.withdrawn_enforcement(Position::new(own, 0)).unwrap().unwrap();
    assert_eq!((ended.version, ended.sharing), (version, to("core")));
    assert_eq!(view.enforcement_at(version).unwrap(), None);
    let (current, _) = view.scan_enforcements(Position::default(), 9).unwrap();
    let current: Vec<_> = current.iter().map(|record| record.position.sequence).collect();
    assert_eq!(
        current,
        [own - 3, own - 2, again],
        "`a` to everyone, `b` to core, `a` to core anew"
    );
}
