//! Writes the tables of docs/formats.md from the tables of the code, and compares them with what stands there.
//! `TIPOFF_UPDATE_DOCS=1 cargo test --lib documented` writes them anew.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use super::kinds::{excluded, names};
use super::misp::attribute::{self, Meaning};
use super::stix::{indicator, observable};
use super::{
    Format, columns, details, involvement, json_rows, misp, refused, tags, threatexchange,
};
use crate::domain::Kind;
use crate::domain::assessment::{Involvement, Severity, Verdict};
use crate::domain::label::HARMS;
use crate::domain::sharing::Tlp;
use details::words;

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// Each table by its name in the document.
fn tables() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("formats", formats()),
        ("refused", refused_formats()),
        ("columns", columns_and_keys()),
        ("not-entered", list(json_rows::keys::ABOUT_OTHERS)),
        ("report-objects", list(json_rows::keys::ABOUT_REPORTS)),
        ("names", names_of_kinds()),
        ("last-words", last_words()),
        ("bystanders", list(excluded::BYSTANDERS)),
        ("about-reports", list(excluded::ABOUT_REPORTS)),
        ("not-of-files", list(&[excluded::NOT_OF_FILES, excluded::FINGERPRINTS].concat())),
        ("references", list(excluded::REFERENCES)),
        ("let-through", list(excluded::LET_THROUGH)),
        ("about-addresses", list(excluded::ABOUT_ADDRESSES)),
        ("posts", list(excluded::POSTS)),
        ("unsupported", list(&[excluded::OTHER_DIGESTS, excluded::UNSUPPORTED].concat())),
        ("verdicts", words_of(Verdict::ALL, words::VERDICTS, "verdict")),
        ("severities", words_of(Severity::ALL, words::SEVERITIES, "severity")),
        ("confidences", confidences()),
        ("involvements", involvements()),
        ("markings", words_of(Tlp::ALL, words::TLPS, "TLP")),
        ("labels", labels()),
        ("stix-types", stix_types()),
        ("stix-values", stix_values()),
        ("misp-objects", misp_objects()),
        ("misp-others", list(attribute::RELATIONS_TO_OTHERS)),
        ("misp-references", list(attribute::REFERENCE_CATEGORIES)),
        ("misp-levels", misp_levels()),
        ("misp-involvement", misp_involvement()),
        ("threatexchange-privacy", list(threatexchange::RESTRICTED)),
    ])
}

#[test]
fn the_tables_of_the_document_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let mut tables = tables();
    let mut written = String::new();
    let mut rest = document.as_str();
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, body) = after.split_once(" -->\n").unwrap();
        let (_, behind) = body.split_once(END).unwrap();
        let table = tables.remove(name).unwrap_or_else(|| panic!("the code has no table `{name}`"));
        written.extend([before, BEGIN, name, " -->\n", table.as_str(), END]);
        rest = behind;
    }
    written.push_str(rest);
    assert!(tables.is_empty(), "docs/formats.md has no place for {:?}", tables.keys());
    if std::env::var_os("TIPOFF_UPDATE_DOCS").is_some() {
        std::fs::write(&path, written).unwrap();
    } else {
        let same = document.lines().zip(written.lines()).take_while(|(one, other)| one == other);
        let line = same.count() + 1;
        assert!(
            document == written,
            "line {line} of docs/formats.md is not what the code has: run TIPOFF_UPDATE_DOCS=1 cargo test --lib \
             documented"
        );
    }
}

fn table<R: AsRef<[String]>>(header: &[&str], rows: impl IntoIterator<Item = R>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut table = line(header.iter().map(|&name| name.to_owned()).collect());
    table.extend(["|", "---|".repeat(header.len()).as_str(), "\n"]);
    for row in rows {
        table.push_str(&line(row.as_ref().iter().map(|cell| cell.replace('|', "\\|")).collect()));
    }
    table
}

fn code(text: impl Display) -> String {
    format!("`{text}`")
}

fn codes<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

/// A paragraph of names, in lines of the document's width.
fn list(all: &[&str]) -> String {
    let mut text = String::new();
    let mut width = 0;
    for (at, name) in all.iter().enumerate() {
        let end = if at + 1 == all.len() { "." } else { "," };
        let piece = format!("`{name}`{end}");
        let separator = match width {
            0 => "",
            _ if width + piece.len() > 118 => "\n",
            _ => " ",
        };
        width = if separator == "\n" { piece.len() } else { width + piece.len() + 1 };
        text.push_str(separator);
        text.push_str(&piece);
    }
    text.push('\n');
    text
}

fn formats() -> String {
    let row = |format: &Format| {
        [code(format), format.contents().to_owned(), format.detected_by().to_owned()]
    };
    table(&["`--format`", "what it is", "detected by"], Format::ALL.iter().map(row))
}

