//! Compares the output that a document shows with the output of a command.
//!
//! Ids, versions, entry numbers, times and cursors differ from run to run. An id in the document stands for the
//! id that was printed in its place, in all later outputs and commands of the document.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::{Date, date};
use regex::{Captures, Regex};

/// What differs from run to run.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    let parts = [
        r"(?<time>\b\d{4}-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?Z)?)?\b)",
        r"(?<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
        r"(?<derived>\bcli-[0-9a-f]{32}\b)",
        r"(?<hex>\b[0-9a-f]{8,64}\b)",
        r"(?<version>\b\d+\.\d+\b)",
        r"(?<entry>\b(?:entry|deliveries|entries) \d+\b|\b\d+ entries\b)",
        r"(?<newest>^(?:newest|size) +.+$)",
        r"(?<cursor>\b[A-Za-z0-9_-]{28,}\b)",
    ];
    Regex::new(&parts.join("|")).unwrap()
});

/// The names of [`VARIABLE`]'s groups whose values stand for something. The others are only skipped.
const IDS: [&str; 5] = ["uuid", "derived", "hex", "version", "entry"];

/// The ids of a document, and the ids of this run that they stand for.
#[derive(Debug, Default)]
pub struct Ids(BTreeMap<String, String>);

/// The day on which the documents were written. A command in them that asks for an answer by a date asks for it
/// as many days after the day of the test.
const WRITTEN: Date = date(2026, 11, 30);

/// Moves the dates of a command from [`WRITTEN`] to a day.
pub fn move_dates(command: &str, today: Date) -> String {
    static DATE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(\d{4}-\d\d-\d\d)(T|\b)").unwrap());
    let moved = DATE.replace_all(command, |found: &Captures| {
        let date: Date = found[1].parse().unwrap();
        let days = WRITTEN.until(date).unwrap();
        format!("{}{}", today.checked_add(days).unwrap(), &found[2])
    });
    moved.into_owned()
}

impl Ids {
    /// Replaces the ids of the document in a command. An id may be shortened to its first eight digits or more.
    pub fn substitute(&self, command: &str) -> String {
        let replaced = VARIABLE.replace_all(command, |found: &Captures| {
            let text = &found[0];
            self.real(text).unwrap_or_else(|| text.to_owned())
        });
        replaced.into_owned()
    }

    fn real(&self, documented: &str) -> Option<String> {
        // `deliveries 12` names the entry that another command called `entry 12`.
        let number = documented.rsplit(' ').next().unwrap();
        if number != documented {
            let real = self.0.get(&format!("entry {number}"))?;
            return Some(documented.replace(number, real.rsplit(' ').next().unwrap()));
        }
        self.0.get(documented).cloned().or_else(|| {
            let shortened =
                documented.len() >= 8 && documented.chars().all(|c| c.is_ascii_hexdigit());
            let (_, real) =
                self.0.iter().find(|(id, _)| shortened && id.starts_with(documented))?;
            real.get(..documented.len()).map(str::to_owned)
        })
    }

    /// Replaces ids of this run by those of the document.
    pub fn documented(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (documented, real) in &self.0 {
            line = line.replace(real.as_str(), documented);
        }
        line
    }

    /// Whether the output is the documented one. The ids in it are stored if it is.
    pub fn matches(&mut self, documented: &[String], printed: &[String]) -> bool {
        let mut ids = BTreeMap::new();
        let same = lines(documented, printed, &self.0, &mut ids);
        if same {
            self.0.append(&mut ids);
        }
        same
    }
}

/// `…` on a line of its own stands for any lines.
fn lines(
    documented: &[String],
    printed: &[String],
    known: &BTreeMap<String, String>,
    new: &mut BTreeMap<String, String>,
) -> bool {
    let Some((first, rest)) = documented.split_first() else { return printed.is_empty() };
    if first.trim() == "…" {
        return (0..=printed.len()).any(|skipped| lines(rest, &printed[skipped..], known, new));
    }
    let Some((line, others)) = printed.split_first() else { return false };
    same_line(first, line, known, new) && lines(rest, others, known, new)
}

fn same_line(
    documented: &str,
    printed: &str,
    known: &BTreeMap<String, String>,
    new: &mut BTreeMap<String, String>,
) -> bool {
    let (skeleton, ids) = split(documented);
    let (printed_skeleton, printed_ids) = split(printed);
    // The output itself may end in one.
    if skeleton.contains('…') && skeleton != printed_skeleton {
        let parts: Vec<String> = skeleton.split('…').map(regex::escape).collect();
        return Regex::new(&format!("^{}$", parts.join(".*"))).unwrap().is_match(&printed_skeleton);
    }
    if skeleton != printed_skeleton {
        return false;
    }
    ids.into_iter().zip(printed_ids).all(|(id, printed)| {
        match known.get(&id).or_else(|| new.get(&id)) {
            Some(real) => *real == printed,
            None => new.insert(id, printed).is_none(),
        }
    })
}

/// A line with names in place of what varies, and the ids in it. Alignment depends on the length of ids, so
/// several spaces count as two.
fn split(line: &str) -> (String, Vec<String>) {
    static SPACES: LazyLock<Regex> = LazyLock::new(|| Regex::new("  +").unwrap());
    let mut ids = Vec::new();
    let skeleton = VARIABLE.replace_all(line, |found: &Captures| {
        let names = VARIABLE.capture_names().flatten();
        let kind = names.into_iter().find(|name| found.name(name).is_some()).unwrap();
        if IDS.contains(&kind) {
            ids.push(found[0].to_owned());
        }
        format!("<{kind}>")
    });
    (SPACES.replace_all(skeleton.trim_end(), "  ").into_owned(), ids)
}

#[test]
fn ids_and_times_may_differ_and_nothing_else() {
    let table = [
        ("entry 12 ended 1 version", "entry 14 ended 1 version", true),
        ("entry 12 ended 1 version", "entry 14 ended 2 versions", false),
        ("9.436  AMBER", "11.0  AMBER", true),
        ("9.436  AMBER", "11.0  GREEN", false),
        ("at 2026-11-25T03:18:37Z", "at 2026-11-30T10:00:00.5Z", true),
        ("9.1 replaces 9.1", "8.1 replaces 8.2", false),
        ("955 created", "954 created", false),
        ("a … c", "a b c", true),
        ("a … c", "a b d", false),
    ];
    for (documented, printed, same) in table {
        let lines = |text: &str| vec![text.to_owned()];
        let matches = Ids::default().matches(&lines(documented), &lines(printed));
        assert_eq!(matches, same, "{documented:?} and {printed:?}");
    }
}

#[test]
fn an_id_of_a_document_stands_for_the_one_that_was_printed() {
    let mut ids = Ids::default();
    let lines = |text: &str| vec![text.to_owned()];
    assert!(ids.matches(&lines("entry 12 and 2edffa35aa"), &lines("entry 3 and 77aa88bb99")));
    assert_eq!(ids.substitute("tipoff audit deliveries 12"), "tipoff audit deliveries 3");
    assert_eq!(ids.substitute("tipoff tip show 2edffa35"), "tipoff tip show 77aa88bb");
    assert!(!ids.matches(&lines("2edffa35aa"), &lines("0000000011")), "it stands for another id");
}

#[test]
fn dates_of_commands_stay_as_far_from_today_as_they_were() {
    let moved = move_dates("--from 2026-11-20T00:00:00Z --until 2026-12-02", date(2030, 1, 10));
    assert_eq!(moved, "--from 2029-12-31T00:00:00Z --until 2030-01-12");
}
