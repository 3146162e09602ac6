//! A data directory that was restored, or is a copy, begins with all sending paused: two hosts on one history would
//! make the same calls, and neither can know of the other.

use std::io;

use samsyn_disk::{DataDir, durable_file};
use samsyn_engine::{ChangeError, Engine, StopCause};
use samsyn_machine::place::{Moved, Place};
use samsyn_registry::{Attribution, Pause};
use samsyn_vocabulary::{Application, Partition, Position, Reason};
use serde::{Deserialize, Serialize};

/// When sending begins paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutgoingConfig {
    /// Whether a copy of a data directory begins with all sending paused.
    pub pause_copies: bool,
    /// Which machine this is; empty: the system says it.
    pub machine: String,
}

impl Default for OutgoingConfig {
    fn default() -> OutgoingConfig {
        OutgoingConfig { pause_copies: true, machine: String::new() }
    }
}

/// Why sending that is to be paused can't be.
#[derive(Debug, thiserror::Error)]
pub enum PauseError {
    /// The registry can't be changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The change isn't durable.
    #[error(transparent)]
    Stopped(#[from] StopCause),
}

/// Pauses all sending when this data directory isn't the one that was used last, and writes down where it is. To be
/// called before anything is sent. A directory from which nothing could be sent begins as ever.
pub async fn pause_a_copy(
    engine: &Engine,
    data: &DataDir,
    config: &OutgoingConfig,
) -> Result<Option<Moved>, PauseError> {
    let before = written(data);
    let now = Place::of(&data.0, &config.machine);
    if let Err(cause) = &now {
        tracing::warn!(dir = %data.0.display(), %cause, "it can't be seen where the data directory is");
    }
    let now = now.ok();
    let moved = now.as_ref().map_or(Some(Moved::Unknown), |now| now.moved_since(&before));
    let moved = moved.filter(|moved| *moved == Moved::Restored || config.pause_copies);
    if let Some(moved) = moved.filter(|_| could_send(engine)) {
        pause(engine, moved).await?;
        keep(data, now.as_ref(), &before);
        return Ok(Some(moved));
    }
    keep(data, now.as_ref(), &before);
    Ok(None)
}

fn written(data: &DataDir) -> Place {
    match std::fs::read_to_string(data.place()) {
        Ok(text) => Place::from_text(&text),
        Err(cause) => {
            if cause.kind() != io::ErrorKind::NotFound {
                tracing::warn!(file = %data.place().display(), %cause, "it can't be read where the data was used last");
            }
            Place::default()
        }
    }
}

/// Is there a system that something could be sent to?
fn could_send(engine: &Engine) -> bool {
    engine.calls().waiting() > 0 || engine.registry().endpoints().any(|endpoint| endpoint.bound.is_some())
}

async fn pause(engine: &Engine, moved: Moved) -> Result<(), PauseError> {
    let why = because(moved);
    if let Some(pause) = &engine.registry().outgoing_paused {
        tracing::warn!(since = %pause.at, by = %pause.by, "all sending stays paused: {why}");
        return Ok(());
    }
    let reason = format!("{why}, then run `samsyn outgoing resume`");
    let (Ok(by), Ok(reason)) = (Application::new("host"), Reason::new(&reason)) else {
        unreachable!("a name and a sentence of this file are one")
    };
    let pause = Pause { by: by.clone(), reason: reason.clone(), at: engine.clock().now() };
    let by = Attribution { by, reason: Some(reason) };
    let (_, seq) = engine.registrar().change_outgoing(Some(pause), None, by)?;
    if let Some(seq) = seq {
        engine.durable(Position { partition: Partition::REGISTRY, seq }).await?;
    }
    tracing::warn!("all sending is paused: {why}, then run `samsyn outgoing resume`");
    Ok(())
}

fn because(moved: Moved) -> &'static str {
    match moved {
        Moved::Restored => {
            "this data directory was restored from a backup; check the endpoints, and that no other host sends"
        }
        Moved::Machine => {
            "this data directory was used on another machine before; make sure that no other host sends"
        }
        Moved::Copy => {
            "this data directory is a copy of the one that was used before; make sure that no other host sends"
        }
        Moved::Unknown => {
            "it isn't known where this data directory was used before; make sure that no other host sends"
        }
    }
}

/// Only once the pause is durable: else a crash in between would lose it.
fn keep(data: &DataDir, now: Option<&Place>, before: &Place) {
    let Some(now) = now.filter(|now| *now != before) else { return };
    if let Err(cause) = durable_file::write(&data.place(), now.to_text().as_bytes()) {
        tracing::warn!(file = %data.place().display(), %cause,
            "it can't be written where the data is used: the next start takes it for a copy");
    }
}
