//! Fields of a record other than its value, under their various column and key names.

mod time;
pub mod words;

use self::time::is_ambiguous_day;
pub use self::time::{read_end, read_time};
use super::{Details, involvement, tags};
use crate::domain::assessment::{Involvement, Technique, Verdict};
use crate::domain::{Invalid, Timestamp};

/// Names of each field. The first name of a field is the exchange's own; if a record has several names of one field,
/// the first in this list counts. What stands under the own name and cannot be read makes its record unreadable; under
/// the names of other makers it is left out.
pub const NAMES: [&[&str]; 25] = [
    &[
        "verdict",
        "status",
        "disposition",
        "maliciousness",
        "reputation",
        "classification",
        "assessment",
        "determination",
        "analyst_verdict",
        "result",
    ],
    &[
        "confidence",
        "confidence_level",
        "confidence_score",
        "ioc_confidence",
        "malicious_confidence",
        "certainty",
        "abuse_confidence_score",
    ],
    &["severity", "threat_severity", "risk", "risk_level", "threat_level"],
    &["involvement", "role"],
    &["basis"],
    &["labels", "label", "harm", "harms"],
    &["technique", "techniques", "procedure", "ttp"],
    &[
        "first_seen",
        "first_observed",
        "firstseen",
        "first_seen_utc",
        "first_active",
        "first_submission",
        "valid_from",
        "date_observed",
        "observed",
        "report_date",
        "date_added",
        "dateadded",
        "added_on",
        "date",
        "created",
        "created_at",
        "creation_date",
        "submission_time",
    ],
    &["last_seen", "last_observed", "lastseen", "last_seen_utc", "last_active", "last_online"],
    &[
        "valid_until",
        "expires",
        "expiry",
        "expiry_date",
        "expiration",
        "expiration_date",
        "expires_at",
        "expires_on",
        "expired_on",
        "expire",
        "expiration_date_time",
        "valid_to",
    ],
    &[
        "note",
        "notes",
        "comment",
        "comments",
        "description",
        "remark",
        "context",
        "title",
        "details",
        "beschreibung",
        "bemerkung",
    ],
    &[
        "references",
        "reference",
        "source_url",
        "report_url",
        "reference_url",
        "external_link",
        "link",
    ],
    &["campaign", "campaign_id", "campaign_name", "operation"],
    &["account_id", "stable_id", "platform_user_id"],
    &[
        "former_handles",
        "former_handle",
        "former_usernames",
        "previous_handles",
        "previous_usernames",
        "old_handles",
        "old_usernames",
    ],
    &["tlp", "tlp_level", "tlp_marking", "share_level", "marking"],
    &["tags", "tag", "attribute_tag", "event_tag"],
    &[
        "threat_type",
        "abuse_type",
        "threat_category",
        "threat",
        "malware_type",
        "indicator_types",
        "category",
    ],
    &["to_ids", "ids", "is_ioc", "ioc"],
    &["predictive"],
    &["is_malicious", "malicious"],
    &[
        "is_whitelisted",
        "whitelisted",
        "is_allowlisted",
        "allowlisted",
        "false_positive",
        "is_false_positive",
        "is_benign",
        "is_safe",
        "is_clean",
    ],
    &["action", "recommended_action", "scan_action", "policy", "list", "list_type", "decision"],
    &["is_compromised", "compromised"],
    &[
        "malware",
        "malware_family",
        "malware_printable",
        "malware_name",
        "family",
        "threat_actor",
        "actor",
    ],
];

/// Bytes of an address of a report. Longer ones are left out.
const MAX_REFERENCE_BYTES: usize = 2_000;

/// The fields of [`NAMES`] whose text may be a list.
pub const LISTS: &[&str] =
    &["labels", "technique", "references", "tags", "threat_type", "former_handles"];

