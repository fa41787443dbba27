//! A tip from one platform to another, and the answers back.

use std::time::Instant;

use super::super::failure::Failure;
use super::super::submit::Submittable;
use super::super::{deeds, output, words};
use super::reader::Reader;
use super::stage::Stage;
use super::{desk, heading, liaison, say, show};
use crate::client::{Client, ClientError, FeedEvent, FeedStart, ReportSummary};
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// What facegraph found on its own platform, as it tells it.
const FOUND: &str = "7 Pages, 3 Groups and 5 accounts removed; some had been disabled by our automated \
                     systems before. The people behind it tried to conceal who they are.";
/// What facegraph found besides, off the platforms.
pub const NEWS_SITES: [&str; 2] = ["harbour-observer.example", "quay-herald.example"];
/// How many values of the report a tip names.
const NAMED: usize = 5;

/// A tip that is under way, and birdsite, who sent it, on its feed.
pub struct Tip {
    id: String,
    birdsite: Reader,
}

/// What lives on a platform that another partner owns has reached that partner without anyone addressing
/// it.
pub async fn show_referrals(stage: &Stage, summary: &ReportSummary) -> Result<(), Failure> {
    heading("What lives on another's platform is referred to its owner")?;
    let parts: Vec<_> =
        summary.referred.iter().map(|(owner, count)| format!("{count} to {owner}")).collect();
    let parts = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    say(&format!("the receipt of the close: {parts}; {} not referred", summary.not_referred))?;
    for (owner, count) in &summary.referred {
        let client = stage.client(owner)?;
        let tips = client.tips(pb::ListTipsRequest::default()).await?;
        let Some(tip) = tips.iter().find(|tip| tip.referral) else {
            return Err(Failure::failed(format!("{owner} has no referral")));
        };
        let whole = client.tip(&tip.id, "").await?;
        if whole.indicators.len() != *count as usize {
            return Err(Failure::failed(format!("{owner} was referred something else: {whole:?}")));
        }
        say(&format!(
            "{owner} has a tip from {} that nobody addressed: {}",
            tip.sender,
            words::count(u64::from(*count), "indicator")
        ))?;
    }
    Ok(())
}

/// birdsite tips facegraph off, and facegraph works it; each side has each step in its feed.
pub async fn tell(
    stage: &Stage,
    report: &Submittable,
    campaign: &str,
    desk: &mut Reader,
) -> Result<Tip, Failure> {
    heading("birdsite tips facegraph off, and sees each step as it happens")?;
    let (birdsite, facegraph) =
        (stage.connected("birdsite").await?, stage.connected("facegraph").await?);
    let here = birdsite.pull(&FeedStart::Now, None, 3).await?.cursor.unwrap_or_default();
    let mut feed = Reader::of("birdsite", birdsite.subscribe(FeedStart::Cursor(here), None));
    let named = report.items.iter().take(NAMED).map(|item| pb::IndicatorKey {
        kind: item.kind,
        platform: item.platform.clone(),
        value: item.value.clone(),
    });
    let request = pb::SendTipRequest {
        request_id: "harbour-tip".into(),
        recipients: vec!["facegraph".into()],
        subject: "A network that works to sow discord".into(),
        narrative:
            "We suspended 936 accounts of one network. These may have related activity on your \
                    platform; the full report is shared with the group."
                .into(),
        indicators: named.collect(),
        urgency: pb::TipUrgency::Priority.into(),
        campaign: campaign.into(),
        ..Default::default()
    };
    let begun = SystemClock.instant();
    let sending = async { Ok(birdsite.send_tip(request).await?) };
    let (sent, came) =
        tokio::try_join!(sending, desk.wait_for("the tip", |event| is(event, "", STATES[0])))?;
    say(&format!(
        "tip {} to facegraph, priority, {}; in its feed after {} ms",
        sent.tip_id,
        words::count(u64::from(sent.counted), "indicator"),
        came.duration_since(begun).as_millis()
    ))?;
    let mut rows = Vec::new();
    for (state, message, indicators) in steps() {
        let came = step(&facegraph, &sent.tip_id, state, message, indicators, &mut feed).await?;
        let short: String = message.chars().take(48).collect();
        let more = if short.len() < message.len() { " …" } else { "" };
        rows.push([word(state), format!("{short}{more}"), came.to_string()]);
        if state == pb::TipState::Actioned {
            rows.push(attributed(&facegraph, campaign, &mut feed).await?);
            rows.push(shared(&facegraph, campaign, &mut feed).await?);
        }
    }
    show(&output::table(["FACEGRAPH", "SAYS", "WITH BIRDSITE AFTER ms"], rows))?;
    show_enforcement(&birdsite, &sent.tip_id).await?;
    refused(&facegraph, &sent.tip_id).await?;
    Ok(Tip { id: sent.tip_id, birdsite: feed })
}

