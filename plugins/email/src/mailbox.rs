//! What is known of one address, from events in any order.

use samsyn_plugin::{Memory, MemoryError, Timestamp, memory};
use serde::{Deserialize, Serialize};

use crate::address::{address_hash, former_hashes};
use crate::message::Message;

/// The most soft bounces kept: it bounds the memory, and the setting.
pub const SOFT_BOUNCES_KEPT: usize = 20;

/// What an open adds to the warmth. Opens are easily had: many clients load images unasked.
const OPEN_WARMTH: f64 = 10.0;
/// What a click adds: somebody wanted to read on, worth four opens.
const CLICK_WARMTH: f64 = 40.0;
/// After so long half of the warmth is left: a month is a usual round of newsletters.
const HALF_LIFE_MILLIS: f64 = 30.0 * 86_400_000.0;
/// The warmth that scores 50. Scores approach 100 and never reach it, so there is no ceiling under
/// which the order of events would matter.
const WARMTH_OF_HALF: f64 = 100.0;

/// Reports without a message's id that are nearer than this are of one bounce: two systems tell of
/// it, and their clocks differ. A service that tries one message for days is told by the id alone.
const UNNAMED_APART_MILLIS: i64 = 60_000;
/// How many opens and clicks are known again. A repeated report comes soon after the first.
const TOLD_KEPT: usize = 20;

/// One address: at most 20 soft bounces, 20 short hashes and a few numbers, under 450 bytes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Which address this is about, as a hash: enough to see that it is another one now.
    address: u64,
    /// The newest sign that mail arrives.
    reached_at: Option<Timestamp>,
    /// The newest hard bounce.
    bounced_at: Option<Timestamp>,
    /// The newest soft bounces after `reached_at`, oldest first.
    soft_bounces: Vec<SoftBounce>,
    /// Opens and clicks, each halved for every 30 days until `engaged_at`.
    warmth: f64,
    /// The newest open or click.
    engaged_at: Option<Timestamp>,
    /// The opens and clicks told last, of those that named their message.
    told: Vec<u32>,
}

/// A message that wasn't taken this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct SoftBounce {
    /// When, as told last.
    at: Timestamp,
    /// Which message, if the report named it.
    message: Option<Message>,
}

impl Memory for Mailbox {
    const VERSION: u8 = 2;

    fn migrate(version: u8, bytes: &[u8]) -> Result<Mailbox, MemoryError> {
        match version {
            1 => memory::decode::<MailboxV1>(bytes).map(Mailbox::from),
            _ => Err(MemoryError::Unknown { version }),
        }
    }
}

/// As it was before bounces had messages: one told five times is there five times.
#[derive(Deserialize)]
struct MailboxV1 {
    address: u64,
    reached_at: Option<Timestamp>,
    bounced_at: Option<Timestamp>,
    soft_bounces: Vec<Timestamp>,
    warmth: f64,
    engaged_at: Option<Timestamp>,
}

impl From<MailboxV1> for Mailbox {
    fn from(old: MailboxV1) -> Mailbox {
        let mut soft_bounces: Vec<SoftBounce> =
            old.soft_bounces.into_iter().map(|at| SoftBounce { at, message: None }).collect();
        soft_bounces.sort();
        soft_bounces.dedup();
        Mailbox {
            address: old.address,
            reached_at: old.reached_at,
            bounced_at: old.bounced_at,
            soft_bounces,
            warmth: old.warmth,
            engaged_at: old.engaged_at,
            told: Vec::new(),
        }
    }
}

impl Mailbox {
    pub fn new(address: &str) -> Mailbox {
        Mailbox {
            address: address_hash(address),
            reached_at: None,
            bounced_at: None,
            soft_bounces: Vec::new(),
            warmth: 0.0,
            engaged_at: None,
            told: Vec::new(),
        }
    }

    /// What is remembered, if it is of this address.
    pub fn of(self, address: &str) -> Option<Mailbox> {
        let hash = address_hash(address);
        let is_it = self.address == hash || former_hashes(address).any(|former| self.address == former);
        is_it.then_some(Mailbox { address: hash, ..self })
    }

