//! Round trips of every record. Damaged bytes are an error or another value, never a panic.

mod parts;
mod stored;

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::sample::Index;

use self::parts::{Parts, any_parts};
use self::stored::Stored;
use super::*;
use crate::domain::accepted::{
    AccessRecord, ContributionRecord, EnforcementRecord, FeedbackRecord, HoldRecord,
    SightingRecord, ThreadRecord, TipAction, TipEntryRecord, TipMove, TipRecord,
};
use crate::domain::activity::{Activity, Hour, HourlyActivity};
use crate::domain::assessment::{Basis, Confidence, Involvement, Severity, Verdict};
use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::{AssetKind, EnforcementId, EnforcementMethod, EnforcementSource};
use crate::domain::entry::{
    AccessedVersions, Item, RegistryRule, Releasable, Sighting, SubmissionId, Target, TipIndicator,
};
use crate::domain::feedback::Opinion;
use crate::domain::list::{ListChanges, ListName};
use crate::domain::partner::{Group, HourlyLimits, Membership, Partner, Role, Terms};
use crate::domain::purpose::{AccessWay, Purpose, PurposeKind};
use crate::domain::revocation::Revoked;
use crate::domain::sharing::Release;
use crate::domain::tip::{TipState, Urgency};
use crate::domain::{Assessment, GroupId, Kind, Sharing, TipId, Tlp};
use crate::error::Result;

/// Called with the bytes of each record, and a function that decodes bytes as such a record and encodes it again.
type Visit<'a> = &'a mut dyn FnMut(&[u8], &dyn Fn(&[u8]) -> Result<Vec<u8>>);

fn visit<T: Stored>(value: &T, visit: Visit<'_>) {
    let bytes = value.bytes();
    assert_eq!(T::of(&bytes).unwrap(), *value);
    visit(&bytes, &|bytes| T::of(bytes).map(|value| value.bytes()));
}

/// Visits one record of each type.
fn every_record(parts: &Parts, each: Visit<'_>) {
    let (position, author, accepted) = (parts.position(1), parts.partner(0), parts.time(3));
    let (sharing, lane, id) = (parts.sharing(), parts.lane(), parts.indicator_id());
    let (last_tag, journal) = ([parts.id[3]; 4], JournalTag([parts.id[4]; 4]));
    visit(&Checkpoint { sequence: parts.number(0), last_tag, journal }, each);
    registry_records(parts, each);
    tip_records(parts, each);
    release_records(parts, each);
    visit(&parts.current(), each);
    let why = parts.word(6, &[EndReason::Replaced, EndReason::Withdrawn, EndReason::Expired]);
    visit(&read_closed(&encode_closed(position, why, parts.current())).unwrap(), each);
    visit(&(author.clone(), sharing.clone()), each);
    let replaced = parts.maybe(2, parts.position(5));
    let contribution = ContributionRecord {
        campaign: parts.campaign(),
        position,
        author: author.clone(),
        accepted,
        first: (parts.position(6), parts.time(7)),
        founded: parts.flag(1),
        replaced,
        sharing: sharing.clone(),
        release_state: lane.clone(),
        contribution: parts.contribution(),
    };
    visit(&contribution, each);
    let (author, sharing) = (author.clone(), sharing.clone());
    let enforcement = parts.enforcement();
    let done = EnforcementRecord {
        position,
        author,
        accepted,
        replaced,
        sharing,
        release_state: lane,
        enforcement,
    };
    visit(&done, each);
    let (author, sharing) = (parts.partner(2), parts.sharing());
    let sighting = Sighting {
        index: parts.small(2),
        id,
        indicator: parts.indicator(),
        count: parts.number(5),
        first_seen: parts.maybe(1, parts.time(1)),
        last_seen: parts.maybe(2, parts.time(2)),
    };
    visit(&SightingRecord { position, author, accepted, sharing, sighting }, each);
    let (of, opinion, note) =
        (parts.partner(3), parts.word(2, Opinion::ALL), parts.maybe(0, parts.text(1)));
    let sharing = parts.sharing();
    visit(
        &FeedbackRecord { position, accepted, assessment_author: of, id, opinion, note, sharing },
        each,
    );
}