impl Tip {
    /// What came of one more indicator in the campaign: the tip is taken up again, and both sides know.
    pub async fn show_reopened(&mut self, desk: &mut Reader) -> Result<(), Failure> {
        let reopened = |event: &FeedEvent| is(event, &self.id, pb::TipState::Investigating);
        let at_desk = desk.wait_for("the reopened tip", reopened);
        let at_birdsite = self.birdsite.wait_for("the reopened tip", reopened);
        tokio::try_join!(at_desk, at_birdsite)?;
        say(&format!(
            "the tip was monitored; {} of facegraph and birdsite see it investigated again",
            desk::NAME
        ))
    }
}

const STATES: [pb::TipState; 5] = [
    pb::TipState::Sent,
    pb::TipState::Acknowledged,
    pb::TipState::Investigating,
    pb::TipState::Actioned,
    pb::TipState::Monitoring,
];

fn steps() -> [(pb::TipState, &'static str, &'static [&'static str]); 4] {
    let [_, acknowledged, investigating, actioned, monitoring] = STATES;
    [
        (acknowledged, "Taken up by our desk.", &[]),
        (investigating, "Related activity is likely: the Pages share administrators.", &[]),
        (actioned, FOUND, &NEWS_SITES),
        (monitoring, "We go on watching, and act on further violations.", &[]),
    ]
}

/// One answer of facegraph's, and after how many milliseconds birdsite had it in its feed.
async fn step(
    facegraph: &Client,
    tip: &str,
    state: pb::TipState,
    message: &str,
    indicators: &[&str],
    feed: &mut Reader,
) -> Result<u128, Failure> {
    let key = |value: &&str| pb::IndicatorKey { value: (*value).into(), ..Default::default() };
    let request = pb::RespondToTipRequest {
        request_id: format!("harbour-tip-{}", word(state)),
        tip_id: tip.into(),
        state: state.into(),
        message: message.into(),
        indicators: indicators.iter().map(key).collect(),
        enforcement: (state == pb::TipState::Actioned).then(acted),
        ..Default::default()
    };
    let begun: Instant = SystemClock.instant();
    let responding = async { Ok(facegraph.respond_to_tip(request).await?) };
    let (_, came) =
        tokio::try_join!(responding, feed.wait_for("the answer", |event| is(event, tip, state)))?;
    Ok(came.duration_since(begun).as_millis())
}

/// What facegraph did, by kind of asset.
fn acted() -> pb::Enforcement {
    let count = |asset: pb::AssetKind, count, already_disabled| pb::EnforcementCount {
        asset: asset.into(),
        platform: "facebook".into(),
        count,
        already_disabled,
        approximate: false,
    };
    pb::Enforcement {
        id: "harbour-takedown".into(),
        counts: vec![
            count(pb::AssetKind::Page, 7, 2),
            count(pb::AssetKind::Group, 3, 0),
            count(pb::AssetKind::Account, 5, 1),
        ],
        method: pb::EnforcementMethod::AfterTip.into(),
        ..Default::default()
    }
}

/// What birdsite may see of what was done after its tip.
async fn show_enforcement(birdsite: &Client, tip: &str) -> Result<(), Failure> {
    let query = pb::ListEnforcementsRequest { tip_id: tip.into(), ..Default::default() };
    let known = birdsite.enforcements(&query).await?;
    let [one] = known.as_slice() else {
        return Err(Failure::failed(format!("one enforcement was to be listed: {known:?}")));
    };
    let done = one.enforcement.clone().unwrap_or_default();
    let counts: Vec<_> = done.counts.iter().map(deeds::count).collect();
    say(&format!("an enforcement of {} after this tip: {}", one.author, counts.join(", ")))
}

/// Who facegraph thinks is behind it, beside what others think.
async fn attributed(
    facegraph: &Client,
    campaign: &str,
    feed: &mut Reader,
) -> Result<[String; 3], Failure> {
    let by = pb::Attribution {
        actor: "people linked to a government".into(),
        confidence: Some(70),
        basis: "shared administrators and infrastructure".into(),
        ..Default::default()
    };
    let said = deeds::attribution(&by);
    let contribution = pb::Contribution {
        name: "Harbour network".into(),
        attribution: Some(by),
        ..Default::default()
    };
    let request = pb::PutCampaignRequest {
        request_id: "harbour-attribution".into(),
        campaign_id: campaign.into(),
        contribution: Some(contribution),
        sharing: None,
    };
    let is_it = |event: &FeedEvent| match event {
        FeedEvent::Campaign(event) => event
            .contribution
            .as_ref()
            .is_some_and(|told| told.author == "facegraph" && told.campaign_id == campaign),
        _ => false,
    };
    let begun = SystemClock.instant();
    let saying = async { Ok(facegraph.put_campaign(request).await?) };
    let (_, came) = tokio::try_join!(saying, feed.wait_for("the attribution", is_it))?;
    let took = came.duration_since(begun).as_millis();
    Ok(["attributes it to".into(), said, took.to_string()])
}

/// The sites that facegraph found, for everybody who shares.
async fn shared(
    facegraph: &Client,
    campaign: &str,
    feed: &mut Reader,
) -> Result<[String; 3], Failure> {
    let is_it = |event: &FeedEvent| match event {
        FeedEvent::Item(item) => {
            item.author == "facegraph"
                && item.indicator.as_ref().is_some_and(|one| one.value == NEWS_SITES[1])
        }
        _ => false,
    };
    let begun = SystemClock.instant();
    let sharing = liaison::share_found(facegraph, campaign);
    let (said, came) = tokio::try_join!(sharing, feed.wait_for("the last site", is_it))?;
    let took = came.duration_since(begun).as_millis();
    Ok(["shares".into(), said, took.to_string()])
}

/// A move that the table does not have names where the tip stands and what is allowed.
async fn refused(facegraph: &Client, tip: &str) -> Result<(), Failure> {
    let request = pb::RespondToTipRequest {
        request_id: "harbour-tip-wrong".into(),
        tip_id: tip.into(),
        state: pb::TipState::Declined.into(),
        message: "Too late for that.".into(),
        ..Default::default()
    };
    match facegraph.respond_to_tip(request).await {
        Err(ClientError::Precondition(why)) => {
            say(&format!("a move to declined is refused: {why}"))
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failure::failed("a tip in monitoring was declined")),
    }
}

/// Whether an event says that a tip, or any, stands so.
fn is(event: &FeedEvent, tip: &str, state: pb::TipState) -> bool {
    let FeedEvent::Tip(told) = event else { return false };
    let Some(about) = &told.tip else { return false };
    (tip.is_empty() || about.id == tip)
        && !about.referral
        && about.threads.iter().any(|thread| thread.state() == state)
}

fn word(state: pb::TipState) -> String {
    words::name(state.as_str_name(), "TIP_STATE_")
}
