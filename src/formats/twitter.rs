//! Twitter's archives of information operations: tables of users, or of their posts. A row names a user's stable id and
//! handle, which are linked. Those of users with few followers are hashed, and are no accounts.

use super::details::read_time;
use super::kinds::declared;
use super::limited::LimitedReader;
use super::{Class, Details, Error, Input, Output, Record, SkipReason};

/// Bytes that a record may have.
const MAX_RECORD_BYTES: u64 = 1024 * 1024;

/// Columns that only these archives have.
const ID: &str = "userid";
const HANDLE: &str = "user_screen_name";

/// Whether a text begins with the header of an archive.
pub fn is_archive(head: &str) -> bool {
    let header = head.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let has = |name: &str| header.split(',').any(|cell| cell.trim().trim_matches('"') == name);
    has(ID) && has(HANDLE)
}

/// Reads an archive. Counts users whose names are hashed.
pub fn read(input: &Input, out: &mut Output<'_>) -> Result<(), Error> {
    let (text, limit) = LimitedReader::of(input.reader(), MAX_RECORD_BYTES);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let broken = |row: usize, error: &csv::Error| Error::Broken { row, reason: error.to_string() };
    let header = reader.headers().map_err(|error| broken(0, &error))?.clone();
    let at = |name: &str| header.iter().position(|cell| cell.trim() == name);
    let (id, handle, time) = (at(ID), at(HANDLE), at("tweet_time"));
    let mut cells = csv::StringRecord::new();
    let mut row = 0;
    while !out.is_stopped() {
        row += 1;
        limit.begin();
        if !reader.read_record(&mut cells).map_err(|error| broken(row, &error))? {
            break;
        }
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).unwrap_or_default().trim();
        read_user(row, cell(id), cell(handle), cell(time), out);
    }
    Ok(())
}

fn read_user(row: usize, id: &str, handle: &str, time: &str, out: &mut Output<'_>) {
    let mut record = |raw: &str, class: Class, account_id: Option<&str>| {
        let account_id = account_id.map(str::to_owned);
        let details = Details { last_seen: read_time(time), account_id, ..Details::default() };
        out.record(Record { row, raw: raw.to_owned(), class, details });
    };
    if id.is_empty() && handle.is_empty() {
        return record("", Class::Neither(SkipReason::Empty), None);
    }
    // A hash is the same in both columns; an id has digits alone.
    if id == handle || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return out.skipped("user whose id and name are hashed");
    }
    record(id, declared("account_id", Some("x"), id), None);
    if !handle.is_empty() {
        record(handle, declared("account", Some("x"), handle), Some(id));
    }
}
