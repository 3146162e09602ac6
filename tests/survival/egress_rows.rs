//! Rows and kills: many customers' rows in one request, some of which the system refuses, agree with the log as single
//! calls do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use samsyn::record::{AttemptEnd, CallEnd, CallRecord, Framed, Place, RowId, RowStep};
use samsyn::vocabulary::{Digest, ProfileId};
use samsyn_testkit::peer::{Act, Arrival};

/// The capability whose calls are rows.
pub const CLASS: &str = "rows";
/// What its manifest says of its endpoint: few rows a request, so that there are many.
pub const CALLS: &str = "[calls.system]\nreason = \"A system that takes many\"\nmethods = [\"POST\"]\n\
    [calls.system.rows]\npath = \"/rows\"\nformat = \"ndjson\"\nmax = 5\nwait = \"1s\"\n";

/// Whether the system refuses a row, and with it every request that has it.
fn is_refused(row: &str) -> bool {
    row.ends_with('7')
}

/// What the system does with a request, if it usually does this.
pub fn act(arrival: &Arrival, usual: Act) -> Act {
    match arrival.text().lines().any(is_refused) {
        true => Act::status(422, "", "a row is refused"),
        false => usual,
    }
}

/// A request as the log has it.
#[derive(Debug, Default)]
struct Request {
    rows: Vec<RowId>,
    begun: u64,
    /// An attempt of it may have had an effect that nobody saw.
    in_doubt: bool,
}

/// All requests of rows of a log, by their keys.
#[derive(Default)]
pub struct Requests {
    all: BTreeMap<String, Request>,
    /// The request that a row leads now.
    led: HashMap<(ProfileId, u32), String>,
}

impl Requests {
    /// Takes a record about a row.
    pub fn take(&mut self, record: &CallRecord) {
        let call = record.call();
        let me = RowId { profile: record.profile(), generation: call.generation, number: call.number };
        let leader = (me.profile, me.number);
        match record {
            CallRecord::Framed(framed) => {
                let Framed { batch, place, .. } = &**framed;
                if let Place::Leads(others) = place {
                    let rows = std::iter::once(me).chain(others.iter().copied()).collect();
                    let key = key_of(*batch);
                    self.all.insert(key.clone(), Request { rows, ..Request::default() });
                    self.led.insert(leader, key);
                }
            }
            CallRecord::Sending(_) => {
                let request = self.led.get(&leader).and_then(|key| self.all.get_mut(key));
                request.expect("what is sent leads a request").begun += 1;
            }
            CallRecord::Retrying(retrying) if matches!(retrying.row, RowStep::Freed { .. }) => {
                self.led.remove(&leader);
            }
            CallRecord::Retrying(retrying) => {
                let request = self.led.get(&leader).and_then(|key| self.all.get_mut(key));
                if let Some(request) = request {
                    request.in_doubt |= matches!(retrying.how, AttemptEnd::Unknown { .. });
                }
            }
            _ => {}
        }
    }

    /// Where the log and the system disagree. `row_of` is what a row says, `ends` how each ended.
    pub fn violations<'a>(
        &self,
        arrivals: &[Arrival],
        row_of: impl Fn(RowId) -> String,
        ends: impl Iterator<Item = (String, &'a [CallEnd])>,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let mut times: BTreeMap<&str, u64> = BTreeMap::new();
        let mut taken: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for arrival in arrivals {
            let Some((key, request)) = arrival.key.as_ref().and_then(|key| self.all.get_key_value(key))
            else {
                found.push(format!("{:?} arrived, and the log has no such request", arrival.text()));
                continue;
            };
            *times.entry(key).or_default() += 1;
            let rows: Vec<String> = arrival.text().lines().map(str::to_owned).collect();
            let expected: Vec<String> = request.rows.iter().map(|row| row_of(*row)).collect();
            if arrival.complete && rows != expected {
                found.push(format!("{key} arrived with {rows:?}, not {expected:?}"));
            }
            if arrival.effect && !rows.iter().any(|row| is_refused(row)) {
                rows.into_iter().for_each(|row| {
                    taken.entry(row).or_default().insert(key);
                });
            }
        }
        for (key, times) in times {
            let begun = self.all[key].begun;
            if times > begun {
                found.push(format!("{key} arrived {times} times, and {begun} were intended"));
            }
        }
        let is_doubted =
            |request: &&Request| request.in_doubt && request.rows.iter().any(|row| is_refused(&row_of(*row)));
        let doubted = self.all.values().filter(is_doubted).flat_map(|request| &request.rows);
        let doubted: BTreeSet<String> = doubted.map(|row| row_of(*row)).collect();
        for (row, ends) in ends {
            let effects = taken.get(&row).map_or(0, BTreeSet::len);
            let (status, expected) = if is_refused(&row) { (422, 0) } else { (200, 1) };
            let is_so = |status, expected| effects == expected && ends == [CallEnd::Response { status }];
            // A refusal after a doubt halves nothing: each row of the request gets it.
            let is_refused_with_others = doubted.contains(&row) && is_so(422, 0);
            if !is_so(status, expected) && !is_refused_with_others {
                found.push(format!("the row {row} had {effects} effects, and ended as {ends:?}"));
            }
        }
        found
    }

    /// Requests of more than one row.
    pub fn shared(&self) -> usize {
        self.all.values().filter(|request| request.rows.len() > 1 && request.begun > 0).count()
    }
}

/// The key of a request, as the system gets it: a UUID of version 8.
fn key_of(batch: Digest) -> String {
    let mut bytes = batch.0;
    (bytes[6], bytes[8]) = (bytes[6] & 0x0f | 0x80, bytes[8] & 0x3f | 0x80);
    let hex = Digest(bytes).to_string();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-")
}
