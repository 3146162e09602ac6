//! Comparing two views of one log: a view is right when it is what a fresh fold makes.

use std::collections::BTreeMap;

use super::store::StoreError;
use super::{View, codec, keys};
use samsyn_journal::ProfileState;
use samsyn_log::LogReader;
use samsyn_vocabulary::{Position, ProfileId};

/// Profiles compared in one go.
const PROFILES_A_PAGE: usize = 1_000;
/// Differences that are described; all are counted.
const SAMPLES_MAX: usize = 20;

/// Everything a view holds.
#[derive(Debug, PartialEq)]
pub struct Dump {
    /// Every profile, what capabilities told in the order of their names.
    pub profiles: BTreeMap<ProfileId, ProfileState>,
    /// Every event id that is remembered, by its fingerprint.
    pub events: BTreeMap<u64, Position>,
    /// The profile of every identifier, by the identifier's hash.
    pub links: BTreeMap<[u8; 16], ProfileId>,
    /// All other entries, key by key.
    pub rest: BTreeMap<Vec<u8>, Vec<u8>>,
}

fn sorted(state: &ProfileState) -> ProfileState {
    let mut state = state.clone();
    state
        .capabilities
        .sort_by(|one, other| (&one.capability, one.generation).cmp(&(&other.capability, other.generation)));
    state
}

/// What comparing two views found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Profiles that were compared.
    pub profiles: u64,
    /// Entries that differ: profiles, event ids, links and what is counted.
    pub differences: u64,
    /// The first of them, each in a few words and without anything a customer said.
    pub samples: Vec<String>,
}

impl Comparison {
    fn differs(&mut self, what: impl FnOnce() -> String) {
        self.differences += 1;
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push(what());
        }
    }
}

impl View {
    /// Everything the view holds, for comparing two of them.
    pub fn dump(&self) -> Result<Dump, StoreError> {
        self.flush()?;
        let mut rest = BTreeMap::new();
        for prefix in [keys::WAITING, keys::APPLIED, keys::COUNTERS, keys::TIMERS, keys::CALLS] {
            for entry in self.shared.store.scan(prefix) {
                let (key, value) = entry?;
                rest.insert([prefix, &key].concat(), value.to_vec());
            }
        }
        let profiles = codec::all_profiles(&self.shared.store, self.shared.homes)?;
        let profiles = profiles.into_iter().map(|(id, state)| (id, sorted(&state))).collect();
        let events = self.shared.events.read().dump();
        let links = self.shared.links.read().dump();
        Ok(Dump { profiles, events, links, rest })
    }

    /// Compares with another view of the same log, page by page. Both must be at its end, and
    /// nothing may be applied meanwhile. `self` is what is judged, `right` what it must be.
    pub fn compare(&self, right: &View) -> Result<Comparison, StoreError> {
        self.flush()?;
        right.flush()?;
        let mut found = Comparison::default();
        self.compare_profiles(right, &mut found)?;
        for (prefix, what) in
            [(keys::WAITING, "waiting"), (keys::APPLIED, "place"), (keys::COUNTERS, "counter")]
        {
            self.compare_entries(right, prefix, &mut found, |key| {
                format!("a {what} of partition {} differs", partition_of(key))
            })?;
        }
        self.compare_entries(right, keys::TIMERS, &mut found, |key| {
            let timer = key.and_then(|key| keys::parse_timer(&[keys::TIMERS, key].concat()));
            timer.map_or_else(
                || "a timer's key can't be read".to_owned(),
                |timer| format!("a timer of profile {} is missing, or no longer set", timer.profile),
            )
        })?;
        self.compare_entries(right, keys::CALLS, &mut found, |key| {
            let call = key.and_then(|key| keys::parse_call(&[keys::CALLS, key].concat()));
            call.map_or_else(
                || "a call's key can't be read".to_owned(),
                |call| format!("a call of profile {} is missing, or no longer waits", call.profile),
            )
        })?;
        let (links, expected) = (self.shared.links.read().dump(), right.shared.links.read().dump());
        compare_maps(&links, &expected, |_, link, should| {
            found.differs(|| format!("a link goes to {link:?} instead of {should:?}"));
        });
        self.compare_event_ids(right, &mut found)?;
        Ok(found)
    }

