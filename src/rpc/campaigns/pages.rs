//! Page tokens of campaign listings.

use crate::domain::{Invalid, Position, Timestamp};
use crate::exchange::TimelinePosition;

/// The token of a journal position.
pub fn position(at: Position) -> String {
    at.to_string()
}

/// Parses the token of a journal position. `None` for the first page.
pub fn read_position(token: &str) -> Result<Option<Position>, Invalid> {
    let read = || {
        let (sequence, index) = token.split_once('.')?;
        Some(Position::new(sequence.parse().ok()?, index.parse().ok()?))
    };
    if token.is_empty() { Ok(None) } else { read().map(Some).ok_or_else(unknown_token) }
}

/// The token of a position in a timeline.
pub fn event(event: TimelinePosition) -> String {
    format!("{}/{}/{}", event.at.as_millis(), event.rank, position(event.position))
}

/// Parses the token of a position in a timeline. `None` for the first page.
pub fn read_event(token: &str) -> Result<Option<TimelinePosition>, Invalid> {
    let read = || {
        let mut parts = token.split('/');
        let at = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let sort = parts.next()?.parse().ok()?;
        let position = read_position(parts.next()?).ok()??;
        parts.next().is_none().then_some(TimelinePosition { at, rank: sort, position })
    };
    if token.is_empty() { Ok(None) } else { read().map(Some).ok_or_else(unknown_token) }
}

fn unknown_token() -> Invalid {
    Invalid::new("page_token", "is not one that this exchange handed out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_nothing_else_is_one() {
        let at = Position::new(17, 3);
        assert_eq!(read_position(&position(at)), Ok(Some(at)));
        let place = TimelinePosition { at: Timestamp::from_millis(-5), rank: 2, position: at };
        assert_eq!(read_event(&event(place)), Ok(Some(place)));
        assert_eq!((read_position(""), read_event("")), (Ok(None), Ok(None)));
        for wrong in ["x", "1", "1.2.3", "1/2", "1/2/3", "1/2/3.4/5"] {
            assert_eq!(read_position(wrong).unwrap_err().field, "page_token", "{wrong}");
            assert_eq!(read_event(wrong).unwrap_err().field, "page_token", "{wrong}");
        }
    }
}