    /// Mail arrived; soft bounces before that are forgiven.
    pub fn reached(&mut self, at: Timestamp) {
        let newest = self.reached_at.map_or(at, |known| known.max(at));
        self.reached_at = Some(newest);
        self.soft_bounces.retain(|bounce| bounce.at > newest);
    }

    /// The address doesn't take mail, and won't.
    pub fn bounced_hard(&mut self, at: Timestamp) {
        self.bounced_at = self.bounced_at.max(Some(at));
    }

    /// The address didn't take a message this time: full, or its server down. A message that is
    /// tried again is the same one, at its newest time.
    pub fn bounced_soft(&mut self, at: Timestamp, message: Option<Message>) {
        if self.reached_at.is_some_and(|reached| reached >= at) {
            return;
        }
        let bounces = &mut self.soft_bounces;
        let known = bounces
            .iter_mut()
            .find(|known| known.message == message && (message.is_some() || known.at == at));
        match known {
            Some(known) => known.at = known.at.max(at),
            None => bounces.push(SoftBounce { at, message }),
        }
        bounces.sort();
        if bounces.len() > SOFT_BOUNCES_KEPT {
            bounces.remove(0);
        }
    }

    /// How many messages in a row bounced softly.
    fn soft_bounces_in_a_row(&self) -> usize {
        let near = |one: Timestamp, other: Timestamp| one.millis_since(other).abs() < UNNAMED_APART_MILLIS;
        let (named, unnamed): (Vec<SoftBounce>, Vec<SoftBounce>) =
            self.soft_bounces.iter().partition(|bounce| bounce.message.is_some());
        let mut counted: Option<Timestamp> = None;
        let mut count = named.len();
        for SoftBounce { at, .. } in unnamed {
            let is_known =
                named.iter().any(|named| near(named.at, at)) || counted.is_some_and(|last| near(at, last));
            if !is_known {
                count += 1;
                counted = Some(at);
            }
        }
        count
    }

    /// A person opened a message, or clicked in it. The same of the same message at the same
    /// moment is told again.
    pub fn engaged(&mut self, at: Timestamp, clicked: bool, message: Option<Message>) {
        if let Some(report) = message.map(|message| message.report(clicked, at)) {
            if self.told.contains(&report) {
                return;
            }
            self.told.push(report);
            if self.told.len() > TOLD_KEPT {
                self.told.remove(0);
            }
        }
        let added = if clicked { CLICK_WARMTH } else { OPEN_WARMTH };
        let newest = self.engaged_at.map_or(at, |known| known.max(at));
        let known = self.engaged_at.map_or(0.0, |known| self.warmth * left_after(newest.millis_since(known)));
        self.warmth = known + added * left_after(newest.millis_since(at));
        self.engaged_at = Some(newest);
    }

    /// Whether mail arrives; none when nothing has shown it yet. A hard bounce counts until mail
    /// arrives at a later time.
    pub fn deliverable(&self, soft_bounces_max: usize) -> Option<bool> {
        let bounced = self.bounced_at.is_some() && self.bounced_at >= self.reached_at;
        if bounced || self.soft_bounces_in_a_row() >= soft_bounces_max {
            return Some(false);
        }
        self.reached_at.map(|_| true)
    }

    /// The score, 0 to 99, and the time it is of.
    pub fn engagement(&self) -> Option<(i64, Timestamp)> {
        let score = 100.0 * self.warmth / (self.warmth + WARMTH_OF_HALF);
        // Rounded down, so that 99 is the most.
        self.engaged_at.map(|at| ((score as i64).min(99), at))
    }
}

/// The part of a warmth that is left after so many milliseconds: 2^(-elapsed / 30 days).
fn left_after(elapsed_millis: i64) -> f64 {
    (-(elapsed_millis as f64) / HALF_LIFE_MILLIS).exp2()
}
