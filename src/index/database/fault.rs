//! Tells failures of the operating system from damage. Only a damaged index is deleted.

use std::any::Any;
use std::error::Error;
use std::{fmt, io};

use nix::errno::Errno;

/// A call that the operating system refused. It says nothing about the data on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemFault {
    code: Errno,
    advice: &'static str,
}

impl SystemFault {
    /// Searches an error and its sources.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                let code = error.raw_os_error().map(Errno::from_raw);
                // An I/O error does not report the error that it wraps as a source.
                let wrapped = || error.get_ref().and_then(|wrapped| Self::of(wrapped));
                return code.and_then(Self::of_code).or_else(wrapped);
            }
            next = error.source();
        }
        None
    }

    /// Searches a panic message that contains an I/O error.
    pub fn named_in(message: &str) -> Option<Self> {
        let (_, code) = message.split_once("Os { code: ")?;
        let code = code.split(',').next()?.parse().ok()?;
        Self::of_code(Errno::from_raw(code))
    }

    fn of_code(code: Errno) -> Option<Self> {
        let advice = match code {
            Errno::EMFILE | Errno::ENFILE => {
                "raise the limit of open files (LimitNOFILE, ulimit -n)"
            }
            Errno::EACCES | Errno::EPERM => {
                "let the user that the exchange runs as read and write the index folder"
            }
            Errno::ENOSPC | Errno::EDQUOT => "make room on the disk",
            Errno::EROFS => "mount the file system for writing, and see why it is read-only",
            Errno::ENOMEM => "give the machine more memory",
            Errno::EIO => "check the disk",
            _ => return None,
        };
        Some(Self { code, advice })
    }
}

impl fmt::Display for SystemFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.desc(), self.advice)
    }
}

/// The message of a panic.
pub fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("fjall panicked on its files").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_found_at_every_depth_and_damage_is_not_taken_for_it() {
        let refused = |code: Errno| io::Error::from_raw_os_error(code as i32);
        for code in [
            Errno::EMFILE,
            Errno::ENFILE,
            Errno::EACCES,
            Errno::ENOSPC,
            Errno::EROFS,
            Errno::EDQUOT,
            Errno::ENOMEM,
        ] {
            let of = |error: &(dyn Error + 'static)| SystemFault::of(error).map(|found| found.code);
            assert_eq!(of(&refused(code)), Some(code));
            assert_eq!(of(&io::Error::other(refused(code))), Some(code));
            assert_eq!(of(&fjall::Error::from(refused(code))), Some(code));
            let inner = fjall::LsmError::from(io::Error::other(refused(code)));
            assert_eq!(of(&fjall::Error::from(inner)), Some(code));
            let message =
                format!("called `Result::unwrap()` on an `Err` value: {:?}", refused(code));
            assert_eq!(SystemFault::named_in(&message).map(|found| found.code), Some(code));
        }
        for damage in [
            fjall::Error::from(fjall::LsmError::InvalidTrailer),
            fjall::Error::from(io::Error::from(io::ErrorKind::UnexpectedEof)),
            fjall::Error::from(refused(Errno::ENOENT)),
            fjall::Error::InvalidVersion(None),
        ] {
            assert_eq!(SystemFault::of(&damage), None, "{damage}");
        }
        assert_eq!(SystemFault::named_in("index out of bounds"), None);
    }
}
