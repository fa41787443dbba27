//! Tipoff, the exchange on which platforms tip one another off.
//!
//! ```text
//!                                           ┌→ apply → index (fjall) → queries, lookups
//! partner →  rpc ──→ exchange ──→ journal ──┤             │ checkpoint
//!             (who, may they,   (sled, or   └→ feeds: each reader reads the journal
//!              well formed?)     files)        from its cursor, up to the checkpoint
//! ```
//!
//! The checkpoint is the sequence of the last entry that the index has applied.
//!
//! The journal is the source of truth. Everything else is computed from it and can be deleted and computed
//! again, but for the cursors of named subscriptions: they have a store of their own.
//!
//! # Where to start
//!
//! - [`domain`]: the types and rules, without I/O. [`domain::sharing::may_see`] decides who may see an object.
//! - [`journal`]: the durable log, in sled by default. [`index`]: the state that its entries add up to.
//! - [`exchange`]: the service. [`rpc`] is the way in for partners; [`tls`] identifies the caller. [`https`]
//!   serves metrics and probes to the operator.
//! - [`client`]: the SDK. The commands in [`cli`] use it like any other client.
//! - [`server`]: puts a node together.
//!
//! # Follow a submission
//!
//! 1. `rpc/authz.rs` maps the client certificate to a [`Caller`](exchange::Caller).
//! 2. `rpc/indicator.rs`, `submit`: `wire/submission.rs` reads the message and checks each item.
//! 3. `exchange/commands/submit.rs`, `submit_batch`: returns the earlier receipt if the batch was stored before.
//!    Otherwise it resolves the sharing, rejects items that the partner may not submit, and builds the body of an
//!    entry.
//! 4. `exchange/commit.rs`, `commit_append`: appends the entry under an id and waits for the outcome. The first
//!    append of a start stores the entry of its epoch before it.
//! 5. `journal/log.rs`, `append`: the writer thread gathers waiting entries. `journal/backend/local.rs` leaves out
//!    ids that it has stored lately (`end.rs`, `plan`), and stores the rest in one write, durable
//!    (`journal/database.rs`, fdatasync) before anything goes on.
//! 6. `exchange/follower.rs`, `run`: takes the entry from the journal. `index/apply.rs` decides each item
//!    (`index/apply/batch.rs`), writes the result and the checkpoint in one atomic batch, and publishes the outcome.
//! 7. Back in `submit.rs`, `receipt`: the receipt is read from the entry and its outcome. If the request closes the
//!    submission, the close and the referral (`exchange/referral.rs`) are entries of their own. A referral that is
//!    void because access rights keep changing is left to a sweep.
//!
//! A retry of a batch is found in step 3 once it is applied, in step 5 while it is on its way, and in step 6 if the
//! journal stored it twice. Each gives the receipt of the first attempt, marked as replayed, for as long as receipts
//! are kept. A batch that was void because its author was suspended, or its audience gone, is decided again. If a
//! write fails, step 5 does not know whether the entry is stored: the partner is asked to send the same again. A
//! full disk or an entry that is too large is refused before anything is written.
//!
//! # Follow an item to its reader
//!
//! 1. `rpc/feed.rs`, `subscribe`: opens a feed (`exchange/feeds.rs`) from the start, from now or at a cursor. A named
//!    subscription that exists continues at its stored cursor (`exchange/feeds/subscriptions.rs`); its newest reader
//!    takes over the lease. `exchange/feeds/cursor.rs` refuses a cursor of another journal.
//! 2. `exchange/feeds/stream.rs`, `next`: waits until the checkpoint is past the cursor, and takes entries from the
//!    journal. Recent entries come from memory (`journal/tail.rs`).
//! 3. `exchange/feeds/changes.rs`: what an entry means to this reader. For a batch, `changes/batch.rs` asks
//!    [`domain::sharing::may_see`] once with the current rights, and the filter for each item. With the rights before
//!    the entry it decides which replaced versions the reader holds and has to drop. For a liaison each item is
//!    decided by itself, by its release.
//! 4. `rpc/feed/message.rs`, `fill`: fills a message with the batches that are in memory; any other event has a message
//!    of its own. For recent entries the common part of an item is encoded once for all readers, and what depends on
//!    access rights once for each of the first classes of readers (`wire/feed.rs`).
//! 5. `rpc/feed.rs`, `run`: sends the message with its cursor. For a liaison, the access is on disk before. A slow
//!    reader delays nobody: its entries wait in the journal. One that leaves a message unread for 30 s is told the
//!    cursor before it and cut off.
//! 6. The reader resumes with the last cursor that it got, or acknowledges it and resumes by name.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// The commit that this binary was built from. `make release` sets it; a plain build has none, so that it
/// does not depend on git.
pub const COMMIT: Option<&str> = option_env!("TIPOFF_COMMIT");

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
pub mod sampled_log;
pub mod server;
pub mod telemetry;
pub mod tls;
pub mod wire;
