//! Checking a stopped host's view: the log is folded into a second one, and they are compared.

use std::path::Path;

use super::View;
use super::compare::Comparison;
use super::entry::Base;
use super::store::StoreError;
use crate::config::{DataDir, EngineConfig, ViewConfig};
use crate::log::{LogReader, Progress};

/// What checking a view found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewCheck {
    /// Why the view is no fold of this log, when it isn't: the next start folds it anew.
    pub unusable: Option<String>,
    /// Records it was behind the log, which a start would have folded, and this check did.
    pub behind: u64,
    /// How it differs from a fresh fold.
    pub found: Comparison,
}

/// Folds the log into a second view beside the first, compares the two and deletes the second. The
/// log must be held by the caller, so that no host writes meanwhile.
pub fn check(
    data: &DataDir,
    log: &LogReader,
    config: &ViewConfig,
    engine: &EngineConfig,
    bases: impl FnMut() -> Option<Box<dyn Base>>,
    progress: impl FnMut(Progress),
) -> Result<ViewCheck, StoreError> {
    let (view, behind) = match View::open_existing(&data.view(), log, config, engine, |_| {})? {
        Ok(opened) => opened,
        Err(why) => return Ok(ViewCheck { unusable: Some(why), ..ViewCheck::default() }),
    };
    let second = data.view_check();
    remove(&second)?;
    let (fresh, _) = View::open_from(&second, log, config, engine, bases, progress)?;
    let found = view.compare(&fresh)?;
    drop(fresh);
    remove(&second)?;
    Ok(ViewCheck { unusable: None, behind, found })
}

/// Also what an earlier check left that was stopped in the middle.
fn remove(second: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(second) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::unreadable(error)),
        _ => Ok(()),
    }
}
