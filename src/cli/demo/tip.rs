//! A tip from one platform to another, and the responses.

use std::time::Instant;

use super::super::failure::Failure;
use super::super::submit::Submittable;
use super::super::{output, render, text};
use super::reader::Reader;
use super::stage::Stage;
use super::{LABEL, desk, heading, say, show};
use crate::client::{
    Client, ClientError, FeedEvent, FeedStart, Report, ReportBatch, ReportSummary,
};
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// What facegraph reports to have found on its platform.
const FINDINGS: &str = "7 Pages, 3 Groups and 5 accounts removed; some had been disabled by our automated \
                     systems before. The people behind it tried to conceal who they are.";
/// Sites that facegraph found outside the platforms.
pub const NEWS_SITES: [&str; 2] = ["harbour-observer.example", "quay-herald.example"];
/// Number of indicators in the tip.
const TIP_INDICATORS: usize = 5;

/// An open tip, and the feed of birdsite, its sender.
pub struct Tip {
    id: String,
    birdsite: Reader,
}

/// Assets on a platform of another partner have been referred to that partner automatically.
pub async fn show_referrals(stage: &Stage, summary: &ReportSummary) -> Result<(), Failure> {
    heading("Assets on platforms of others are referred to the owner")?;
    let parts: Vec<_> =
        summary.referred.iter().map(|(owner, count)| format!("{count} to {owner}")).collect();
    let parts = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    say(&format!("referred: {parts}; {} not referred", summary.not_referred))?;
    for (owner, count) in &summary.referred {
        let client = stage.client(owner)?;
        let tips = client.tips(pb::ListTipsRequest::default()).await?;
        let Some(tip) = tips.iter().find(|tip| tip.referral) else {
            return Err(Failure::failed(format!("{owner} has no referral")));
        };
        let tip_page = client.tip(&tip.id, "").await?;
        if tip_page.indicators.len() != *count as usize {
            return Err(Failure::failed(format!(
                "{owner} received another referral: {tip_page:?}"
            )));
        }
        say(&format!(
            "{owner} received a referral from {}: {}",
            tip.sender,
            text::count(u64::from(*count), "indicator")
        ))?;
    }
    Ok(())
}

/// birdsite tips facegraph off, and facegraph works on the tip. Each side sees each step in its
/// feed.
pub async fn play(
    stage: &Stage,
    report: &Submittable,
    campaign: &str,
    desk: &mut Reader,
) -> Result<Tip, Failure> {
    heading("birdsite sends a tip to facegraph and sees each step in its feed")?;
    let (birdsite, facegraph) =
        (stage.connected("birdsite").await?, stage.connected("facegraph").await?);
    let now = birdsite.pull(&FeedStart::Now, None, 3).await?.cursor.unwrap_or_default();
    let feed = Reader::of("birdsite", birdsite.subscribe(FeedStart::Cursor(now), None));
    let id = send(&birdsite, report, campaign, desk).await?;
    let mut tip = Tip { id, birdsite: feed };
    tip.show_responses(&facegraph, campaign).await?;
    show_enforcement(&birdsite, &tip.id).await?;
    refuse_move(&facegraph, &tip.id).await?;
    Ok(tip)
}

