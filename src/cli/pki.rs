//! `tipoff pki`

mod revoke;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use rustls::pki_types::ServerName;
use serde_json::json;

use super::failure::{Completion, Failure, Outcome};
use super::{Global, numbers, output};
use crate::clock::{Clock, SystemClock};
use crate::domain::PartnerId;
use crate::tls::Authority;
use crate::tls::authority::{AuthorityError, Issued, Usage};

/// Manage the built-in certificate authority
#[derive(Debug, Subcommand)]
pub enum Pki {
    /// Create a certificate authority in a folder
    Init {
        /// Folder; keep its ca-key.pem secret
        dir: PathBuf,
        /// SPIFFE trust domain of the exchange
        #[arg(long, value_name = "NAME", default_value = "tipoff.example")]
        trust_domain: String,
    },
    /// Create a key and a certificate for a partner or a server
    Issue {
        /// Id of the partner
        #[arg(required_unless_present = "server_name")]
        partner: Option<String>,
        /// Workload of the partner
        #[arg(long, requires = "partner")]
        workload: Option<String>,
        /// Host name or address of the exchange, for a server certificate; may be repeated
        #[arg(long = "server-name", value_name = "NAME", conflicts_with_all = ["partner", "workload"])]
        server_name: Vec<String>,
        /// Folder of the authority that signs it
        #[arg(long, value_name = "DIR")]
        ca: PathBuf,
        /// Folder for ca.pem, cert.pem and key.pem
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Replace the identity in the folder
        #[arg(long)]
        replace: bool,
        /// Validity of the certificate in days
        #[arg(long, default_value_t = 90, value_parser = numbers::within::<u32>(1..=825))]
        days: u32,
    },
    /// Revoke certificates: tell the exchange, and sign a new revocation list (operators)
    Revoke(revoke::Revoke),
    /// Show what an authority has issued and revoked, or what is revoked at the exchange (operators)
    Show {
        /// Folder of the authority; without it, the exchange is asked
        #[arg(long, value_name = "DIR")]
        ca: Option<PathBuf>,
    },
}

impl Pki {
    pub async fn run(&self, global: &Global) -> Outcome {
        let now = SystemClock.now();
        match self {
            Pki::Init { dir, trust_domain } => {
                let authority = Authority::init(dir, trust_domain, now).map_err(failure)?;
                let domain = authority.trust_domain().as_str().to_owned();
                print(
                    global,
                    &json!({ "authority": dir, "trust_domain": domain }),
                    &format!("created the authority of {domain} in {}", dir.display()),
                )
            }
            Pki::Issue { partner, workload, server_name, ca, out, replace, days } => {
                check_folder(out, *replace)?;
                check_names(server_name)?;
                let authority = Authority::open(ca).map_err(failure)?;
                let usage = match partner {
                    Some(id) => Usage::Partner {
                        id: PartnerId::parse(id).map_err(Failure::usage)?,
                        workload: workload.clone(),
                    },
                    None => Usage::Server { names: server_name.clone() },
                };
                let identity = authority.issue(&usage, *days, now, out).map_err(failure)?;
                // After a revocation it begins a moment later: it is good once this is printed.
                tokio::time::sleep(identity.begins.since(SystemClock.now())).await;
                let whom = partner.clone().unwrap_or_else(|| server_name.join(", "));
                let Issued { serial, expires, .. } = identity.issued;
                let object = json!({
                    "identity": out, "for": whom, "days": days, "authority": ca, "serial": serial,
                    "expires": expires,
                });
                let text = format!(
                    "created the identity of {whom} in {}\nserial number {serial}, expires {}\nsigned by the authority of \
                     {} in {}",
                    out.display(),
                    expires.strftime("%Y-%m-%d"),
                    authority.trust_domain().as_str(),
                    ca.display()
                );
                print(global, &object, &text)
            }
            Pki::Revoke(revoke) => revoke.run(global).await,
            Pki::Show { ca: Some(ca) } => revoke::show(ca, global),
            Pki::Show { ca: None } => revoke::show_revocations(global).await,
        }
    }
}

fn print(global: &Global, object: &serde_json::Value, text: &str) -> Outcome {
    if global.json {
        output::json(object)?;
    } else {
        output::line(text)?;
    }
    Ok(Completion::Whole)
}

fn failure(error: AuthorityError) -> Failure {
    match error {
        AuthorityError::Exists(_)
        | AuthorityError::Missing(_)
        | AuthorityError::Incomplete(_)
        | AuthorityError::OtherKey(_)
        | AuthorityError::Damaged { .. }
        | AuthorityError::OtherList(_)
        | AuthorityError::NewerList(_)
        | AuthorityError::Name(_) => Failure::usage(error),
        AuthorityError::File { .. } | AuthorityError::Certificate(_) => Failure::failed(error),
    }
}

/// Refuses to overwrite an authority, and an identity without --replace.
fn check_folder(out: &Path, replace: bool) -> Result<(), Failure> {
    if out.join("ca-key.pem").exists() {
        let reason = "is the folder of an authority: choose another folder for the identity";
        return Err(Failure::usage(format!("{} {reason}", out.display())));
    }
    if out.join("cert.pem").exists() && !replace {
        let reason = "already holds an identity: pass --replace to overwrite it";
        return Err(Failure::usage(format!("{} {reason}", out.display())));
    }
    Ok(())
}

fn check_names(names: &[String]) -> Result<(), Failure> {
    match names.iter().find(|name| ServerName::try_from(name.as_str()).is_err()) {
        Some(bad) => {
            Err(Failure::usage(format!("--server-name {bad:?} is not a host name or address")))
        }
        None => Ok(()),
    }
}
