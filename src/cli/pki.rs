//! `tipoff pki init` and `tipoff pki issue`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use rustls::pki_types::ServerName;
use serde_json::json;

use super::failure::{Completion, Failure, Outcome};
use super::{Global, output};
use crate::clock::{Clock, SystemClock};
use crate::domain::PartnerId;
use crate::tls::Authority;
use crate::tls::authority::{AuthorityError, Usage};

/// The built-in certificate authority
#[derive(Debug, Subcommand)]
pub enum Pki {
    /// Make a certificate authority in a folder
    Init {
        /// The folder; keep its ca-key.pem to yourself
        dir: PathBuf,
        /// The SPIFFE trust domain of the exchange
        #[arg(long, value_name = "NAME", default_value = "tipoff.example")]
        trust_domain: String,
    },
    /// Make a key and a certificate, for a partner or for a server
    Issue {
        /// The partner that the certificate names
        #[arg(required_unless_present = "server_name")]
        partner: Option<String>,
        /// Which of the partner's workloads it is for
        #[arg(long, requires = "partner")]
        workload: Option<String>,
        /// A host name or address of the exchange: makes a server's certificate
        #[arg(long = "server-name", value_name = "NAME", conflicts_with_all = ["partner", "workload"])]
        server_name: Vec<String>,
        /// The authority's folder
        #[arg(long, value_name = "DIR", default_value = "certs/dev/ca")]
        ca: PathBuf,
        /// Where to write ca.pem, cert.pem and key.pem
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Replace the identity that is in the folder
        #[arg(long)]
        replace: bool,
        /// How long the certificate is good for
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=825))]
        days: u32,
    },
}

impl Pki {
    pub fn run(&self, global: &Global) -> Outcome {
        let now = SystemClock.now();
        match self {
            Pki::Init { dir, trust_domain } => {
                let made = Authority::init(dir, trust_domain, now).map_err(failure)?;
                let domain = made.trust_domain().as_str().to_owned();
                say(
                    global,
                    &json!({ "authority": dir, "trust_domain": domain }),
                    &format!("made the authority of {domain} in {}", dir.display()),
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
                authority.issue(&usage, *days, now, out).map_err(failure)?;
                let whom = partner.clone().unwrap_or_else(|| server_name.join(", "));
                say(
                    global,
                    &json!({ "identity": out, "for": whom, "days": days }),
                    &format!("made the identity of {whom} in {}", out.display()),
                )
            }
        }
    }
}

fn say(global: &Global, object: &serde_json::Value, text: &str) -> Outcome {
    if global.json {
        output::json(object)?;
    } else {
        output::line(text)?;
    }
    Ok(Completion::Whole)
}

fn failure(error: AuthorityError) -> Failure {
    match error {
        AuthorityError::Exists(_) | AuthorityError::Missing(_) | AuthorityError::Name(_) => {
            Failure::usage(error)
        }
        AuthorityError::File { .. } | AuthorityError::Certificate(_) => Failure::failed(error),
    }
}

/// An identity in use is not lost by a slip of the hand, and an authority never.
fn check_folder(out: &Path, replace: bool) -> Result<(), Failure> {
    if out.join("ca-key.pem").exists() {
        let reason = "is the folder of an authority: an identity goes into one of its own";
        return Err(Failure::usage(format!("{} {reason}", out.display())));
    }
    if out.join("cert.pem").exists() && !replace {
        let reason = "holds an identity already: --replace makes a new one in its place";
        return Err(Failure::usage(format!("{} {reason}", out.display())));
    }
    Ok(())
}

fn check_names(names: &[String]) -> Result<(), Failure> {
    match names.iter().find(|name| ServerName::try_from(name.as_str()).is_err()) {
        Some(bad) => {
            Err(Failure::usage(format!("--server-name {bad:?} is no host name or address")))
        }
        None => Ok(()),
    }
}
