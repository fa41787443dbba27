//! What an export says at its end.

use std::path::Path;

use serde_json::{Value, json};

use super::super::text;
use crate::formats::export::{LeftOut, Lost, Tally};

/// The counts as one JSON object.
pub fn object(tally: &Tally) -> Value {
    let left_out = tally.left_out.iter().map(|(reason, count)| (reason.as_str(), count));
    let lost = tally.lost.iter().map(|(loss, count)| (loss.as_str(), count));
    json!({
        "written": tally.written,
        "left_out": left_out.collect::<std::collections::BTreeMap<_, _>>(),
        "lost": lost.collect::<std::collections::BTreeMap<_, _>>(),
    })
}

/// The counts as lines. `noun` is what is counted, and `campaign_ids` the number of campaigns of which the format has
/// only the id.
pub fn lines(tally: &Tally, noun: &str, campaign_ids: u64, out: Option<&Path>) -> Vec<String> {
    let to = out.map(|path| format!(" to {}", path.display())).unwrap_or_default();
    let mut lines = vec![format!("{} exported{to}", text::count(tally.written, noun))];
    if tally.written == 0 && tally.left_out.is_empty() {
        lines.push("nothing that you may see matches".into());
    }
    for (reason, count) in &tally.left_out {
        let of_value = matches!(
            reason,
            LeftOut::NonMalicious
                | LeftOut::Victim
                | LeftOut::AbusedService
                | LeftOut::ThirdParty
                | LeftOut::Withheld
        );
        let noun = if of_value { "value" } else { "object" };
        lines.push(format!("{} left out: {}", text::count(*count, noun), why(*reason)));
    }
    for (loss, count) in &tally.lost {
        lines.push(format!("{} {}", text::count(*count, noun), what(*loss)));
    }
    if campaign_ids > 0 {
        let campaigns = text::count(campaign_ids, "campaign");
        lines.push(format!("{campaigns} by id only: --format stix describes them"));
    }
    lines
}

fn why(reason: LeftOut) -> &'static str {
    match reason {
        LeftOut::Red => "TLP:RED is for its recipients alone",
        LeftOut::Strict => {
            "TLP:AMBER+STRICT stays in your organisation (--include-strict exports it)"
        }
        LeftOut::NonMalicious => "a partner calls it non-malicious (--include-harmless lists it)",
        LeftOut::Victim => "a partner calls it a victim's (--include-harmless lists it)",
        LeftOut::AbusedService => {
            "a partner calls it an abused service (--include-harmless lists it)"
        }
        LeftOut::ThirdParty => "a partner calls it a third party's (--include-harmless lists it)",
        LeftOut::Unsuspected => {
            "nobody calls it suspicious or malicious (--include-harmless lists it)"
        }
        LeftOut::Withheld => {
            "an assessment that may not be exported calls it harmless (--include-harmless lists it)"
        }
        LeftOut::NoType => "the format has no type for the kind",
        LeftOut::ControlCharacters => "the value has control characters",
    }
}

fn what(loss: Lost) -> &'static str {
    match loss {
        Lost::Kind => {
            "without its kind: a line does not show it, use --format csv to read it again"
        }
        Lost::References => "with the first reference only: a descriptor has one",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_counted_by_reason() {
        let tally = Tally {
            written: 2,
            left_out: [(LeftOut::Red, 1), (LeftOut::Victim, 3)].into(),
            lost: [(Lost::Kind, 1)].into(),
        };
        let printed = lines(&tally, "value", 1, Some(Path::new("block.txt")));
        let expected = [
            "2 values exported to block.txt",
            "1 object left out: TLP:RED is for its recipients alone",
            "3 values left out: a partner calls it a victim's (--include-harmless lists it)",
            "1 value without its kind: a line does not show it, use --format csv to read it again",
            "1 campaign by id only: --format stix describes them",
        ];
        assert_eq!(printed, expected);
        let counts =
            json!({ "written": 2, "left_out": {"tlp_red": 1, "victim": 3}, "lost": {"kind": 1} });
        assert_eq!(object(&tally), counts);
        let nothing = lines(&Tally::default(), "object", 0, None);
        assert_eq!(nothing, ["0 objects exported", "nothing that you may see matches"]);
    }
}
