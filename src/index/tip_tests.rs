use super::test_history::{History, applied, outcome, partner, stopped_and_finished};
use super::*;
use crate::domain::entry::{
    Body, Referral, Referred, RequestId, SubmissionId, TipIndicator, TipResponse, TipSent,
    TipThread, VoidReason,
};
use crate::domain::tip::{TipBox, TipState, Urgency};
use crate::domain::{CampaignId, Indicator, Kind as IndicatorKind, Timestamp, TipId, Tlp};

fn id(number: u8) -> TipId {
    TipId::from_bytes([number; 16])
}

fn named(name: &str) -> PartnerId {
    PartnerId::from_stored(name)
}

fn indicators(count: u32, length: usize) -> Vec<TipIndicator> {
    let one = |index| {
        let value = format!("{index:0length$}.example");
        let indicator = Indicator::from_stored(IndicatorKind::Domain, None, value);
        TipIndicator { index, id: indicator.id(), indicator, restricted: false }
    };
    (0..count).map(one).collect()
}

fn sent(number: u8, recipients: &[PartnerId]) -> TipSent {
    TipSent {
        request: RequestId::from_stored(&format!("tip-{number}")),
        digest: [number; 32],
        id: id(number),
        recipients: recipients.to_vec(),
        subject: None,
        narrative: "ü".repeat(4_000).into(),
        indicators: indicators(1_000, 200),
        rejected: Vec::new(),
        urgency: Urgency::Routine,
        respond_by: Some(Timestamp::from_millis(9_000)),
        tlp: Tlp::Amber,
        campaign: Some(CampaignId::from_bytes([7; 16])),
        submission: None,
    }
}

fn response(request: &str, thread: TipThread, moves_to: Option<TipState>) -> TipResponse {
    TipResponse {
        request: RequestId::from_stored(request),
        digest: [1; 32],
        tip: id(1),
        thread,
        new_state: moves_to,
        message: Some("said".into()),
        indicators: Vec::new(),
        rejected: Vec::new(),
        enforcement: None,
    }
}

fn moves(history: &mut History, recipient: &str, request: &str, to: TipState) -> u64 {
    let moved = response(request, TipThread::Recipient(named(recipient)), Some(to));
    history.push(Some(recipient), Body::TipResponded(moved))
}

/// A history of everything that can be done with tips, with large entries.
fn history() -> History {
    let mut history = History::new();
    let recipients: Vec<_> = (0..50).map(|at| named(&format!("member-{at:02}"))).collect();
    for recipient in &recipients {
        history.push(None, Body::PartnerPut(partner(recipient.as_str())));
    }
    history.push(Some("birdsite"), Body::TipSent(sent(1, &recipients)));
    for recipient in &recipients[..30] {
        moves(&mut history, recipient.as_str(), "a", TipState::Investigating);
        moves(&mut history, recipient.as_str(), "b", TipState::Monitoring);
    }
    let mut news = response("news", TipThread::All, None);
    news.indicators = indicators(200, 10);
    history.push(Some("birdsite"), Body::TipResponded(news));
    let shown = response("shown", TipThread::RecipientToAll(recipients[3].clone()), None);
    history.push(Some(recipients[3].as_str()), Body::TipResponded(shown));
    history.push(Some("birdsite"), Body::TipSent(sent(2, &recipients[..2])));
    history.push(Some("birdsite"), Body::TipWithdrawn(id(1)));
    history
}

