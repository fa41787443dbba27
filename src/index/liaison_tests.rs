//! Releases, access records and holds. Each entry is applied as a whole, wherever a crash stops it.

use std::sync::Arc;

use super::test_history::{DAY, History, applied, outcome, partner, stopped_and_finished};
use super::*;
use crate::domain::assessment::Verdict::Malicious;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::ItemOutcome::{
    Created, Full, NoCurrentVersion, Released, Retracted, Unchanged,
};
use crate::domain::entry::{
    AccessSweep, Accessed, AccessedVersions, Body, HoldAction, HoldChange, HoldId, HoldPlaced,
    HoldSweep, LastPart, Releasable, ReleaseAction, ReleaseEnd, ReleaseEntry, RequestId, Target,
    VoidReason,
};
use crate::domain::partner::{Partner, Role};
use crate::domain::purpose::{AccessWay, Purpose, PurposeKind};
use crate::domain::sharing::{Audience, Release};
use crate::domain::{Indicator, Kind as IndicatorKind, Sharing, Timestamp, Tlp};

fn everyone(releases: Vec<Release>) -> Sharing {
    Sharing { tlp: Tlp::Green, audience: Audience::Everyone, releases }
}

fn object(value: &str, version: Position) -> Releasable {
    let id = Indicator::from_stored(IndicatorKind::Domain, None, value).id();
    let audience = AudienceDigest::of(&Audience::Everyone);
    Releasable::Assessment(Target { id, audience, version: Some(version) })
}

fn liaisons(all: &[&str]) -> Vec<PartnerId> {
    all.iter().map(|id| PartnerId::from_stored(id)).collect()
}

fn release_of(
    request: &str,
    objects: Vec<Releasable>,
    to: &[&str],
    act: ReleaseAction,
) -> ReleaseEntry {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&crc32c::crc32c(format!("{act:?}").as_bytes()).to_be_bytes());
    let (request, last) = (RequestId::from_stored(request), Some(LastPart::default()));
    ReleaseEntry { request, digest, last, objects, liaisons: liaisons(to), action: act }
}

fn until(basis: &str, until: Option<i64>) -> ReleaseAction {
    ReleaseAction::Release { basis: basis.into(), until: until.map(Timestamp::from_millis) }
}

fn with_liaisons() -> History {
    let mut history = History::new();
    for id in ["cyber-unit", "other-unit"] {
        let liaison = Partner { role: Role::Liaison, ..partner(id) };
        history.push(None, Body::PartnerPut(liaison));
    }
    history
}

fn purpose() -> Purpose {
    Purpose {
        kind: PurposeKind::Warrant,
        reference: "W-17".into(),
        jurisdiction: "GB".into(),
        until: Timestamp::from_millis(DAY),
    }
}

#[test]
fn each_pair_of_an_object_and_a_liaison_has_what_it_came_to() {
    let mut history = with_liaisons();
    let accepted = history.batch("birdsite", "s", 1, &[("a.example", Malicious)]);
    let version = Position::new(accepted, 0);
    let one = || vec![object("a.example", version)];
    let push =
        |history: &mut History, author, entry| history.push(Some(author), Body::Release(entry));
    let both = ["cyber-unit", "other-unit"];
    let first =
        push(&mut history, "birdsite", release_of("r1", one(), &["cyber-unit"], until("b", None)));
    let second = push(&mut history, "birdsite", release_of("r2", one(), &both, until("b", None)));
    let again = push(&mut history, "birdsite", release_of("r2", one(), &both, until("b", None)));
    let other = push(&mut history, "birdsite", release_of("r2", one(), &both, until("c", None)));
    let retract = push(
        &mut history,
        "birdsite",
        release_of("r3", one(), &["cyber-unit"], ReleaseAction::Retract),
    );
    let twice =
        push(&mut history, "birdsite", release_of("r4", one(), &both, ReleaseAction::Retract));
    let theirs = push(&mut history, "facegraph", release_of("r5", one(), &both, until("b", None)));
    let member =
        push(&mut history, "birdsite", release_of("r6", one(), &["facegraph"], until("b", None)));
    let (_folder, index) = applied(&history);
    let taken = |all: &[_]| Outcome::Applied(all.to_vec());
    assert_eq!(outcome(&index, first), taken(&[Released(version)]));
    assert_eq!(outcome(&index, second), taken(&[Unchanged(version), Released(version)]));
    assert_eq!(outcome(&index, again), Outcome::Void(VoidReason::Repeats(second)));
    assert_eq!(outcome(&index, other), Outcome::Void(VoidReason::Conflicts(second)));
    assert_eq!(outcome(&index, retract), taken(&[Retracted(version)]));
    assert_eq!(outcome(&index, twice), taken(&[NoCurrentVersion, Retracted(version)]));
    assert_eq!(
        outcome(&index, theirs),
        taken(&[NoCurrentVersion, NoCurrentVersion]),
        "an author's own alone"
    );
    assert_eq!(outcome(&index, member), Outcome::Void(VoidReason::AudienceGone));
}

