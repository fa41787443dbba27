//! How a command ends, and the exit code that says so.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::client::{ClientError, StateError};

/// The exit code where the exchange cannot be reached.
const UNREACHABLE: u8 = 3;

/// A command that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// With everything.
    Whole,
    /// With some items rejected, each of which was named.
    InPart,
}

/// A command that failed.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

/// How a command ends.
pub type Outcome = Result<Completion, Failure>;

impl Failure {
    /// It failed.
    pub fn failed(message: impl Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// It was used wrongly, or its input cannot be read.
    pub fn usage(message: impl Display) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    /// The same error, of a command that was told to do a thing anew: its next run would do another.
    pub fn of_anew(error: ClientError) -> Self {
        match error {
            ClientError::Unknown(_) => Self::failed(format!(
                "{error}. Running it with --again stores it another time: see first whether it is there"
            )),
            error => error.into(),
        }
    }

    /// The same failure, which names the exchange's address where that is what helps.
    pub fn with_server(mut self, server: &str) -> Self {
        if self.code == UNREACHABLE {
            self.message = format!("{server}: {}", self.message);
        }
        self
    }

    /// Says on stderr what went wrong, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        tell(&self.message);
        ExitCode::from(self.code)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let code = match &error {
            ClientError::Identity(_)
            | ClientError::Address { .. }
            | ClientError::Invalid { .. } => 2,
            ClientError::Unreachable(_) => UNREACHABLE,
            ClientError::Denied(_) => 4,
            ClientError::Busy(_)
            | ClientError::Quota(_)
            | ClientError::Unknown(_)
            | ClientError::TakenOver(_)
            | ClientError::NotFound(_)
            | ClientError::Conflict(_)
            | ClientError::Precondition(_)
            | ClientError::OutOfRange(_)
            | ClientError::Fault(_) => 1,
        };
        let message = match &error {
            ClientError::Unknown(_) => {
                format!("{error}. Run the same command again: nothing is stored twice")
            }
            ClientError::TakenOver(_) => format!(
                "{error}. Run the command again to take it back, or give each reader a --name of \
                 its own"
            ),
            _ => error.to_string(),
        };
        Self { code, message }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        match error {
            StateError::File { action: "write", .. } => Self::failed(error),
            StateError::File { .. } | StateError::Content { .. } => Self::usage(error),
            StateError::Other { .. } => Self::usage(format!(
                "{error}. Name another file, or delete this one where nothing needs it any more"
            )),
        }
    }
}

/// Says what went wrong on stderr. Where that cannot be written either, the exit code has to do.
fn tell(message: &str) {
    let _ = writeln!(io::stderr(), "tipoff: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_exit_code_and_says_what_helps() {
        let table = [
            (ClientError::Unreachable("gone".into()), 3, "gone"),
            (ClientError::Denied("no".into()), 4, "no"),
            (ClientError::Busy("the disk is full".into()), 1, "the disk is full"),
            (ClientError::Quota("100 subscriptions".into()), 1, "100 subscriptions"),
            (ClientError::Unknown("the disk failed".into()), 1, "Run the same command again"),
            (ClientError::TakenOver("by a newer reader".into()), 1, "--name"),
            (ClientError::OutOfRange("too old".into()), 1, "too old"),
        ];
        for (error, code, says) in table {
            let failure = Failure::from(error);
            assert_eq!(failure.code, code, "{failure:?}");
            assert!(failure.message.contains(says), "{failure:?}");
        }
        let anew = Failure::of_anew(ClientError::Unknown("the disk failed".into()));
        assert!(!anew.message.contains("the same command"), "{anew:?}");
    }
}
