//! `tipoff lookup`

use serde_json::{Value, json};

use super::failure::{Completion, Outcome};
use super::values::{self, ReadAs};
use super::{Global, identity, output, text};
use crate::domain::Invalid;
use crate::wire::pb;
use pb::lookup_result::Result as Found;

/// Look up values
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --kind, a value is looked up as everything that it can be: 64 hex digits are \
                  a SHA-256 digest and a PDQ hash. Below an IP address, the networks that contain it are listed. \
                  Below an account, its stable id and its other handles are listed."
)]
pub struct Lookup {
    /// Values: domains, URLs, `platform:handle`, digests; `-` reads them from stdin, one per line
    #[arg(required = true, value_name = "VALUE")]
    values: Vec<String>,
    #[command(flatten)]
    read_as: ReadAs,
}

impl Lookup {
    pub async fn run(&self, global: &Global) -> Outcome {
        let readings = self.read_as.read(&self.values)?;
        let none_readable = values::none_readable(&readings);
        let keys = values::keys(&readings);
        let client = identity::client(global)?;
        let bar = values::progress("looking up", keys.len());
        let mut results = Vec::with_capacity(keys.len());
        for keys in keys.chunks(values::PER_REQUEST) {
            results.extend(client.lookup(keys).await?);
            bar.inc(keys.len() as u64);
        }
        bar.finish_and_clear();
        let mut results = results.into_iter();
        let mut completion = Completion::Whole;
        let mut rows = Vec::new();
        for (value, readings) in readings {
            let answers = match readings {
                Ok(readings) => {
                    let answers = results.by_ref().take(readings.len());
                    values::relevant_answers(answers.collect(), finds_something)
                }
                Err(Invalid { field, reason }) => {
                    let reason = reason.into_owned();
                    let invalid = pb::UnreadableValue { field: field.into(), reason };
                    vec![pb::LookupResult {
                        result: Some(Found::Unreadable(invalid)),
                        ..pb::LookupResult::default()
                    }]
                }
            };
            for answer in answers {
                let Some(found) = &answer.result else { continue };
                if matches!(found, Found::Unreadable(_)) {
                    completion = Completion::InPart;
                }
                if global.json {
                    output::json(&object(&value, found, &answer))?;
                } else {
                    rows.push(row(&value, found));
                    add_related_rows(&mut rows, &answer);
                }
            }
        }
        if !global.json {
            let header = ["VALUE", "KNOWN", "KIND", "VERDICT", "CONFIDENCE", "BY", "TLP"];
            output::line(&output::table(header, rows))?;
        }
        none_readable.map_or(Ok(completion), Err)
    }
}

/// Whether a reading of a value is known, an address in a known network, or a name of a known account.
fn finds_something(result: &pb::LookupResult) -> bool {
    let is_known = matches!(result.result, Some(Found::Known(_)));
    is_known || !result.networks.is_empty() || !result.accounts.is_empty()
}

/// Adds the networks that hold the value, and the other names of the account.
fn add_related_rows(rows: &mut Vec<[String; 7]>, answer: &pb::LookupResult) {
    let pb::LookupResult { networks, networks_omitted, accounts, .. } = answer;
    rows.extend(networks.iter().map(|network| known_row(&in_network(network), network)));
    let remark = |text: String| {
        let mut row: [String; 7] = Default::default();
        row[0] = text;
        row
    };
    if *networks_omitted > 0 {
        rows.push(remark(format!("  in {networks_omitted} more networks")));
    }
    for pb::LinkedAccount { indicator, summary } in accounts {
        let name = indicator.clone().unwrap_or_default();
        let value = format!("  also {}", text::value(&name.platform, &name.value));
        rows.push(match summary {
            Some(summary) => known_row(&value, summary),
            None => unknown_row(value, indicator.as_ref()),
        });
    }
    if answer.accounts_may_have_more {
        rows.push(remark("  and perhaps more names".into()));
    }
}

/// How a network that holds the value in the row above is listed.
fn in_network(network: &pb::IndicatorSummary) -> String {
    let value = network.indicator.as_ref().map(|one| one.value.as_str()).unwrap_or_default();
    format!("  in {value}")
}

