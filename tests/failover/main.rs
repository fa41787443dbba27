//! A client with several addresses goes on at another node when one fails, and loses nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod cluster;
mod killed;
#[path = "../support/nats.rs"]
mod nats;
#[path = "../support/mod.rs"]
mod support;