/// Sends the tip and waits until the desk of facegraph received it. Returns its id.
async fn send(
    birdsite: &Client,
    report: &Submittable,
    campaign: &str,
    desk: &mut Reader,
) -> Result<String, Failure> {
    let keys = report.items.iter().take(TIP_INDICATORS).map(|item| pb::IndicatorKey {
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
        indicators: keys.collect(),
        urgency: pb::TipUrgency::Priority.into(),
        campaign: campaign.into(),
        ..Default::default()
    };
    let started = SystemClock.instant();
    let sending = async { Ok(birdsite.send_tip(request).await?) };
    let (sent, arrived) = tokio::try_join!(
        sending,
        desk.wait_for("the tip", |event| is_in_state(event, "", STATES[0]))
    )?;
    say(&format!(
        "tip {} to facegraph, priority, {}; received after {} ms",
        sent.tip_id,
        text::count(u64::from(sent.counted), "indicator"),
        arrived.duration_since(started).as_millis()
    ))?;
    Ok(sent.tip_id)
}

impl Tip {
    /// facegraph responds step by step. Prints when birdsite received each step.
    async fn show_responses(&mut self, facegraph: &Client, campaign: &str) -> Result<(), Failure> {
        let feed = &mut self.birdsite;
        let mut rows = Vec::new();
        for (state, message, indicators) in steps() {
            let arrived = respond(facegraph, &self.id, state, message, indicators, feed).await?;
            let short: String = message.chars().take(48).collect();
            let more = if short.len() < message.len() { " …" } else { "" };
            rows.push([state_name(state), format!("{short}{more}"), arrived.to_string()]);
            if state == pb::TipState::Actioned {
                rows.push(attribute(facegraph, campaign, feed).await?);
                rows.push(share(facegraph, campaign, feed).await?);
            }
        }
        show(&output::table(["FACEGRAPH", "MESSAGE", "RECEIVED AFTER ms"], rows))
    }

    /// A new indicator in the campaign reopens the tip, and both sides receive that.
    pub async fn show_reopened(&mut self, desk: &mut Reader) -> Result<(), Failure> {
        let reopened =
            |event: &FeedEvent| is_in_state(event, &self.id, pb::TipState::Investigating);
        let at_desk = desk.wait_for("the reopened tip", reopened);
        let at_birdsite = self.birdsite.wait_for("the reopened tip", reopened);
        tokio::try_join!(at_desk, at_birdsite)?;
        say(&format!(
            "the tip was in monitoring; {} of facegraph and birdsite see it reopened",
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
        (actioned, FINDINGS, &NEWS_SITES),
        (monitoring, "We go on watching, and act on further violations.", &[]),
    ]
}

/// Sends one response of facegraph. Returns after how many milliseconds birdsite received it.
async fn respond(
    facegraph: &Client,
    tip: &str,
    state: pb::TipState,
    message: &str,
    indicators: &[&str],
    feed: &mut Reader,
) -> Result<u128, Failure> {
    let key = |value: &&str| pb::IndicatorKey { value: (*value).into(), ..Default::default() };
    let request = pb::RespondToTipRequest {
        request_id: format!("harbour-tip-{}", state_name(state)),
        tip_id: tip.into(),
        state: state.into(),
        message: message.into(),
        indicators: indicators.iter().map(key).collect(),
        enforcement: (state == pb::TipState::Actioned).then(takedown),
        ..Default::default()
    };
    let started: Instant = SystemClock.instant();
    let responding = async { Ok(facegraph.respond_to_tip(request).await?) };
    let (_, arrived) = tokio::try_join!(
        responding,
        feed.wait_for("the response", |event| is_in_state(event, tip, state))
    )?;
    Ok(arrived.duration_since(started).as_millis())
}

/// The enforcement of facegraph, by kind of asset.
fn takedown() -> pb::Enforcement {
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

/// Prints the enforcement after the tip, as birdsite sees it.
async fn show_enforcement(birdsite: &Client, tip: &str) -> Result<(), Failure> {
    let query = pb::ListEnforcementsRequest { tip_id: tip.into(), ..Default::default() };
    let known = birdsite.enforcements(&query).await?;
    let [visible] = known.as_slice() else {
        return Err(Failure::failed(format!("expected one enforcement: {known:?}")));
    };
    let enforcement = visible.enforcement.clone().unwrap_or_default();
    let counts: Vec<_> = enforcement.counts.iter().map(render::enforcement::count).collect();
    say(&format!("enforcement by {} after this tip: {}", visible.author, counts.join(", ")))
}

/// facegraph attributes the campaign. Attributions of different partners stand side by side.
async fn attribute(
    facegraph: &Client,
    campaign: &str,
    feed: &mut Reader,
) -> Result<[String; 3], Failure> {
    let attribution = pb::Attribution {
        actor: "people linked to a government".into(),
        confidence: Some(70),
        basis: "shared administrators and infrastructure".into(),
        ..Default::default()
    };
    let text = render::campaign::attribution(&attribution);
    let contribution = pb::Contribution {
        name: "Harbour network".into(),
        attribution: Some(attribution),
        ..Default::default()
    };
    let request = pb::PutCampaignRequest {
        request_id: "harbour-attribution".into(),
        campaign_id: campaign.into(),
        contribution: Some(contribution),
        sharing: None,
    };
    let is_expected = |event: &FeedEvent| match event {
        FeedEvent::Campaign(event) => event
            .contribution
            .as_ref()
            .is_some_and(|one| one.author == "facegraph" && one.campaign_id == campaign),
        _ => false,
    };
    let started = SystemClock.instant();
    let sending = async { Ok(facegraph.put_campaign(request).await?) };
    let (_, arrived) = tokio::try_join!(sending, feed.wait_for("the attribution", is_expected))?;
    let took = arrived.duration_since(started).as_millis();
    Ok(["attributes it to".into(), text, took.to_string()])
}

/// facegraph shares the sites that it found with everybody.
async fn share(
    facegraph: &Client,
    campaign: &str,
    feed: &mut Reader,
) -> Result<[String; 3], Failure> {
    let is_expected = |event: &FeedEvent| match event {
        FeedEvent::Item(item) => {
            item.author == "facegraph"
                && item.indicator.as_ref().is_some_and(|one| one.value == NEWS_SITES[1])
        }
        _ => false,
    };
    let started = SystemClock.instant();
    let sharing = share_sites(facegraph, campaign);
    let (text, arrived) = tokio::try_join!(sharing, feed.wait_for("the last site", is_expected))?;
    let took = arrived.duration_since(started).as_millis();
    Ok(["shares".into(), text, took.to_string()])
}

/// facegraph shares the sites that it found, as part of the campaign. Returns a description for the
/// table.
///
/// Must run before the tip is in monitoring: a new indicator in the campaign reopens it.
async fn share_sites(facegraph: &Client, campaign: &str) -> Result<String, Failure> {
    let items = NEWS_SITES.map(|site| site_item(site, campaign));
    let report = Report {
        submission_id: "harbour-sites".into(),
        batch: ReportBatch { items: items.to_vec(), ..ReportBatch::default() },
        ..Report::default()
    };
    facegraph.submit_report(report, |_| {}).await?;
    Ok(format!("{}, of the campaign", NEWS_SITES.join(", ")))
}

fn site_item(site: &str, campaign: &str) -> pb::SubmittedIndicator {
    let assessment = pb::Assessment {
        labels: vec![LABEL.into()],
        campaign: campaign.into(),
        ..pb::Assessment::default()
    };
    pb::SubmittedIndicator {
        kind: pb::Kind::Domain.into(),
        value: site.into(),
        assessment: Some(assessment),
        ..Default::default()
    }
}

/// A state change that is not allowed: the error names the current state and the allowed ones.
async fn refuse_move(facegraph: &Client, tip: &str) -> Result<(), Failure> {
    let request = pb::RespondToTipRequest {
        request_id: "harbour-tip-wrong".into(),
        tip_id: tip.into(),
        state: pb::TipState::Declined.into(),
        message: "Too late for that.".into(),
        ..Default::default()
    };
    match facegraph.respond_to_tip(request).await {
        Err(ClientError::Precondition(message)) => {
            say(&format!("a move to declined is refused: {message}"))
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failure::failed("a tip in monitoring was declined")),
    }
}

/// Whether an event shows a tip in `state`. An empty `tip` matches any.
fn is_in_state(event: &FeedEvent, tip: &str, state: pb::TipState) -> bool {
    let FeedEvent::Tip(event) = event else { return false };
    let Some(about) = &event.tip else { return false };
    (tip.is_empty() || about.id == tip)
        && !about.referral
        && about.threads.iter().any(|thread| thread.state() == state)
}

fn state_name(state: pb::TipState) -> String {
    text::enum_name(state.as_str_name(), "TIP_STATE_")
}
