//! A value that is taken back: who is told, and what shows it.

use super::super::failure::Failure;
use super::super::{audit, output, words};
use super::desk;
use super::reader::Reader;
use super::stage::Stage;
use super::{heading, say, show, unknown_to};
use crate::client::{FeedEvent, Replica};
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// What was taken back.
pub struct WithdrawnReport {
    /// The value, with its platform.
    pub value: String,
    /// The entry that ended it.
    pub sequence: u64,
}

/// The item that turns out to be wrong: a domain if there is one, a victim's among those, and not the
/// one that is looked up if there is another.
pub fn choose(held: &Replica, looked_up: &pb::SubmittedIndicator) -> Option<pb::FeedItem> {
    let rank = |item: &&pb::FeedItem| {
        let indicator = item.indicator.clone().unwrap_or_default();
        let said = item.assessment.clone().unwrap_or_default();
        (
            indicator.value != looked_up.value,
            indicator.kind() == pb::Kind::Domain,
            said.involvement() == pb::Involvement::Victim,
        )
    };
    held.items().max_by_key(rank).cloned()
}

/// birdsite takes it back; both readers drop it, and facegraph knows it no more.
pub async fn withdraw(
    stage: &Stage,
    wrong: &pb::FeedItem,
    desk: &mut Reader,
    tubeworks: &mut Reader,
) -> Result<WithdrawnReport, Failure> {
    heading("birdsite takes it back, and whoever has it is told")?;
    let birdsite = stage.connected("birdsite").await?;
    let pb::Indicator { kind, platform, value, .. } = wrong.indicator.clone().unwrap_or_default();
    let shown = words::value(&platform, &value);
    let key = pb::IndicatorKey { kind, platform, value };
    let request = pb::WithdrawIndicatorsRequest { keys: vec![key.clone()], ..Default::default() };
    let is_it = |event: &FeedEvent| match event {
        FeedEvent::Removal(removal) => {
            removal.version == wrong.version && removal.reason() == pb::RemovalReason::Withdrawn
        }
        _ => false,
    };
    let clock = SystemClock;
    let begun = clock.instant();
    let withdrawing = async { Ok(birdsite.withdraw(request).await?) };
    let (taken_back, to_desk, to_tubeworks) = tokio::try_join!(
        withdrawing,
        desk.wait_for("the removal", is_it),
        tubeworks.wait_for("the removal", is_it)
    )?;
    let (1, [sequence]) = (taken_back.withdrawn, taken_back.sequences.as_slice()) else {
        return Err(Failure::failed(format!("one version should have ended: {taken_back:?}")));
    };
    say(&format!("{shown}: 1 version taken back, by {}", words::entries(&[*sequence])))?;
    let ms = |at: std::time::Instant| at.duration_since(begun).as_millis().to_string();
    let reason = || words::name(pb::RemovalReason::Withdrawn.as_str_name(), "REMOVAL_REASON_");
    let row = |reader: &Reader, name: &str, at| {
        [reader.partner.to_owned(), name.to_owned(), reason(), ms(at)]
    };
    let rows = [row(desk, desk::NAME, to_desk), row(tubeworks, "no name", to_tubeworks)];
    show(&output::table(["PARTNER", "AS", "TOLD TO DROP IT", "AFTER ms"], rows))?;
    unknown_to(stage, "facegraph", key).await?;
    Ok(WithdrawnReport { value: shown, sequence: *sequence })
}

/// What birdsite can show of it, before facegraph's desk acknowledged it and after.
pub async fn show_who_was_told(
    stage: &Stage,
    withdrawn: &WithdrawnReport,
    desk: &mut Reader,
) -> Result<(), Failure> {
    let sequence = withdrawn.sequence;
    heading("birdsite can show that facegraph was told")?;
    let birdsite = stage.connected("birdsite").await?;
    let before = birdsite.list_deliveries(sequence).await?.deliveries;
    desk.acknowledge().await?;
    let after = birdsite.list_deliveries(sequence).await?.deliveries;
    let both = [before, after].concat();
    say(&format!("audit deliveries {sequence}, before {} acknowledges it and after:", desk::NAME))?;
    show(&audit::table(&both))?;
    let is_desk =
        |one: &pb::Delivery| one.partner == desk.partner && one.subscription == desk::NAME;
    match both.as_slice() {
        [before, after] if is_desk(before) && is_desk(after) => {
            if before.acknowledged || !after.acknowledged {
                return Err(Failure::failed("told is who acknowledged, and nobody else"));
            }
        }
        _ => return Err(Failure::failed("one subscription was to be told")),
    }
    say("tubeworks was told as well; it follows without a name, so of it there is no proof")
}
