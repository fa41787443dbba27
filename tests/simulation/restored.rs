//! A journal is restored from an older copy and continues: a reader that was further gets an error,
//! and resumes from a snapshot.

use tipoff::domain::Cursor;
use tipoff::domain::filter::Filter;
use tipoff::error::Kind;
use tipoff::exchange::Start;

use crate::history::{AudienceBits, FilterSpec, Op, ReaderSpec, SubmittedItem};
use crate::reader::Reader;
use crate::run::Run;

fn submit(value: u8) -> Op {
    Op::Submit {
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
    }
}

fn cursor_now(run: &Run) -> Cursor {
    let caller = run.world.caller(1).unwrap();
    run.world.exchange().feeds.feed(&caller, Start::Now, Filter::default()).unwrap().cursor()
}

fn resume(run: &Run, cursor: Cursor) -> Result<(), (Kind, &'static str)> {
    let caller = run.world.caller(1).unwrap();
    let feed = run.world.exchange().feeds.feed(&caller, Start::After(cursor), Filter::default());
    feed.map(drop).map_err(|error| (error.kind(), error.label()))
}

#[test]
fn a_cursor_is_valid_up_to_the_end_of_its_epoch() {
    let spec = ReaderSpec { partner: 1, filter: FilterSpec::Everything };
    let mut run = Run::new(vec![spec], 1);
    // Before any epoch, like a journal in which no node began one.
    let first = cursor_now(&run);
    run.world.begin_epoch(1);
    run.run_ops(&[submit(0)]).unwrap();
    let (early, copy) = (cursor_now(&run), run.world.copy());
    run.run_ops(&[submit(1), submit(2)]).unwrap();
    let late = cursor_now(&run);
    run.world.restart(false);
    run.world.begin_epoch(2);
    let latest = cursor_now(&run);
    for cursor in [first, early, late, latest] {
        resume(&run, cursor).unwrap();
    }

    run.world.put_back(copy);
    // The copy has not continued yet, so the cursor may only be early.
    assert_eq!(resume(&run, late), Err((Kind::OutOfRange, "cursor_ahead")));
    assert_eq!(resume(&run, latest), Err((Kind::OutOfRange, "cursor_epoch")));
    run.world.begin_epoch(3);
    for lost in [late, latest] {
        assert_eq!(resume(&run, lost), Err((Kind::OutOfRange, "cursor_epoch")));
    }
    run.run_ops(&[submit(3), submit(4), submit(5), submit(6)]).unwrap();
    assert!(cursor_now(&run).position > latest.position);
    for lost in [late, latest] {
        assert_eq!(resume(&run, lost), Err((Kind::OutOfRange, "cursor_epoch")));
    }
    for cursor in [first, early] {
        resume(&run, cursor).unwrap();
    }

    let mut reader = Reader::new(spec);
    reader.snapshot(&run.world, &run.model).unwrap();
    assert_eq!(reader.held.len(), 5, "what the copy lacked is gone");
    run.run_ops(&[submit(7)]).unwrap();
    reader.read(&run.world, &run.model, usize::MAX).unwrap();
    assert_eq!(reader.held.len(), 6);
    // A restart with the journal only knows the epochs too.
    run.world.restart(true);
    assert_eq!(resume(&run, late), Err((Kind::OutOfRange, "cursor_epoch")));
    resume(&run, early).unwrap();
}
