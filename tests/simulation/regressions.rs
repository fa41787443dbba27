//! Histories by name: those that failed once, and edge cases of the guarantees.

use crate::campaign_ops::CampaignOp;
use crate::history::{AudienceBits, FilterSpec, History, Op, ReaderSpec, SubmittedItem};
use crate::run::run;

const JOINED: u8 = 0b001;
const WHOLE: u8 = 0b010;

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
    Op::Submit { author: 0, to, replaces, items }
}

/// Runs these steps with one reader of `mb`, which is first in the groups `joined` and `history`.
fn holds(filter: FilterSpec, ops: impl IntoIterator<Item = Op>) {
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
    holds(
        FilterSpec::Everything,
        [
            // `mb` was in `joined` before the first, and rejoins before the second.
            submit(groups(JOINED | WHOLE), None, 20, None),
            read(),
            Op::PutGroup { group: 0, members: 0b00_0101 },
            Op::PutGroup { group: 0, members: 0b00_0111 },
            submit(groups(JOINED | WHOLE), None, 80, None),
            Op::PutGroup { group: 1, members: 0b01_0001 },
        ],
    );
}

#[test]
fn what_ended_after_a_reader_left_is_dropped_with_the_leaving() {
    holds(
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
fn what_was_given_early_through_a_later_joining_is_taken_back_with_the_leaving() {
    holds(
        FilterSpec::Everything,
        [
            Op::PutGroup { group: 1, members: 0b00_0001 },
            submit(groups(WHOLE), None, 20, None),
            Op::PutGroup { group: 1, members: 0b00_0011 },
            // After the item, and before the join.
            Op::Read { reader: 0, events: 4 },
            Op::PutGroup { group: 1, members: 0b00_0001 },
        ],
    );
}

#[test]
fn what_moves_to_an_audience_that_has_it_already_ends_for_the_other() {
    holds(
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
    holds(
        FilterSpec::Group(0),
        [
            submit(AudienceBits::Named { groups: JOINED, partners: 0b00_0010 }, None, 20, None),
            read(),
            Op::PutGroup { group: 0, members: 0b00_0101 },
        ],
    );
}

fn of_campaign(to: AudienceBits, campaign: u32) -> Op {
    let submitted_item = SubmittedItem {
        value: 0,
        confidence: 20,
        hours: None,
        restricted: false,
        campaign: Some(campaign),
    };
    Op::Submit { author: 0, to, replaces: None, items: vec![submitted_item] }
}

#[test]
fn who_gains_a_campaign_gets_what_was_named_before() {
    let to_mc = AudienceBits::Named { groups: 0, partners: 0b100 };
    holds(
        FilterSpec::Campaign(0),
        [
            Op::Campaign(CampaignOp::Found { author: 0, to: to_mc }),
            of_campaign(groups(JOINED), 0),
            read(),
            Op::Campaign(CampaignOp::Say { author: 2, of: 0, to: groups(JOINED) }),
        ],
    );
}

/// The audience is the old one, and the reader was not in it yet.
#[test]
fn who_came_behind_the_first_word_on_a_campaign_gains_it_with_the_second() {
    holds(
        FilterSpec::Campaign(1),
        [
            Op::PutGroup { group: 0, members: 0b00_0101 },
            Op::Campaign(CampaignOp::Found { author: 0, to: groups(JOINED) }),
            of_campaign(groups(WHOLE), 1),
            Op::PutGroup { group: 0, members: 0b00_0111 },
            read(),
            Op::Campaign(CampaignOp::Say { author: 0, of: 1, to: groups(JOINED) }),
        ],
    );
}

#[test]
fn who_loses_a_campaign_drops_what_it_still_sees_otherwise() {
    holds(
        FilterSpec::Campaign(0),
        [
            Op::Campaign(CampaignOp::Found { author: 0, to: groups(JOINED) }),
            of_campaign(groups(WHOLE), 0),
            read(),
            Op::PutGroup { group: 0, members: 0b00_0101 },
        ],
    );
}
