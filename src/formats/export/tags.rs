//! Fields of an assessment as machine tags, for formats that have no place for them:
//! `tipoff:kind="page"`.

use super::text::time;
use crate::domain::ReceivedAssessment;
use crate::domain::account::AccountNames;
use crate::domain::assessment::{Assessment, Basis, Involvement, Severity};
use crate::domain::label::{HARMS, Label};
use crate::domain::sharing::Audience;

/// The namespace of the exchange's own tags.
pub const TIPOFF_NAMESPACE: &str = "tipoff:";

/// A machine tag. An id may hold quotes: the first and the last one are those of the tag.
pub fn tag(name: &str, value: &str) -> String {
    format!("{TIPOFF_NAMESPACE}{name}=\"{value}\"")
}

/// The marking, as the TLP taxonomy of MISP writes it.
pub fn tlp(received: &ReceivedAssessment) -> String {
    format!("tlp:{}", received.tlp.as_str().to_ascii_lowercase())
}

/// The audience.
pub fn audience(audience: &Audience) -> Vec<String> {
    match audience {
        Audience::Public => vec![tag("audience", "public")],
        Audience::Everyone => vec![tag("audience", "everyone")],
        Audience::Named { groups, partners } => {
            let groups = groups.iter().map(|group| tag("group", group.as_str()));
            groups.chain(partners.iter().map(|partner| tag("partner", partner.as_str()))).collect()
        }
    }
}

/// Labels, then techniques, involvement, basis, other names of the account, and expiry. Values that the exchange assumes
/// by default have no tag. Labels that an operator added are no words that others know.
pub fn of_assessment(received: &ReceivedAssessment) -> Vec<String> {
    let assessment = &received.assessment;
    let label = |label: &Label| {
        let name = label.as_str();
        let is_known = HARMS.iter().any(|harm| harm.label == name);
        if is_known { name.to_owned() } else { tag("label", name) }
    };
    let mut tags: Vec<String> = assessment.labels.iter().map(label).collect();
    tags.extend(assessment.techniques.iter().map(|one| tag("technique", one.as_str())));
    if assessment.involvement() != Involvement::Attacker {
        tags.push(tag("involvement", assessment.involvement().as_str()));
    }
    if assessment.basis() != Basis::Own {
        tags.push(tag("basis", assessment.basis().as_str()));
    }
    let AccountNames { account_id, former_handles } = &assessment.account;
    tags.extend(account_id.iter().map(|id| tag("account-id", id)));
    tags.extend(former_handles.iter().map(|handle| tag("former-handle", handle)));
    // The exchange sends an expiry with every assessment.
    let by_default =
        Assessment { valid_until: None, ..Assessment::of(assessment.indicator.clone()) };
    let expiry = assessment.expires_at(received.accepted);
    if expiry != by_default.expires_at(received.accepted) {
        tags.push(tag("valid-until", &time(expiry)));
    }
    tags
}

/// The kind, and the platform if there is one.
pub fn of_kind(received: &ReceivedAssessment) -> Vec<String> {
    let indicator = &received.assessment.indicator;
    let platform = indicator.platform().map(|platform| tag("platform", platform.as_str()));
    [tag("kind", indicator.kind().as_str())].into_iter().chain(platform).collect()
}

/// Verdict, confidence and severity, for formats without fields for them.
pub fn of_judgement(received: &ReceivedAssessment) -> Vec<String> {
    let assessment = &received.assessment;
    let mut tags = vec![tag("verdict", assessment.verdict().as_str())];
    let confidence = assessment.confidence().percent();
    if confidence != Assessment::of(assessment.indicator.clone()).confidence().percent() {
        tags.push(tag("confidence", &confidence.to_string()));
    }
    if assessment.severity() != Severity::Medium {
        tags.push(tag("severity", assessment.severity().as_str()));
    }
    tags
}
