//! Histories by name: those that failed once, and edge cases of the guarantees.

use crate::campaign_ops::CampaignOp;
use crate::history::{AudienceBits, FilterSpec, History, Op, ReaderSpec, SubmittedItem};
use crate::run::run;

const JOINED: u8 = 0b001;
const HISTORY: u8 = 0b010;

fn groups(groups: u8) -> AudienceBits {
    AudienceBits::Named { groups, partners: 0 }
}

fn submit(
    to: AudienceBits,
    replaces: Option<AudienceBits>,
    confidence: u8,
    hours: Option<u16>,
) -> Op {
    let items =
        vec![SubmittedItem { value: 0, confidence, hours, restricted: false, campaign: None }];
    Op::Submit { author: 0, to, replaces, items, list: None }
}

/// Runs these steps with one reader of `mb`, which is first in the groups `joined` and `history`.
fn check(filter: FilterSpec, ops: impl IntoIterator<Item = Op>) {
    let readers = vec![ReaderSpec { partner: 1, filter }];
    let steps = (0..).zip(ops).collect();
    let history = History { readers, steps, whole_snapshots: true };
    if let Err(why) = run(&history, 1) {
        panic!("{why}");
    }
}

fn read() -> Op {
    Op::Read { reader: 0, events: u8::MAX }
}

/// The reader sees the new version through another group than the old one, so the new version
/// cannot name the old one.
#[test]
fn a_version_that_its_successor_cannot_name_is_removed() {
    check(
        FilterSpec::Everything,
        [
            // `mb` was in `joined` before the first, and rejoins before the second.
            submit(groups(JOINED | HISTORY), None, 20, None),
            read(),
            Op::PutGroup { group: 0, members: 0b00_0101 },
            Op::PutGroup { group: 0, members: 0b00_0111 },
            submit(groups(JOINED | HISTORY), None, 80, None),
            Op::PutGroup { group: 1, members: 0b01_0001 },
        ],
    );
}

#[test]
fn a_version_that_ended_after_a_reader_left_is_removed_because_it_left() {
    check(
        FilterSpec::Everything,
        [
            submit(groups(JOINED), None, 20, Some(3)),
            read(),
            Op::PutGroup { group: 0, members: 0b00_0101 },
            Op::Wait { hours: 4 },
        ],
    );
}

#[test]
fn a_version_delivered_early_because_of_a_later_join_is_removed_when_the_reader_leaves() {
    check(
        FilterSpec::Everything,
        [
            Op::PutGroup { group: 1, members: 0b00_0001 },
            submit(groups(HISTORY), None, 20, None),
            Op::PutGroup { group: 1, members: 0b00_0011 },
            // After the item, and before the join.
            Op::Read { reader: 0, events: 4 },
            Op::PutGroup { group: 1, members: 0b00_0001 },
        ],
    );
}

#[test]
fn a_version_moved_to_an_audience_that_has_the_value_already_ends_for_the_old_audience() {
    check(
        FilterSpec::Everything,
        [
            submit(AudienceBits::Everyone, None, 20, None),
            submit(groups(JOINED), None, 20, None),
            read(),
            submit(groups(JOINED), Some(AudienceBits::Everyone), 20, None),
        ],
    );
}

#[test]
fn a_filter_by_group_loses_what_the_reader_still_sees_otherwise() {
    check(
        FilterSpec::Group(0),
        [
            submit(AudienceBits::Named { groups: JOINED, partners: 0b00_0010 }, None, 20, None),
            read(),
            Op::PutGroup { group: 0, members: 0b00_0101 },
        ],
    );
}

fn submit_for_campaign(to: AudienceBits, campaign: u32) -> Op {
    let submitted_item = SubmittedItem {
        value: 0,
        confidence: 20,
        hours: None,
        restricted: false,
        campaign: Some(campaign),
    };
    Op::Submit { author: 0, to, replaces: None, items: vec![submitted_item], list: None }
}

#[test]
fn a_reader_that_gains_a_campaign_gets_the_objects_that_named_it_before() {
    let to_mc = AudienceBits::Named { groups: 0, partners: 0b100 };
    check(
        FilterSpec::Campaign(0),
        [
            Op::Campaign(CampaignOp::Create { author: 0, to: to_mc }),
            submit_for_campaign(groups(JOINED), 0),
            read(),
            Op::Campaign(CampaignOp::Contribute { author: 2, campaign: 0, to: groups(JOINED) }),
        ],
    );
}

/// The audience is the old one, and the reader was not in it yet.
#[test]
fn a_reader_that_joined_after_the_first_contribution_gains_the_campaign_with_the_second() {
    check(
        FilterSpec::Campaign(1),
        [
            Op::PutGroup { group: 0, members: 0b00_0101 },
            Op::Campaign(CampaignOp::Create { author: 0, to: groups(JOINED) }),
            submit_for_campaign(groups(HISTORY), 1),
            Op::PutGroup { group: 0, members: 0b00_0111 },
            read(),
            Op::Campaign(CampaignOp::Contribute { author: 0, campaign: 1, to: groups(JOINED) }),
        ],
    );
}

#[test]
fn a_reader_that_loses_a_campaign_drops_what_it_still_sees_otherwise() {
    check(
        FilterSpec::Campaign(0),
        [
            Op::Campaign(CampaignOp::Create { author: 0, to: groups(JOINED) }),
            submit_for_campaign(groups(HISTORY), 0),
            read(),
            Op::PutGroup { group: 0, members: 0b00_0101 },
        ],
    );
}
