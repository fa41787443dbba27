//! How a command ends, and the exit code that says so.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::client::ClientError;

/// The exit code where the exchange cannot be reached.
const UNREACHABLE: u8 = 3;

/// A command that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
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
pub type Outcome = Result<Done, Failure>;

impl Failure {
    /// It failed.
    pub fn failed(message: impl Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// It was used wrongly, or its input cannot be read.
    pub fn usage(message: impl Display) -> Self {
        Self { code: 2, message: message.to_string() }
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
            | ClientError::NotFound(_)
            | ClientError::Conflict(_)
            | ClientError::Precondition(_)
            | ClientError::OutOfRange(_)
            | ClientError::Fault(_) => 1,
        };
        Self { code, message: error.to_string() }
    }
}

/// Says what went wrong on stderr. Where that cannot be written either, the exit code has to do.
fn tell(message: &str) {
    let _ = writeln!(io::stderr(), "tipoff: {message}");
}