fn registry_records(parts: &Parts, each: Visit<'_>) {
    let partner = Partner {
        id: parts.partner(0),
        name: parts.text(1).into(),
        role: parts.word(0, Role::ALL),
        platforms: parts.several(1, &parts.platform(2)),
        jurisdiction: parts.maybe(2, parts.text(3).into()),
        purposes: parts.several(3, &parts.word(4, PurposeKind::ALL)),
        default_group: parts.maybe(4, GroupId::from_stored(&parts.text(0))),
        default_tlp: parts.word(5, Tlp::ALL),
        referrals_off: parts.flag(6),
        limits: HourlyLimits {
            submitted: parts.maybe(3, parts.number(2)),
            withdrawn: parts.maybe(4, parts.number(1)),
        },
    };
    let (since, suspended) = (parts.number(1), parts.flag(2));
    visit(
        &PartnerRecord { partner, since, suspended, confirmed: parts.maybe(3, parts.number(4)) },
        each,
    );
    let (partner, from) = (parts.partner(1), parts.number(2));
    let membership = Membership { partner, from, until: parts.maybe(3, parts.number(4)) };
    let group = Group {
        id: GroupId::from_stored(&parts.text(2)),
        name: parts.text(3).into(),
        history_all: parts.flag(1),
        restricted: parts.maybe(2, Terms::from_stored(&parts.text(1))),
        memberships: parts.several(5, &membership),
    };
    visit(&group, each);
    let revoked = Revoked {
        at: parts.time(2),
        by: parts.maybe(1, parts.partner(3)),
        reason: parts.text(2).into(),
    };
    visit(&revoked, each);
    let digest = std::array::from_fn(|at| parts.id[at % 16]);
    let (sequence, time) = (parts.number(6), parts.time(7));
    visit(&IdempotencyRecord { digest, sequence, time }, each);
    let closing = Closing { at: parts.time(1), batches: parts.maybe(3, parts.small(4)) };
    let state = SubmissionState {
        first: parts.number(0),
        opened: parts.number(2),
        rejected: parts.number(3),
        names_list: parts.flag(6),
        batches: parts.small(1),
        highest: parts.small(2),
        last: parts.time(3),
        assets: parts.flag(4),
        closed: parts.maybe(5, closing),
    };
    visit(&state, each);
    list_records(parts, each);
}

fn list_records(parts: &Parts, each: Visit<'_>) {
    let states = [GenerationState::Open, GenerationState::Closed, GenerationState::Withdrawing];
    let generation = Generation {
        number: parts.number(0),
        submission: parts.number(1),
        members: parts.number(2),
        shared: parts.number(3),
        state: parts.word(4, &states),
    };
    let list = ListRecord {
        name: ListName::from_stored(&parts.text(1)),
        audience: AudienceDigest([5; 8]),
        size: parts.number(4),
        generations: parts.several(5, &generation),
    };
    visit(&list, each);
    let generation = GenerationKey { list: parts.number(2), number: parts.number(5) };
    visit(&ListMemberships(parts.several(1, &generation)), each);
    let done = ListChanges {
        withdrawn: parts.number(0),
        held_by_other_lists: parts.number(1),
        not_withdrawn: parts.number(2),
    };
    let after = parts.maybe(6, parts.indicator_id());
    let pending = parts.several(2, &PendingGeneration { generation, after });
    let withdrawn_by = parts.maybe(4, (parts.number(3), parts.number(6)));
    let closing = ListClosing { close: parts.number(3), done, withdrawn_by, pending };
    let lists = parts.several(3, &parts.number(6));
    visit(&SubmissionLists { lists, closing: parts.maybe(4, closing) }, each);
    visit(&WithdrawalRecord { at: parts.time(1), by: parts.position(4) }, each);
    let activity = Activity { submitted: parts.number(1), withdrawn: parts.number(2) };
    visit(&activity, each);
    visit(&HourlyActivity { hour: Hour(parts.number(3)), activity }, each);
}

