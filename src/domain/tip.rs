//! Tips: directed messages from one partner to named partners. Holds the state machine that each
//! recipient's thread follows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::assessment::text_enum;
use super::invalid::Invalid;

/// Maximum number of recipients of one tip.
pub const MAX_RECIPIENTS: usize = 50;
/// Maximum number of indicators in one tip, and in one response.
pub const MAX_INDICATORS: usize = 1_000;
/// Maximum length of a narrative, and of a message, in characters.
pub const MAX_TEXT_CHARS: usize = 4_000;
/// Maximum length of a subject, in characters.
pub const MAX_SUBJECT_CHARS: usize = 200;

/// A tip's id. Random, so that it reveals neither the topic nor the number of tips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TipId(Uuid);

impl TipId {
    /// Wraps a random UUID.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// Parses a UUID.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Uuid::parse_str(text).map(Self).map_err(|_| Invalid::new("tip_id", "is not a UUID"))
    }

    /// The 16 bytes of the id.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// An id from its 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for TipId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TipId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

text_enum! {
    /// How soon a tip needs a reaction.
    Urgency, "urgency" {
        /// Routine work.
        Routine = "routine",
        /// Before routine work.
        Priority = "priority",
        /// Someone is about to be harmed.
        ImminentHarm = "imminent_harm",
    }
}

text_enum! {
    /// The state of a tip in one recipient's thread.
    TipState, "state" {
        /// Sent, with no reaction yet.
        Sent = "sent",
        /// The recipient has acknowledged it.
        Acknowledged = "acknowledged",
        /// The recipient is investigating.
        Investigating = "investigating",
        /// The recipient has acted.
        Actioned = "actioned",
        /// Investigated; nothing violates the recipient's rules.
        NoViolation = "no_violation",
        /// The recipient will not handle it.
        Declined = "declined",
        /// The recipient is monitoring for further activity.
        Monitoring = "monitoring",
        /// Finished.
        Closed = "closed",
        /// Withdrawn by its sender, for all recipients.
        Withdrawn = "withdrawn",
    }
}

impl TipState {
    /// The states that a recipient may move to from here. `proto/tipoff/v1/tip.proto` documents the
    /// same table.
    pub const fn allowed(self) -> &'static [TipState] {
        use TipState::{
            Acknowledged, Actioned, Closed, Declined, Investigating, Monitoring, NoViolation, Sent,
            Withdrawn,
        };
        match self {
            Sent => &[Acknowledged, Investigating, Declined],
            Acknowledged => &[Investigating, Actioned, NoViolation, Declined],
            Investigating => &[Actioned, NoViolation, Monitoring],
            Actioned | NoViolation => &[Investigating, Monitoring, Closed],
            Monitoring => &[Investigating, Actioned, Closed],
            Declined | Closed => &[Investigating],
            Withdrawn => &[],
        }
    }

    /// Whether a recipient may move the tip from this state to `to`.
    pub fn may_move(self, to: TipState) -> bool {
        self.allowed().contains(&to)
    }

    /// Whether the recipient still owes an answer. Only open threads can be overdue.
    pub const fn is_open(self) -> bool {
        matches!(self, TipState::Sent | TipState::Acknowledged | TipState::Investigating)
    }

    /// Whether new indicators reopen it, as investigating.
    pub const fn reopens(self) -> bool {
        matches!(self, TipState::Monitoring | TipState::Closed)
    }

    /// Whether a transition to this state requires a message.
    pub const fn needs_message(self) -> bool {
        matches!(self, TipState::NoViolation | TipState::Declined)
    }

    /// The number on disk: the index in `ALL`, which may only be extended at its end.
    pub fn number(self) -> u8 {
        let at = TipState::ALL.iter().position(|state| *state == self);
        at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
    }

    /// The state of a number on disk.
    pub fn from_number(number: u8) -> Option<Self> {
        TipState::ALL.get(usize::from(number)).copied()
    }
}

/// The error message for a transition that is not allowed.
pub fn transition_error(from: TipState, to: TipState) -> String {
    let allowed = match from.allowed() {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(ToString::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    };
    format!("the tip is {from}, and cannot be moved to {to}: allowed from there is {allowed}")
}

/// A partner's list of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TipBox {
    /// Threads that it received.
    Received,
    /// Threads that it sent.
    Sent,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the model: a row a state, and a column a state that it may be moved to.
    #[test]
    fn a_tip_moves_as_the_table_says_and_no_other_way() {
        use TipState::*;
        let to = [Acknowledged, Investigating, Actioned, NoViolation, Declined, Monitoring, Closed];
        let table = [
            (Sent, "xx--x--"),
            (Acknowledged, "-xxxx--"),
            (Investigating, "--xx-x-"),
            (Actioned, "-x---xx"),
            (NoViolation, "-x---xx"),
            (Monitoring, "-xx---x"),
            (Declined, "-x-----"),
            (Closed, "-x-----"),
            (Withdrawn, "-------"),
        ];
        assert_eq!(table.len(), TipState::ALL.len());
        for (from, row) in table {
            for (to, cell) in to.iter().zip(row.chars()) {
                assert_eq!(from.may_move(*to), cell == 'x', "{from} to {to}");
            }
            assert!(!from.may_move(Sent) && !from.may_move(Withdrawn), "{from}");
        }
    }

    #[test]
    fn a_refused_move_names_where_the_tip_stands_and_what_is_allowed() {
        assert_eq!(
            transition_error(TipState::Sent, TipState::Closed),
            "the tip is sent, and cannot be moved to closed: allowed from there is acknowledged, \
             investigating and declined"
        );
        let closed = transition_error(TipState::Closed, TipState::Closed);
        assert!(closed.ends_with("allowed from there is investigating"), "{closed}");
        let withdrawn = transition_error(TipState::Withdrawn, TipState::Closed);
        assert!(withdrawn.ends_with("allowed from there is nothing"), "{withdrawn}");
    }

    #[test]
    fn a_state_keeps_its_number_on_disk() {
        let numbers: Vec<_> = TipState::ALL.iter().map(|state| state.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(TipState::ALL.iter().all(|one| TipState::from_number(one.number()) == Some(*one)));
        assert_eq!(TipState::from_number(9), None);
    }
}
