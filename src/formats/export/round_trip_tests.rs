//! What is exported for MISP and ThreatExchange and read again is what it was, but for the losses that docs/interop.md
//! lists.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::samples::of_kind;
use super::{DescriptorWriter, FeedWriter, Rules, Tally, Writer};
use crate::domain::account::{AccountNames, is_account};
use crate::domain::assessment::{
    Assessment, Basis, Confidence, Involvement, Severity, Technique, Verdict,
};
use crate::domain::label::{HARMS, Label};
use crate::domain::sharing::Audience;
use crate::domain::{
    CampaignId, GroupId, Indicator, IndicatorId, Kind, PartnerId, Platform, ReceivedAssessment,
    Timestamp, Tlp,
};
use crate::formats::{self, Assumed, Class, Details, Format};

/// What the exchange would take of a record.
#[derive(Clone, Debug, PartialEq)]
struct Taken {
    indicator: Indicator,
    verdict: Verdict,
    confidence: u32,
    severity: Severity,
    involvement: Involvement,
    basis: Basis,
    labels: Vec<String>,
    techniques: Vec<Technique>,
    first_seen: Option<Timestamp>,
    last_seen: Option<Timestamp>,
    valid_until: Timestamp,
    note: Option<String>,
    references: Vec<String>,
    campaign: Option<String>,
    account: AccountNames,
    tlp: Option<Tlp>,
}

impl Taken {
    fn of(received: &ReceivedAssessment) -> Self {
        let assessment = &received.assessment;
        Self {
            indicator: assessment.indicator.clone(),
            verdict: assessment.verdict(),
            confidence: assessment.confidence().percent().into(),
            severity: assessment.severity(),
            involvement: assessment.involvement(),
            basis: assessment.basis(),
            labels: assessment.labels.iter().map(|label| label.as_str().to_owned()).collect(),
            techniques: assessment.techniques.clone(),
            first_seen: assessment.first_seen,
            last_seen: assessment.last_seen,
            valid_until: assessment.expires_at(received.accepted),
            note: assessment.note.as_deref().map(str::to_owned),
            references: assessment.references.iter().map(|one| (**one).to_owned()).collect(),
            campaign: assessment.campaign.map(|campaign| campaign.to_string()),
            account: assessment.account.clone(),
            tlp: Some(received.tlp),
        }
    }

    /// What a record states, with the defaults of the exchange if it is accepted at that time.
    fn of_record(indicator: Indicator, details: Details, accepted: Timestamp) -> Self {
        let by_default = Assessment::of(indicator.clone());
        Self {
            verdict: details.verdict.unwrap_or(by_default.verdict()),
            confidence: details.confidence.unwrap_or(by_default.confidence().percent().into()),
            severity: details.severity.unwrap_or(by_default.severity()),
            involvement: details.involvement.unwrap_or(by_default.involvement()),
            basis: details.basis.unwrap_or(by_default.basis()),
            labels: details.labels,
            techniques: details.techniques,
            first_seen: details.first_seen,
            last_seen: details.last_seen,
            valid_until: details.valid_until.unwrap_or_else(|| by_default.expires_at(accepted)),
            note: details.note,
            references: details.references,
            campaign: details.campaign,
            account: AccountNames {
                account_id: details.account_id.map(String::into_boxed_str),
                former_handles: details
                    .former_handles
                    .into_iter()
                    .map(String::into_boxed_str)
                    .collect(),
            },
            tlp: details.tlp,
            indicator,
        }
    }
}

/// What an assessment loses in a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Kinds that the format has no type for.
    Types,
    References,
    PartsOfSeconds,
    /// Parts of a second of an end that the format has no tag for, as it is that by default.
    PartsOfSecondsOfDefaultEnd,
}

impl Loss {
    /// How docs/interop.md calls it.
    const fn words(self) -> &'static str {
        match self {
            Loss::Types => {
                "SHA-512, TLSH, hashtags, iOS apps, crypto addresses, and what lives on a platform whose addresses \
                 Tipoff does not know: there is no type for them, and they are counted"
            }
            Loss::References => "references but the first",
            Loss::PartsOfSeconds => "parts of a second of first and last seen",
            Loss::PartsOfSecondsOfDefaultEnd => {
                "parts of a second of an end that is the default of the kind"
            }
        }
    }

    /// What is left of an assessment.
    fn apply(self, mut taken: Taken, by_default: Timestamp) -> Option<Taken> {
        let in_seconds =
            |time: Timestamp| Timestamp::from_millis(time.as_millis().div_euclid(1_000) * 1_000);
        match self {
            Loss::Types => {
                let has_type = match taken.indicator.kind() {
                    Kind::Sha512
                    | Kind::Tlsh
                    | Kind::Hashtag
                    | Kind::IosAppId
                    | Kind::CryptoAddress => false,
                    kind if kind.needs_platform() => taken.indicator.web_address().is_some(),
                    _ => true,
                };
                return has_type.then_some(taken);
            }
            Loss::References => taken.references.truncate(1),
            Loss::PartsOfSeconds => {
                taken.first_seen = taken.first_seen.map(in_seconds);
                taken.last_seen = taken.last_seen.map(in_seconds);
            }
            Loss::PartsOfSecondsOfDefaultEnd if taken.valid_until == by_default => {
                taken.valid_until = in_seconds(taken.valid_until);
            }
            Loss::PartsOfSecondsOfDefaultEnd => {}
        }
        Some(taken)
    }
}

