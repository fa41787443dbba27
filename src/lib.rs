//! Tipoff, the exchange on which platforms tip one another off.
//!
//! ```text
//!             rpc  ┐                        ┌→ apply → index (fjall) → queries, lookups
//! partner →  https ├→ exchange → journal ───┤             │ checkpoint
//!             cli  ┘  (who, may they,  (sled, └→ feeds: each reader reads the journal
//!                      well formed?)  or files)  from its cursor, up to the checkpoint
//! ```
//!
//! The journal is the truth; everything else is computed from it and can be thrown away and
//! computed again. Where to start reading:
//!
//! - [`domain`]: the words and the rules, without I/O. [`domain::sharing::may_see`] is the rule
//!   that every way out of the exchange goes through.
//! - [`journal`]: the durable ordered log, in sled by default, and [`index`]: what it adds up to.
//! - [`exchange`]: the service; [`rpc`] and [`https`] are the ways into it, [`tls`] is who is there.
//! - [`client`]: the SDK, which the commands in [`cli`] use as any other client would.
//! - [`server`]: how a node is put together.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod exchange;
pub mod formats;
pub mod https;
pub mod index;
pub mod journal;
pub mod metrics;
pub mod protobuf;
pub mod rpc;
pub mod server;
pub mod tls;
pub mod wire;
