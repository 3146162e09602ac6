//! Checking a stopped host's view: the log is folded into a second one, and they are compared.
//!
//! A store can't be opened without being written to, so a copy of it is looked at. Whatever that finds,
//! the data directory is what it was.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::View;
use super::compare::Comparison;
use super::entry::Base;
use super::store::StoreError;
use crate::view::{EventIdLimits, ViewConfig};
use samsyn_log::{LogReader, Progress};
use samsyn_vocabulary::Homes;

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

/// A view to be checked. Its log must be held, so that no host writes meanwhile.
pub struct Check<'a> {
    /// The view's directory.
    pub view: &'a Path,
    /// The log it is to be a fold of.
    pub log: &'a LogReader,
    /// Where the log's customers are at home.
    pub homes: Homes,
    /// A directory with room for two such views; what is made there is removed again.
    pub scratch: &'a Path,
}

impl Check<'_> {
    /// Folds the log into a second view and compares a copy of the first with it.
    pub fn run(
        self,
        config: &ViewConfig,
        event_ids: EventIdLimits,
        bases: impl FnMut() -> Option<Box<dyn Base>>,
        progress: impl FnMut(Progress),
    ) -> Result<ViewCheck, StoreError> {
        if !self.view.is_dir() {
            return Ok(ViewCheck { unusable: Some("there is none".to_owned()), ..ViewCheck::default() });
        }
        let scratch = Scratch::make(self.scratch).map_err(|cause| no_room(self.scratch, &cause))?;
        let (copied, second) = (scratch.0.join("view"), scratch.0.join("fresh"));
        copy(self.view, &copied).map_err(|cause| no_room(&copied, &cause))?;
        let (view, behind) =
            match View::open_existing(&copied, self.log, self.homes, config, event_ids, |_| {})? {
                Ok(opened) => opened,
                Err(why) => return Ok(ViewCheck { unusable: Some(why), ..ViewCheck::default() }),
            };
        let (fresh, _) = View::open_from(&second, self.log, self.homes, config, event_ids, bases, progress)?;
        let found = view.compare(&fresh)?;
        drop((view, fresh));
        Ok(ViewCheck { unusable: None, behind, found })
    }
}

fn no_room(path: &Path, cause: &io::Error) -> StoreError {
    StoreError::NoRoom { path: path.to_owned(), cause: cause.to_string() }
}

/// A folder of its own, for nobody else's eyes, which is removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn make(under: &Path) -> io::Result<Scratch> {
        // Nobody can have made it before, to look into it or to lead it elsewhere.
        let path = under.join(format!("samsyn-view-check-{}", uuid::Uuid::new_v4()));
        let mut folder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.create(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "what checking the view made can't be removed: it holds personal data");
        }
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
