//! Prints the outcome of a submission.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::failure::{Completion, Failure, Outcome};
use super::super::{Global, output, text};
use super::counts::CountReceipts;
use super::inputs::Totals;
use super::items::Source;
use crate::client::ReportSummary;
use crate::wire::pb;

/// Rejected records that a person is shown. `--json` prints all.
const MAX_SHOWN: usize = 100;

/// The records that were rejected: by the exchange, or because they could not be read.
#[derive(Debug, Default)]
pub struct Rejections {
    json: bool,
    shown: Vec<(Source, String)>,
    count: u64,
    /// The reason of all rejections of the exchange, as long as it is one and the same.
    common: Option<(String, String)>,
    has_several_reasons: bool,
    rejected_by_exchange: u64,
    /// Values that were shared again after their author had withdrawn them, with the time of that.
    resent: Vec<(Source, String)>,
    resent_count: u64,
}

impl Rejections {
    /// No rejection yet. With `json`, each is printed at once.
    pub fn new(json: bool) -> Self {
        Self { json, ..Self::default() }
    }

    /// A record that cannot be read, or that must not be sent.
    pub fn reject(&mut self, source: Source, reason: String) -> Result<(), Failure> {
        self.count += 1;
        if self.json {
            return output::json(&json!({
                "rejected": { "file": source.file, "row": source.row, "raw": source.raw,
                              "reason": reason },
            }));
        }
        if self.shown.len() < MAX_SHOWN {
            self.shown.push((source, reason));
        }
        Ok(())
    }

    /// An item that the exchange rejected.
    pub fn reject_by_exchange(
        &mut self,
        source: Source,
        field: &str,
        reason: &str,
    ) -> Result<(), Failure> {
        self.rejected_by_exchange += 1;
        match &self.common {
            None => self.common = Some((field.to_owned(), reason.to_owned())),
            Some((first_field, first_reason)) => {
                self.has_several_reasons |= first_field != field || first_reason != reason;
            }
        }
        self.reject(source, format!("{field} {reason}"))
    }

    /// An item that the author had withdrawn before. It is shared again, and the author may not have meant to.
    pub fn add_resent(
        &mut self,
        source: Source,
        withdrawn: prost_types::Timestamp,
    ) -> Result<(), Failure> {
        self.resent_count += 1;
        let withdrawn = text::local_time(Some(&withdrawn)).unwrap_or_default();
        if self.json {
            return output::json(&json!({
                "sent_again": { "file": source.file, "row": source.row, "raw": source.raw,
                                "withdrawn": withdrawn },
            }));
        }
        if self.resent.len() < MAX_SHOWN {
            self.resent.push((source, withdrawn));
        }
        Ok(())
    }

    /// Number of records.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// If every item was rejected for one reason, an option is wrong: the failure that says so.
    pub fn common_failure(&self, items: u64) -> Option<Failure> {
        let (field, reason) = self.common.as_ref().filter(|_| !self.has_several_reasons)?;
        (self.rejected_by_exchange == items)
            .then(|| Failure::of_field(&format!("all {items} items were rejected"), field, reason))
    }

    /// Shows a person the rejected records.
    pub fn print(&self) -> Result<(), Failure> {
        for (Source { file, row, raw }, reason) in &self.shown {
            let label = output::paint(output::BAD, "rejected");
            output::line(&format!("{label}  {file} {row}: {raw:?} {reason}"))?;
        }
        if self.json {
            return Ok(());
        }
        let more = self.count - self.shown.len() as u64;
        if more > 0 {
            output::line(&format!("and {more} more rejected: --json prints all"))?;
        }
        for (Source { file, row, raw }, withdrawn) in &self.resent {
            output::line(&format!(
                "shared again  {file} {row}: {raw:?}, which you withdrew on {withdrawn}"
            ))?;
        }
        match self.resent_count - self.resent.len() as u64 {
            0 => Ok(()),
            more => output::line(&format!("and {more} more shared again: --json prints all")),
        }
    }
}

/// What was sent, and what the exchange answered.
#[derive(Debug)]
pub struct Sent {
    /// `None` where there was no indicator.
    pub submission_id: Option<String>,
    /// What the exchange answered.
    pub summary: ReportSummary,
    /// The answers to the counts of removed assets.
    pub counts: CountReceipts,
    /// What was rejected.
    pub rejections: Rejections,
    /// What was read.
    pub totals: Totals,
    /// Indicators that repeat one of the same batch.
    pub repeated: u64,
    /// Records whose campaign name was ignored.
    pub campaigns_left_out: u64,
}

impl Sent {
    /// Prints it, and gives the outcome of the command.
    pub fn report(&self, global: &Global) -> Outcome {
        if global.json {
            self.print_json()?;
        } else {
            self.print_text()?;
        }
        let is_list_whole = self.summary.list.as_ref().is_none_or(|list| list.not_withdrawn == 0);
        let is_whole = self.rejections.count() == 0 && !self.counts.any_rejected() && is_list_whole;
        Ok(if is_whole { Completion::Whole } else { Completion::InPart })
    }

    fn print_json(&self) -> Result<(), Failure> {
        for count in self.counts.objects() {
            output::json(&count)?;
        }
        let summary = &self.summary;
        output::json(&json!({
            "submission_id": self.submission_id,
            "created": summary.created,
            "replaced": summary.replaced,
            "unchanged": summary.unchanged,
            "rejected": self.rejections.count(),
            "aggregates": self.totals.aggregates,
            "neither": self.totals.neither,
            "repeated_in_input": self.repeated,
            "batches": summary.batches,
            "replayed_batches": summary.replayed,
            "campaigns_left_out": self.campaigns_left_out,
            "referred": summary.referred.iter().cloned().collect::<BTreeMap<_, _>>(),
            "not_referred": summary.not_referred,
            "list": summary.list.as_ref().map(list_object),
        }))
    }

