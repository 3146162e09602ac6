//! A peer as a process of its own: what survives when the host that calls it is killed.

use std::path::PathBuf;

use super::{Act, Mode, Peer, Setup};

/// What the program is told.
const USAGE: &str = "usage: samsyn-peer --ledger FILE [--port N] [--dedupes] [--mode honest|twice|loses] \
                     [--act JSON] [--script JSON]
  --act     what is done with each request, like {\"late_ms\": 50}
  --script  a list of those, done in turn; then 200
The first line of its output is its URL. It runs until its input ends.";

/// Runs a peer as the arguments say, until standard input ends.
pub fn run(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mut setup = Setup::default();
    let (mut ledger, mut act, mut script) = (None, None, None);
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
        match argument.as_str() {
            "--ledger" => ledger = Some(PathBuf::from(value()?)),
            "--port" => setup.port = value()?.parse().map_err(|_| format!("--port is a number\n{USAGE}"))?,
            "--dedupes" => setup.dedupes = true,
            "--mode" => {
                setup.mode = match value()?.as_str() {
                    "honest" => Mode::Honest,
                    "twice" => Mode::Twice,
                    "loses" => Mode::Loses,
                    other => return Err(format!("there is no mode {other}\n{USAGE}")),
                }
            }
            "--act" => act = Some(json::<Act>(&value()?)?),
            "--script" => script = Some(json::<Vec<Act>>(&value()?)?),
            other => return Err(format!("{other} is unknown\n{USAGE}")),
        }
    }
    let ledger = ledger.ok_or_else(|| format!("--ledger is missing\n{USAGE}"))?;
    let peer = Peer::with(setup, Some(&ledger)).map_err(|error| error.to_string())?;
    if let Some(act) = act {
        peer.always(act);
    }
    if let Some(script) = script {
        peer.script(script);
    }
    println!("{}", peer.url());
    let mut line = String::new();
    // Whoever started it holds its input: with that one it ends.
    while std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {
        if line.trim() == "release" {
            peer.release();
        }
        line.clear();
    }
    drop(peer);
    Ok(())
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("{text} isn't what is expected: {error}\n{USAGE}"))
}
