//! `tipoff enforcement report`

use serde_json::{Value, json};

use super::markdown;
use super::scope::{GROUPINGS, ReportScope, format_count};
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::{Global, identity, output, text};
use crate::client::Client;
use crate::domain::enforcement::totals::{CountedEnforcement, SourceTotals, Sum, totals};
use crate::domain::{Day, PartnerId, Position, Timestamp};
use crate::wire::{enforcement, pb};

/// Add up enforcements, each counted once
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Adds up the enforcements that you may see. Enforcements by partners themselves and \
                  reported removals by others are never added together. An enforcement counts in full \
                  if one of its days is in the period, in the month of its first day."
)]
pub struct Report {
    /// Only enforcements against this campaign, by id
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
    /// Only enforcements of this partner; may be repeated
    #[arg(long = "partner", value_name = "PARTNER")]
    partners: Vec<String>,
    /// First day of the period, such as 2026-10-01
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// Last day of the period
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// Print a transparency report in Markdown
    #[arg(long)]
    markdown: bool,
}

impl Report {
    pub async fn run(self, global: &Global) -> Outcome {
        if self.markdown && global.json {
            let message = "--markdown and --json exclude each other: omit one";
            return Err(Failure::usage(message));
        }
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until < from
        {
            return Err(Failure::usage(format!("--until {until} is before --from {from}")));
        }
        let client = identity::client(global)?;
        let enforcements = self.fetch(&client).await?;
        let campaigns = client.campaigns().await?;
        let names = campaigns.into_iter().map(|one| {
            let contribution =
                one.newest.and_then(|newest| newest.contribution).unwrap_or_default();
            (one.id, text::one_line(&contribution.name))
        });
        let reported = ReportScope {
            period: (self.from, self.until),
            partners: self.partners,
            campaign: self.campaign,
            names: names.collect(),
            totals: totals(&enforcements),
        };
        if global.json {
            output::json(&reported.object())?;
        } else if self.markdown {
            output::line(markdown::of(&reported).trim_end())?;
        } else {
            output::line(&reported.table())?;
        }
        Ok(Completion::Whole)
    }

    async fn fetch(&self, client: &Client) -> Result<Vec<CountedEnforcement>, Failure> {
        let everybody = [String::new()];
        let partners = if self.partners.is_empty() { &everybody[..] } else { &self.partners };
        let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let mut enforcements = Vec::new();
        for author in partners {
            let query = pb::ListEnforcementsRequest {
                campaign_id: self.campaign.clone().unwrap_or_default(),
                author: author.clone(),
                from: day(self.from),
                until: day(self.until),
                ..pb::ListEnforcementsRequest::default()
            };
            for one in client.enforcements(&query).await? {
                enforcements.push(read(&one)?);
            }
        }
        Ok(enforcements)
    }
}

fn read(one: &pb::VisibleEnforcement) -> Result<CountedEnforcement, Failure> {
    let invalid_response = |invalid: crate::domain::Invalid| {
        Failure::failed(format!("the exchange sent an invalid enforcement: {invalid}"))
    };
    let accepted = one.accepted_at.unwrap_or_default();
    let version = one.version.unwrap_or_default();
    Ok(CountedEnforcement {
        author: PartnerId::parse(&one.author).map_err(invalid_response)?,
        position: Position::new(version.sequence, version.index),
        accepted: Timestamp::from_millis(accepted.seconds.saturating_mul(1_000)),
        enforcement: enforcement::read(&one.enforcement.clone().unwrap_or_default())
            .map_err(invalid_response)?,
    })
}

impl ReportScope {
    fn table(&self) -> String {
        let header = [
            "BY",
            "CAMPAIGN",
            "PARTNER",
            "PLATFORM",
            "ASSET",
            "METHOD",
            "MONTH",
            "COUNT",
            "DISABLED BEFORE",
        ];
        let parts = [("partner", &self.totals.own), ("another", &self.totals.reported)];
        let rows = parts.into_iter().flat_map(|(by, part)| {
            part.rows.iter().map(move |(key, sum)| {
                let [campaign, partner, platform, asset, method, month] =
                    GROUPINGS.map(|(_, group_of)| group_of(self, key));
                let (count, before) = (format_count(*sum), sum.already_disabled.to_string());
                [by.into(), campaign, partner, platform, asset, method, month, count, before]
            })
        });
        let rows: Vec<_> = rows.collect();
        let table =
            if rows.is_empty() { String::new() } else { output::table(header, rows) + "\n" };
        let own = self.totals.own.sum();
        format!(
            "{table}{} by partners themselves: {} assets, {} of them disabled before\n{} of removals by \
             others: {} assets",
            text::count(self.totals.own.enforcements as u64, "enforcement"),
            format_count(own),
            own.already_disabled,
            text::count(self.totals.reported.enforcements as u64, "report"),
            format_count(self.totals.reported.sum()),
        )
    }

    fn object(&self) -> Value {
        let (first, last) = self.totals.days.unzip();
        let day = |day: Option<Day>| day.map(|day| day.to_string());
        json!({
            "from": day(self.period.0),
            "until": day(self.period.1),
            "first_day": day(first),
            "last_day": day(last),
            "campaign_id": self.campaign,
            "partners": self.partners,
            "own": part_object(&self.totals.own),
            "reported": part_object(&self.totals.reported),
        })
    }
}

fn part_object(part: &SourceTotals) -> Value {
    let sum = |sum: Sum| {
        json!({
            "count": sum.count,
            "already_disabled": sum.already_disabled,
            "approximate": sum.approximate,
        })
    };
    let rows = part.rows.iter().map(|(key, one)| {
        let mut row = sum(*one);
        let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
        row["campaign_id"] = text(key.campaign.map(|id| id.to_string()));
        row["partner"] = json!(key.author.as_str());
        row["platform"] = text(key.platform.as_ref().map(ToString::to_string));
        row["asset"] = json!(key.asset.as_str());
        row["method"] = text(key.method.map(|method| method.to_string()));
        row["month"] = json!(key.month);
        row
    });
    let mut object = sum(part.sum());
    object["deeds"] = json!(part.enforcements);
    object["rows"] = rows.collect();
    object
}
