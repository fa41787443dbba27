//! A trimmed journal: a reader whose cursor is too old gets an error, and resumes from a snapshot.

use tipoff::domain::filter::Filter;
use tipoff::error::Kind;
use tipoff::exchange::Start;

use crate::history::{AudienceBits, FilterSpec, Op, ReaderSpec, SubmittedItem};
use crate::reader::Reader;
use crate::run::Run;

#[test]
fn a_reader_whose_cursor_was_trimmed_continues_from_a_snapshot() {
    let spec = ReaderSpec { partner: 1, filter: FilterSpec::Everything };
    let mut run = Run::new(vec![spec], 1);
    let submit = |value| Op::Submit {
        author: 0,
        to: AudienceBits::Everyone,
        replaces: None,
        list: None,
        items: vec![SubmittedItem {
            value,
            confidence: 20,
            hours: None,
            restricted: false,
            campaign: None,
        }],
    };
    run.run_ops(&[submit(0)]).unwrap();
    let caller = run.world.caller(1).unwrap();
    let feed = run.world.exchange().feeds.feed(&caller, Start::Now, Filter::default()).unwrap();
    let cursor = feed.cursor();
    run.run_ops(&[submit(1), submit(2)]).unwrap();
    run.world.trim();
    let refused = run
        .world
        .exchange()
        .feeds
        .feed(&caller, Start::After(cursor), Filter::default())
        .unwrap_err();
    assert_eq!((refused.kind(), refused.label()), (Kind::OutOfRange, "cursor_trimmed"));
    assert!(refused.message().contains("take a snapshot"), "{refused}");

    let mut reader = Reader::new(spec);
    reader.snapshot(&run.world, &run.model).unwrap();
    assert_eq!(reader.held.len(), 3, "the index is the state");
    run.run_ops(&[submit(3)]).unwrap();
    reader.read(&run.world, &run.model, usize::MAX).unwrap();
    assert_eq!(reader.held.len(), 4);
    // Joining a group delivers what was shared with it before the journal was trimmed.
    let submit_to_group = |value| Op::Submit {
        author: 0,
        to: AudienceBits::Named { groups: 0b010, partners: 0 },
        replaces: None,
        list: None,
        items: vec![SubmittedItem {
            value,
            confidence: 20,
            hours: None,
            restricted: false,
            campaign: None,
        }],
    };
    run.run_ops(&[Op::PutGroup { group: 1, members: 0b01 }, submit_to_group(4)]).unwrap();
    reader.read(&run.world, &run.model, usize::MAX).unwrap();
    run.world.trim();
    run.run_ops(&[Op::PutGroup { group: 1, members: 0b11 }]).unwrap();
    reader.read(&run.world, &run.model, usize::MAX).unwrap();
    assert_eq!(reader.held.len(), 5);
}
