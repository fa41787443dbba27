//! The requests of the partners in the story of the harbour network, the sample of this repository.

use tipoff::wire::pb::{self, AssetKind, TipState};

use super::domain;
use super::tips::{key, tip};

/// The partners of the sample configuration: three platforms in one group, and a liaison.
pub fn partners() -> &'static str {
    const CONFIG: &str = include_str!("../../samples/tipoff.toml");
    &CONFIG[CONFIG.find("[[partners]]").unwrap()..]
}

/// The sample report.
pub const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/harbour-network.csv");
/// Its number of indicators. One of them belongs to a victim.
pub const INDICATORS: usize = 955;
pub const VICTIM: &str = "harbour-library.example";
/// The sites that facegraph finds.
pub const SITES: [&str; 2] = ["harbour-observer.example", "quay-herald.example"];
/// The account that appears a week later.
pub const LATER: &str = "harbour_watcher_0937";

/// Adds a campaign to an indicator.
pub fn with_campaign(campaign: &str, mut item: pb::SubmittedIndicator) -> pb::SubmittedIndicator {
    item.assessment.get_or_insert_default().campaign = campaign.into();
    item
}

/// birdsite creates the campaign.
pub fn create_campaign() -> pb::PutCampaignRequest {
    let contribution = pb::Contribution { name: "Harbour network".into(), ..Default::default() };
    pb::PutCampaignRequest {
        request_id: "harbour".into(),
        contribution: Some(contribution),
        ..Default::default()
    }
}

/// birdsite sends facegraph a tip.
pub fn tip_in_campaign(campaign: &str) -> pb::SendTipRequest {
    pb::SendTipRequest {
        narrative: "These accounts worked together; you may have more of them.".into(),
        indicators: vec![key("harbour-daily.example"), key("x:@harbour_watcher_0001")],
        campaign: campaign.into(),
        ..tip("the-tip", &["facegraph"])
    }
}

/// facegraph moves the tip, and reports counts with the move to actioned.
pub fn answer(tip: &str, state: TipState) -> pb::RespondToTipRequest {
    let has_acted = state == TipState::Actioned;
    let found = SITES.iter().filter(|_| has_acted);
    pb::RespondToTipRequest {
        indicators: found.map(|site| key(site)).collect(),
        enforcement: has_acted.then(enforcement),
        ..super::tips::move_to(state.as_str_name(), tip, state)
    }
}

/// 7 Pages, 3 Groups and 5 accounts, some of them disabled before the tip.
fn enforcement() -> pb::Enforcement {
    let count = |asset: AssetKind, count, already_disabled| pb::EnforcementCount {
        asset: asset.into(),
        platform: "facebook".into(),
        count,
        already_disabled,
        approximate: false,
    };
    let accounts = count(AssetKind::Account, 5, 1);
    let counts = vec![count(AssetKind::Page, 7, 2), count(AssetKind::Group, 3, 0), accounts];
    let method = pb::EnforcementMethod::AfterTip.into();
    pb::Enforcement { counts, method, ..Default::default() }
}

/// The counts of an enforcement: kind of asset, count, and how many were disabled before.
pub fn counts(enforcement: Option<&pb::Enforcement>) -> Vec<(AssetKind, u64, u64)> {
    let counts = enforcement.unwrap().counts.iter();
    counts.map(|count| (count.asset(), count.count, count.already_disabled)).collect()
}

/// facegraph's attribution of the campaign, with a confidence.
pub fn attribution(campaign: &str) -> pb::PutCampaignRequest {
    let attribution = pb::Attribution {
        actor: "people linked to a government".into(),
        confidence: Some(70),
        basis: "shared administrators and infrastructure".into(),
        ..Default::default()
    };
    let mut request = create_campaign();
    request.request_id = "attribution".into();
    request.campaign_id = campaign.into();
    request.contribution.as_mut().unwrap().attribution = Some(attribution);
    request
}

/// facegraph submits the sites that it found, with the campaign.
pub fn sites(campaign: &str) -> pb::SubmitIndicatorsRequest {
    let items = SITES.map(|site| with_campaign(campaign, domain(site)));
    let close = Some(pb::SubmissionClose { batches: 1, ..Default::default() });
    pb::SubmitIndicatorsRequest { close, ..super::batch("sites", 1, None, items.to_vec()) }
}

/// birdsite submits one more account of the campaign.
pub fn one_more(campaign: &str) -> pb::SubmitIndicatorsRequest {
    let account = super::item(pb::Kind::Account, "x", LATER);
    super::batch("later", 1, None, vec![with_campaign(campaign, account)])
}
