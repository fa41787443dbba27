//! The registry entry of a partner, as a row and as JSON.

use serde_json::{Value, json};

use crate::cli::{output, text};
use crate::wire::pb;

/// The role of a partner.
pub fn role(partner: &pb::Partner) -> String {
    text::enum_name(partner.role().as_str_name(), "ROLE_")
}

/// A partner as a row of the list.
pub fn row(partner: &pb::Partner) -> [String; 7] {
    [
        partner.id.clone(),
        text::one_line(&partner.name),
        role(partner),
        partner.platforms.join(", "),
        partner.jurisdiction.clone(),
        if partner.suspended { output::paint(output::BAD, "suspended") } else { String::new() },
        settings(partner),
    ]
}

/// What operators have set for a partner that is not the default.
pub fn settings(partner: &pb::Partner) -> String {
    let group = Some(&partner.default_group).filter(|group| !group.is_empty());
    let is_tlp_default = matches!(partner.default_tlp(), pb::Tlp::Unspecified | pb::Tlp::Amber);
    let purposes = Some(text::purposes(partner).join(" ")).filter(|kinds| !kinds.is_empty());
    let most = |what: &str, most: u64| limit(most).map(|most| format!("{what} {most}/hour"));
    [
        group.map(|group| format!("default group {group}")),
        (!is_tlp_default).then(|| format!("default TLP:{}", text::tlp(partner.default_tlp()))),
        purposes.map(|kinds| format!("purposes {kinds}")),
        partner.referrals_off.then(|| "no referrals".to_owned()),
        most("submits", partner.max_submitted_per_hour),
        most("withdraws", partner.max_withdrawn_per_hour),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(", ")
}

/// A limit; 0 is none.
fn limit(limit: u64) -> Option<u64> {
    (limit > 0).then_some(limit)
}

/// A partner as JSON. Only operators are told the default group and TLP, and whether it receives referrals: for others they are
/// null, and so is what is not set.
pub fn object(partner: &pb::Partner) -> Value {
    let is_whole = partner.default_tlp() != pb::Tlp::Unspecified;
    let referrals = if partner.referrals_off { "off" } else { "on" };
    let group = Some(&partner.default_group).filter(|group| !group.is_empty());
    json!({
        "partner": partner.id,
        "name": partner.name,
        "role": role(partner),
        "platforms": partner.platforms,
        "jurisdiction": partner.jurisdiction,
        "purposes": text::purposes(partner),
        "suspended": partner.suspended,
        "default_group": group,
        "default_tlp": is_whole.then(|| text::tlp(partner.default_tlp())),
        "referrals": is_whole.then_some(referrals),
        "max_submitted_per_hour": limit(partner.max_submitted_per_hour),
        "max_withdrawn_per_hour": limit(partner.max_withdrawn_per_hour),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_without_settings_has_a_blank_cell_and_what_is_not_known_is_null() {
        let as_member_sees_it = pb::Partner { id: "forumhub".into(), ..pb::Partner::default() };
        let as_operator_sees_it =
            pb::Partner { default_tlp: pb::Tlp::Amber.into(), ..as_member_sees_it.clone() };
        assert_eq!(
            (settings(&as_member_sees_it), settings(&as_operator_sees_it)),
            Default::default()
        );
        let (of_member, of_operator) = (object(&as_member_sees_it), object(&as_operator_sees_it));
        assert_eq!(
            (&of_member["referrals"], &of_member["default_tlp"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(
            (&of_operator["referrals"], &of_operator["default_tlp"]),
            (&json!("on"), &json!("AMBER"))
        );
    }
}
