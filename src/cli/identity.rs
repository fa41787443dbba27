//! Creates the client from the global flags.

use super::Global;
use super::failure::Failure;
use crate::client::Client;

/// A client for the exchange and identity that the flags name.
pub fn client(global: &Global) -> Result<Client, Failure> {
    let Some(identity) = &global.identity else {
        return Err(Failure::usage(
            "no identity: pass the folder with your ca.pem, cert.pem and key.pem as --identity or \
             TIPOFF_IDENTITY",
        ));
    };
    Ok(Client::new(&global.server, identity)?)
}
