//! A table, with the columns that [`crate::formats`] reads.

use std::io::{self, Write};

use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::text::{clean, time};
use super::{Tally, Writer, audience_keywords};
use crate::domain::assessment::Technique;
use crate::domain::label::Label;
use crate::domain::{Indicator, Kind, Platform, ReceivedAssessment};
use crate::formats::details::words;

/// The columns. All but the last three are read again by submit.
const HEADER: [&str; 22] = [
    "value",
    "kind",
    "platform",
    "verdict",
    "confidence",
    "severity",
    "involvement",
    "basis",
    "labels",
    "techniques",
    "first_seen",
    "last_seen",
    "valid_until",
    "note",
    "references",
    "campaign",
    "tlp",
    "account_id",
    "former_handles",
    "audience",
    "author",
    "accepted_at",
];

/// First characters with which spreadsheets take a cell for a formula, half and full width.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Keeps a spreadsheet from taking a text for a formula: a no-break space. Readers trim it.
const GUARD: char = '\u{a0}';

/// How cells are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cells {
    /// So that no spreadsheet takes one for a formula, and submit reads each as it was.
    #[default]
    Safe,
    /// As they are, for programs.
    Raw,
}

/// Writes a CSV table.
#[derive(Debug)]
pub struct CsvWriter<W: Write> {
    table: ::csv::Writer<W>,
    cells: Cells,
}

impl<W: Write> CsvWriter<W> {
    /// A table on this output. Writes the header.
    pub fn new(out: W, cells: Cells) -> io::Result<Self> {
        let mut table = ::csv::Writer::from_writer(out);
        table.write_record(HEADER)?;
        Ok(Self { table, cells })
    }
}

impl<W: Write> Writer for CsvWriter<W> {
    fn add(&mut self, received: &ReceivedAssessment, tally: &mut Tally) -> io::Result<()> {
        self.table.write_record(row(received, self.cells))?;
        tally.written += 1;
        Ok(())
    }

    fn finish(&mut self, _tally: &mut Tally) -> io::Result<()> {
        self.table.flush()
    }
}

fn row(received: &ReceivedAssessment, cells: Cells) -> [String; HEADER.len()] {
    let assessment = &received.assessment;
    let indicator = &assessment.indicator;
    let labels: Vec<_> = assessment.labels.iter().map(Label::as_str).collect();
    let techniques: Vec<_> = assessment.techniques.iter().map(Technique::as_str).collect();
    [
        cells.value(indicator),
        indicator.kind().as_str().into(),
        cells.name(indicator.platform().map(Platform::as_str).unwrap_or_default()),
        assessment.verdict().as_str().into(),
        assessment.confidence().percent().to_string(),
        assessment.severity().as_str().into(),
        assessment.involvement().as_str().into(),
        assessment.basis().as_str().into(),
        labels.join(";"),
        techniques.join(";"),
        assessment.first_seen.map(time).unwrap_or_default(),
        assessment.last_seen.map(time).unwrap_or_default(),
        time(assessment.expires_at(received.accepted)),
        cells.note(assessment.note.as_deref().unwrap_or_default()),
        Cells::references(assessment.references.iter().map(|one| &**one)),
        assessment.campaign.map(|campaign| campaign.to_string()).unwrap_or_default(),
        received.tlp.as_str().into(),
        cells.name(assessment.account.account_id.as_deref().unwrap_or_default()),
        cells.name(&assessment.account.former_handles.join(";")),
        audience_keywords(&received.audience).join(";"),
        received.author.clone(),
        time(received.accepted),
    ]
}

impl Cells {
    /// The value. A safe one is spelled so that a reader finds the same indicator: `tel:+12025550143`, `telegram:+AbC`.
    pub fn value(self, indicator: &Indicator) -> String {
        let value = indicator.value();
        let is_safe = !value.starts_with(FORMULA) && !words::is_absent(value);
        if is_safe || self == Self::Raw {
            return value.to_owned();
        }
        let label = match (indicator.kind(), indicator.platform()) {
            (Kind::Phone, _) => "tel",
            (Kind::Email, _) => "mailto",
            (_, Some(platform)) => platform.as_str(),
            _ => "",
        };
        let labelled = format!("{label}:{value}");
        let platform = indicator.platform().map(Platform::as_str);
        let is_same = |cell: &str| {
            Indicator::parse(indicator.kind(), platform, cell)
                .is_ok_and(|read| read.id() == indicator.id())
        };
        if !label.is_empty() && is_same(&labelled) { labelled } else { format!("{GUARD}{value}") }
    }