fn tip_records(parts: &Parts, each: Visit<'_>) {
    let (recipient, state) = (parts.partner(1), parts.word(2, TipState::ALL));
    let thread = ThreadRecord { recipient: recipient.clone(), state, changed: parts.time(3) };
    let tip = TipRecord {
        id: TipId::from_bytes(parts.id),
        sender: parts.partner(0),
        sequence: parts.number(0),
        accepted: parts.time(1),
        subject: parts.maybe(2, parts.text(3)),
        urgency: parts.word(4, Urgency::ALL),
        respond_by: parts.maybe(5, parts.time(6)),
        tlp: parts.word(7, Tlp::ALL),
        campaign: parts.maybe(0, parts.campaign()),
        submission: parts.maybe(1, SubmissionId::from_stored(&parts.text(2))),
        referral: parts.maybe(3, (parts.number(4), parts.number(5))),
        withdrawn: parts.flag(6),
        threads: parts.several(7, &thread),
    };
    visit(&tip, each);
    let moved = TipMove { recipient: recipient.clone(), from: parts.maybe(1, state), to: state };
    let whats = [TipAction::Sent, TipAction::Responded, TipAction::Withdrawn, TipAction::Reopened];
    let added = TipEntryRecord {
        sequence: parts.number(0),
        accepted: parts.time(1),
        author: parts.maybe(2, parts.partner(3)),
        action: parts.word(4, &whats),
        recipient: parts.maybe(5, recipient.clone()),
        shown: parts.flag(6),
        indicators: parts.small(7),
        threads: parts.several(0, &moved),
        enforcement: parts.maybe(1, parts.enforcement()),
    };
    visit(&added, each);
    let (up_to, close, not_referred) = (parts.number(1), parts.number(2), parts.small(3));
    let to = parts.several(4, &(recipient, parts.small(5)));
    visit(&ReferralProgress { up_to, close, not_referred, to }, each);
    let (index, id, indicator) = (parts.small(1), parts.indicator_id(), parts.indicator());
    let indicator = TipIndicator { index, id, indicator, restricted: parts.flag(4) };
    visit(&parts.several(6, &indicator), each);
}

fn release_records(parts: &Parts, each: Visit<'_>) {
    let (audience, version) = (AudienceDigest([7; 8]), parts.position(2));
    let (id, campaign) = (parts.indicator_id(), parts.campaign());
    let enforcement = EnforcementId::from_stored(&parts.text(3));
    let objects = vec![
        Releasable::Assessment(Target { id, audience, version: parts.maybe(1, version) }),
        Releasable::Contribution { campaign, audience, version },
        Releasable::Enforcement { id: enforcement, audience, version },
    ];
    let (author, liaisons) = (parts.partner(0), parts.several(1, &parts.partner(2)));
    visit(&ExpiringReleases { author: author.clone(), liaisons: liaisons.clone(), objects }, each);
    visit(&ReplacedVersion { version, liaisons }, each);
    let (campaign, sharing) = (parts.maybe(4, campaign), parts.sharing());
    visit(&WithdrawnEnforcement { version, campaign, sharing }, each);
    let versions = parts.several(5, &id).into_iter().map(|id| (parts.small(5), id)).collect();
    let submission = std::array::from_fn(|at| parts.id[at]);
    let entry_versions = EntryVersions { author: author.clone(), audience, versions };
    visit(&(parts.outcome(), parts.maybe(2, entry_versions.clone())), each);
    visit(&CampaignVersions { submission, entry_versions }, each);
    let purpose = Purpose {
        kind: parts.word(3, PurposeKind::ALL),
        reference: parts.text(1),
        jurisdiction: parts.text(2),
        until: parts.time(4),
    };
    let versions = parts.several(6, &version);
    let given = AccessedVersions { author, names_reference: parts.flag(5), versions };
    let (liaison, at, way) = (parts.partner(3), parts.time(6), parts.word(7, AccessWay::ALL));
    visit(&AccessRecord { liaison, at, way, purpose, accessed: given }, each);
    let (placed, until, objects) = (parts.time(1), parts.time(2), parts.number(3));
    visit(&HoldRecord { placed, until, objects, reason: parts.text(3) }, each);
}