fn refused_formats() -> String {
    let all = refused::SIGNATURES.iter().map(|signature| signature.format);
    let all = all.chain(refused::IN_ZIP.iter().chain(refused::IN_XML).map(|(_, format)| *format));
    let mut by_advice: Vec<(&str, Vec<&str>)> = Vec::new();
    for format in all {
        match by_advice.iter_mut().find(|(advice, _)| *advice == format.advice) {
            Some((_, known)) if known.contains(&format.name) => {}
            Some((_, known)) => known.push(format.name),
            None => by_advice.push((format.advice, vec![format.name])),
        }
    }
    let row = |(advice, all): &(&str, Vec<&str>)| [all.join(", "), (*advice).to_owned()];
    table(&["the file is", "do this instead"], by_advice.iter().map(row))
}

/// What each column contains. Columns are named by their first name.
const CONTENTS: [(&str, &str); 28] = [
    (
        "value",
        "the indicators, defanged or not. Without such a column: each column that is named after a kind \
         (`domain`, `src_ip`, `twitter_handle`), or the one that `--column` names",
    ),
    ("kind", "one of the [kinds](#kinds), or [another maker's name](#names-of-kinds) of one"),
    ("platform", "id, name or host of the platform; for a crypto address its chain"),
    ("verdict", "one of the [verdicts](#words), or another maker's word"),
    ("confidence", "0 to 100, `80%`, `8/10`, `0.8`, or [a word](#words)"),
    ("severity", "one of the [severities](#words), or another maker's word"),
    ("involvement", "one of the [involvements](#words), or a word for it"),
    ("basis", "`own`, `received`, `public`"),
    ("labels", "[harm labels](labels.md), as written; in a table, separated by `,` `;` or `|`"),
    (
        "technique",
        "numbers of the online operations kill chain (`0.9.4`), or DISARM (`T0090`); in a table, \
         separated by `,` `;` or `|`",
    ),
    ("first_seen", "RFC 3339, a day (its start), `2 Jan 2026`, seconds since 1970"),
    ("last_seen", "the same"),
    ("valid_until", "the same; a day counts until its end"),
    ("note", "text. A short one such as `victim` or `amplified` states the involvement"),
    ("references", "web addresses"),
    ("campaign", "your id of the campaign"),
    (
        "account_id",
        "the stable id of the account in the row; without a column `value`, a value of its own, and that of the \
         handle in the row",
    ),
    (
        "former_handles",
        "handles that the account in the row had before; in a table, separated by `,` `;` or `|`",
    ),
    ("tlp", "TLP 1 or 2. Values of one file with different markings are sent in different batches"),
    (
        "tags",
        "words of others: known ones become [harm labels](#tags), `tlp:` is the marking, techniques of \
         DISARM are techniques, the rest is in the note",
    ),
    ("threat_type", "like `tags`"),
    ("to_ids", "`0` or `false`: not for detection, so the verdict is `unknown`"),
    ("predictive", "`1` or `true`: found by an algorithm, so the verdict is `suspicious`"),
    ("is_malicious", "`1` or `true`: the verdict is `malicious`; `0` or `false`: `unknown`"),
    ("is_whitelisted", "`1` or `true`: the verdict is `non_malicious`"),
    ("action", "`allow`, `whitelist`, `permit`: the record is `allowed`, and is not shared"),
    ("is_compromised", "`1` or `true`: the involvement is `victim`"),
    ("malware", "like `tags`"),
];

fn columns_and_keys() -> String {
    let values = [columns::VALUES, columns::KINDS, columns::PLATFORMS];
    let all: Vec<&[&str]> = values.into_iter().chain(details::NAMES).collect();
    assert_eq!(all.len(), CONTENTS.len(), "each column has its contents");
    let rows = all.into_iter().map(|names| {
        let contents = CONTENTS.iter().find(|(name, _)| *name == names[0]);
        let (_, contents) = contents.unwrap_or_else(|| panic!("what is in `{}`?", names[0]));
        [code(names[0]), codes(&names[1..]), (*contents).to_owned()]
    });
    table(&["column or key", "other names", "contents"], rows)
}

fn names_of_kinds() -> String {
    let rows = Kind::ALL.iter().map(|kind| {
        let of_kind = names::KINDS.iter().filter(|(known, _)| known == kind);
        let mut all: Vec<String> = of_kind.flat_map(|(_, all)| *all).map(code).collect();
        let on_platform = names::ON_PLATFORM.iter().filter(|(_, known, _)| known == kind);
        all.extend(on_platform.map(|(name, _, platform)| format!("`{name}` (on {platform})")));
        [code(kind), all.join(", ")]
    });
    let detected = ["by its value".to_owned(), codes(names::DETECTED)];
    table(&["kind", "other names"], rows.chain([detected]))
}