    /// The references, with `|` between them. The marks at which a reader splits a cell are percent-encoded.
    pub fn references<'a>(references: impl IntoIterator<Item = &'a str>) -> String {
        const SPLITTING: AsciiSet = AsciiSet::EMPTY.add(b',').add(b';').add(b'|');
        let encoded = |one| utf8_percent_encode(&clean(one), &SPLITTING).to_string();
        references.into_iter().map(encoded).collect::<Vec<_>>().join("|")
    }

    /// Names of an account.
    pub fn name(self, names: &str) -> String {
        let is_safe = !names.starts_with(FORMULA) || self == Self::Raw;
        if is_safe { names.to_owned() } else { format!("{GUARD}{names}") }
    }

    /// A note.
    pub fn note(self, note: &str) -> String {
        let note = clean(note);
        let is_safe = !note.trim_start().starts_with(FORMULA) || self == Self::Raw;
        if is_safe { note.into_owned() } else { format!("{GUARD}{note}") }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{every_kind, sample};
    use super::*;
    use crate::domain::Assessment;
    use crate::formats::details::words::is_blank;
    use crate::formats::{self, Class, Format};

    fn written(all: &[ReceivedAssessment]) -> (String, Tally) {
        let (mut out, mut tally) = (Vec::new(), Tally::default());
        let mut table = CsvWriter::new(&mut out, Cells::Safe).unwrap();
        for received in all {
            table.add(received, &mut tally).unwrap();
        }
        table.finish(&mut tally).unwrap();
        drop(table);
        (String::from_utf8(out).unwrap(), tally)
    }

    #[test]
    fn every_kind_reads_again_as_what_it_was() {
        let all = every_kind();
        let (text, tally) = written(&all);
        assert_eq!(tally.written, all.len() as u64);
        let records = formats::read(text.as_bytes(), Some(Format::Csv)).unwrap();
        assert_eq!(records.len(), all.len(), "{records:?}");
        for (record, received) in records.iter().zip(&all) {
            let Class::Indicator(read) = &record.class else { panic!("{record:?}") };
            let (assessment, details) = (&received.assessment, &record.details);
            assert_eq!(read, &assessment.indicator);
            assert_eq!(details.verdict, Some(assessment.verdict()));
            assert_eq!(details.confidence, Some(assessment.confidence().percent().into()));
            assert_eq!(details.severity, Some(assessment.severity()));
            assert_eq!(details.involvement, Some(assessment.involvement()));
            assert_eq!(details.basis, Some(assessment.basis()));
            assert_eq!(details.techniques, assessment.techniques);
            assert_eq!(details.first_seen, assessment.first_seen);
            assert_eq!(details.valid_until, Some(assessment.expires_at(received.accepted)));
            assert_eq!(details.note.as_deref(), assessment.note.as_deref());
            let references = assessment.references.iter().map(|one| one.replace(';', "%3B"));
            assert_eq!(details.references, references.collect::<Vec<_>>());
            assert_eq!(details.campaign, assessment.campaign.map(|one| one.to_string()));
            assert_eq!(details.account_id.as_deref(), assessment.account.account_id.as_deref());
            let handles: Vec<Box<str>> =
                details.former_handles.iter().map(|one| one.as_str().into()).collect();
            assert_eq!(handles, assessment.account.former_handles);
        }
    }

    #[test]
    fn no_cell_is_a_formula_and_each_reads_as_it_was() {
        let note = |text: &str| {
            let mut received = sample("a.example");
            received.assessment.note = Some(text.into());
            received
        };
        let notes = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "\t=1+1", " =1+1"];
        let values = [
            "+12025550143",
            "telegram:+AbC",
            "=x@mail.example",
            "x:-",
            "tumblr:-a",
            "x:none",
            "tumblr:null",
        ];
        let values = values.iter().filter_map(|value| Indicator::read(value, None).ok());
        let of_value = |indicator: Indicator| {
            let mut received = sample("a.example");
            received.assessment.indicator = indicator;
            received
        };
        let all: Vec<_> = notes.iter().map(|text| note(text)).chain(values.map(of_value)).collect();
        assert!(all.len() > notes.len() + 2);
        let (text, _) = written(&all);
        let mut rows = ::csv::Reader::from_reader(text.as_bytes());
        for row in rows.records() {
            for cell in &row.unwrap() {
                assert!(
                    !cell.trim_start_matches([' ', '\t', '\n']).starts_with(FORMULA),
                    "{cell:?}"
                );
            }
        }
        let records = formats::read(text.as_bytes(), Some(Format::Csv)).unwrap();
        for (record, received) in records.iter().zip(&all) {
            let Class::Indicator(read) = &record.class else { panic!("{record:?}") };
            assert_eq!(read, &received.assessment.indicator);
            let note = received.assessment.note.as_deref().map(str::trim);
            assert_eq!(record.details.note.as_deref(), note);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_note_and_any_name_read_again_as_they_were(
            note in proptest::prelude::any::<String>(),
            name in "[-=+@_a-z0-9]{1,20}",
        ) {
            let named = [
                Indicator::parse(Kind::Email, None, &format!("{name}@mail.example")),
                Indicator::parse(Kind::Account, Some("tumblr"), &name),
                Indicator::parse(Kind::Channel, Some("telegram"), &name),
                Indicator::parse(Kind::Url, None, &format!("https://a.example/{name}?q={name}")),
            ];
            let all: Vec<_> = named.into_iter().flatten().map(|indicator| {
                let mut received = sample("a.example");
                received.assessment = Assessment { note: Some(note.as_str().into()), ..Assessment::of(indicator) };
                received
            }).collect();
            let (text, _) = written(&all);
            for row in ::csv::Reader::from_reader(text.as_bytes()).records() {
                for cell in &row.unwrap() {
                    proptest::prop_assert!(!cell.starts_with(FORMULA), "{cell:?}");
                }
            }
            let records = formats::read(text.as_bytes(), Some(Format::Csv)).unwrap();
            proptest::prop_assert_eq!(records.len(), all.len());
            for (record, received) in records.iter().zip(&all) {
                let expected = Class::Indicator(received.assessment.indicator.clone());
                proptest::prop_assert_eq!(&record.class, &expected);
                let note = clean(&note);
                // A note such as `-` says nothing, and is read as none.
                let note = Some(note.trim()).filter(|note| !is_blank(note));
                proptest::prop_assert_eq!(record.details.note.as_deref(), note);
            }
        }
    }
}
