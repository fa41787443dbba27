//! Creates the client from the global flags.

use super::Global;
use super::failure::Failure;
use crate::client::{Client, RetryPolicy};

/// A client for the exchange and identity that the flags name.
pub fn client(global: &Global) -> Result<Client, Failure> {
    let Some(identity) = &global.identity else {
        return Err(Failure::usage(
            "no identity: pass the folder with your ca.pem, cert.pem and key.pem as --identity or \
             TIPOFF_IDENTITY, or name it in ~/.config/tipoff/config.toml",
        ));
    };
    let retry_policy = RetryPolicy { timeout: global.timeout, ..RetryPolicy::default() };
    Ok(Client::of_nodes(global.servers.iter(), identity)?.with_retry_policy(retry_policy))
}