/// Reads the fields. `find` returns what the record has for the field at an index of [`NAMES`].
///
/// A field that is present under its own name but invalid is an error: a value that was cleared as harmless must not
/// be submitted as malicious.
pub fn read(find: impl FnMut(usize) -> Field) -> Result<Details, Invalid> {
    let [
        verdict,
        confidence,
        severity,
        involvement,
        basis,
        labels,
        techniques,
        first_seen,
        last_seen,
        valid_until,
        note,
        references,
        campaign,
        account_id,
        former_handles,
        tlp,
        tags,
        threat_types,
        to_ids,
        predictive,
        is_malicious,
        is_allowlisted,
        action,
        is_compromised,
        families,
    ] = std::array::from_fn::<_, { NAMES.len() }, _>(find);
    let techniques = techniques.texts.iter().filter_map(|text| {
        // A procedure number may be followed by its name.
        Technique::parse(text.split_whitespace().next()?.trim_end_matches('.')).ok()
    });
    let is_allowed = is_allowed(&action, &verdict);
    let mut details = Details {
        verdict: verdict.parsed("verdict", words::verdict, VERDICT)?,
        confidence: confidence.parsed("confidence", words::confidence, CONFIDENCE)?,
        severity: severity.parsed("severity", words::severity, SEVERITY)?,
        involvement: involvement.parsed("involvement", role, INVOLVEMENT)?,
        basis: basis.parsed("basis", |text| words::plain(text).parse().ok(), BASIS)?,
        techniques: techniques.collect(),
        first_seen: observed("first_seen", &first_seen)?,
        last_seen: observed("last_seen", &last_seen)?,
        valid_until: valid_until.parsed("valid_until", read_end, TIME)?,
        note: note
            .first()
            .filter(|text| !words::is_absent(text))
            .map(|text| tags::cut(text, tags::MAX_NOTE_CHARS).into_owned()),
        campaign: campaign.first().filter(|text| !words::is_absent(text)).map(str::to_owned),
        tlp: tlp.parsed("tlp", words::tlp_or_number, TLP)?,
        labels: Vec::new(),
        account_id: account_id.first().map(str::to_owned),
        former_handles: former_handles.texts,
        references: references.texts.into_iter().filter(|text| is_web_address(text)).collect(),
        is_allowed,
        names_audience: false,
    };
    // A label that says `benign` is a verdict.
    let (benign, labels): (Vec<_>, Vec<_>) =
        labels.texts.into_iter().partition(|text| words::is_harmless(text));
    details.labels = labels;
    for (name, field) in [("First seen", &first_seen), ("Last seen", &last_seen)] {
        if let Some(day) = field.first().filter(|text| is_ambiguous_day(text)) {
            tags::add_note(&mut details, &format!("{name}: {day}"));
        }
    }
    let tags = tags.texts.iter().chain(&threat_types.texts).chain(&families.texts);
    tags::add(tags.map(String::as_str), &mut details);
    let yes_or_no = |field: &Field| field.first().and_then(words::boolean);
    let flags = Flags {
        for_detection: yes_or_no(&to_ids),
        predictive: yes_or_no(&predictive),
        malicious: yes_or_no(&is_malicious),
        harmless: yes_or_no(&is_allowlisted) == Some(true)
            || !benign.is_empty()
            || is_no_threat(&severity),
        compromised: yes_or_no(&is_compromised),
    };
    derive_fields(&mut details, &flags);
    Ok(details)
}

/// Whether a record is a rule that lets its value through. In a column of verdicts, words for a verdict are one.
fn is_allowed(action: &Field, verdict: &Field) -> bool {
    action.first().is_some_and(words::is_allowing)
        || verdict
            .first()
            .is_some_and(|text| words::is_allowing(text) && words::verdict(text).is_none())
}

/// Whether a level of threat or risk, under another maker's name, says that there is none.
fn is_no_threat(severity: &Field) -> bool {
    !severity.has_own_name
        && severity
            .first()
            .is_some_and(|text| words::plain(text) == "none" || words::is_harmless(text))
}

/// A time of observation. A day that may be two days is not read; the note has it as it is written.
fn observed(name: &'static str, field: &Field) -> Result<Option<Timestamp>, Invalid> {
    let is_ambiguous = field.first().is_some_and(is_ambiguous_day);
    if is_ambiguous { Ok(None) } else { field.parsed(name, read_time, TIME) }
}

/// What other fields say yes or no to.
struct Flags {
    for_detection: Option<bool>,
    predictive: Option<bool>,
    malicious: Option<bool>,
    harmless: bool,
    compromised: Option<bool>,
}