/// What is lost beside fields of assessments. Nothing of it is in a record, so the test below cannot see it.
const MISP_OTHERS: [&str; 3] = [
    "parts of a second of the time of acceptance",
    "the names and attributions of campaigns",
    "enforcements",
];
const THREATEXCHANGE_OTHERS: [&str; 2] = ["campaigns but their id", "enforcements"];
const MISP_LOSSES: [Loss; 0] = [];
const THREATEXCHANGE_LOSSES: [Loss; 4] =
    [Loss::Types, Loss::References, Loss::PartsOfSeconds, Loss::PartsOfSecondsOfDefaultEnd];

fn expected(all: &[ReceivedAssessment], losses: &[Loss]) -> BTreeMap<IndicatorId, Taken> {
    let left = all.iter().filter_map(|received| {
        let by_default = Assessment { valid_until: None, ..received.assessment.clone() };
        let by_default = by_default.expires_at(received.accepted);
        let taken = losses
            .iter()
            .try_fold(Taken::of(received), |taken, loss| loss.apply(taken, by_default))?;
        Some((received.id, taken))
    });
    left.collect()
}

/// The records of a file that was exported from assessments of this time.
fn read(bytes: &[u8], format: Format, accepted: Timestamp) -> Vec<(IndicatorId, Taken)> {
    let records = formats::read(bytes, None).unwrap();
    assert_eq!(Format::detect(std::str::from_utf8(bytes).unwrap(), &Assumed::default()), format);
    let taken = records.into_iter().map(|record| match record.class {
        Class::Indicator(read) => (read.id(), Taken::of_record(read, record.details, accepted)),
        class => panic!("{class:?}: {}", record.raw),
    });
    taken.collect()
}

fn through_misp(all: &[ReceivedAssessment]) -> BTreeMap<IndicatorId, Taken> {
    let folder = tempfile::tempdir().unwrap();
    let mut feed = FeedWriter::new(folder.path(), Rules::default()).unwrap();
    write_all(&mut feed, all);
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_event = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|end| end == "json") && !path.ends_with("manifest.json")
    };
    let events = files.filter(is_event).map(|path| fs::read(path).unwrap());
    events.flat_map(|event| read(&event, Format::Misp, all[0].accepted)).collect()
}

fn through_threatexchange(all: &[ReceivedAssessment]) -> BTreeMap<IndicatorId, Taken> {
    let mut out = Vec::new();
    let tally = write_all(&mut DescriptorWriter::new(&mut out), all);
    if tally.written == 0 {
        return BTreeMap::new();
    }
    read(&out, Format::ThreatExchange, all[0].accepted).into_iter().collect()
}

fn write_all(writer: &mut impl Writer, all: &[ReceivedAssessment]) -> Tally {
    let mut tally = Tally::default();
    for received in all {
        writer.add(received, &mut tally).unwrap();
    }
    writer.finish(&mut tally).unwrap();
    tally
}

/// A value of a kind, with a name in it where that is possible.
fn indicator(kind: Kind, name: &str) -> Indicator {
    let sample = of_kind(kind).assessment.indicator;
    let platform = sample.platform().map(Platform::as_str);
    let text = match kind {
        Kind::Domain => format!("{name}.example"),
        Kind::Url => format!("https://a.example/{name}?q={name}&r=1,2"),
        Kind::Email => format!("{name}@mail.example"),
        Kind::Account | Kind::Page | Kind::Community | Kind::Hashtag => name.to_owned(),
        _ => return sample,
    };
    Indicator::parse(kind, platform, &text).unwrap_or(sample)
}

fn audiences() -> impl Strategy<Value = Audience> {
    let groups = subsequence(vec!["core", "second"], 0..=2);
    let partners = subsequence(vec!["facegraph", "tubeworks"], 0..=2);
    let named = (groups, partners).prop_map(|(groups, partners)| Audience::Named {
        groups: groups.into_iter().map(GroupId::from_stored).collect(),
        partners: partners.into_iter().map(PartnerId::from_stored).collect(),
    });
    prop_oneof![Just(Audience::Everyone), Just(Audience::Public), named]
}

