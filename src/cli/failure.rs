//! The outcome of a command and its exit code.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::process::ExitCode;

use super::fields::Flags;
use super::output;
use crate::client::{ClientError, StateError};

/// Exit code if the exchange cannot be reached.
const UNREACHABLE: u8 = 3;

/// A successful command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Everything was done.
    Whole,
    /// Some items were rejected. Each was reported.
    InPart,
}

/// A failed command: exit code and message.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
    /// Whether the message lacks the address of the exchange, which could not be reached.
    lacks_server: bool,
    /// The fields of the request that the exchange refused, each with its reason.
    fields: Vec<(String, String)>,
}

/// The outcome of a command.
pub type Outcome = Result<Completion, Failure>;

impl Failure {
    /// A failure that is not a mistake of the user.
    pub fn failed(message: impl Display) -> Self {
        Self::new(1, message)
    }

    /// Wrong usage, or unreadable input.
    pub fn usage(message: impl Display) -> Self {
        Self::new(2, message)
    }

    /// Something else than the exchange itself cannot be reached. The message names it.
    pub fn unreachable(message: impl Display) -> Self {
        Self::new(UNREACHABLE, message)
    }

    fn new(code: u8, message: impl Display) -> Self {
        Self { code, message: message.to_string(), lacks_server: false, fields: Vec::new() }
    }

    /// The failure of a write. With `again`, repeating the command would store a second object, so
    /// the advice after an unknown outcome differs.
    pub fn of_write(error: ClientError, again: bool) -> Self {
        match error {
            ClientError::Unknown(_) if again => Self::failed(format!(
                "{error}. Check whether it was stored first: another run with --again stores it a second time"
            )),
            error => error.into(),
        }
    }

    /// A field of the request that the exchange refused. `what` says what came of it.
    pub fn of_field(what: &str, field: &str, reason: &str) -> Self {
        let fields = vec![(field.to_owned(), reason.to_owned())];
        Self { fields, ..Self::usage(format!("{what}: {field}: {reason}")) }
    }

    /// Replaces the message.
    pub fn with_message(self, message: String) -> Self {
        Self { message, ..self }
    }

    /// Adds what to do about it.
    pub fn with_advice(mut self, advice: &str) -> Self {
        self.message = format!("{}. {advice}", self.message);
        self
    }

    /// Adds the address of the exchange to the message if the exchange cannot be reached.
    pub fn with_server(mut self, server: &str) -> Self {
        if self.lacks_server {
            self.message = format!("{server}: {}", self.message);
        }
        self
    }

    /// Names the flags of the command instead of the fields of the request.
    pub fn with_flags(mut self, flags: &Flags) -> Self {
        for (field, reason) in &self.fields {
            if let Some(flag) = flags.of_field(field) {
                self.message = self
                    .message
                    .replace(&format!("{field}: {reason}"), &format!("{flag}: {reason}"));
            }
        }
        self
    }

    /// Prints the message to stderr and returns the exit code.
    pub fn report(&self) -> ExitCode {
        // If stderr is closed, only the exit code remains.
        let _ = writeln!(io::stderr(), "tipoff: {}", output::for_terminal(&self.message));
        ExitCode::from(self.code)
    }
}

/// The message.
impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let code = match &error {
            ClientError::Identity(_)
            | ClientError::Address { .. }
            | ClientError::NotFound(_)
            | ClientError::Invalid { .. } => 2,
            ClientError::Unreachable(_) => UNREACHABLE,
            ClientError::Denied(_) => 4,
            ClientError::Busy(_)
            | ClientError::Quota(_)
            | ClientError::Unknown(_)
            | ClientError::TakenOver(_)
            | ClientError::Conflict(_)
            | ClientError::Precondition(_)
            | ClientError::ListShrinks(_)
            | ClientError::OutOfRange(_)
            | ClientError::Fault(_) => 1,
        };
        let message = match &error {
            ClientError::Unknown(_) => {
                format!("{error}. Run the same command again: it is stored at most once")
            }
            ClientError::TakenOver(_) => format!(
                "{error}. Run the command again to take it back, or give each reader a --name of \
                 its own"
            ),
            ClientError::ListShrinks(_) => format!("{error}. Pass --shrink to withdraw them"),
            _ => error.to_string(),
        };
        let fields = match error {
            ClientError::Invalid { fields, .. } => fields,
            _ => Vec::new(),
        };
        Self { code, message, lacks_server: code == UNREACHABLE, fields }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        match error {
            StateError::File { action: "write", .. } => Self::failed(error),
            StateError::File { .. } | StateError::Content { .. } => Self::usage(error),
            StateError::Other { .. } => Self::usage(format!(
                "{error}. Use another file, or delete this one if you no longer need it"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_exit_code_and_says_what_to_do() {
        let table = [
            (ClientError::Unreachable("gone".into()), 3, "gone"),
            (ClientError::Denied("no".into()), 4, "no"),
            (ClientError::Busy("the disk is full".into()), 1, "the disk is full"),
            (ClientError::Quota("100 subscriptions".into()), 1, "100 subscriptions"),
            (ClientError::Unknown("the disk failed".into()), 1, "Run the same command again"),
            (ClientError::TakenOver("by a newer reader".into()), 1, "--name"),
            (ClientError::NotFound("no such tip".into()), 2, "no such tip"),
            (ClientError::OutOfRange("too old".into()), 1, "too old"),
            (ClientError::ListShrinks("30 of 40".into()), 1, "--shrink"),
        ];
        for (error, code, advice) in table {
            let failure = Failure::from(error);
            assert_eq!(failure.code, code, "{failure:?}");
            assert!(failure.message.contains(advice), "{failure:?}");
        }
        let fields = vec![("sharing.tlp".to_owned(), "is missing".to_owned())];
        let message = "sharing.tlp: is missing".to_owned();
        let invalid = Failure::from(ClientError::Invalid { message, fields });
        let program = crate::cli::command();
        let matches = program.clone().try_get_matches_from(["tipoff", "submit", "a.csv"]).unwrap();
        let named = invalid.with_flags(&Flags::of(&program, &matches));
        assert_eq!((named.code, named.message.as_str()), (2, "--tlp: is missing"));
        let again = Failure::of_write(ClientError::Unknown("the disk failed".into()), true);
        assert!(!again.message.contains("the same command"), "{again:?}");
    }
}
