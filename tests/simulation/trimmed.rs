//! A journal that was trimmed: who is too far back is told so, and goes on from a snapshot.

use tipoff::domain::filter::Filter;
use tipoff::error::Kind;
use tipoff::exchange::Start;

use crate::history::{FilterOf, Op, ReaderOf, Said, To};
use crate::reader::Reader;
use crate::run::Run;

#[test]
fn who_is_behind_a_trimmed_journal_takes_a_snapshot_and_goes_on() {
    let of = ReaderOf { partner: 1, filter: FilterOf::Everything };
    let mut run = Run::new(vec![of], 1);
    let submit = |value| Op::Submit {
        author: 0,
        to: To::Everyone,
        replaces: None,
        items: vec![Said { value, confidence: 20, hours: None, restricted: false, campaign: None }],
    };
    run.happen(&[submit(0)]).unwrap();
    let caller = run.world.caller(1).unwrap();
    let feed = run.world.exchange().feeds.feed(&caller, Start::Now, Filter::default()).unwrap();
    let cursor = feed.cursor();
    run.happen(&[submit(1), submit(2)]).unwrap();
    run.world.trim();
    let refused = run
        .world
        .exchange()
        .feeds
        .feed(&caller, Start::After(cursor), Filter::default())
        .unwrap_err();
    assert_eq!((refused.kind(), refused.label()), (Kind::OutOfRange, "cursor_trimmed"));
    assert!(refused.message().contains("take a snapshot"), "{refused}");

    let mut reader = Reader::new(of);
    reader.snapshot(&run.world, &run.model).unwrap();
    assert_eq!(reader.held.len(), 3, "the index is the state");
    run.happen(&[submit(3)]).unwrap();
    reader.read(&run.world, &run.model, usize::MAX).unwrap();
    assert_eq!(reader.held.len(), 4);
    // Joining a group shows what was shared with it before the journal was trimmed.
    let whole = |value| Op::Submit {
        author: 0,
        to: To::Named { groups: 0b010, partners: 0 },
        replaces: None,
        items: vec![Said { value, confidence: 20, hours: None, restricted: false, campaign: None }],
    };
    run.happen(&[Op::PutGroup { group: 1, members: 0b01 }, whole(4)]).unwrap();
    reader.read(&run.world, &run.model, usize::MAX).unwrap();
    run.world.trim();
    run.happen(&[Op::PutGroup { group: 1, members: 0b11 }]).unwrap();
    reader.read(&run.world, &run.model, usize::MAX).unwrap();
    assert_eq!(reader.held.len(), 5);
}
