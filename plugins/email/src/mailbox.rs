//! What is known of one address, from events in any order.

use samsyn_plugin::{Memory, Timestamp};
use serde::{Deserialize, Serialize};

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

/// One address: at most 20 soft bounces and a few numbers, under 300 bytes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Which address this is about, as a hash: enough to see that it is another one now.
    address: u64,
    /// The newest sign that mail arrives.
    reached_at: Option<Timestamp>,
    /// The newest hard bounce.
    bounced_at: Option<Timestamp>,
    /// The newest soft bounces after `reached_at`, oldest first.
    soft_bounces: Vec<Timestamp>,
    /// Opens and clicks, each halved for every 30 days until `engaged_at`.
    warmth: f64,
    /// The newest open or click.
    engaged_at: Option<Timestamp>,
}

impl Memory for Mailbox {
    const VERSION: u8 = 1;
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
        }
    }

    pub fn is_of(&self, address: &str) -> bool {
        self.address == address_hash(address) || former_hashes(address).any(|hash| self.address == hash)
    }

    /// Mail arrived; soft bounces before that are forgiven.
    pub fn reached(&mut self, at: Timestamp) {
        let newest = self.reached_at.map_or(at, |known| known.max(at));
        self.reached_at = Some(newest);
        self.soft_bounces.retain(|bounce| *bounce > newest);
    }

    /// The address doesn't take mail, and won't.
    pub fn bounced_hard(&mut self, at: Timestamp) {
        self.bounced_at = self.bounced_at.max(Some(at));
    }

    /// The address didn't take mail this time: full, or its server down.
    pub fn bounced_soft(&mut self, at: Timestamp) {
        if self.reached_at.is_some_and(|reached| reached >= at) {
            return;
        }
        let place = self.soft_bounces.partition_point(|bounce| *bounce <= at);
        self.soft_bounces.insert(place, at);
        if self.soft_bounces.len() > SOFT_BOUNCES_KEPT {
            self.soft_bounces.remove(0);
        }
    }

    /// A person opened a message, or clicked in it.
    pub fn engaged(&mut self, at: Timestamp, clicked: bool) {
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
        if bounced || self.soft_bounces.len() >= soft_bounces_max {
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

/// Whether two texts are one address, however each spells it.
pub fn same_address(one: &str, other: &str) -> bool {
    let matching = || email_addresses::matching(one).ok().zip(email_addresses::matching(other).ok());
    folded(one).eq(folded(other)) || matching().is_some_and(|(one, other)| one == other)
}

/// FNV-1a over the matching form. It only has to tell this customer's few addresses apart.
fn address_hash(address: &str) -> u64 {
    match email_addresses::matching(address) {
        Ok(form) => hash(form.chars()),
        // What is no address, another source of the field may show all the same.
        Err(_) => hash(folded(address)),
    }
}

/// The hashes by which memory from before `email-addresses` may know this address: the text in
/// lower case, as it stood in the profile. The customer register kept the domain in ASCII, the
/// address book in its own letters.
fn former_hashes(address: &str) -> impl Iterator<Item = u64> {
    let kept = email_addresses::parse(address).unwrap_or_else(|_| address.to_owned());
    let shown = email_addresses::display(&kept);
    [hash(folded(address)), hash(folded(&kept)), hash(folded(&shown))].into_iter()
}

fn folded(address: &str) -> impl Iterator<Item = char> + '_ {
    address.trim().chars().flat_map(char::to_lowercase)
}

fn hash(letters: impl Iterator<Item = char>) -> u64 {
    let step = |hash: u64, letter: char| (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x100_0000_01b3);
    letters.fold(0xcbf2_9ce4_8422_2325, step)
}