fn row(value: &str, found: &Found) -> [String; 7] {
    let none = String::new;
    match found {
        Found::Known(summary) => known_row(value, summary),
        Found::Unknown(unknown) => unknown_row(value.to_owned(), unknown.indicator.as_ref()),
        Found::Unreadable(error) => {
            let reason = format!("unreadable: {} {}", error.field, error.reason);
            [value.to_owned(), reason, none(), none(), none(), none(), none()]
        }
    }
}

fn unknown_row(value: String, indicator: Option<&pb::Indicator>) -> [String; 7] {
    let none = String::new;
    [value, "no".into(), kind(indicator), none(), none(), none(), none()]
}

fn known_row(value: &str, summary: &pb::IndicatorSummary) -> [String; 7] {
    let strongest = summary.strongest.clone().unwrap_or_default();
    let assessment = strongest.assessment.unwrap_or_default();
    let sharing = strongest.sharing.unwrap_or_default();
    let known = if summary.disputed { "disputed" } else { "yes" };
    [
        value.to_owned(),
        output::paint(output::BAD, known),
        kind(summary.indicator.as_ref()),
        text::verdict_and_role(&assessment),
        assessment.confidence.unwrap_or_default().to_string(),
        by(summary, &strongest.author),
        text::tlp(sharing.tlp()).to_owned(),
    ]
}

fn kind(indicator: Option<&pb::Indicator>) -> String {
    indicator.map(|indicator| text::kind(indicator.kind())).unwrap_or_default()
}

fn by(summary: &pb::IndicatorSummary, author: &str) -> String {
    match summary.authors.saturating_sub(1) {
        0 => author.to_owned(),
        others => format!("{author} and {others} more"),
    }
}

fn object(value: &str, found: &Found, answer: &pb::LookupResult) -> Value {
    let mut object = found_object(value, found);
    object["networks"] = answer.networks.iter().map(known_object).collect();
    object["networks_omitted"] = answer.networks_omitted.into();
    object["accounts"] = answer.accounts.iter().map(account_object).collect();
    object["accounts_may_have_more"] = answer.accounts_may_have_more.into();
    object
}

/// Another name of an account. If nothing is known of the name itself, it has only its kind, platform, value and id.
fn account_object(account: &pb::LinkedAccount) -> Value {
    match (&account.summary, &account.indicator) {
        (Some(summary), _) => known_object(summary),
        (None, indicator) => indicator_object(&indicator.clone().unwrap_or_default()),
    }
}

fn indicator_object(indicator: &pb::Indicator) -> Value {
    json!({
        "kind": text::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "indicator_id": indicator.id,
    })
}

fn found_object(value: &str, found: &Found) -> Value {
    match found {
        Found::Known(summary) => {
            let mut object = known_object(summary);
            object["asked"] = value.into();
            object["result"] = "known".into();
            object
        }
        Found::Unknown(unknown) => {
            let mut object = indicator_object(&unknown.indicator.clone().unwrap_or_default());
            object["asked"] = value.into();
            object["result"] = "unknown".into();
            object
        }
        Found::Unreadable(error) => json!({
            "asked": value, "result": "unreadable", "field": error.field, "reason": error.reason,
        }),
    }
}

fn known_object(summary: &pb::IndicatorSummary) -> Value {
    let indicator = summary.indicator.clone().unwrap_or_default();
    let strongest = summary.strongest.clone().unwrap_or_default();
    let assessment = strongest.assessment.unwrap_or_default();
    json!({
        "kind": text::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "indicator_id": indicator.id,
        "disputed": summary.disputed,
        "authors": summary.authors,
        "author": strongest.author,
        "verdict": text::verdict(&assessment),
        "involvement": text::enum_name(assessment.involvement().as_str_name(), "INVOLVEMENT_"),
        "confidence": assessment.confidence,
        "labels": assessment.labels,
        "tlp": text::tlp(strongest.sharing.unwrap_or_default().tlp()),
        "account_id": assessment.account_id,
        "former_handles": assessment.former_handles,
    })
}