#[test]
fn wherever_it_stops_a_tip_ends_with_the_same_bytes() {
    let history = history();
    let (_folder, whole) = applied(&history);
    let digest = whole.read().unwrap().digest().unwrap();
    for commits in 0..90 {
        let (_folder, index) = stopped_and_finished(&history, commits);
        assert_eq!(index.read().unwrap().digest().unwrap(), digest, "after {commits} commits");
    }
    let all = whole.read().unwrap().threads_in_box(&named("birdsite"), TipBox::Sent, &[], None);
    assert_eq!(all.map(Result::unwrap).count(), 52);
    let withdrawn = [TipState::Withdrawn];
    let withdrawn =
        whole.read().unwrap().threads_in_box(&named("birdsite"), TipBox::Sent, &withdrawn, None);
    assert_eq!(withdrawn.map(Result::unwrap).count(), 50);
    assert_eq!(whole.read().unwrap().overdue_tips(Timestamp::from_millis(9_001)).unwrap(), 2);
    let campaign = CampaignId::from_bytes([7; 16]);
    assert_eq!(whole.read().unwrap().waiting_threads(campaign).count(), 0);
    let tips_of = |partner| {
        let found = whole.read().unwrap().tips_of_campaign(campaign, &named(partner));
        found.map(|tip| tip.unwrap().as_bytes()[0]).collect::<Vec<_>>()
    };
    assert_eq!(tips_of("birdsite"), [2, 1], "the newest first, once for each party");
    assert_eq!((tips_of("member-01"), tips_of("member-49")), (vec![2, 1], vec![1]));
    assert!(tips_of("member-4").is_empty(), "a name is no prefix of another");
}

#[test]
fn of_two_moves_that_conflict_the_first_counts_and_the_other_is_told_where_the_tip_stands() {
    let mut history = History::new();
    let recipients = [named("facegraph"), named("tubeworks")];
    history.push(Some("birdsite"), Body::TipSent(sent(1, &recipients)));
    let first = moves(&mut history, "facegraph", "first", TipState::Declined);
    let second = moves(&mut history, "facegraph", "second", TipState::Acknowledged);
    let again = moves(&mut history, "facegraph", "first", TipState::Declined);
    let other = moves(&mut history, "tubeworks", "first", TipState::Acknowledged);
    let stranger = moves(&mut history, "watcher", "first", TipState::Acknowledged);
    let by_sender = response("s", TipThread::Recipient(named("watcher")), None);
    let nobody = history.push(Some("birdsite"), Body::TipResponded(by_sender));
    history.push(Some("birdsite"), Body::TipWithdrawn(id(1)));
    let late = moves(&mut history, "tubeworks", "late", TipState::Investigating);
    let twice = history.push(Some("birdsite"), Body::TipWithdrawn(id(1)));
    let not_own = history.push(Some("facegraph"), Body::TipWithdrawn(id(1)));
    let (_folder, index) = applied(&history);
    let (from, to) = (TipState::Declined, TipState::Acknowledged);
    for (sequence, void) in [
        (second, VoidReason::TransitionRefused { from, to }),
        (again, VoidReason::Repeats(first)),
        (stranger, VoidReason::TipUnknown),
        (nobody, VoidReason::TipUnknown),
        (late, VoidReason::TipWithdrawn),
        (twice, VoidReason::TipWithdrawn),
        (not_own, VoidReason::TipUnknown),
    ] {
        assert_eq!(outcome(&index, sequence), Outcome::Void(void));
    }
    assert!(matches!(outcome(&index, first), Outcome::Applied(_)));
    assert!(matches!(outcome(&index, other), Outcome::Applied(_)));
    assert_eq!(
        index.read().unwrap().tip_entry(id(1), second).unwrap(),
        None,
        "what is void adds nothing"
    );
}

