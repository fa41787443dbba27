//! Tipoff, the exchange on which platforms tip one another off.
//!
//! ```text
//!             rpc  ┐                        ┌→ apply → index (fjall) → queries, lookups
//! partner →  https ├→ exchange → journal ───┤             │ checkpoint
//!             cli  ┘  (who, may they,  (sled, └→ feeds: each reader reads the journal
//!                      well formed?)  or files)  from its cursor, up to the checkpoint
//! ```
//!
//! The journal is the source of truth. Everything else is computed from it and can be deleted and computed
//! again.
//!
//! # Where to start
//!
//! - [`domain`]: the types and rules, without I/O. [`domain::sharing::may_see`] decides who may see an object.
//! - [`journal`]: the durable log, in sled by default. [`index`]: the state that its entries add up to.
//! - [`exchange`]: the service. [`rpc`] and [`https`] are the ways in; [`tls`] identifies the caller.
//! - [`client`]: the SDK. The commands in [`cli`] use it like any other client.
//! - [`server`]: puts a node together.
//!
//! # Follow a submission
//!
//! 1. `rpc/authz.rs` maps the client certificate to a [`Caller`](exchange::Caller).
//! 2. `rpc/indicator.rs`, `submit`: `wire/submission.rs` reads the message and checks each item.
//! 3. `exchange/commands/submit.rs`, `submit_batch`: resolves the sharing, rejects items that the partner may not
//!    submit, and builds the body of an entry.
//! 4. `exchange/commit.rs`, `commit_append`: appends the entry under its idempotency key and waits for the outcome.
//! 5. `journal/log.rs`, `append`: the writer thread gathers waiting entries and stores them in one durable write
//!    (`journal/backend/`).
//! 6. `exchange/follower.rs`, `run`: takes the entry from the journal. `index/apply.rs` decides each item
//!    (`index/apply/batch.rs`), writes the result and the checkpoint in one atomic batch, and publishes the outcome.
//! 7. Back in `submit.rs`, `receipt`: the receipt is read from the outcome.
//!
//! # Follow an item to its reader
//!
//! 1. `rpc/feed.rs`, `subscribe`: opens a feed (`exchange/feeds.rs`) at the reader's cursor.
//! 2. `exchange/feeds/stream.rs`, `next`: waits until the checkpoint is past the cursor, and takes entries from the
//!    journal. Recent entries come from memory (`journal/tail.rs`).
//! 3. `exchange/feeds/changes.rs`: what an entry means to this reader. For a batch, `changes/batch.rs` asks
//!    `exchange/visibility.rs` which items the reader may see and its filter matches.
//! 4. `rpc/feed/message.rs`, `fill`: encodes the common part of each item once for all readers, and what depends on
//!    access rights once for each class of readers (`wire/feed.rs`).
//! 5. `rpc/feed.rs`, `run`: sends the message. A slow reader delays nobody: its entries wait in the journal.

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
