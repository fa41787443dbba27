//! `tipoff enforcement report`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::markdown;
use crate::cli::failure::{Completion, Failure, Outcome};
use crate::cli::{Global, identity, output, words};
use crate::client::Client;
use crate::domain::enforcement::totals::{CountedEnforcement, Key, Part, Sum, Totals, totals};
use crate::domain::{Day, PartnerId, Position, Timestamp};
use crate::wire::{enforcement, pb};

/// What it all adds up to, each deed once
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It adds up what you may see. What partners did themselves and what others did, as \
                  partners report it, are never added together. A deed counts whole where one of its days \
                  is in the period, and under the month of its first."
)]
pub struct Report {
    /// Only what was done against this campaign, by its id
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
    /// Only what this partner says; several add up
    #[arg(long = "partner", value_name = "PARTNER")]
    partners: Vec<String>,
    /// Only from this day on
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// Only up to this day
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// A transparency report that could be published
    #[arg(long)]
    markdown: bool,
}

/// What a report is over, and what it came to.
#[derive(Debug)]
pub struct ReportScope {
    /// The period that was asked for.
    pub period: (Option<Day>, Option<Day>),
    /// The partners that were asked for; none is all of them.
    pub partners: Vec<String>,
    /// The campaign that was asked for.
    pub campaign: Option<String>,
    /// What campaigns are called, by id.
    pub names: BTreeMap<String, String>,
    /// What it adds up to.
    pub totals: Totals,
}

/// Something that totals are told apart by: what it is called, and what it is of one.
pub type Grouping = (&'static str, fn(&ReportScope, &Key) -> String);

/// Everything that totals are told apart by.
pub const TOLD_APART: [Grouping; 6] = [
    ("campaign", |reported, key| {
        let id = key.campaign.map(|id| id.to_string());
        id.map(|id| reported.campaign_name(&id)).unwrap_or_default()
    }),
    ("partner", |_, key| key.author.to_string()),
    ("platform", |_, key| key.platform.as_ref().map(ToString::to_string).unwrap_or_default()),
    ("asset", |_, key| key.asset.to_string()),
    ("method", |_, key| key.method.map(|method| method.to_string()).unwrap_or_default()),
    ("month", |_, key| key.month.clone()),
];

impl Report {
    pub async fn run(self, global: &Global) -> Outcome {
        if self.markdown && global.json {
            let message = "--markdown and --json are two forms of one report: leave one out";
            return Err(Failure::usage(message));
        }
        let client = identity::client(global)?;
        let given = self.given(&client).await?;
        let campaigns = client.campaigns().await?;
        let names = campaigns.into_iter().map(|one| {
            let said = one.newest.and_then(|newest| newest.contribution).unwrap_or_default();
            (one.id, words::one_line(&said.name))
        });
        let reported = ReportScope {
            period: (self.from, self.until),
            partners: self.partners,
            campaign: self.campaign,
            names: names.collect(),
            totals: totals(&given),
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

    async fn given(&self, client: &Client) -> Result<Vec<CountedEnforcement>, Failure> {
        let everybody = [String::new()];
        let partners = if self.partners.is_empty() { &everybody[..] } else { &self.partners };
        let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let mut given = Vec::new();
        for author in partners {
            let asked = pb::ListEnforcementsRequest {
                campaign_id: self.campaign.clone().unwrap_or_default(),
                author: author.clone(),
                from: day(self.from),
                until: day(self.until),
                ..pb::ListEnforcementsRequest::default()
            };
            for one in client.enforcements(&asked).await? {
                given.push(read(&one)?);
            }
        }
        Ok(given)
    }
}

fn read(one: &pb::VisibleEnforcement) -> Result<CountedEnforcement, Failure> {
    let wrong = |invalid: crate::domain::Invalid| {
        Failure::failed(format!("the exchange gave an enforcement that is none: {invalid}"))
    };
    let accepted = one.accepted_at.unwrap_or_default();
    let version = one.version.unwrap_or_default();
    Ok(CountedEnforcement {
        author: PartnerId::parse(&one.author).map_err(wrong)?,
        position: Position::new(version.sequence, version.index),
        accepted: Timestamp::from_millis(accepted.seconds.saturating_mul(1_000)),
        enforcement: enforcement::read(&one.enforcement.clone().unwrap_or_default())
            .map_err(wrong)?,
    })
}

impl ReportScope {
    /// What a campaign is called, beside its id where it is called anything.
    pub fn campaign_name(&self, id: &str) -> String {
        match self.names.get(id) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_owned(),
        }
    }

    fn table(&self) -> String {
        let header = [
            "DEED OF",
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
        let rows = parts.into_iter().flat_map(|(whose, part)| {
            part.rows.iter().map(move |(key, sum)| {
                let [campaign, partner, platform, asset, method, month] =
                    TOLD_APART.map(|(_, of)| of(self, key));
                let (count, before) = (shown(*sum), sum.already_disabled.to_string());
                [whose.into(), campaign, partner, platform, asset, method, month, count, before]
            })
        });
        let rows: Vec<_> = rows.collect();
        let table =
            if rows.is_empty() { String::new() } else { output::table(header, rows) + "\n" };
        let own = self.totals.own.sum();
        format!(
            "{table}{} by partners themselves: {} assets, {} of them disabled before\n{} of what others \
             did: {} assets",
            words::count(self.totals.own.deeds as u64, "enforcement"),
            shown(own),
            own.already_disabled,
            words::count(self.totals.reported.deeds as u64, "report"),
            shown(self.totals.reported.sum()),
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
            "campaign": self.campaign,
            "partners": self.partners,
            "own": part_object(&self.totals.own),
            "reported": part_object(&self.totals.reported),
        })
    }
}

fn part_object(part: &Part) -> Value {
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
        row["campaign"] = text(key.campaign.map(|id| id.to_string()));
        row["partner"] = json!(key.author.as_str());
        row["platform"] = text(key.platform.as_ref().map(ToString::to_string));
        row["asset"] = json!(key.asset.as_str());
        row["method"] = text(key.method.map(|method| method.to_string()));
        row["month"] = json!(key.month);
        row
    });
    let mut object = sum(part.sum());
    object["deeds"] = json!(part.deeds);
    object["rows"] = rows.collect();
    object
}

/// A sum as people read it.
pub fn shown(sum: Sum) -> String {
    let about = if sum.approximate { "about " } else { "" };
    format!("{about}{}", sum.count)
}
