use super::*;
use crate::domain::accepted::{ThreadRecord, TipAction, TipEntryRecord, TipMove, TipRecord};
use crate::domain::enforcement::{
    AssetKind, Enforcement, EnforcementCount, EnforcementId, EnforcementSource,
};
use crate::domain::entry::SubmissionId;
use crate::domain::tip::{TipState, Urgency};
use crate::domain::{CampaignId, Indicator, Kind, Timestamp, TipId, Tlp};

fn tip(recipients: usize) -> TipRecord {
    let thread = |at| ThreadRecord {
        recipient: PartnerId::from_stored(&format!("{at:063}")),
        state: TipState::Monitoring,
        changed: Timestamp::from_millis(9),
    };
    TipRecord {
        id: TipId::from_bytes([3; 16]),
        sender: PartnerId::from_stored("birdsite"),
        sequence: 17,
        accepted: Timestamp::from_millis(5),
        subject: Some("a network".into()),
        urgency: Urgency::ImminentHarm,
        respond_by: Some(Timestamp::from_millis(-5)),
        tlp: Tlp::Red,
        campaign: Some(CampaignId::from_bytes([8; 16])),
        submission: Some(SubmissionId::from_stored("report:1")),
        referral: Some((3, 9)),
        withdrawn: true,
        threads: (0..recipients).map(thread).collect(),
    }
}

#[test]
fn a_tip_is_read_as_it_was_written_and_the_largest_fits_a_value() {
    let bare = TipRecord {
        subject: None,
        respond_by: None,
        campaign: None,
        submission: None,
        referral: None,
        withdrawn: false,
        ..tip(1)
    };
    for tip in [bare, tip(50)] {
        assert_eq!(TipRecord::decode(&tip.encode()).unwrap(), tip);
    }
    let large = TipRecord { subject: Some("ü".repeat(400).into()), ..tip(50) };
    assert!(large.encode().len() < 8_000);
}

#[test]
fn what_was_added_and_referred_is_read_as_it_was_written() {
    let partner = PartnerId::from_stored("facegraph");
    let moved = |from, to| TipMove { recipient: partner.clone(), from, to };
    let added = TipEntryRecord {
        sequence: 18,
        accepted: Timestamp::from_millis(7),
        author: None,
        action: TipAction::Reopened,
        recipient: Some(partner.clone()),
        shown: true,
        indicators: 3,
        threads: vec![
            moved(None, TipState::Sent),
            moved(Some(TipState::Closed), TipState::Investigating),
        ],
        enforcement: None,
    };
    assert_eq!(TipEntryRecord::decode(&added.encode()).unwrap(), added);
    let pages = EnforcementCount::new(AssetKind::Page, None, 7);
    let done = Enforcement {
        id: EnforcementId::parse("takedown").unwrap(),
        counts: vec![pages],
        method: None,
        from: None,
        until: None,
        campaign: None,
        tip: Some([4; 16]),
        note: None,
        source: EnforcementSource::Own,
    };
    let added = TipEntryRecord { enforcement: Some(done), ..added };
    assert_eq!(TipEntryRecord::decode(&added.encode()).unwrap(), added);
    let mut referred = ReferralProgress { up_to: 3, close: 4, not_referred: 5, to: Vec::new() };
    referred.add(&partner, 2);
    referred.add(&PartnerId::from_stored("birdsite"), 1);
    referred.add(&partner, 2);
    assert_eq!(referred.to.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(ReferralProgress::decode(&referred.encode()).unwrap(), referred);
}

#[test]
fn indicators_lie_under_keys_of_64() {
    let indicator = Indicator::from_stored(Kind::Url, None, "x".repeat(4_000));
    let one = TipIndicator { index: 4, id: indicator.id(), indicator, restricted: true };
    let all = vec![one; 200];
    let mut read = Vec::new();
    for (first, bytes) in encode_indicators(&all) {
        assert_eq!(first as usize, read.len());
        let under_key = read_indicators(&bytes).unwrap();
        assert!(under_key.len() <= INDICATORS_PER_KEY as usize);
        read.extend(under_key);
    }
    assert_eq!(read, all);
}
