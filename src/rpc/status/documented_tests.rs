//! docs/errors.md lists the reasons that are in the code, with their codes, and no others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::tls::IdentityError;

/// Files whose labels are values rather than literals; see [`reasons_without_literal`].
const WITH_VALUES: [&str; 3] = ["src/error.rs", "src/exchange/core/limits.rs", "src/rpc/authz.rs"];

/// The code of a reason, and whether the same request may be sent again.
type Meaning = (Code, bool);

#[test]
fn the_document_lists_the_reasons_of_the_code_with_their_codes_and_retries() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut expected = reasons_without_literal();
    for path in sources(&root.join("src")) {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("Error::new(") {
            let arguments = text[at + "Error::new(".len()..].trim_start();
            if text[..at].ends_with("io::") {
                continue;
            }
            match literal(arguments) {
                Some((Kind::Internal, _)) => {}
                Some((kind, label)) => {
                    let other = expected.insert(label.to_owned(), meaning(kind));
                    assert!(
                        other.is_none_or(|other| other == meaning(kind)),
                        "`{label}` has two meanings"
                    );
                }
                None => assert!(
                    WITH_VALUES.contains(&name.as_str()),
                    "{name}: write the kind and the label as literals, so that this test finds them: {}",
                    arguments.lines().next().unwrap_or_default()
                ),
            }
        }
    }
    let document = fs::read_to_string(root.join("docs/errors.md")).unwrap();
    assert!(expected.len() > 50, "{expected:?}");
    assert_eq!(documented(&document), expected);
}

fn meaning(kind: Kind) -> Meaning {
    (code(kind), retry_delay(kind).is_some())
}

/// The labels that the code computes.
fn reasons_without_literal() -> BTreeMap<String, Meaning> {
    let identity = [
        IdentityError::Unreadable,
        IdentityError::NoUri,
        IdentityError::ManyUris(2),
        IdentityError::NotSpiffe,
        IdentityError::NotCanonical,
        IdentityError::ForeignTrustDomain("other.example".into()),
        IdentityError::NotPartner,
    ];
    let identity = identity.iter().map(|error| (error.label(), Kind::Unauthenticated));
    let others = [
        ("no_identity", Kind::Unauthenticated),
        ("invalid_argument", Kind::Invalid),
        ("stopping", Kind::Unavailable),
        ("submit_limit", Kind::Exhausted),
        ("withdraw_limit", Kind::Exhausted),
    ];
    identity.chain(others).map(|(label, kind)| (label.to_owned(), meaning(kind))).collect()
}

/// The kind and the label at the start of the arguments, if both are literals.
fn literal(arguments: &str) -> Option<(Kind, &str)> {
    let (kind, rest) = arguments.strip_prefix("Kind::")?.split_once(',')?;
    let (label, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    let kind = match kind {
        "Invalid" => Kind::Invalid,
        "Unauthenticated" => Kind::Unauthenticated,
        "Denied" => Kind::Denied,
        "NotFound" => Kind::NotFound,
        "Conflict" => Kind::Conflict,
        "Precondition" => Kind::Precondition,
        "OutOfRange" => Kind::OutOfRange,
        "Aborted" => Kind::Aborted,
        "Exhausted" => Kind::Exhausted,
        "Quota" => Kind::Quota,
        "Unknown" => Kind::Unknown,
        "Unavailable" => Kind::Unavailable,
        "TimedOut" => Kind::TimedOut,
        "Unimplemented" => Kind::Unimplemented,
        "Internal" => Kind::Internal,
        other => panic!("no kind `{other}`"),
    };
    Some((kind, label))
}

/// The rows of the document. The reason is in lower case, as in the code.
fn documented(document: &str) -> BTreeMap<String, Meaning> {
    let mut may_be_sent_again = false;
    let rows = document.lines().filter_map(|line| {
        if let Some(title) = line.strip_prefix("## ") {
            may_be_sent_again = title == "Send the same request again";
        }
        let (reason, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let (code, _) = rest.split_once(" |")?;
        let code = match code {
            "INVALID_ARGUMENT" => Code::InvalidArgument,
            "ALREADY_EXISTS" => Code::AlreadyExists,
            "FAILED_PRECONDITION" => Code::FailedPrecondition,
            "NOT_FOUND" => Code::NotFound,
            "OUT_OF_RANGE" => Code::OutOfRange,
            "ABORTED" => Code::Aborted,
            "PERMISSION_DENIED" => Code::PermissionDenied,
            "UNAUTHENTICATED" => Code::Unauthenticated,
            "RESOURCE_EXHAUSTED" => Code::ResourceExhausted,
            "UNAVAILABLE" => Code::Unavailable,
            "DEADLINE_EXCEEDED" => Code::DeadlineExceeded,
            "UNIMPLEMENTED" => Code::Unimplemented,
            other => panic!("no code {other}"),
        };
        Some((reason.to_ascii_lowercase(), (code, may_be_sent_again)))
    });
    rows.collect()
}

/// The sources below a folder, without tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.file_stem().unwrap().to_str().unwrap().ends_with("tests")
        {
            found.push(path);
        }
    }
    found
}
