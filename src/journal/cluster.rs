//! What a node knows of the journal that it shares with other nodes.

use std::time::Instant;

use super::backend::Refusal;

/// The connection of a node to a shared journal.
#[derive(Clone, Debug, Default)]
pub struct ClusterStatus {
    /// What the node does now.
    pub state: ClusterState,
    /// The newest confirmation of the journal's head. `None` before the first one.
    pub confirmed: Option<Confirmation>,
    /// Risks that the configuration accepts. Empty if the servers are safe.
    pub accepted_risks: Vec<String>,
}

/// What a node does with a shared journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterState {
    /// It has no connection or no quorum, and tries again. Holds the reason.
    Connecting(String),
    /// It stores each new entry in its local copy.
    Following,
    /// It does not use the journal until an operator has done something.
    Refused(Refusal),
}

impl Default for ClusterState {
    fn default() -> Self {
        Self::Connecting("connecting".into())
    }
}

/// A head that the quorum confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The sequence of the newest entry.
    pub head: u64,
    /// When the node asked for it, on the monotonic clock. Entries up to this time may be missing after it.
    pub at: Instant,
}

impl ClusterStatus {
    /// Why appends are refused. `None` while the node follows the journal.
    pub fn refusal(&self) -> Option<String> {
        match &self.state {
            ClusterState::Following => None,
            ClusterState::Connecting(reason) => Some(reason.clone()),
            ClusterState::Refused(refusal) => Some(refusal.to_string()),
        }
    }
}