    fn print_text(&self) -> Result<(), Failure> {
        self.rejections.print()?;
        self.counts.print()?;
        if self.campaigns_left_out > 0 {
            let records = text::count(self.campaigns_left_out, "record");
            output::line(&format!(
                "ignored the campaign name of {records}: pass the id of the campaign with --campaign"
            ))?;
        }
        let summary = &self.summary;
        for line in summary.list.iter().flat_map(list_lines) {
            output::line(&line)?;
        }
        if let Some(range) = summary.list.as_ref().and_then(withdrawal_range) {
            output::hint(&format!(
                "check who received the withdrawal: tipoff audit deliveries {range}"
            ))?;
        }
        output::line(&format!(
            "{} created, {} replaced, {} unchanged, {} rejected",
            output::paint(output::GOOD, &summary.created.to_string()),
            summary.replaced,
            summary.unchanged,
            self.rejections.count()
        ))?;
        let Some(submission_id) = &self.submission_id else { return Ok(()) };
        if let Some(referred) = referred(summary) {
            output::line(&referred)?;
        }
        let is_replayed = summary.batches > 0 && summary.replayed == summary.batches;
        let replayed = if is_replayed {
            " (already sent: these are the earlier receipts; --again sends it as a new submission)"
        } else {
            ""
        };
        output::line(&format!("submission {submission_id}{replayed}"))
    }
}

/// What closing a list withdrew, what it left, and what it will withdraw: one or two lines.
fn list_lines(list: &pb::ListReceipt) -> Vec<String> {
    let mut parts = vec![format!("{} withdrawn", list.withdrawn)];
    if list.held_by_other_lists > 0 {
        parts.push(format!(
            "{} kept because another of your lists has them",
            list.held_by_other_lists
        ));
    }
    if list.not_withdrawn > 0 {
        parts.push(format!(
            "{} not withdrawn because records were rejected: correct them and send the list again, or pass --shrink",
            list.not_withdrawn
        ));
    }
    let mut lines = vec![format!("values that the list no longer has: {}", parts.join(", "))];
    if list.pending > 0 {
        let pending = text::count(list.pending, "value");
        let when = text::local_time(list.resumes_at.as_ref()).map(|time| {
            format!(" at {time}, because you have reached your limit of withdrawals for this hour")
        });
        lines.push(format!(
            "{pending} still to be withdrawn: the exchange continues by itself{}",
            when.unwrap_or_default()
        ));
    }
    lines
}

/// The entries that withdrew values of the list, as `audit deliveries` takes them.
fn withdrawal_range(list: &pb::ListReceipt) -> Option<String> {
    let entries = [list.first_sequence, list.last_sequence];
    text::entry_range(&entries).filter(|_| list.withdrawn > 0)
}

/// Who assets on platforms of others were referred to, in one line. `None` if there are none.
fn referred(summary: &ReportSummary) -> Option<String> {
    let mut parts: Vec<String> =
        summary.referred.iter().map(|(owner, count)| format!("{count} to {owner}")).collect();
    if parts.is_empty() && summary.not_referred == 0 {
        return None;
    }
    if parts.is_empty() {
        parts.push("nothing".into());
    }
    Some(format!("referred {}; {} not referred", parts.join(", "), summary.not_referred))
}

fn list_object(list: &pb::ListReceipt) -> Value {
    json!({
        "withdrawn": list.withdrawn,
        "held_by_other_lists": list.held_by_other_lists,
        "not_withdrawn": list.not_withdrawn,
        "pending": list.pending,
        "first_sequence": (list.first_sequence > 0).then_some(list.first_sequence),
        "last_sequence": (list.last_sequence > 0).then_some(list.last_sequence),
        "resumes_at": text::time(list.resumes_at.as_ref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_that_is_not_complete_says_what_is_left_and_when_it_continues() {
        let done = pb::ListReceipt { withdrawn: 3, held_by_other_lists: 1, ..Default::default() };
        let first = "values that the list no longer has: 3 withdrawn, 1 kept because another of your lists has them";
        assert_eq!(list_lines(&done), [first]);
        let large = pb::ListReceipt { pending: 1_200, ..done };
        let second = "1200 values still to be withdrawn: the exchange continues by itself";
        assert_eq!(list_lines(&large), [first, second]);
        assert_eq!(list_object(&large)["resumes_at"], Value::Null);
        let hour = prost_types::Timestamp { seconds: 1_796_036_400, nanos: 0 };
        let limited = pb::ListReceipt {
            pending: 1,
            resumes_at: Some(hour),
            first_sequence: 17,
            last_sequence: 29,
            ..done
        };
        assert_eq!(withdrawal_range(&limited).unwrap(), "17-29");
        let second = "1 value still to be withdrawn: the exchange continues by itself at 2026-11-30T11:00:00Z, because \
                      you have reached your limit of withdrawals for this hour";
        assert_eq!(list_lines(&limited), [first, second]);
        let object = json!({
            "withdrawn": 3, "held_by_other_lists": 1, "not_withdrawn": 0, "pending": 1,
            "first_sequence": 17, "last_sequence": 29, "resumes_at": "2026-11-30T11:00:00Z",
        });
        assert_eq!(list_object(&limited), object);
    }
}
