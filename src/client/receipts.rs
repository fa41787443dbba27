//! The entries that responses to writes name. Reads from another node wait for them.

use crate::wire::pb;

/// A response to a write.
pub trait Written {
    /// The newest entry that the write stored; 0 if the response does not name it.
    fn newest_entry(&self) -> u64;
}

impl Written for pb::SubmitIndicatorsResponse {
    fn newest_entry(&self) -> u64 {
        self.receipt.as_ref().map_or(0, pb::Receipt::newest_entry)
    }
}

impl Written for pb::Receipt {
    fn newest_entry(&self) -> u64 {
        self.sequence
    }
}

impl Written for pb::PutCampaignResponse {
    fn newest_entry(&self) -> u64 {
        self.version.map_or(0, |version| version.sequence)
    }
}

macro_rules! one_entry {
    ($($response:ident),+) => {
        $(impl Written for pb::$response {
            fn newest_entry(&self) -> u64 {
                self.sequence
            }
        })+
    };
}

macro_rules! several_entries {
    ($($response:ident),+) => {
        $(impl Written for pb::$response {
            fn newest_entry(&self) -> u64 {
                self.sequences.iter().copied().max().unwrap_or(0)
            }
        })+
    };
}

one_entry!(
    GiveFeedbackResponse,
    PutGroupResponse,
    PutPartnerResponse,
    ReportEnforcementResponse,
    ReportSightingsResponse,
    RespondToTipResponse,
    RevokeCertificateResponse,
    SendTipResponse,
    WithdrawTipResponse
);
several_entries!(
    PlaceHoldResponse,
    ReleaseIndicatorsResponse,
    SuspendPartnerResponse,
    WithdrawEnforcementsResponse,
    WithdrawIndicatorsResponse
);
