//! Bytes as requests, converted as the services do. Shared with the fuzz target `read_request`.

use prost::Message;
use tipoff::domain::Timestamp;
use tipoff::domain::label::Labels;
use tipoff::wire::submission::ReadContext;
use tipoff::wire::{
    campaign, cursor, enforcement, filter, indicator, partner, pb, purpose, reaction, selection,
    sharing, submission, tip,
};

const MAX_ITEMS: usize = 1_000;
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Converts bytes as each message that a caller may send. Returns as how many they decode.
pub fn convert(bytes: &[u8]) -> usize {
    let labels = Labels::with(Vec::<String>::new()).unwrap_or_default();
    let context = ReadContext { labels: &labels, max_items: MAX_ITEMS, now: NOW };
    let mut decoded = 0;
    decoded += each(bytes, |it: pb::SubmitIndicatorsRequest| {
        let _ = submission::read(&it.submission_id, it.batch.as_ref(), it.close, &context);
    });
    decoded += each(bytes, |it: pb::ReportSightingsRequest| {
        let _ = reaction::read_key(&it.request_id, &it);
        let _ = reaction::read_sightings(&it, MAX_ITEMS, NOW);
    });
    decoded += each(bytes, |it: pb::GiveFeedbackRequest| {
        let _ = reaction::read_feedback(&it);
    });
    decoded += each(bytes, |it: pb::PutCampaignRequest| {
        let _ = campaign::read(it.contribution.as_ref());
        let _ = sharing::read(it.sharing.as_ref());
    });
    decoded += each(bytes, |it: pb::ReportEnforcementRequest| {
        it.enforcements.iter().for_each(|one| drop(enforcement::read(one)));
    });
    decoded += each(bytes, |it: pb::SendTipRequest| drop(tip::read_sent(&it)));
    decoded += each(bytes, |it: pb::RespondToTipRequest| drop(tip::read_response(&it)));
    decoded += each(bytes, |it: pb::PutPartnerRequest| drop(partner::read(&it)));
    decoded += each(bytes, |it: pb::PutGroupRequest| drop(partner::read_group(it.group.as_ref())));
    decoded += each(bytes, |it: pb::RevokeCertificateRequest| drop(partner::read_revocation(&it)));
    decoded += each(bytes, |it: pb::SubscribeRequest| {
        let _ = filter::read(it.filter.as_ref(), &labels);
    });
    decoded += each(bytes, |it: pb::Cursor| {
        if let Ok(read) = cursor::read(&it) {
            // A cursor is written again as it was.
            assert_eq!(cursor::read(&cursor::write(read)), Ok(read));
        }
    });
    decoded += each(bytes, |it: pb::Purpose| drop(purpose::read(Some(&it))));
    decoded += each(bytes, |it: pb::IndicatorKeys| drop(selection::read_keys(&it, MAX_ITEMS)));
    decoded += each(bytes, |it: pb::IndicatorKey| {
        if let Ok(read) = indicator::read_key(&it) {
            // What was read is read again as itself.
            let platform = read.platform().map(ToString::to_string).unwrap_or_default();
            let kind = pb::Kind::from(read.kind()).into();
            let again = indicator::read(kind, &platform, read.value());
            assert_eq!(again.as_ref().map(tipoff::domain::Indicator::id), Ok(read.id()));
        }
    });
    decoded
}

/// Passes the bytes as one message, if they are one.
fn each<M: Message + Default>(bytes: &[u8], convert: impl FnOnce(M)) -> usize {
    M::decode(bytes).map(convert).is_ok().into()
}