    fn compare_profiles(&self, right: &View, found: &mut Comparison) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = right.profiles_after(after, PROFILES_A_PAGE)?;
            // Up to where both pages reach: what lies beyond is compared with the next one.
            let mine = self.profiles_after(after, PROFILES_A_PAGE)?;
            let full = |page: &[_]| page.len() == PROFILES_A_PAGE;
            let end = match (full(&page), full(&mine)) {
                (false, false) => None,
                (true, false) => page.last().map(|state| state.id),
                (false, true) => mine.last().map(|state| state.id),
                (true, true) => page.last().map(|state| state.id).min(mine.last().map(|state| state.id)),
            };
            let until = |states: Vec<std::sync::Arc<ProfileState>>| -> BTreeMap<ProfileId, ProfileState> {
                let states = states.iter().filter(|state| end.is_none_or(|end| state.id <= end));
                states.map(|state| (state.id, sorted(state))).collect()
            };
            let (mine, page) = (until(mine), until(page));
            found.profiles += page.len() as u64;
            compare_maps(&mine, &page, |id, is, should| {
                found.differs(|| match (is, should) {
                    (None, _) => format!("profile {id} is missing"),
                    (_, None) => format!("profile {id} is no profile of the log"),
                    (Some(is), Some(should)) => {
                        let [is, should] = [is, should].map(|state| state.head.map_or(0, |head| head.seq));
                        format!("profile {id} is at record {is}, and the log at {should}, or differs")
                    }
                });
            });
            match end {
                Some(end) => after = Some(end),
                None => return Ok(()),
            }
        }
    }

    fn compare_entries(
        &self,
        right: &View,
        prefix: &'static [u8],
        found: &mut Comparison,
        describe: impl Fn(Option<&Vec<u8>>) -> String,
    ) -> Result<(), StoreError> {
        let (mut mine, mut expected) = (self.shared.store.scan(prefix), right.shared.store.scan(prefix));
        let (mut is, mut should) = (mine.next().transpose()?, expected.next().transpose()?);
        while is.is_some() || should.is_some() {
            let (key, other) = (is.as_ref().map(|(key, _)| key), should.as_ref().map(|(key, _)| key));
            let (take_mine, take_expected) = match (key, other) {
                (Some(key), Some(other)) => (key <= other, other <= key),
                (key, other) => (key.is_some(), other.is_some()),
            };
            if !(take_mine && take_expected && is == should) {
                found.differs(|| describe(key.or(other)));
            }
            if take_mine {
                is = mine.next().transpose()?;
            }
            if take_expected {
                should = expected.next().transpose()?;
            }
        }
        Ok(())
    }

    fn compare_event_ids(&self, right: &View, found: &mut Comparison) -> Result<(), StoreError> {
        let (mine, expected) = (self.shared.events.read().dump(), right.shared.events.read().dump());
        let full = mine.len().max(expected.len()) as u64 >= self.shared.event_ids_max;
        let horizon = self.shared.newest_event_millis() - self.shared.event_id_millis;
        let mut failed = None;
        compare_maps(&mine, &expected, |_, is, should| {
            // Old ids leave a block at a time, and blocks begin where a batch began: at the edge
            // one view may have forgotten what the other still knows.
            let at_the_edge = match (is, should) {
                (Some(position), None) | (None, Some(position)) => {
                    full || match is_older(&self.shared.log, *position, horizon) {
                        Ok(is_older) => is_older,
                        Err(error) => {
                            failed = Some(error);
                            false
                        }
                    }
                }
                _ => false,
            };
            if !at_the_edge {
                found.differs(|| format!("an event id stands at {is:?} instead of {should:?}"));
            }
        });
        failed.map_or(Ok(()), Err)
    }
}

impl super::Shared {
    /// When the newest event was received that the index knows.
    fn newest_event_millis(&self) -> i64 {
        self.events.read().newest_at().millis()
    }
}

fn is_older(log: &LogReader, position: Position, horizon: i64) -> Result<bool, StoreError> {
    let record = log.read(position).map_err(StoreError::unreadable)?;
    Ok(record.is_some_and(|record| record.appended_at.millis() <= horizon))
}

/// Calls `differs` for every key that isn't the same in both.
fn compare_maps<K: Ord, V: PartialEq>(
    mine: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
    mut differs: impl FnMut(&K, Option<&V>, Option<&V>),
) {
    for (key, should) in expected {
        let is = mine.get(key);
        if is != Some(should) {
            differs(key, is, Some(should));
        }
    }
    for (key, is) in mine.iter().filter(|(key, _)| !expected.contains_key(key)) {
        differs(key, Some(is), None);
    }
}

/// The partition that these keys start with.
fn partition_of(key: Option<&Vec<u8>>) -> String {
    let first = key.and_then(|key| key.first_chunk::<2>());
    first.map_or_else(
        || "?".to_owned(),
        |bytes| samsyn_vocabulary::Partition(u16::from_be_bytes(*bytes)).to_string(),
    )
}
