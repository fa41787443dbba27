//! Random bodies of campaign and enforcement entries.

use proptest::prelude::*;
use tipoff::domain::campaign::{Attribution, Contribution};
use tipoff::domain::enforcement::{
    AssetKind, Enforcement, EnforcementCount, EnforcementId, EnforcementMethod, EnforcementSource,
};
use tipoff::domain::entry::{Body, CampaignPut, Enforcements, Rejection, RequestId};
use tipoff::domain::{CampaignId, Day, Invalid, Platform, Sharing};

/// A campaign contribution, or an enforcement.
pub fn any_campaign_body(sharing: impl Strategy<Value = Sharing>) -> impl Strategy<Value = Body> {
    (sharing, any::<[u8; 32]>(), any::<[u8; 16]>(), 0u32..9_000, proptest::option::of("\\PC{1,9}"))
        .prop_map(|(sharing, digest, id, number, text)| {
            let request = RequestId::from_stored("r:1");
            let campaign = CampaignId::from_bytes(id);
            let text: Option<Box<str>> = text.map(Into::into);
            if digest[0] > 127 {
                let founds = digest[1] > 127;
                let attribution = (digest[2] > 127).then(|| Attribution {
                    actor: text.clone(),
                    basis: text.clone(),
                    ..Attribution::default()
                });
                let contribution = Contribution {
                    description: text,
                    attribution,
                    targets: vec!["who".into()],
                    ..Contribution::named("a")
                };
                return Body::CampaignPut(CampaignPut {
                    request,
                    digest,
                    campaign,
                    founds,
                    sharing,
                    contribution,
                });
            }
            let index = |length: usize| usize::try_from(number).unwrap() % length;
            let count = EnforcementCount {
                asset: AssetKind::ALL[index(AssetKind::ALL.len())],
                platform: text.is_some().then(|| Platform::from_stored("x")),
                count: u64::from(number) + 1,
                already_disabled: number.into(),
                approximate: digest[1] > 127,
            };
            let enforcement = Enforcement {
                id: EnforcementId::from_stored("e:1"),
                counts: vec![count],
                method: text.is_none().then(|| EnforcementMethod::ALL[index(3)]),
                from: (digest[2] > 127).then(|| Day::from_number(number)),
                until: (digest[3] > 127).then(|| Day::from_number(number)),
                campaign: (digest[4] > 127).then_some(campaign),
                tip: (digest[5] > 127).then_some(id),
                note: text,
                source: EnforcementSource::ALL[index(2)],
            };
            let rejected =
                vec![Rejection { index: 1, invalid: Invalid::new("counts", "is missing") }];
            let items = vec![(2, enforcement)];
            Body::Enforcements(Enforcements { request, digest, sharing, items, rejected })
        })
}
