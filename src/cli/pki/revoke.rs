//! `tipoff pki revoke` and `tipoff pki show`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::failure::{Completion, Failure, Outcome};
use super::super::{Global, identity, output, text};
use super::failure;
use crate::client::{Client, ClientError};
use crate::clock::{Clock, SystemClock};
use crate::domain::revocation::{MAX_REASON_CHARS, Serial};
use crate::domain::text::check_line;
use crate::domain::{PartnerId, Timestamp};
use crate::tls::Authority;
use crate::tls::authority::{Issued, Revoked, replace};
use crate::tls::identity::serial_of_client;
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
    /// Revoke the serial number even if the authority has no record of it
    #[arg(long, requires = "ca", conflicts_with = "partner")]
    unknown_serial: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Partner whose certificates are revoked: all whose validity has begun
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
            return serial_of_client(path).map(serial).map_err(Failure::usage);
        }
        let id = PartnerId::parse(self.partner.as_deref().unwrap_or_default());
        id.map(|id| Certificates::Partner(id.to_string())).map_err(Failure::usage)
    }
}

impl Revoke {
    pub async fn run(&self, global: &Global) -> Outcome {
        let certificates = self.which.read()?;
        check_line("reason", self.reason.trim(), MAX_REASON_CHARS).map_err(Failure::usage)?;
        if self.reason.trim().is_empty() {
            return Err(Failure::usage(
                "--reason is empty: say why, for operators who read it later",
            ));
        }
        let authority = self.ca.as_deref().map(Authority::open).transpose().map_err(failure)?;
        if let (Some(authority), Certificates::Serial(serial)) = (&authority, &certificates) {
            self.check_record(authority, serial)?;
        }
        let receipt = if self.offline {
            Ok(None)
        } else {
            let client = identity::client(global)?;
            self.revoke_at_exchange(&client, &certificates).await.map(Some)
        };
        // The list is signed also if the exchange does not answer: it can be brought there. What the exchange refuses is
        // in no list.
        if let Err(error) = &receipt
            && !error.is_transient()
        {
            return receipt.map(|_| Completion::Whole).map_err(Failure::from);
        }
        if let Ok(Some(receipt)) = &receipt {
            print_receipt(&certificates, receipt, global)?;
        }
        let revoked_at = receipt.as_ref().ok().and_then(|receipt| receipt.as_ref()?.revoked_at);
        if let Some(authority) = authority {
            let signed = self.sign(&authority, &certificates, revoked_at)?;
            self.print_list(&certificates, &signed, receipt.is_ok() && !self.offline, global)?;
        } else if receipt.is_ok() && self.which.serial.is_some() {
            output::remark(
                "the number was not checked: the exchange has no record of what was issued. With --ca it is",
            );
        }
        receipt.map(|_| Completion::Whole).map_err(Failure::from)
    }

    /// Refuses a serial number that is in no record of the authority, or that of a server.
    fn check_record(&self, authority: &Authority, serial: &str) -> Result<(), Failure> {
        let issued = authority.issued().map_err(failure)?;
        let Some(one) = issued.iter().find(|one| one.serial.as_str() == serial) else {
            if self.unknown_serial {
                return Ok(());
            }
            return Err(Failure::usage(format!(
                "the authority has no record of a certificate {serial} (issued.jsonl): check the number with `tipoff pki \
                 show --ca DIR`. If it is right, pass --unknown-serial. Nothing was changed"
            )));
        };
        if one.partner.is_some() {
            return Ok(());
        }
        let names = one.server.join(", ");
        Err(Failure::usage(format!(
            "{serial} is the certificate of the server {names}. Clients do not ask whether it is revoked, so revoking it \
             stops nobody: if its key was stolen, create a new authority and replace ca.pem everywhere; else issue a new \
             one in its place (tipoff pki issue --server-name … --replace). Nothing was changed"
        )))
    }

    async fn revoke_at_exchange(
        &self,
        client: &Client,
        certificates: &Certificates,
    ) -> Result<pb::RevokeCertificateResponse, ClientError> {
        let request = pb::RevokeCertificateRequest {
            certificates: Some(certificates.clone()),
            reason: self.reason.clone(),
        };
        client.revoke_certificate(request).await
    }

    /// Signs a list with the certificates, and writes it. `revoked_at` is when the exchange revoked them.
    fn sign(
        &self,
        authority: &Authority,
        certificates: &Certificates,
        revoked_at: Option<prost_types::Timestamp>,
    ) -> Result<Signed, Failure> {
        let issued = authority.issued().map_err(failure)?;
        let is_meant = |one: &&Issued| match certificates {
            Certificates::Serial(serial) => one.serial.as_str() == serial,
            Certificates::Partner(id) => one.partner.as_ref().is_some_and(|it| it.as_str() == id),
        };
        let mut serials: BTreeSet<Serial> =
            issued.iter().filter(is_meant).map(|one| one.serial.clone()).collect();
        let known = serials.len();
        match certificates {
            Certificates::Serial(serial) => drop(serials.insert(Serial::from_stored(serial))),
            Certificates::Partner(_) if known == 0 && self.offline => {
                return Err(Failure::failed(
                    "the authority has no record of a certificate of this partner: nothing was changed",
                ));
            }
            Certificates::Partner(_) => {}
        }
        let now = SystemClock.now();
        let at = revoked_at.map_or(now, |at| {
            let millis = i64::from(at.nanos / 1_000_000);
            Timestamp::from_millis(at.seconds.saturating_mul(1000).saturating_add(millis))
        });
        if let Some(out) = &self.out {
            authority.check_target(out).map_err(failure)?;
        }
        let revoked = authority.revoke(&serials, at, now).map_err(failure)?;
        let path = authority.list_path();
        if let Some(out) = &self.out {
            let list = std::fs::read_to_string(&path)
                .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
            replace(out, &list).map_err(failure)?;
        }
        Ok(Signed { path: self.out.clone().unwrap_or(path), known, revoked })
    }

