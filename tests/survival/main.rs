//! Survival: the host is killed, aborted at every step that touches the disk, and robbed of its view;
//! what it acknowledged is there afterwards, once and in order.
//!
//! `arena.rs` is the harness: a real host with plug-ins, a seeded load over HTTP (`load.rs`), what
//! was acknowledged of it (`ledger.rs`), admins who change things meanwhile (`chore.rs`), and the
//! checks of a host that runs and of a log that lies still (`inspect.rs`). The suites break
//! something: `kills.rs`, `failpoints.rs`, `view_damage.rs`, `stopping.rs`,
//! `egress.rs` (calls to systems) with `egress_rows.rs`, `strace.rs` (their system calls), `disk_faults.rs`, `old_logs.rs`, `old_identity.rs`. `torture.rs` goes on
//! until it is stopped.
//!
//! `SAMSYN_SEED` repeats what was sent and roughly when what was broken; which records share a
//! commit is up to the machine.

mod arena;
mod chore;
mod dice;
mod disk_faults;
mod egress;
mod egress_rows;
mod failpoints;
mod files;
mod inspect;
mod kills;
mod ledger;
mod load;
mod old_identity;
mod old_links;
mod old_logs;
mod plugins;
mod stopping;
mod strace;
mod torture;
mod view_damage;