fn is_corrupt(read: &Result<Vec<u8>>) -> bool {
    read.as_ref().is_err_and(|error| error.label() == "index_corrupt")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_record_comes_back_as_it_was_written(parts in any_parts()) {
        every_record(&parts, &mut |bytes, again| assert_eq!(again(bytes).unwrap(), bytes));
    }

    #[test]
    fn what_is_cut_or_longer_or_of_another_layout_is_corrupt(parts in any_parts()) {
        every_record(&parts, &mut |bytes, read| {
            for end in 0..bytes.len() {
                assert!(is_corrupt(&read(&bytes[..end])), "{end} of {}", bytes.len());
            }
            assert!(is_corrupt(&read(&[bytes, &[0]].concat())));
            for layout in [0, LAYOUT - 1, LAYOUT + 1] {
                assert!(is_corrupt(&read(&[&[layout], &bytes[1..]].concat())));
            }
        });
    }

    #[test]
    fn a_flipped_byte_is_corrupt_or_another_value(
        parts in any_parts(),
        flips in proptest::collection::vec((any::<Index>(), 1u8..), 20),
    ) {
        every_record(&parts, &mut |bytes, read| {
            for (at, flip) in &flips {
                let mut damaged = bytes.to_vec();
                damaged[at.index(bytes.len())] ^= flip;
                match read(&damaged) {
                    Ok(value) => assert_eq!(read(&value).unwrap(), value),
                    damaged => assert!(is_corrupt(&damaged)),
                }
            }
        });
    }
}

#[test]
fn assessments_say_the_same_whatever_the_spelling_and_not_to_other_liaisons() {
    let parts = Parts::fixed(3);
    let statement_of = |raw: Option<&str>, sharing: &Sharing| {
        let assessment = Assessment { raw: raw.map(Into::into), ..parts.assessment() };
        encode_statement(
            &encode_sharing(sharing),
            &Item { index: 0, id: parts.indicator_id(), assessment },
        )
    };
    let bare = Sharing { releases: Vec::new(), ..parts.sharing() };
    let released = Sharing { releases: vec![parts.release()], ..bare.clone() };
    assert_eq!(statement_of(None, &bare), statement_of(Some("A[.]example"), &bare));
    assert_ne!(statement_of(None, &bare), statement_of(None, &released));
    let longer = Release { until: Some(Timestamp::from_millis(1)), ..parts.release() };
    let longer = Sharing { releases: vec![longer], ..bare.clone() };
    assert_ne!(statement_of(None, &released), statement_of(None, &longer));
}

#[test]
fn a_confidence_that_nobody_could_state_is_corrupt() {
    for (percent, fits) in [(0, true), (100, true), (101, false), (u8::MAX, false)] {
        let read: Result<Confidence> = codec::decode(&[LAYOUT, percent], "a confidence");
        assert_eq!(read.is_ok(), fits, "{percent}");
    }
}

/// A change of the bytes needs a new layout version, so that old indexes are rebuilt.
#[test]
fn the_layout_changes_with_the_bytes() {
    fn numbered<T: Serialize + Debug>(all: &[T], bytes: &mut Vec<u8>) {
        for one in all {
            bytes.extend(format!("{one:?}").into_bytes());
            bytes.extend(&codec::encode(one)[1..]);
        }
    }

    let mut bytes = Vec::new();
    for first in 0..32 {
        every_record(&Parts::fixed(first), &mut |one, _| bytes.extend(&one[1..]));
    }
    numbered(Kind::ALL, &mut bytes);
    numbered(Verdict::ALL, &mut bytes);
    numbered(Severity::ALL, &mut bytes);
    numbered(Involvement::ALL, &mut bytes);
    numbered(Basis::ALL, &mut bytes);
    numbered(AssetKind::ALL, &mut bytes);
    numbered(EnforcementMethod::ALL, &mut bytes);
    numbered(EnforcementSource::ALL, &mut bytes);
    numbered(Opinion::ALL, &mut bytes);
    numbered(Role::ALL, &mut bytes);
    numbered(PurposeKind::ALL, &mut bytes);
    numbered(AccessWay::ALL, &mut bytes);
    numbered(Tlp::ALL, &mut bytes);
    numbered(TipState::ALL, &mut bytes);
    numbered(Urgency::ALL, &mut bytes);
    numbered(RegistryRule::ALL, &mut bytes);
    assert_eq!(
        (LAYOUT, crc32c::crc32c(&bytes)),
        (15, 4_219_481_868),
        "the bytes of records have changed: raise LAYOUT, then put both numbers here"
    );
}
