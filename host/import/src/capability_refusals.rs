//! What capabilities refused of the events that an import added: counted at its end, from the host's
//! own list.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::added::Added;
use super::patience;
use samsyn_client::{Client, ClientError};
use samsyn_terminal::Stop;
use samsyn_terminal::output::{grouped, plain};
use samsyn_vocabulary::{Position, Seq};
use samsyn_wire::{ListedRefusal, RefusalPage};

/// Partitions that one call asks for: their positions are in its address.
const PARTITIONS_A_CALL: usize = 64;
/// Refusals of a page.
const PAGE_ITEMS: u64 = 1_000;
/// Kinds of refusals that are told apart: a plug-in may make up codes without end.
const KINDS_MAX: usize = 1_000;
/// Stands for the code of all further ones.
const FURTHER: &str = "(others)";
/// How long to wait for decisions while the host makes none.
const STANDSTILL_MAX: Duration = Duration::from_secs(10);
/// How long to wait before asking again how far the host is.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// What capabilities refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CapabilityRefusals {
    /// The most frequent first.
    pub counts: Vec<Count>,
    /// Events that not every capability has decided yet: more may follow.
    pub undecided: u64,
    /// The token doesn't see every rejection: there may be others.
    pub hidden: bool,
}

/// How often a capability refused with a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The capability that rejected it.
    pub capability: String,
    /// With which code.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// Waits until the host has decided the events, for as long as it goes on and patience lasts, and counts
/// what was refused of them. None when the host is of a version that doesn't list refusals.
pub fn count(
    client: &Client,
    added: &Added,
    patience: Duration,
    stop: &Stop,
) -> Result<Option<CapabilityRefusals>, ClientError> {
    let asking = Asking { client, added, patience, stop, until: Instant::now() + patience };
    let mut found = CapabilityRefusals::default();
    let mut counts = BTreeMap::new();
    for spans in added.spans().chunks(PARTITIONS_A_CALL) {
        let Some(undecided) = asking.wait(spans)? else { return Ok(None) };
        found.undecided += undecided;
        found.hidden |= asking.count(spans, &mut counts)?;
    }
    found.counts =
        counts.into_iter().map(|((capability, code), count)| Count { capability, code, count }).collect();
    found.counts.sort_by_key(|counted| std::cmp::Reverse(counted.count));
    Ok(Some(found))
}

struct Asking<'a> {
    client: &'a Client,
    added: &'a Added,
    patience: Duration,
    stop: &'a Stop,
    until: Instant,
}

impl Asking<'_> {
    fn page(
        &self,
        since: &str,
        limit: u64,
        cursor: Option<&str>,
    ) -> Result<Option<RefusalPage>, ClientError> {
        patience::ask(self.patience, self.stop, || self.client.refusals_page(since, limit, cursor))
    }

    /// Waits for the decisions, and says how many events are still without one.
    fn wait(&self, spans: &[(Position, Position)]) -> Result<Option<u64>, ClientError> {
        // Behind every record: the host looks at none, and only says how far it is.
        let behind_all: Vec<Position> =
            spans.iter().map(|(_, last)| Position { seq: Seq::MAX, ..*last }).collect();
        let behind_all = since(behind_all.iter());
        let mut progress_at = Instant::now();
        let mut seen = Vec::new();
        loop {
            let Some(page) = self.page(&behind_all, 1, None)? else { return Ok(None) };
            let undecided = page.decided.iter().map(|through| self.added.behind(*through)).sum();
            if page.decided != seen {
                (seen, progress_at) = (page.decided, Instant::now());
            }
            let standstill = STANDSTILL_MAX.min(self.patience);
            let is_over = Instant::now() >= self.until || progress_at.elapsed() >= standstill;
            if undecided == 0 || is_over || self.stop.wait(ASK_AGAIN) {
                return Ok(Some(undecided));
            }
        }
    }

    /// Counts refusals of its own events; says whether others may be hidden.
    fn count(
        &self,
        spans: &[(Position, Position)],
        counts: &mut BTreeMap<(String, String), u64>,
    ) -> Result<bool, ClientError> {
        let firsts = since(spans.iter().map(|(first, _)| first));
        let mut cursor = None;
        loop {
            let Some(page) = self.page(&firsts, PAGE_ITEMS, cursor.as_deref())? else { return Ok(false) };
            let is_own = |refusal: &ListedRefusal| {
                refusal.position.known().is_some_and(|position| self.added.contains(*position))
            };
            for refusal in page.items.into_iter().filter(is_own) {
                let kind = (refusal.capability.to_string(), refusal.code);
                let kind = match counts.len() < KINDS_MAX || counts.contains_key(&kind) {
                    true => kind,
                    false => (kind.0, FURTHER.to_owned()),
                };
                *counts.entry(kind).or_default() += 1;
            }
            match page.next {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => return Ok(!page.shows_all),
            }
        }
    }
}

fn since<'p>(positions: impl Iterator<Item = &'p Position>) -> String {
    positions.map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl CapabilityRefusals {
    /// The lines under a summary; `list` is the command that lists refusals.
    pub fn text(&self, list: &str) -> String {
        let mut by_capability: BTreeMap<&str, (u64, Vec<String>)> = BTreeMap::new();
        for Count { capability, code, count } in &self.counts {
            let (sum, codes) = by_capability.entry(capability).or_default();
            *sum += count;
            codes.push(format!("{code} ({})", grouped(*count)));
        }
        let mut text = String::new();
        for (capability, (sum, codes)) in by_capability {
            let codes = plain(&codes.join(", "));
            text.push_str(&format!("{} rejected {}: {codes}\n", plain(capability), grouped(sum)));
        }
        if self.undecided > 0 {
            text.push_str(&format!(
                "not every capability has decided {} of the events yet; more rejections may follow\n",
                grouped(self.undecided)
            ));
        }
        if self.hidden {
            text.push_str("this token doesn't see every rejection; a token that reads everything does\n");
        }
        if !text.is_empty() {
            text.push_str(&format!("to list the rejections: {list}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_where_nothing_was_refused() {
        assert_eq!(CapabilityRefusals::default().text("samsyn event refusals"), "");
    }

    #[test]
    fn each_capability_has_its_line_and_what_is_open_is_told() {
        let count = |capability: &str, code: &str, count| Count {
            capability: capability.to_owned(),
            code: code.to_owned(),
            count,
        };
        let found = CapabilityRefusals {
            counts: vec![
                count("loyalty", "order.amount", 1_000),
                count("crm", "phone.invalid", 3),
                count("loyalty", "order.id", 2),
            ],
            undecided: 7,
            hidden: false,
        };
        assert_eq!(
            found.text("samsyn event refusals --since T"),
            "crm rejected 3: phone.invalid (3)\n\
             loyalty rejected 1,002: order.amount (1,000), order.id (2)\n\
             not every capability has decided 7 of the events yet; more rejections may follow\n\
             to list the rejections: samsyn event refusals --since T\n"
        );
        let hidden = CapabilityRefusals { hidden: true, ..CapabilityRefusals::default() };
        assert!(hidden.text("x").contains("doesn't see every rejection"));
    }
}
