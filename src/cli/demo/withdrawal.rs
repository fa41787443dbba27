//! A withdrawal: who receives it, and the proof of that.

use super::super::failure::Failure;
use super::super::{audit, output, text};
use super::desk;
use super::reader::Reader;
use super::stage::Stage;
use super::{heading, say, show, unknown_to};
use crate::client::{FeedEvent, Replica};
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// The withdrawn assessment.
pub struct WithdrawnReport {
    /// The value with its platform.
    pub value: String,
    /// The journal entry of the withdrawal.
    pub sequence: u64,
}

/// Chooses the item to withdraw: preferably a domain of a victim, and not the value that was looked
/// up.
pub fn choose(replica: &Replica, looked_up: &pb::SubmittedIndicator) -> Option<pb::FeedItem> {
    let rank = |item: &&pb::FeedItem| {
        let indicator = item.indicator.clone().unwrap_or_default();
        let assessment = item.assessment.clone().unwrap_or_default();
        (
            indicator.value != looked_up.value,
            indicator.kind() == pb::Kind::Domain,
            assessment.involvement() == pb::Involvement::Victim,
        )
    };
    replica.items().max_by_key(rank).cloned()
}

/// birdsite withdraws the item. Both readers drop it, and a lookup of facegraph no longer finds it.
pub async fn withdraw(
    stage: &Stage,
    wrong: &pb::FeedItem,
    desk: &mut Reader,
    tubeworks: &mut Reader,
) -> Result<WithdrawnReport, Failure> {
    heading("birdsite withdraws the assessment, and every reader is told to drop it")?;
    let birdsite = stage.connected("birdsite").await?;
    let pb::Indicator { kind, platform, value, .. } = wrong.indicator.clone().unwrap_or_default();
    let name = text::value(&platform, &value);
    let key = pb::IndicatorKey { kind, platform, value };
    let request = pb::WithdrawIndicatorsRequest { keys: vec![key.clone()], ..Default::default() };
    let is_removal = |event: &FeedEvent| match event {
        FeedEvent::Removal(removal) => {
            removal.version == wrong.version && removal.reason() == pb::RemovalReason::Withdrawn
        }
        _ => false,
    };
    let clock = SystemClock;
    let started = clock.instant();
    let withdrawing = async { Ok(birdsite.withdraw(request).await?) };
    let (response, to_desk, to_tubeworks) = tokio::try_join!(
        withdrawing,
        desk.wait_for("the removal", is_removal),
        tubeworks.wait_for("the removal", is_removal)
    )?;
    let (1, [sequence]) = (response.withdrawn, response.sequences.as_slice()) else {
        return Err(Failure::failed(format!("one version should have ended: {response:?}")));
    };
    say(&format!("{name}: 1 version withdrawn, {}", text::entries(&[*sequence])))?;
    let ms = |at: std::time::Instant| at.duration_since(started).as_millis().to_string();
    let reason = || text::enum_name(pb::RemovalReason::Withdrawn.as_str_name(), "REMOVAL_REASON_");
    let row = |reader: &Reader, name: &str, at| {
        [reader.partner.to_owned(), name.to_owned(), reason(), ms(at)]
    };
    let rows = [row(desk, desk::NAME, to_desk), row(tubeworks, "unnamed", to_tubeworks)];
    show(&output::table(["PARTNER", "SUBSCRIPTION", "REMOVAL", "AFTER ms"], rows))?;
    unknown_to(stage, "facegraph", key).await?;
    Ok(WithdrawnReport { value: name, sequence: *sequence })
}

/// Prints what birdsite can prove, before the desk of facegraph acknowledged the removal and after.
pub async fn show_deliveries(
    stage: &Stage,
    withdrawn: &WithdrawnReport,
    desk: &mut Reader,
) -> Result<(), Failure> {
    let sequence = withdrawn.sequence;
    heading("birdsite can prove that facegraph received it")?;
    let birdsite = stage.connected("birdsite").await?;
    let before = birdsite.list_deliveries(sequence).await?.deliveries;
    desk.acknowledge().await?;
    let after = birdsite.list_deliveries(sequence).await?.deliveries;
    let both = [before, after].concat();
    say(&format!("audit deliveries {sequence}, before and after {} acknowledges it:", desk::NAME))?;
    show(&audit::table(&both))?;
    let is_desk =
        |one: &pb::Delivery| one.partner == desk.partner && one.subscription == desk::NAME;
    match both.as_slice() {
        [before, after] if is_desk(before) && is_desk(after) => {
            if before.acknowledged || !after.acknowledged {
                return Err(Failure::failed(
                    "only a subscription that acknowledged counts as delivered",
                ));
            }
        }
        _ => return Err(Failure::failed("expected one subscription")),
    }
    say("tubeworks received it too; without a durable subscription there is no proof of that")
}