impl Flags {
    /// The verdict that they state, the most cautious first.
    fn verdict(&self) -> Option<Verdict> {
        match self {
            Flags { harmless: true, .. } => Some(Verdict::NonMalicious),
            Flags { for_detection: Some(false), .. } | Flags { malicious: Some(false), .. } => {
                Some(Verdict::Unknown)
            }
            Flags { predictive: Some(true), .. } => Some(Verdict::Suspicious),
            Flags { malicious: Some(true), .. } => Some(Verdict::Malicious),
            _ => None,
        }
    }
}

/// Derives fields from several others: the verdict of a value that is not for detection, an involvement that
/// the note states, and times that contradict one another.
fn derive_fields(details: &mut Details, flags: &Flags) {
    details.verdict = details.verdict.or_else(|| flags.verdict());
    if details.involvement.is_none() && flags.compromised == Some(true) {
        details.involvement = Some(Involvement::Victim);
    }
    if details.involvement.is_none() {
        details.involvement = details.note.as_deref().and_then(involvement::involvement_of);
    }
    drop_later_first_seen(details);
}

/// Completes the details of a record with those of what it lies in. The stricter marking counts.
pub fn inherit(details: &mut Details, outer: &Details) {
    details.verdict = details.verdict.or(outer.verdict);
    details.confidence = details.confidence.or(outer.confidence);
    details.severity = details.severity.or(outer.severity);
    details.involvement = details.involvement.or(outer.involvement);
    details.basis = details.basis.or(outer.basis);
    details.first_seen = details.first_seen.or(outer.first_seen);
    details.last_seen = details.last_seen.or(outer.last_seen);
    details.valid_until = details.valid_until.or(outer.valid_until);
    details.tlp = words::stricter(details.tlp, outer.tlp);
    details.is_allowed |= outer.is_allowed;
    details.campaign = details.campaign.take().or_else(|| outer.campaign.clone());
    tags::add_note(details, outer.note.as_deref().unwrap_or_default());
    add_missing(&mut details.labels, &outer.labels);
    add_missing(&mut details.techniques, &outer.techniques);
    add_missing(&mut details.references, &outer.references);
    drop_later_first_seen(details);
}

fn add_missing<T: Clone + PartialEq>(all: &mut Vec<T>, others: &[T]) {
    for other in others {
        if !all.contains(other) {
            all.push(other.clone());
        }
    }
}

/// Drops a first observation that would be after the last: a date of creation or of a report is not one of observation.
pub fn drop_later_first_seen(details: &mut Details) {
    if let (Some(first), Some(last)) = (details.first_seen, details.last_seen)
        && last < first
    {
        details.first_seen = None;
    }
}

const VERDICT: &str = "is not one of: non_malicious, unknown, suspicious, malicious";
const CONFIDENCE: &str = "is not a number from 0 to 100, or one of: low, medium, high";
const SEVERITY: &str = "is not one of: info, low, medium, high, critical";
const INVOLVEMENT: &str = "is not one of: attacker, victim, abused_service, third_party";
const BASIS: &str = "is not one of: own, received, public";
const TIME: &str = "is not a time, such as 2026-11-24T12:00:00Z";
const TLP: &str = "is not RED, AMBER+STRICT, AMBER, GREEN or CLEAR";

/// What a record has for one field.
#[derive(Debug, Default)]
pub struct Field {
    /// Whether the record calls it by the first of its [`NAMES`].
    pub has_own_name: bool,
    /// Its texts.
    pub texts: Vec<String>,
}

impl Field {
    /// The first text that is not blank.
    fn first(&self) -> Option<&str> {
        self.texts.iter().map(|text| text.trim()).find(|text| !text.is_empty())
    }

    /// Parses the first text. `expected` completes the error for a field with its own name.
    fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, Invalid> {
        let Some(text) = self.first() else { return Ok(None) };
        match parse(text) {
            None if self.has_own_name => {
                let shown: String = text.chars().take(40).collect();
                Err(Invalid::new(name, format!("`{}` {expected}", shown.escape_debug())))
            }
            parsed => Ok(parsed),
        }
    }
}

/// An involvement by its own name, or by the words of others.
fn role(text: &str) -> Option<Involvement> {
    words::plain(text).parse().ok().or_else(|| involvement::involvement_of(text))
}

/// Whether a text is an address that an assessment may refer to.
pub fn is_web_address(text: &str) -> bool {
    let has_scheme = text.starts_with("https://") || text.starts_with("http://");
    has_scheme && text.len() <= MAX_REFERENCE_BYTES
}
