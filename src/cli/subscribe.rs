//! `tipoff subscribe`

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::failure::{Done, Failure, Outcome};
use super::{Global, identity, output, stop, whoami};
use crate::client::{FeedEvent, From, Patience};
use crate::domain::Kind;
use crate::wire::pb;

/// Follow what is shared with you
#[derive(Debug, clap::Args)]
#[command(after_help = "Goes on until it is interrupted, over restarts of the exchange too. What \
                        is dropped is a version that was given out and no longer holds. The place where it stopped is printed on stderr, for --from.")]
pub struct Subscribe {
    /// Where to begin: `start`, `now`, or a cursor
    #[arg(long, default_value = "now", value_name = "start|now|CURSOR")]
    from: String,
    /// Only these kinds of indicator
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only these platforms, by id, name or host
    #[arg(long = "platform", value_name = "PLATFORM")]
    platforms: Vec<String>,
    /// Only these harm labels
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Only what is shared with these groups
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Only what these partners say
    #[arg(long = "author", value_name = "PARTNER")]
    authors: Vec<String>,
    /// Only from this confidence on, 0 to 100
    #[arg(long, value_name = "PERCENT")]
    min_confidence: Option<u32>,
    /// Stop after this many items and removals
    #[arg(long, value_name = "N")]
    count: Option<usize>,
}

impl Subscribe {
    pub async fn run(&self, global: &Global) -> Outcome {
        let client = identity::client(global)?;
        // Shows at once whether the exchange is there; from then on the feed outlasts it.
        client.who_am_i().await?;
        let client = client.with_patience(Patience::endless());
        let mut feed = client.subscribe(self.start()?, self.filter()?);
        let mut left = self.count.unwrap_or(usize::MAX);
        let stop = stop::told()?;
        tokio::pin!(stop);
        while left > 0 {
            let event = tokio::select! {
                event = feed.next_event() => event?,
                () = &mut stop => break,
            };
            match (event, global.json) {
                (None, _) => break,
                (Some(FeedEvent::Item(item)), true) => output::json(&object(&item))?,
                (Some(FeedEvent::Item(item)), false) => output::line(&row(&item))?,
                (Some(FeedEvent::Removal(removal)), true) => output::json(&removed(&removal))?,
                (Some(FeedEvent::Removal(removal)), false) => {
                    let reason = reason(&removal);
                    let pb::Removal { author, indicator_id, .. } = removal;
                    output::line(&format!(
                        "dropped               {author:<12} {reason:<32} {indicator_id}"
                    ))?;
                }
            }
            left -= 1;
        }
        if let Some(cursor) = feed.cursor() {
            output::remark(&format!("go on with --from {}", write_cursor(cursor)));
        }
        Ok(Done::Whole)
    }

    fn start(&self) -> Result<From, Failure> {
        match self.from.as_str() {
            "start" => Ok(From::Start),
            "now" => Ok(From::Now),
            cursor => {
                let token = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| {
                    Failure::usage(format!("--from {cursor} is neither start, now nor a cursor"))
                })?;
                Ok(From::Cursor(pb::Cursor { token: token.into() }))
            }
        }
    }

    fn filter(&self) -> Result<Option<pb::Filter>, Failure> {
        let kinds = self.kinds.iter().map(|text| text.parse::<Kind>());
        let kinds = kinds.map(|kind| kind.map(|kind| pb::Kind::from(kind).into()));
        Ok(Some(pb::Filter {
            kinds: kinds.collect::<Result<_, _>>().map_err(Failure::usage)?,
            platforms: self.platforms.clone(),
            labels: self.labels.clone(),
            groups: self.groups.clone(),
            authors: self.authors.clone(),
            min_confidence: self.min_confidence,
        }))
    }
}

/// A cursor as text.
pub fn write_cursor(cursor: &pb::Cursor) -> String {
    URL_SAFE_NO_PAD.encode(&cursor.token)
}

