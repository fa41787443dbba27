//! `tipoff pki revoke` and `tipoff pki show`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::failure::{Completion, Failure, Outcome};
use super::super::{Global, identity, output, text};
use super::failure;
use crate::clock::{Clock, SystemClock};
use crate::domain::revocation::Serial;
use crate::domain::{PartnerId, Timestamp};
use crate::tls::Authority;
use crate::tls::authority::{Issued, Revoked, replace};
use crate::tls::identity::serial_of_file;
use crate::wire::pb;
use crate::wire::pb::revoke_certificate_request::Certificates;

/// Which certificates are revoked, and where it is written.
#[derive(Debug, Args)]
pub struct Revoke {
    #[command(flatten)]
    which: Which,
    /// Why, for operators who read it later
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Folder of the authority, which then signs a new revocation list in its crl.pem
    #[arg(long, value_name = "DIR")]
    ca: Option<PathBuf>,
    /// Also write the list to this file, such as crl.pem in the folder of the server
    #[arg(long, value_name = "FILE", requires = "ca")]
    out: Option<PathBuf>,
    /// Only sign a list, and do not tell the exchange
    #[arg(long, requires = "ca")]
    offline: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Partner whose certificates are revoked: all that were issued to it up to now
    #[arg(value_name = "PARTNER")]
    partner: Option<String>,
    /// Serial number of one certificate, in hex
    #[arg(long, value_name = "HEX")]
    serial: Option<String>,
    /// File of one certificate, such as cert.pem
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl Which {
    fn read(&self) -> Result<Certificates, Failure> {
        let serial = |serial: Serial| Certificates::Serial(serial.to_string());
        if let Some(text) = &self.serial {
            return Serial::parse(text).map(serial).map_err(Failure::usage);
        }
        if let Some(path) = &self.certificate {
            return serial_of_file(path).map(serial).map_err(Failure::usage);
        }
        let id = PartnerId::parse(self.partner.as_deref().unwrap_or_default());
        id.map(|id| Certificates::Partner(id.to_string())).map_err(Failure::usage)
    }
}

impl Revoke {
    pub async fn run(&self, global: &Global) -> Outcome {
        let certificates = self.which.read()?;
        let authority = self.ca.as_deref().map(Authority::open).transpose().map_err(failure)?;
        // The list is signed also if the exchange cannot be reached: it can be brought there.
        let told = if self.offline { None } else { Some(self.tell(&certificates, global).await) };
        let at = match &told {
            Some(Ok(receipt)) => receipt.revoked_at,
            _ => None,
        };
        let at = at.map_or(SystemClock.now(), |at| {
            Timestamp::from_millis(
                at.seconds.saturating_mul(1000) + i64::from(at.nanos / 1_000_000),
            )
        });
        let list =
            authority.map(|authority| self.sign(&authority, &certificates, at)).transpose()?;
        let receipt = told.transpose();
        self.print(
            &certificates,
            receipt.as_ref().ok().and_then(Option::as_ref),
            list.as_ref(),
            global,
        )?;
        receipt.map(|_| Completion::Whole)
    }

    async fn tell(
        &self,
        certificates: &Certificates,
        global: &Global,
    ) -> Result<pb::RevokeCertificateResponse, Failure> {
        let request = pb::RevokeCertificateRequest {
            certificates: Some(certificates.clone()),
            reason: self.reason.clone(),
        };
        Ok(identity::client(global)?.revoke_certificate(request).await?)
    }

    /// Signs a list with the certificates, and writes it.
    fn sign(
        &self,
        authority: &Authority,
        certificates: &Certificates,
        at: Timestamp,
    ) -> Result<Signed, Failure> {
        let serials = match certificates {
            Certificates::Serial(serial) => BTreeSet::from([Serial::from_stored(serial)]),
            Certificates::Partner(partner) => {
                let issued = authority.issued().map_err(failure)?;
                let own = issued
                    .into_iter()
                    .filter(|one| one.partner.as_ref().is_some_and(|id| id.as_str() == partner));
                own.map(|one| one.serial).collect()
            }
        };
        if serials.is_empty() && self.offline {
            return Err(Failure::failed(
                "the authority has no record of a certificate of this partner: nothing was changed",
            ));
        }
        let revoked = authority.revoke(&serials, at).map_err(failure)?;
        let path = authority.list_path();
        if let Some(out) = &self.out {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
            replace(out, &text).map_err(failure)?;
        }
        Ok(Signed { path: self.out.clone().unwrap_or(path), added: serials.len(), revoked })
    }

