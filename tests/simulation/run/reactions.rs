//! Feedback and sightings.

use tipoff::domain::Position;
use tipoff::domain::entry::{RequestId, Sighting};
use tipoff::domain::feedback::Opinion;
use tipoff::exchange::{FeedbackRequest, SightingsRequest};

use crate::history::AudienceBits;
use crate::run::Run;
use crate::words::{indicator, request_receipt, sharing};

impl Run {
    pub(super) fn give_feedback(
        &mut self,
        giver: u8,
        about: Position,
        item: u8,
        to: Option<&AudienceBits>,
        key: u8,
    ) {
        let answer = self.as_partner(giver, |exchange, caller| {
            let request = FeedbackRequest {
                request: RequestId::from_stored(&format!("f{key}")),
                digest: [item; 32],
                about,
                opinion: Opinion::Disagree,
                note: None,
                sharing: to.map(sharing),
            };
            async move { exchange.commands.give_feedback(&caller, request).await }
        });
        self.observe_answer(giver, answer.as_ref().map(request_receipt));
    }

    pub(super) fn report_sighting(&mut self, author: u8, value: u8, to: &AudienceBits, key: u8) {
        let indicator = indicator(value);
        let answer = self.as_partner(author, |exchange, caller| {
            let sighting = Sighting {
                index: 0,
                id: indicator.id(),
                indicator: indicator.clone(),
                count: 3,
                first_seen: None,
                last_seen: None,
            };
            let request = SightingsRequest {
                request: RequestId::from_stored(&format!("s{key}")),
                digest: [value; 32],
                sharing: sharing(to),
                items: vec![sighting],
                rejected: Vec::new(),
            };
            async move { exchange.commands.report_sightings(&caller, request).await }
        });
        self.observe_answer(author, answer.as_ref().map(request_receipt));
    }
}
