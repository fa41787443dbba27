//! Strict PEM parsing: an incomplete section is an error and is never skipped. A file that was
//! truncated between two sections cannot be distinguished from a shorter one. For revocation lists this
//! fails closed: clients whose issuer has no list are refused.
//!
//! The parser of `rustls-pki-types` skips whatever it does not recognise as a section. That is
//! right for text around sections, but wrong for a truncated section.

use std::path::Path;

use rustls::pki_types::pem::{Error, PemObject};

use super::folder::{FolderError, content, read};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// A PEM file whose sections are all complete.
pub struct PemFile<'a> {
    path: &'a Path,
    bytes: Vec<u8>,
    labels: Vec<String>,
}

impl<'a> PemFile<'a> {
    /// Reads a file. Fails if a section is incomplete.
    pub fn read(path: &'a Path) -> Result<Self, FolderError> {
        let bytes = read(path)?;
        let labels = labels(&String::from_utf8_lossy(&bytes));
        let labels = labels.map_err(|reason| content(path, reason))?;
        Ok(Self { path, bytes, labels })
    }

    /// Fails if there is a section of another kind than `label`.
    pub fn only(self, label: &str) -> Result<Self, FolderError> {
        match self.labels.iter().find(|other| *other != label) {
            Some(other) => Err(content(
                self.path,
                format!("holds a section {other}, and may only hold sections {label}"),
            )),
            None => Ok(self),
        }
    }

    /// The sections of one kind, at least one; other kinds are skipped. `what` names the kind in
    /// errors.
    pub fn sections<T: PemObject>(&self, what: &str) -> Result<Vec<T>, FolderError> {
        let sections = T::pem_slice_iter(&self.bytes).collect::<Result<Vec<_>, _>>();
        let sections = sections.map_err(|error| match error {
            Error::Base64Decode(reason) => {
                content(self.path, format!("is damaged, its base64 cannot be decoded: {reason}"))
            }
            error => content(self.path, format!("is not PEM: {error}")),
        })?;
        if sections.is_empty() {
            return Err(content(self.path, format!("holds no {what} in PEM")));
        }
        Ok(sections)
    }
}

/// The labels of the sections, in order; or which section is incomplete.
fn labels(text: &str) -> Result<Vec<String>, String> {
    let mut labels = Vec::new();
    let mut open: Option<&str> = None;
    let mut last = "";
    for line in text.split(['\n', '\r']).map(str::trim_end).filter(|line| !line.is_empty()) {
        if !line.starts_with(DASHES) && (line.contains(BEGIN) || line.contains(END)) {
            return Err(format!("is not PEM: `{}` is not at the start of its line", line.trim()));
        }
        if let Some(rest) = line.strip_prefix(BEGIN) {
            let label = rest.strip_suffix(DASHES).ok_or_else(|| cut_short(rest))?;
            if let Some(open) = open {
                return Err(cut_short(open));
            }
            open = Some(label);
        } else if let Some(rest) = line.strip_prefix(END) {
            let label = open.take().ok_or("is not PEM: it has an END without a BEGIN")?;
            if rest.strip_suffix(DASHES) != Some(label) {
                return Err(cut_short(label));
            }
            labels.push(label.to_owned());
        }
        last = line;
    }
    match open {
        Some(label) => Err(cut_short(label)),
        // A truncated `-----BEGIN ` line.
        None if last.starts_with('-') && !last.starts_with(END) => Err(cut_short(last)),
        None => Ok(labels),
    }
}

fn cut_short(label: &str) -> String {
    format!("is cut short: its section `{label}` is incomplete")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_between_text_and_incomplete_ones_are_refused() {
        let whole = "Issuer: CN=a\n-----BEGIN A-----\nAAAA\n-----END A-----\n";
        let two = format!("{whole}\r\n{}# the end\n", whole.replace(" A-", " B-"));
        assert_eq!(labels("").unwrap(), [""; 0]);
        assert_eq!(labels("only text").unwrap(), [""; 0]);
        assert_eq!(labels(whole.trim_end()).unwrap(), ["A"]);
        assert_eq!(labels(&two).unwrap(), ["A", "B"]);
        let pem = whole.find('-').unwrap();
        for cut in pem + 1..whole.len() - 1 {
            assert!(labels(&whole[..cut]).is_err(), "{:?}", &whole[..cut]);
            let second = format!("{whole}{}", &whole[pem..cut]);
            assert!(labels(&second).is_err(), "{second:?}");
        }
        for broken in
            ["-----END A-----", " -----BEGIN A-----\n-----END A-----", "\u{feff}-----BEGIN A-----"]
        {
            assert!(labels(broken).is_err(), "{broken:?}");
        }
    }
}