fn last_words() -> String {
    let alone = names::LAST_WORDS
        .iter()
        .map(|(kind, last)| ["any words".to_owned(), codes(*last), code(kind)]);
    let on_platform = names::LAST_WORDS_ON_PLATFORM.iter().map(|(kind, last)| {
        let of = if *kind == Kind::CryptoAddress { "a chain" } else { "a platform" };
        [of.to_owned(), codes(*last), code(kind)]
    });
    let what = "what the address leads to, or `url`".to_owned();
    let address = ["a platform".to_owned(), codes(names::ADDRESS_ON_PLATFORM), what];
    table(&["in front", "at the end", "kind"], on_platform.chain([address]).chain(alone))
}

fn words_of<T: Copy + PartialEq + Display>(
    all: &[T],
    known: &[(T, &[&str])],
    name: &str,
) -> String {
    let rows = all.iter().map(|value| {
        let others = known.iter().filter(|(of, _)| of == value).flat_map(|(_, words)| *words);
        [code(value), codes(others)]
    });
    table(&[name, "other words"], rows)
}

fn confidences() -> String {
    let row = |(percent, words): &(u32, &[&str])| [percent.to_string(), codes(*words)];
    table(&["confidence", "words"], words::CONFIDENCES.iter().map(row))
}

fn involvements() -> String {
    let rows = Involvement::ALL.iter().map(|value| {
        let phrases = involvement::WORDS.iter().filter(|(_, of)| of == value);
        [code(value), codes(phrases.map(|(phrase, _)| phrase))]
    });
    table(&["involvement", "words"], rows)
}

fn labels() -> String {
    let rows = HARMS.iter().filter_map(|harm| {
        let (label, words) = tags::ALIASES.iter().find(|(label, _)| *label == harm.label)?;
        Some([code(label), codes(*words)])
    });
    table(&["harm label", "other words"], rows)
}

fn stix_types() -> String {
    let row = |(name, verdict, involvement): &(&str, Verdict, Option<Involvement>)| {
        [code(name), code(verdict), involvement.map(code).unwrap_or_default()]
    };
    let header = ["`indicator_types`, in 2.0 `labels`", "verdict", "involvement"];
    table(&header, indicator::TYPES.iter().map(row))
}

fn stix_values() -> String {
    let mut by_kind: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let order = |kind: &Kind| Kind::ALL.iter().position(|known| known == kind).unwrap();
    for (object, property, kind) in observable::VALUES {
        by_kind.entry(order(kind)).or_default().push(format!("{object}:{property}"));
    }
    for (algorithm, kind) in observable::DIGESTS {
        for object in observable::FILES {
            by_kind.entry(order(kind)).or_default().push(format!("{object}:hashes.{algorithm}"));
        }
    }
    let rows = by_kind.into_iter().map(|(kind, all)| [code(Kind::ALL[kind]), codes(all)]);
    table(&["kind", "object and property"], rows)
}

fn misp_objects() -> String {
    let on_platform = attribute::RELATIONS.iter().map(|(last, relations)| {
        let mut by_kind: Vec<(&str, Vec<&str>)> = Vec::new();
        for (relation, kind) in *relations {
            match by_kind.iter_mut().find(|(known, _)| known == kind) {
                Some((_, all)) => all.push(relation),
                None => by_kind.push((kind, vec![relation])),
            }
        }
        let meaning = |kind: &str| match kind {
            attribute::PROFILE => "what the address leads to".to_owned(),
            kind => code(kind),
        };
        let all: Vec<String> = by_kind
            .into_iter()
            .map(|(kind, relations)| format!("{}: {}", meaning(kind), codes(relations)))
            .collect();
        [format!("`PLATFORM-{last}`"), all.join("; ")]
    });
    let others = attribute::OBJECT_ATTRIBUTES.iter().map(|(object, relation, meaning)| {
        let meaning = match meaning {
            Meaning::Kind(kind) => format!("{}: `{relation}`", code(kind)),
            Meaning::Other => format!("not read: `{relation}`"),
        };
        [code(object), meaning]
    });
    table(&["object", "kind: attributes"], on_platform.chain(others))
}

fn misp_levels() -> String {
    let distribution = misp::DISTRIBUTIONS.iter().map(|(number, tlp)| {
        let tlp = tlp.map_or_else(|| "no marking".to_owned(), code);
        [format!("`distribution` {number}"), tlp]
    });
    let threat = misp::THREAT_LEVELS.iter().map(|(number, severity)| {
        [format!("`threat_level_id` {number}"), format!("severity {}", code(severity))]
    });
    table(&["MISP", "read as"], distribution.chain(threat))
}

fn misp_involvement() -> String {
    let victim = code(Involvement::Victim);
    let of = |what: &str, all: &[&str]| [format!("{what} {}", codes(all)), victim.clone()];
    let victims = [
        of("the category", misp::TARGETS),
        of("the type", misp::RECIPIENTS),
        of("the relation", attribute::RECIPIENT_RELATIONS),
        of("the object", misp::VICTIMS),
    ];
    let roles = misp::ROLES.iter();
    let roles = roles.map(|(role, involvement)| {
        [format!("a `person` with the role `{role}`"), code(involvement)]
    });
    table(&["MISP", "involvement"], victims.into_iter().chain(roles))
}
