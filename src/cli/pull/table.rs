//! The versions of a feed as CSV. The table can be submitted again.

use super::super::failure::Failure;
use super::super::{render, text};
use crate::client::FeedEvent;
use crate::domain::{Indicator, Platform};
use crate::formats::export::Cells;
use crate::wire::pb;

/// The columns. Item columns have the names that submit reads.
const HEADER: [&str; 27] = [
    "change",
    "version",
    "replaces",
    "reason",
    "author",
    "accepted_at",
    "kind",
    "platform",
    "value",
    "indicator_id",
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
    "campaign_id",
    "tlp",
    "audience",
    "account_id",
    "former_handles",
];

/// A table that is written page by page.
#[derive(Debug, Default)]
pub struct Table {
    /// Number of events without a row: neither items nor removals.
    pub left_out: u64,
    cells: Cells,
    has_header: bool,
    rows: Vec<[String; HEADER.len()]>,
}

impl Table {
    /// A table whose cells are spelled in this way.
    pub fn of(cells: Cells) -> Self {
        Self { cells, ..Self::default() }
    }

    /// Adds an event if it has a row.
    pub fn add(&mut self, event: &FeedEvent) {
        match event {
            FeedEvent::Item(item) => self.rows.push(item_row(item, self.cells)),
            FeedEvent::Removal(removal) => self.rows.push(removal_row(removal)),
            FeedEvent::GroupChange(_)
            | FeedEvent::Sighting(_)
            | FeedEvent::Feedback(_)
            | FeedEvent::Tip(_)
            | FeedEvent::Campaign(_)
            | FeedEvent::Enforcement(_) => {
                self.left_out += 1;
            }
        }
    }

    /// Takes the rows added since the last call, as CSV. The first call returns the header even
    /// without rows.
    pub fn take(&mut self) -> Result<Vec<u8>, Failure> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |error: csv::Error| Failure::failed(format!("cannot write CSV: {error}"));
        if !self.has_header {
            self.has_header = true;
            writer.write_record(HEADER).map_err(failed)?;
        }
        for row in self.rows.drain(..) {
            writer.write_record(row).map_err(failed)?;
        }
        writer.into_inner().map_err(|error| Failure::failed(format!("cannot write CSV: {error}")))
    }
}

fn item_row(item: &pb::FeedItem, cells: Cells) -> [String; HEADER.len()] {
    let indicator = item.indicator.clone().unwrap_or_default();
    let assessment = item.assessment.clone().unwrap_or_default();
    let sharing = item.sharing.clone().unwrap_or_default();
    let time =
        |time: &Option<prost_types::Timestamp>| text::time(time.as_ref()).unwrap_or_default();
    let version =
        |version: &Option<pb::Version>| version.as_ref().map(text::version).unwrap_or_default();
    [
        "item".into(),
        version(&item.version),
        version(&item.replaces),
        String::new(),
        item.author.clone(),
        time(&item.accepted_at),
        text::kind(indicator.kind()),
        cells.name(&indicator.platform),
        value_cell(&indicator, cells),
        indicator.id,
        text::verdict(&assessment),
        assessment.confidence.map(|percent| percent.to_string()).unwrap_or_default(),
        text::enum_name(assessment.severity().as_str_name(), "SEVERITY_"),
        text::enum_name(assessment.involvement().as_str_name(), "INVOLVEMENT_"),
        text::enum_name(assessment.basis().as_str_name(), "BASIS_"),
        assessment.labels.join(";"),
        assessment.techniques.join(";"),
        time(&assessment.first_seen),
        time(&assessment.last_seen),
        time(&assessment.valid_until),
        cells.note(&assessment.note),
        Cells::references(assessment.references.iter().map(String::as_str)),
        assessment.campaign,
        text::tlp(sharing.tlp()).into(),
        render::fields::audience_keywords(sharing.audience.as_ref()).join(";"),
        cells.name(&assessment.account_id),
        cells.name(&assessment.former_handles.join(";")),
    ]
}

/// The value, spelled as the cells are.
fn value_cell(indicator: &pb::Indicator, cells: Cells) -> String {
    let Ok(kind) = text::kind(indicator.kind()).parse() else { return indicator.value.clone() };
    let platform = (!indicator.platform.is_empty()).then(|| indicator.platform.clone());
    let platform = platform.map(Platform::from_stored);
    cells.value(&Indicator::from_stored(kind, platform, indicator.value.as_str()))
}

