//! The client of the flags that every command has.

use super::Global;
use super::failure::Failure;
use crate::client::Client;

/// A client for the exchange and the identity that the flags name.
pub fn client(global: &Global) -> Result<Client, Failure> {
    let Some(identity) = &global.identity else {
        return Err(Failure::usage(
            "no identity: name the folder of your ca.pem, cert.pem and key.pem with --identity or \
             TIPOFF_IDENTITY",
        ));
    };
    Ok(Client::new(&global.server, identity)?)
}