/// A marking as people write it.
pub fn tlp(tlp: pb::Tlp) -> &'static str {
    match tlp {
        pb::Tlp::Unspecified => "",
        pb::Tlp::Red => "RED",
        pb::Tlp::AmberStrict => "AMBER+STRICT",
        pb::Tlp::Amber => "AMBER",
        pb::Tlp::Green => "GREEN",
        pb::Tlp::Clear => "CLEAR",
    }
}

fn row(item: &pb::FeedItem) -> String {
    let indicator = item.indicator.clone().unwrap_or_default();
    let said = item.assessment.clone().unwrap_or_default();
    let marking = tlp(item.sharing.clone().unwrap_or_default().tlp());
    let time = item.accepted_at.as_ref().map(|time| whoami::date(time.seconds));
    let value = match indicator.platform.as_str() {
        "" => indicator.value.clone(),
        platform => format!("{platform}:{}", indicator.value),
    };
    format!(
        "{}  {:<12} {:<13} {:<13} {:>3}  {:<16} {value}",
        output::paint(output::DIM, &time.unwrap_or_default()),
        item.author,
        marking,
        whoami::name(said.verdict().as_str_name(), "VERDICT_"),
        said.confidence.unwrap_or_default(),
        whoami::kind(indicator.kind()),
    )
}

fn reason(removal: &pb::Removal) -> String {
    whoami::name(removal.reason().as_str_name(), "REMOVAL_REASON_")
}

fn removed(removal: &pb::Removal) -> serde_json::Value {
    json!({
        "removed": removal.version.as_ref().map(version),
        "cursor": removal.cursor.as_ref().map(write_cursor),
        "author": removal.author,
        "id": removal.indicator_id,
        "reason": reason(removal),
    })
}

fn version(version: &pb::Version) -> String {
    format!("{}.{}", version.sequence, version.index)
}

fn object(item: &pb::FeedItem) -> serde_json::Value {
    let indicator = item.indicator.clone().unwrap_or_default();
    let said = item.assessment.clone().unwrap_or_default();
    let sharing = item.sharing.clone().unwrap_or_default();
    let time = |time: &Option<prost_types::Timestamp>| {
        time.as_ref().map(|time| whoami::date(time.seconds))
    };
    json!({
        "version": item.version.as_ref().map(version),
        "replaces": item.replaces.as_ref().map(version),
        "cursor": item.cursor.as_ref().map(write_cursor),
        "author": item.author,
        "accepted_at": time(&item.accepted_at),
        "kind": whoami::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "id": indicator.id,
        "raw": item.raw,
        "verdict": whoami::name(said.verdict().as_str_name(), "VERDICT_"),
        "confidence": said.confidence,
        "severity": whoami::name(said.severity().as_str_name(), "SEVERITY_"),
        "involvement": whoami::name(said.involvement().as_str_name(), "INVOLVEMENT_"),
        "basis": whoami::name(said.basis().as_str_name(), "BASIS_"),
        "labels": said.labels,
        "techniques": said.techniques,
        "first_seen": time(&said.first_seen),
        "last_seen": time(&said.last_seen),
        "valid_until": time(&said.valid_until),
        "note": said.note,
        "references": said.references,
        "campaign": said.campaign,
        "tlp": tlp(sharing.tlp()),
        "audience": audience(sharing.audience.as_ref()),
        "released_to": sharing.releases.iter().map(|release| &release.liaison).collect::<Vec<_>>(),
    })
}

/// The reader's own part of the audience.
fn audience(audience: Option<&pb::sharing::Audience>) -> serde_json::Value {
    use pb::sharing::Audience;
    match audience {
        Some(Audience::Named(named)) => {
            json!({ "groups": named.groups, "partners": named.partners })
        }
        Some(Audience::Everyone(_)) => json!("everyone"),
        Some(Audience::Public(_)) => json!("public"),
        None => json!(null),
    }
}