fn removal_row(removal: &pb::Removal) -> [String; HEADER.len()] {
    let mut row = [const { String::new() }; HEADER.len()];
    let version = removal.version.as_ref().map(text::version);
    let cells = [
        ("change", "removal".to_owned()),
        ("version", version.unwrap_or_default()),
        ("reason", render::feed::removal_reason(removal)),
        ("author", removal.author.clone()),
        ("indicator_id", removal.indicator_id.clone()),
    ];
    for (cell, name) in row.iter_mut().zip(HEADER) {
        if let Some((_, text)) = cells.iter().find(|(column, _)| *column == name) {
            cell.clone_from(text);
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{self, Class, Format};

    /// An item as a reader receives it, with all defaults filled in.
    fn item() -> FeedEvent {
        let indicator = pb::Indicator {
            kind: pb::Kind::Domain.into(),
            value: "a.example".into(),
            ..Default::default()
        };
        let assessment = pb::Assessment {
            verdict: pb::Verdict::NonMalicious.into(),
            severity: pb::Severity::Low.into(),
            involvement: pb::Involvement::Victim.into(),
            basis: pb::Basis::Own.into(),
            labels: vec!["phishing".into(), "spam".into()],
            note: "said \"no\",\nand again".into(),
            ..Default::default()
        };
        FeedEvent::Item(Box::new(pb::FeedItem {
            version: Some(pb::Version { sequence: 7, index: 1 }),
            author: "birdsite".into(),
            indicator: Some(indicator),
            assessment: Some(assessment),
            ..Default::default()
        }))
    }

    fn removal() -> FeedEvent {
        FeedEvent::Removal(pb::Removal {
            version: Some(pb::Version { sequence: 6, index: 0 }),
            reason: pb::RemovalReason::NoLongerShared.into(),
            author: "birdsite".into(),
            ..Default::default()
        })
    }

    #[test]
    fn the_table_has_one_header_and_each_row_says_whether_to_keep_the_version() {
        let mut table = Table::default();
        table.add(&removal());
        table.add(&item());
        table.add(&FeedEvent::GroupChange(pb::GroupChange::default()));
        let mut text = table.take().unwrap();
        table.add(&item());
        text.extend(table.take().unwrap());
        assert_eq!(table.left_out, 1);
        let mut reader = csv::Reader::from_reader(text.as_slice());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), HEADER);
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let changes: Vec<_> = rows.iter().map(|row| (&row[0], &row[1], &row[3])).collect();
        assert_eq!(
            changes,
            [("removal", "6.0", "no_longer_shared"), ("item", "7.1", ""), ("item", "7.1", "")]
        );
        assert_eq!(&rows[1][20], "said \"no\",\nand again");
    }

    #[test]
    fn no_cell_is_a_formula() {
        let FeedEvent::Item(mut phone) = item() else { panic!("an item") };
        phone.indicator = Some(pb::Indicator {
            kind: pb::Kind::Phone.into(),
            value: "+12025550143".into(),
            ..Default::default()
        });
        phone.assessment.get_or_insert_default().note = "=1+1".into();
        let row = item_row(&phone, Cells::Safe);
        assert_eq!((row[8].as_str(), row[20].as_str()), ("tel:+12025550143", "\u{a0}=1+1"));
    }

    #[test]
    fn what_was_pulled_can_be_submitted_and_means_the_same() {
        let mut table = Table::default();
        table.add(&removal());
        table.add(&item());
        let records = formats::read(&table.take().unwrap(), Some(Format::Csv)).unwrap();
        let indicators: Vec<_> = records
            .iter()
            .filter_map(|record| match &record.class {
                Class::Indicator(indicator) => Some((indicator, &record.details)),
                _ => None,
            })
            .collect();
        let [(indicator, details)] = indicators[..] else { panic!("{records:?}") };
        assert_eq!(indicator.value(), "a.example");
        assert_eq!(details.labels, ["phishing", "spam"]);
        assert_eq!(details.verdict.map(pb::Verdict::from), Some(pb::Verdict::NonMalicious));
    }
}