    fn print(
        &self,
        certificates: &Certificates,
        told: Option<&pb::RevokeCertificateResponse>,
        list: Option<&Signed>,
        global: &Global,
    ) -> Result<(), Failure> {
        let what = match certificates {
            Certificates::Serial(serial) => format!("the certificate {serial}"),
            Certificates::Partner(partner) => format!("the certificates of {partner}"),
        };
        if global.json {
            let (serial, partner) = match certificates {
                Certificates::Serial(serial) => (Some(serial), None),
                Certificates::Partner(partner) => (None, Some(partner)),
            };
            return output::json(&json!({
                "serial": serial,
                "partner": partner,
                "sequence": told.map(|told| told.sequence),
                "unchanged": told.map(|told| told.unchanged),
                "list": list.map(|list| json!({
                    "file": list.path,
                    "number": list.revoked.number,
                    "certificates": list.revoked.at.len(),
                })),
            }));
        }
        if let Some(told) = told {
            let state = if told.unchanged { "was revoked before" } else { "is revoked" };
            let state = if matches!(certificates, Certificates::Partner(_)) {
                "are revoked"
            } else {
                state
            };
            output::line(&format!(
                "{what} {state}, and the exchange closes the connections with it"
            ))?;
        }
        if let Some(Signed { path, added, revoked }) = list {
            output::line(&format!(
                "wrote list {} with {} certificates to {}",
                revoked.number,
                revoked.at.len(),
                path.display()
            ))?;
            if *added == 0 {
                output::remark(&format!(
                    "the authority has no record of {what}: the list does not name them"
                ));
            } else if self.out.is_none() {
                output::remark(
                    "put the list into the folder of the server as crl.pem: it is read within 30 seconds",
                );
            }
        }
        Ok(())
    }
}

/// A revocation list that was written.
struct Signed {
    path: PathBuf,
    /// Certificates that were to be added.
    added: usize,
    revoked: Revoked,
}

/// Prints what an authority has issued and revoked.
pub fn show(ca: &Path, global: &Global) -> Outcome {
    let authority = Authority::open(ca).map_err(failure)?;
    let (issued, revoked) =
        (authority.issued().map_err(failure)?, authority.revoked().map_err(failure)?);
    let expires = authority.expires().map_err(failure)?;
    let now = SystemClock.now();
    if global.json {
        output::json(&json!({
            "authority": ca,
            "trust_domain": authority.trust_domain().as_str(),
            "expires": expires.to_string(),
            "list_number": revoked.number,
        }))?;
        for one in &issued {
            let mut object = serde_json::to_value(one).map_err(Failure::failed)?;
            object["revoked"] = revoked.at.get(&one.serial).map(ToString::to_string).into();
            output::json(&object)?;
        }
        return Ok(Completion::Whole);
    }
    output::line(&format!(
        "authority of {} in {}, valid until {expires}",
        authority.trust_domain().as_str(),
        ca.display()
    ))?;
    if issued.is_empty() {
        output::line("no certificate was issued yet")?;
        return Ok(Completion::Whole);
    }
    let row = |one: &Issued| {
        let state = match revoked.at.get(&one.serial) {
            Some(at) => format!("revoked {}", text::day(at.as_millis())),
            None if one.expires.as_millisecond() < now.as_millis() => "expired".to_owned(),
            None => "valid".to_owned(),
        };
        let name = match (&one.partner, &one.workload) {
            (Some(partner), Some(workload)) => format!("{partner}/{workload}"),
            (Some(partner), None) => partner.to_string(),
            (None, _) => one.server.join(", "),
        };
        [one.serial.to_string(), name, text::day(one.expires.as_millisecond()), state]
    };
    output::line(&output::table(["SERIAL", "FOR", "EXPIRES", "STATE"], issued.iter().map(row)))?;
    Ok(Completion::Whole)
}
