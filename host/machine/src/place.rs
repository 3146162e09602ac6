//! Where a data directory is: enough to notice that it is a copy, and no more than that.
//!
//! | | a start again | after a reboot | moved by `mv` | a copy on this machine | on another machine |
//! |---|---|---|---|---|---|
//! | machine | same | same | same | same | **other** |
//! | the directory's inode and birth | same | same | same | **other** | mostly other |
//! | device | same | may change | same | other, or the same | any |
//!
//! So the device counts only since the last reboot: it is what tells a clone of a file system from the first one.
//! What isn't known, on either side, tells nothing. A clone of a whole machine can't be told from it.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use samsyn_vocabulary::Digest;
use serde::{Deserialize, Serialize};

/// Where systemd and its relatives keep who the machine is.
const MACHINE_ID: &str = "/etc/machine-id";
/// Where Linux keeps which start of the machine this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Where a data directory is, or was when it was used last. Machine and boot are digests: their ids are nobody
/// else's to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Which machine; empty if it isn't known.
    pub machine: String,
    /// Which start of it; empty if it isn't known.
    pub boot: String,
    /// The number of the file system that the directory is in. It may change with a reboot.
    pub device: String,
    /// The directory's own number there.
    pub inode: String,
    /// When the directory was made, in nanoseconds; empty if the file system doesn't say so.
    pub born: String,
    /// Set by a restore: the directory wasn't used since.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
}

/// Why a data directory isn't known to be the one that was used last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It was restored from a backup.
    Restored,
    /// It was used on another machine.
    Machine,
    /// It is a copy of the one that was used.
    Copy,
    /// Nobody wrote down where it was used.
    Unknown,
}

impl Place {
    /// Where a directory is now. `machine` says which machine this is; empty: the system does.
    pub fn of(directory: &Path, machine: &str) -> io::Result<Place> {
        let of_system = || std::fs::read_to_string(MACHINE_ID).unwrap_or_default();
        let machine = if machine.is_empty() { of_system() } else { machine.to_owned() };
        let boot = std::fs::read_to_string(BOOT_ID).unwrap_or_default();
        let about = std::fs::metadata(directory)?;
        let born = about.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let (device, inode) = numbers(&about);
        Ok(Place {
            machine: digest("samsyn machine", &machine),
            boot: digest("samsyn boot", &boot),
            device,
            inode,
            born: born.map(|born| born.as_nanos().to_string()).unwrap_or_default(),
            restored: false,
        })
    }

    /// What a restore leaves.
    pub fn restored() -> Place {
        Place { restored: true, ..Place::default() }
    }

    /// Whether a directory that is here now isn't the one that was used `before`.
    pub fn moved_since(&self, before: &Place) -> Option<Moved> {
        let differs = |now: &str, then: &str| !now.is_empty() && !then.is_empty() && now != then;
        if before.restored {
            return Some(Moved::Restored);
        }
        if differs(&self.machine, &before.machine) {
            return Some(Moved::Machine);
        }
        if before.inode.is_empty() {
            return Some(Moved::Unknown);
        }
        let same_boot = !self.boot.is_empty() && self.boot == before.boot;
        let copied = differs(&self.inode, &before.inode)
            || differs(&self.born, &before.born)
            || (same_boot && differs(&self.device, &before.device));
        copied.then_some(Moved::Copy)
    }

    /// It as a file.
    pub fn to_text(&self) -> String {
        // Plain texts: nothing in it can fail.
        let table = toml::to_string(self).unwrap_or_default();
        format!(
            "# Where this data directory was used last: `samsyn serve` writes it at each start. On a copy, or on\n# another machine, the host starts with all sending paused.\n{table}"
        )
    }

    /// Reads such a file. What can't be read names no place.
    pub fn from_text(text: &str) -> Place {
        toml::from_str(text).unwrap_or_default()
    }
}

fn digest(what: &str, id: &str) -> String {
    match id.trim() {
        // What an image has before its first start.
        "" | "uninitialized" => String::new(),
        id => Digest::of(format!("{what}\n{id}").as_bytes()).to_string(),
    }
}

#[cfg(unix)]
fn numbers(about: &std::fs::Metadata) -> (String, String) {
    use std::os::unix::fs::MetadataExt;
    (about.dev().to_string(), about.ino().to_string())
}

/// Elsewhere only its birth tells directories apart; the number says that somebody wrote this down.
#[cfg(not(unix))]
fn numbers(_: &std::fs::Metadata) -> (String, String) {
    (String::new(), "0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        let text = |text: &str| text.to_owned();
        Place {
            machine: text("m1"),
            boot: text("b1"),
            device: text("7"),
            inode: text("42"),
            born: text("1000"),
            restored: false,
        }
    }

    fn moved(change: impl FnOnce(&mut Place)) -> Option<Moved> {
        let mut now = place();
        change(&mut now);
        now.moved_since(&place())
    }

    fn set(part: &mut String, to: &str) {
        to.clone_into(part);
    }

    #[test]
    fn a_copy_and_another_machine_are_noticed_and_a_reboot_and_a_move_are_not() {
        assert_eq!(moved(|_| ()), None);
        assert_eq!(moved(|now| set(&mut now.machine, "m2")), Some(Moved::Machine));
        assert_eq!(moved(|now| set(&mut now.inode, "43")), Some(Moved::Copy));
        assert_eq!(moved(|now| set(&mut now.born, "1001")), Some(Moved::Copy), "the number was used again");
        assert_eq!(moved(|now| set(&mut now.device, "8")), Some(Moved::Copy), "a clone of the file system");
        let rebooted = |now: &mut Place| {
            set(&mut now.boot, "b2");
            set(&mut now.device, "8");
        };
        assert_eq!(moved(rebooted), None, "device numbers may change with a reboot");
        let nothing_known = |now: &mut Place| {
            [&mut now.machine, &mut now.boot, &mut now.born].into_iter().for_each(String::clear);
        };
        assert_eq!(moved(nothing_known), None);
        assert_eq!(place().moved_since(&Place::restored()), Some(Moved::Restored));
        assert_eq!(place().moved_since(&Place::from_text("{")), Some(Moved::Unknown));
    }

    #[test]
    fn a_directory_keeps_its_place_when_it_is_moved_and_a_copy_has_another() {
        let outside = tempfile::tempdir().unwrap();
        let at = |name: &str| outside.path().join(name);
        std::fs::create_dir(at("one")).unwrap();
        let before = Place::of(&at("one"), "my-machine").unwrap();
        assert_eq!(Place::from_text(&before.to_text()), before);
        assert_eq!(Place::from_text(&Place::restored().to_text()), Place::restored());
        assert!(!before.to_text().contains("my-machine"), "a digest alone: {}", before.to_text());
        std::fs::write(at("one").join("file"), "more").unwrap();
        std::fs::rename(at("one"), at("two")).unwrap();
        assert_eq!(Place::of(&at("two"), "my-machine").unwrap().moved_since(&before), None);
        assert_eq!(Place::of(&at("two"), "there").unwrap().moved_since(&before), Some(Moved::Machine));
        std::fs::create_dir(at("three")).unwrap();
        assert_eq!(Place::of(&at("three"), "my-machine").unwrap().moved_since(&before), Some(Moved::Copy));
    }
}