#[test]
fn no_more_releases_stand_on_a_version_than_fit_its_record() {
    let mut history = with_liaisons();
    let accepted = history.batch("birdsite", "s", 1, &[("a.example", Malicious)]);
    let version = Position::new(accepted, 0);
    let objects = vec![object("a.example", version)];
    let both = ["cyber-unit", "other-unit"];
    // Larger than the service accepts, to simulate a nearly full record.
    let large = release_of("r1", objects, &both, until(&"x".repeat(4_000), None));
    let full = history.push(Some("birdsite"), Body::Release(large));
    let (_folder, index) = applied(&history);
    assert_eq!(outcome(&index, full), Outcome::Applied(vec![Released(version), Full(version)]));
}

/// A history with many entries of every kind.
fn long_history() -> History {
    let mut history = with_liaisons();
    let names: Vec<String> = (0..150).map(|n| format!("n{n}.example")).collect();
    let items: Vec<_> = names.iter().map(|name| (name.as_str(), Malicious)).collect();
    let release = Release {
        liaison: PartnerId::from_stored("cyber-unit"),
        basis: "with it".into(),
        until: Some(Timestamp::from_millis(5_000)),
    };
    let accepted = history.batch_to("birdsite", "s", 1, &items, everyone(vec![release]));
    let versions: Vec<_> = (0..150).map(|index| Position::new(accepted, index)).collect();
    let objects: Vec<_> =
        names.iter().zip(&versions).map(|(name, version)| object(name, *version)).collect();
    let both = ["cyber-unit", "other-unit"];
    let asked = release_of("r1", objects.clone(), &both, until("b", Some(9_000)));
    let released = history.push(Some("birdsite"), Body::Release(asked));
    for (ends, sequence, to, objects) in [
        (5_000, accepted, &both[..1], &objects[..64]),
        (9_000, released, &both[..], &objects[..64]),
    ] {
        let end = ReleaseEnd {
            partner: PartnerId::from_stored("birdsite"),
            ends: Timestamp::from_millis(ends),
            sequence,
            objects: objects.to_vec(),
            liaisons: liaisons(to),
        };
        history.push(None, Body::ReleaseEnd(end));
    }
    let given = (0..150).map(|author| AccessedVersions {
        author: PartnerId::from_stored(&format!("author-{author}")),
        names_reference: author % 2 == 0,
        versions: versions.clone(),
    });
    let accessed = Accessed { way: AccessWay::Pull, purpose: purpose(), accessed: given.collect() };
    let access = history.push(Some("cyber-unit"), Body::Accessed(accessed));
    let record =
        |author: u32| (access, PartnerId::from_stored(&format!("author-{author}")), 1 << 16);
    let records = (0..30).map(|half| record(2 * half)).collect();
    history.push(None, Body::AccessSweep(AccessSweep { records }));
    let request = RequestId::from_stored("h1");
    let hold = HoldId::of(&PartnerId::from_stored("birdsite"), &request);
    let placed = HoldPlaced {
        hold,
        request,
        digest: [7; 32],
        last: Some(LastPart::default()),
        reason: "a case".into(),
        objects,
    };
    history.push(Some("birdsite"), Body::HoldPlaced(placed));
    let lifted = HoldChange { hold, action: HoldAction::Lifted };
    history.push(Some("birdsite"), Body::HoldChange(lifted));
    let ended = history.entries[history.entries.len() - 1].time;
    let partner = PartnerId::from_stored("birdsite");
    let versions = versions[..64].to_vec();
    let sweep = HoldSweep { partner, hold, ended, versions, is_last: false };
    history.push(None, Body::HoldSweep(sweep));
    history
}

#[test]
fn wherever_it_stops_releases_accesses_and_holds_are_the_same() {
    let history = long_history();
    let whole = Arc::new(Index::in_memory().unwrap());
    Applier::new(Arc::clone(&whole)).unwrap().apply(&history.entries).unwrap();
    for commits in 0..24 {
        let (_folder, index) = stopped_and_finished(&history, commits);
        assert_eq!(
            index.read().unwrap().digest().unwrap(),
            whole.read().unwrap().digest().unwrap(),
            "after {commits}"
        );
        for entry in &history.entries {
            let (one, other) = (outcome(&index, entry.sequence), outcome(&whole, entry.sequence));
            assert_eq!(one, other, "{} after {commits}", entry.sequence);
        }
    }
    // Releases that the second entry replaced do not expire with the first.
    let taken = |sequence: usize| match outcome(&whole, sequence as u64) {
        Outcome::Applied(all) => all,
        Outcome::Void(reason) => panic!("{reason:?}"),
    };
    let first_end = history.entries.iter().position(|one| matches!(one.body, Body::ReleaseEnd(_)));
    let first_end = first_end.unwrap() + 1;
    assert!(taken(first_end).iter().all(|one| *one == NoCurrentVersion));
    assert!(taken(first_end + 1).iter().all(|one| matches!(one, Retracted(_))));
    assert_eq!(taken(first_end + 1).len(), 128);
    assert!(taken(first_end + 4).iter().all(|one| *one == Created), "150 copies");
}