    fn print_list(
        &self,
        certificates: &Certificates,
        signed: &Signed,
        is_at_exchange: bool,
        global: &Global,
    ) -> Result<(), Failure> {
        let Signed { path, known, revoked } = signed;
        if global.json {
            let mut object = object_of(certificates);
            object["list"] = json!({
                "file": path, "number": revoked.number, "certificates": revoked.at.len(),
            });
            output::json(&object)?;
        } else {
            output::line(&format!(
                "wrote list {} with {} to {}",
                revoked.number,
                text::count(revoked.at.len() as u64, "certificate"),
                path.display()
            ))?;
        }
        let name = name_of(certificates);
        match certificates {
            Certificates::Partner(_) if *known == 0 => output::remark(&format!(
                "the authority has no record of {name}: its list does not name them"
            )),
            // The exchange refuses them without a list.
            _ if is_at_exchange || self.out.is_some() => {}
            _ => output::remark(
                "the exchange does not know it yet: put the list into the folder of the server as crl.pem. It is read \
                 within 30 seconds",
            ),
        }
        Ok(())
    }
}

fn print_receipt(
    certificates: &Certificates,
    receipt: &pb::RevokeCertificateResponse,
    global: &Global,
) -> Result<(), Failure> {
    if global.json {
        let mut object = object_of(certificates);
        object["sequence"] = receipt.sequence.into();
        object["unchanged"] = receipt.unchanged.into();
        object["revoked_at"] = text::time(receipt.revoked_at.as_ref()).into();
        return output::json(&object);
    }
    let state = match certificates {
        Certificates::Partner(_) => "are revoked: the exchange closes their connections",
        Certificates::Serial(_) if receipt.unchanged => "was revoked before: nothing changed",
        Certificates::Serial(_) => "is revoked: the exchange closes its connections",
    };
    output::line(&format!("{} {state}", name_of(certificates)))
}

/// The certificates, as a sentence names them.
fn name_of(certificates: &Certificates) -> String {
    match certificates {
        Certificates::Serial(serial) => format!("the certificate {serial}"),
        Certificates::Partner(partner) => format!("the certificates of {partner}"),
    }
}

fn object_of(certificates: &Certificates) -> serde_json::Value {
    match certificates {
        Certificates::Serial(serial) => json!({ "serial": serial }),
        Certificates::Partner(partner) => json!({ "partner": partner }),
    }
}

/// A revocation list that was written.
struct Signed {
    path: PathBuf,
    /// How many of the certificates the authority has a record of.
    known: usize,
    revoked: Revoked,
}

/// Prints what operators have revoked at the exchange.
pub async fn show_revocations(global: &Global) -> Outcome {
    use pb::revoked_certificates::Certificates;

    let revocations = identity::client(global)?.revocations().await?;
    let row = |one: &pb::RevokedCertificates| {
        let name = match &one.certificates {
            Some(Certificates::Partner(id)) => id.clone(),
            Some(Certificates::Serial(serial)) => serial.clone(),
            None => String::new(),
        };
        let at = text::local_time(one.revoked_at.as_ref()).unwrap_or_default();
        [name, at, one.revoked_by.clone(), text::one_line(&one.reason)]
    };
    if global.json {
        for one in &revocations {
            let (partner, serial) = match &one.certificates {
                Some(Certificates::Partner(id)) => (Some(id), None),
                Some(Certificates::Serial(serial)) => (None, Some(serial)),
                None => (None, None),
            };
            output::json(&json!({
                "partner": partner,
                "serial": serial,
                "revoked_at": text::time(one.revoked_at.as_ref()),
                "revoked_by": one.revoked_by,
                "reason": one.reason,
            }))?;
        }
    } else if revocations.is_empty() {
        output::line("nothing is revoked at the exchange")?;
    } else {
        let header = ["PARTNER OR SERIAL", "REVOKED", "BY", "REASON"];
        output::line(&output::table(header, revocations.iter().map(row)))?;
    }
    Ok(Completion::Whole)
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
    let unknown: Vec<&Serial> = revoked
        .at
        .keys()
        .filter(|serial| issued.iter().all(|one| one.serial != **serial))
        .collect();
    if issued.is_empty() {
        output::line("it has no record of a certificate (issued.jsonl)")?;
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
    if !issued.is_empty() {
        let header = ["SERIAL", "FOR", "EXPIRES", "STATE"];
        output::line(&output::table(header, issued.iter().map(row)))?;
    }
    for serial in unknown {
        output::line(&format!("{serial} is in its list, and not in its record"))?;
    }
    output::remark(
        "what is revoked at the exchange is not included: `tipoff pki show` without --ca asks it",
    );
    Ok(Completion::Whole)
}
