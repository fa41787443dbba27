//! `tipoff whoami`

use serde_json::json;

use super::failure::{Completion, Outcome};
use super::{Global, identity, output, text};
use crate::wire::pb;

pub async fn run(global: &Global) -> Outcome {
    let client = identity::client(global)?;
    let me = client.who_am_i().await?;
    let partner = me.partner.clone().unwrap_or_default();
    let expires = me.certificate_expires_at.as_ref();
    let role = text::enum_name(partner.role().as_str_name(), "ROLE_");
    let tlp = text::tlp(me.default_tlp());
    let purposes = text::purposes(&partner);
    if global.json {
        output::json(&json!({
            "partner": partner.id,
            "name": partner.name,
            "role": role,
            "platforms": partner.platforms,
            "jurisdiction": partner.jurisdiction,
            "purposes": purposes,
            "workload": me.workload,
            "groups": me.groups,
            "default_group": me.default_group,
            "default_tlp": tlp,
            "certificate_expires_at": text::time(expires),
            "certificate_serial": me.certificate_serial,
            "exchange_version": me.exchange_version,
        }))?;
        return Ok(Completion::Whole);
    }
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let rows = [
        ["partner", &format!("{} ({})", partner.id, text::one_line(&partner.name))],
        ["role", &role],
        ["platforms", &or_none(&partner.platforms.join(", "))],
        ["groups", &or_none(&me.groups.join(", "))],
        ["default group", &or_none(&me.default_group)],
        ["default TLP", tlp],
        ["certificate", &format!("until {}", text::local_time(expires).unwrap_or_default())],
        ["exchange", &format!("{} {}", client.server(), me.exchange_version)],
    ];
    let is_liaison = partner.role() == pb::Role::Liaison;
    let (jurisdiction, purposes) = (or_none(&partner.jurisdiction), or_none(&purposes.join(", ")));
    let liaison_rows = [["jurisdiction", &jurisdiction], ["purposes", &purposes]];
    for [name, value] in rows.into_iter().chain(liaison_rows.into_iter().filter(|_| is_liaison)) {
        output::line(&format!("{} {value}", output::paint(output::DIM, &format!("{name:<14}"))))?;
    }
    Ok(Completion::Whole)
}
