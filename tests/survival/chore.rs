//! What admins do while the host may die: install, upgrade, start over, give a field to another
//! system, have a snapshot made. Each is one call, which has happened when it was acknowledged and may have otherwise.

use serde_json::json;

use crate::dice::Dice;
use crate::plugins::{self, version_text};
use samsyn_harness::caller::Caller;

/// What an admin does during a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chore {
    /// Nothing.
    None,
    /// Installs a plug-in that was never there.
    Install,
    /// Installs another version of the probe.
    Upgrade,
    /// Installs another version of the tally, which starts over from the oldest event.
    CatchUp,
    /// Gives the city to the other system, and consumers are told.
    Reassign,
    /// Has a snapshot made, which nothing but the next fold of the view depends on.
    Snapshot,
}

/// Of a dozen rounds.
const CHORES: [Chore; 12] = [
    Chore::None,
    Chore::None,
    Chore::Install,
    Chore::Upgrade,
    Chore::Upgrade,
    Chore::CatchUp,
    Chore::CatchUp,
    Chore::Reassign,
    Chore::Reassign,
    Chore::Reassign,
    Chore::Snapshot,
    Chore::Snapshot,
];

/// The registry as the admins know it.
#[derive(Default)]
pub struct Admins {
    /// Versions of counters that were made.
    versions: u64,
    idle: u64,
    /// What must be there, one after the other; the last one only when it was acknowledged.
    asked: Option<Asked>,
}

struct Asked {
    wish: Wish,
    acknowledged: bool,
}

enum Wish {
    Idle(String),
    Version(&'static str, String),
    Source(&'static str),
}

impl Admins {
    pub fn choose(dice: &mut Dice) -> Chore {
        *dice.one_of(&CHORES)
    }

    /// Does it, if the host lives so long.
    pub fn try_to(&mut self, chore: Chore, caller: &Caller) {
        let (wish, answer) = match chore {
            Chore::None => return,
            Chore::Snapshot => {
                if let Ok(answer) = caller.try_send("POST", "/v1/snapshots", &[], b"") {
                    answer.of(202);
                }
                return;
            }
            Chore::Install => {
                self.idle += 1;
                let (name, component) = plugins::idle(self.idle);
                (Wish::Idle(name), install(caller, "?approve=true", &component))
            }
            Chore::Upgrade | Chore::CatchUp => {
                self.versions += 1;
                let (name, query) = match chore {
                    Chore::CatchUp => ("tally", "?approve=true&from=start"),
                    _ => ("probe", "?approve=true"),
                };
                let answer = install(caller, query, &plugins::counting(name, self.versions));
                (Wish::Version(name, version_text(self.versions)), answer)
            }
            Chore::Reassign => {
                let Ok(field) = caller.try_send("GET", "/v1/fields/city", &[], b"") else { return };
                let source = if field.of(200)["source"] == "old" { "new" } else { "old" };
                let body = json!({ "source": source }).to_string();
                let headers = [("content-type", "application/json")];
                let answer = caller.try_send("PUT", "/v1/fields/city/source", &headers, body.as_bytes());
                (Wish::Source(source), answer.ok().map(|answer| answer.of(200)).is_some())
            }
        };
        self.asked = Some(Asked { wish, acknowledged: answer });
    }

    /// After a start: what was acknowledged has happened.
    pub fn make_sure(&mut self, caller: &Caller) {
        let Some(Asked { wish, acknowledged }) = self.asked.take() else { return };
        let (what, happened) = match wish {
            Wish::Idle(name) => {
                let answer = caller.get(&format!("/v1/capabilities/{name}"));
                (format!("the installation of {name}"), answer.status == 200)
            }
            Wish::Version(name, version) => {
                let counter = caller.get(&format!("/v1/capabilities/{name}")).of(200);
                (format!("version {version} of {name}"), counter["version"] == version)
            }
            Wish::Source(source) => {
                let field = caller.get("/v1/fields/city").of(200);
                (format!("{source} as the source of city"), field["source"] == source)
            }
        };
        assert!(happened || !acknowledged, "{what} was acknowledged and is lost");
    }
}

/// Whether it was acknowledged.
fn install(caller: &Caller, query: &str, component: &[u8]) -> bool {
    let headers = [("content-type", "application/wasm")];
    let answer = caller.try_send("POST", &format!("/v1/capabilities{query}"), &headers, component);
    answer.ok().map(|answer| answer.of(201)).is_some()
}
