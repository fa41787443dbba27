//! A journal that was put back from an older copy and went on: who was further is told so, and goes on
//! from a snapshot.

use tipoff::domain::Cursor;
use tipoff::domain::filter::Filter;
use tipoff::error::Kind;
use tipoff::exchange::Start;

use crate::history::{FilterOf, Op, ReaderOf, Said, To};
use crate::reader::Reader;
use crate::run::Run;

fn submit(value: u8) -> Op {
    Op::Submit {
        author: 0,
        to: To::Everyone,
        replaces: None,
        items: vec![Said { value, confidence: 20, hours: None, restricted: false, campaign: None }],
    }
}

fn now(run: &Run) -> Cursor {
    let caller = run.world.caller(1).unwrap();
    run.world.exchange().feeds.feed(&caller, Start::Now, Filter::default()).unwrap().cursor()
}

fn follow(run: &Run, cursor: Cursor) -> Result<(), (Kind, &'static str)> {
    let caller = run.world.caller(1).unwrap();
    let feed = run.world.exchange().feeds.feed(&caller, Start::After(cursor), Filter::default());
    feed.map(drop).map_err(|error| (error.kind(), error.label()))
}

#[test]
fn a_cursor_is_good_up_to_the_end_of_its_epoch() {
    let of = ReaderOf { partner: 1, filter: FilterOf::Everything };
    let mut run = Run::new(vec![of], 1);
    // Before any epoch, as a journal is that no node began one in.
    let first = now(&run);
    run.world.begin_epoch(1);
    run.happen(&[submit(0)]).unwrap();
    let (early, copy) = (now(&run), run.world.copy());
    run.happen(&[submit(1), submit(2)]).unwrap();
    let late = now(&run);
    run.world.restart(false);
    run.world.begin_epoch(2);
    let latest = now(&run);
    for cursor in [first, early, late, latest] {
        follow(&run, cursor).unwrap();
    }

    run.world.put_back(copy);
    // It has not gone on yet: what is ahead of it may only be late.
    assert_eq!(follow(&run, late), Err((Kind::OutOfRange, "cursor_ahead")));
    assert_eq!(follow(&run, latest), Err((Kind::OutOfRange, "cursor_epoch")));
    run.world.begin_epoch(3);
    for lost in [late, latest] {
        assert_eq!(follow(&run, lost), Err((Kind::OutOfRange, "cursor_epoch")));
    }
    run.happen(&[submit(3), submit(4), submit(5), submit(6)]).unwrap();
    assert!(now(&run).position > latest.position);
    for lost in [late, latest] {
        assert_eq!(follow(&run, lost), Err((Kind::OutOfRange, "cursor_epoch")));
    }
    for cursor in [first, early] {
        follow(&run, cursor).unwrap();
    }

    let mut reader = Reader::new(of);
    reader.snapshot(&run.world, &run.model).unwrap();
    assert_eq!(reader.held.len(), 5, "what the copy lacked is gone");
    run.happen(&[submit(7)]).unwrap();
    reader.read(&run.world, &run.model, usize::MAX).unwrap();
    assert_eq!(reader.held.len(), 6);
    // A restart on the journal alone knows the epochs too.
    run.world.restart(true);
    assert_eq!(follow(&run, late), Err((Kind::OutOfRange, "cursor_epoch")));
    follow(&run, early).unwrap();
}