#[test]
fn a_box_gives_the_newest_of_some_states_first_and_goes_on_behind_a_row() {
    let mut history = History::new();
    for number in 1..=9 {
        let tip = TipSent { indicators: Vec::new(), ..sent(number, &[named("facegraph")]) };
        history.push(Some("birdsite"), Body::TipSent(tip));
    }
    for (number, state) in [(2, TipState::Declined), (5, TipState::Acknowledged)] {
        let request = format!("move-{number}");
        let thread = TipThread::Recipient(named("facegraph"));
        let moved = TipResponse { tip: id(number), ..response(&request, thread, Some(state)) };
        history.push(Some("facegraph"), Body::TipResponded(moved));
    }
    let (_folder, index) = applied(&history);
    let listed = |states: &[TipState], after| {
        let rows = index.read().unwrap().threads_in_box(
            &named("facegraph"),
            TipBox::Received,
            states,
            after,
        );
        rows.map(|row| row.unwrap()).collect::<Vec<_>>()
    };
    let tips = |rows: &[keys::tips::ThreadRow]| {
        rows.iter().map(|row| row.tip.as_bytes()[0]).collect::<Vec<_>>()
    };
    let all = listed(&[], None);
    assert_eq!(tips(&all), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(tips(&listed(&[], Some(&all[6]))), [2, 1]);
    let states = [TipState::Declined, TipState::Acknowledged];
    assert_eq!(tips(&listed(&states, None)), [5, 2]);
    assert_eq!(tips(&listed(&states, Some(&all[5]))), [2]);
    assert_eq!(tips(&listed(&[TipState::Sent], None)), [9, 8, 7, 6, 4, 3, 1]);
    assert!(listed(&[TipState::Closed], None).is_empty());
}

#[test]
fn what_a_submission_brought_is_referred_once_for_each_close() {
    let mut history = History::new();
    let owners: Vec<_> = (0..40).map(|at| named(&format!("member-{at:02}"))).collect();
    let mut rights = 0;
    for owner in &owners {
        rights = history.push(None, Body::PartnerPut(partner(owner.as_str())));
    }
    let submission = SubmissionId::from_stored("report");
    history.push(Some("birdsite"), batch_with_an_asset());
    let referral = |close, after, rights| referral(&owners, close, after, rights);
    let early = history.push(None, referral(1, 0, rights));
    let close = history.close("birdsite", "report", Some(1));
    // Computed with access rights that changed before it was applied.
    let stale = history.push(None, referral(close, 0, rights - 1));
    let first = history.push(None, referral(close, 0, rights));
    let second = history.push(None, referral(close, 0, rights));
    let (_folder, whole) = applied(&history);
    assert_eq!(outcome(&whole, stale), Outcome::Void(VoidReason::AudienceGone));
    for void in [early, second] {
        assert_eq!(outcome(&whole, void), Outcome::Void(VoidReason::AlreadyApplied));
    }
    assert!(matches!(outcome(&whole, first), Outcome::Applied(items) if items.len() == 40));
    let done = whole.read().unwrap().referral_progress(&named("birdsite"), &submission).unwrap();
    assert_eq!((done.to.len(), done.to[7].1, done.not_referred, done.up_to), (40, 2, 3, close));
    assert!(!whole.read().unwrap().is_unreferred(&named("birdsite"), &submission).unwrap());
    for commits in 0..12 {
        let (_folder, index) = stopped_and_finished(&history, commits);
        assert_eq!(
            index.read().unwrap().digest().unwrap(),
            whole.read().unwrap().digest().unwrap(),
            "after {commits} commits"
        );
    }
}

/// A batch of the submission `report` with one page on a platform.
fn batch_with_an_asset() -> Body {
    let platform = crate::domain::Platform::from_stored("facebook".to_owned());
    let asset = Indicator::from_stored(IndicatorKind::Page, Some(platform), "a.page");
    let items = [("a", crate::domain::assessment::Verdict::Malicious)];
    let mut body = History::batch_of("report", 1, &items, to_all());
    if let Body::SubmissionBatch(batch) = &mut body {
        batch.items[0].id = asset.id();
        batch.items[0].assessment.indicator = asset;
    }
    body
}

fn referral(owners: &[PartnerId], close: u64, after: u64, rights: u64) -> Body {
    let to = owners.iter().zip(1..).map(|(owner, number)| Referred {
        id: id(number),
        owner: owner.clone(),
        count: 2,
        tlp: Tlp::Green,
    });
    Body::Referred(Referral {
        partner: named("birdsite"),
        submission: SubmissionId::from_stored("report"),
        after,
        close,
        to: to.collect(),
        not_referred: 3,
        visibility_sequence: rights,
    })
}

fn to_all() -> crate::domain::Sharing {
    let audience = crate::domain::sharing::Audience::Everyone;
    crate::domain::Sharing { tlp: Tlp::Green, audience, releases: Vec::new() }
}