/// Names of an account: none, an id, handles, or both.
fn other_names(kind: Kind, number: Option<i64>) -> AccountNames {
    let Some(number) = number.filter(|_| is_account(kind)) else { return AccountNames::default() };
    let has_id = kind == Kind::Account && number % 2 == 0;
    let handles = ["former_desk", "old_desk", "older_desk"];
    let count = usize::try_from(number % 4).unwrap();
    AccountNames {
        account_id: has_id.then(|| format!("id\"{number};").into()),
        former_handles: handles[..count].iter().map(|handle| (*handle).into()).collect(),
    }
}

fn assessments() -> impl Strategy<Value = Assessment> {
    let labels: Vec<&str> = HARMS.iter().map(|harm| harm.label).chain(["ticket-touting"]).collect();
    let references = ["https://report.example/1;a", "https://report.example/2", "http://b.example"];
    let judgement = (
        select(Verdict::ALL),
        0..=100u32,
        select(Severity::ALL),
        select(Involvement::ALL),
        select(Basis::ALL),
    );
    let lists = (
        subsequence(labels, 0..4),
        subsequence(vec!["0.9.4", "8.2.1", "T0090", "T0085.004"], 0..=4),
        subsequence(references.to_vec(), 0..=3),
    );
    // From 2025 on, in milliseconds.
    let time = || option::of(0..30_000_000_000i64);
    let others = (time(), time(), time(), option::of("\\PC{0,40}(\n\\PC{1,20})?"), any::<bool>());
    (select(Kind::ALL), "[a-z0-9_-]{1,12}", judgement, lists, others).prop_map(
        |(kind, name, judgement, (labels, techniques, references), others)| {
            let (verdict, confidence, severity, involvement, basis) = judgement;
            let (first, last, end, note, has_campaign) = others;
            let at = |millis: i64| Timestamp::from_millis(1_735_700_000_000 + millis);
            // The exchange keeps no blanks around a note.
            let note = note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
            Assessment {
                verdict: Some(verdict),
                confidence: Some(Confidence::new(confidence).unwrap()),
                severity: Some(severity),
                involvement: Some(involvement),
                basis: Some(basis),
                labels: labels.into_iter().map(Label::from_stored).collect(),
                techniques: techniques.into_iter().map(Technique::from_stored).collect(),
                first_seen: first.map(at),
                last_seen: last.map(|last| at(first.unwrap_or_default() + last)),
                valid_until: end.map(|end| at(60_000_000_000 + end)),
                note: note.map(Into::into),
                references: references.into_iter().map(Into::into).collect(),
                campaign: has_campaign.then(|| CampaignId::from_bytes([7; 16])),
                account: other_names(kind, end),
                ..Assessment::of(indicator(kind, &name))
            }
        },
    )
}

/// Assessments of distinct indicators, by their id as a snapshot has them.
fn snapshots() -> impl Strategy<Value = Vec<ReceivedAssessment>> {
    let tlps = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict];
    vec((assessments(), select(tlps.to_vec()), audiences()), 1..6).prop_map(|all| {
        let received = all.into_iter().map(|(assessment, tlp, audience)| {
            let id = assessment.indicator.id();
            (id, ReceivedAssessment { id, assessment, tlp, audience, ..of_kind(Kind::Domain) })
        });
        received.collect::<BTreeMap<_, _>>().into_values().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_feed_of_misp_reads_again_as_what_was_exported(all in snapshots()) {
        prop_assert_eq!(through_misp(&all), expected(&all, &MISP_LOSSES));
    }

    #[test]
    fn descriptors_read_again_as_what_was_exported_but_for_the_listed_losses(all in snapshots()) {
        prop_assert_eq!(through_threatexchange(&all), expected(&all, &THREATEXCHANGE_LOSSES));
    }
}

#[test]
fn every_listed_loss_is_one() {
    let mut all: Vec<_> = Kind::ALL.iter().map(|kind| of_kind(*kind)).collect();
    all[0].assessment.valid_until = None;
    for without in THREATEXCHANGE_LOSSES {
        let others: Vec<Loss> =
            THREATEXCHANGE_LOSSES.into_iter().filter(|loss| *loss != without).collect();
        assert_ne!(through_threatexchange(&all), expected(&all, &others), "{without:?}");
    }
}

#[test]
fn the_table_of_losses_is_the_one_in_the_docs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/interop.md");
    let document = fs::read_to_string(path).unwrap();
    let lost = |format: &str| {
        let row = document.lines().find(|line| line.starts_with(&format!("| `{format}` | out |")));
        row.unwrap().trim_end_matches(" |").rsplit(" | ").next().unwrap().to_owned()
    };
    let listed = |losses: &[Loss], others: &[&str]| {
        let losses = losses.iter().map(|loss| loss.words());
        losses.chain(others.iter().copied()).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(lost("misp"), listed(&MISP_LOSSES, &MISP_OTHERS));
    assert_eq!(lost("threatexchange"), listed(&THREATEXCHANGE_LOSSES, &THREATEXCHANGE_OTHERS));
}
