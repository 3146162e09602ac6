//! What to note elsewhere, so that it can be proved later that nothing was rewritten.
//!
//! ```text
//! samsyn-head-1 log=73125:5d1c… audit=911:a07b…
//! log 12 345 9be1…
//! ```
//!
//! The first line is enough: for each log an offset and a digest over the heads of all partitions
//! before it. The table, a line a partition, lets a check say which of them differs.

use std::collections::BTreeMap;

use serde::Serialize;

use samsyn_log::{ChainHash, Cut, Head, Noted};
use samsyn_vocabulary::{Partition, Position, Seq};

/// What the line starts with; the number is its form's version.
const WORD: &str = "samsyn-head-1";
/// The log of everything that happened.
pub const LOG: &str = "log";
/// The log of reads.
pub const AUDIT: &str = "audit";

/// Where the host's logs stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads(pub Vec<(&'static str, Cut)>);

/// A text that is no noted head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; it must have a line of `samsyn log head`: {WORD} log=OFFSET:DIGEST audit=OFFSET:DIGEST")]
pub struct HeadsError(String);

impl Heads {
    /// The one line.
    pub fn line(&self) -> String {
        let logs = self.0.iter().map(|(name, cut)| format!(" {name}={}:{}", cut.place, cut.digest()));
        logs.fold(WORD.to_owned(), |line, log| line + &log)
    }

    /// The line and the table.
    pub fn text(&self) -> String {
        let mut text = self.line() + "\n";
        for (name, cut) in &self.0 {
            for (partition, head) in &cut.heads {
                text.push_str(&format!("{name} {partition} {} {}\n", head.seq, head.chain));
            }
        }
        text
    }

    /// The same for JSON.
    pub fn head(&self) -> LogHead {
        let logs = self.0.iter().map(|(name, cut)| LogPlace {
            log: name,
            offset: cut.place.number(),
            digest: cut.digest().to_string(),
            partitions: cut.heads.iter().map(|(partition, head)| partition_head(*partition, *head)).collect(),
        });
        LogHead { head: self.line(), logs: logs.collect() }
    }
}

/// What to note elsewhere, to prove later that nothing was rewritten.
#[derive(Clone, Debug, Serialize)]
pub struct LogHead {
    /// The one line to note.
    pub head: String,
    /// Each log.
    pub logs: Vec<LogPlace>,
}

/// Where a log stands.
#[derive(Clone, Debug, Serialize)]
pub struct LogPlace {
    /// `log`, or `audit` for the audit of reads.
    pub log: &'static str,
    /// Bytes of it that count.
    pub offset: u64,
    /// BLAKE3 over the heads of all partitions.
    pub digest: String,
    /// Each partition's head.
    pub partitions: Vec<PartitionHead>,
}

/// Where a partition stands.
#[derive(Clone, Debug, Serialize)]
pub struct PartitionHead {
    /// A number, `registry` or `identity`.
    pub partition: String,
    /// Its last record.
    pub seq: Seq,
    /// That record's link to all before it.
    pub chain: String,
}

fn partition_head(partition: Partition, head: Head) -> PartitionHead {
    PartitionHead { partition: partition.to_string(), seq: head.seq, chain: head.chain.to_string() }
}

/// Reads what was noted, by the log's name: the line, with or without its table, or the JSON.
pub fn parse(text: &str) -> Result<BTreeMap<String, Noted>, HeadsError> {
    match serde_json::from_str(text) {
        Ok(json) => parse_lines(&text_of(&json)),
        Err(_) => parse_lines(text),
    }
}

/// The line and the table, of a [`LogHead`]'s JSON.
pub fn text_of(json: &serde_json::Value) -> String {
    let word = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut text = word(&json["head"]) + "\n";
    for log in json["logs"].as_array().into_iter().flatten() {
        for head in log["partitions"].as_array().into_iter().flatten() {
            let columns = [&log["log"], &head["partition"], &head["seq"], &head["chain"]].map(word);
            text.push_str(&format!("{}\n", columns.join(" ")));
        }
    }
    text
}

fn parse_lines(text: &str) -> Result<BTreeMap<String, Noted>, HeadsError> {
    let mut noted: BTreeMap<String, Noted> = BTreeMap::new();
    let mut rows: Vec<(&str, Partition, Head)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let wrong = || HeadsError(format!("invalid head {:?}", line.chars().take(80).collect::<String>()));
        if let Some(logs) = line.strip_prefix(WORD) {
            for log in logs.split_whitespace() {
                let (name, noted_log) = read_log(log).ok_or_else(wrong)?;
                noted.insert(name, noted_log);
            }
        } else {
            rows.push(read_row(line).ok_or_else(wrong)?);
        }
    }
    if noted.is_empty() {
        return Err(HeadsError("it has no head".to_owned()));
    }
    for (name, partition, head) in rows {
        if let Some(noted) = noted.get_mut(name) {
            noted.heads.push((partition, head));
        }
    }
    Ok(noted)
}

fn read_log(text: &str) -> Option<(String, Noted)> {
    let (name, place) = text.split_once('=')?;
    let (offset, digest) = place.split_once(':')?;
    let noted = Noted { place: offset.parse().ok()?, digest: chain(digest)?, heads: Vec::new() };
    [LOG, AUDIT].contains(&name).then(|| (name.to_owned(), noted))
}

fn read_row(line: &str) -> Option<(&str, Partition, Head)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let [name, partition, seq, hash] = columns.as_slice() else { return None };
    let position: Position = format!("{partition}-{seq}").parse().ok()?;
    Some((name, position.partition, Head { seq: position.seq, chain: chain(hash)? }))
}

fn chain(text: &str) -> Option<ChainHash> {
    blake3::Hash::from_hex(text).ok().map(|hash| ChainHash(*hash.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_log::LogId;

    #[test]
    fn what_is_noted_reads_back_in_every_form() {
        let head = |seq| Head { seq, chain: ChainHash([seq as u8; 32]) };
        let cut = |heads: Vec<(Partition, Head)>, place| Cut {
            log_id: LogId([3; 16]),
            place: samsyn_log::LogPlace::from_number(place),
            heads,
        };
        let heads = Heads(vec![
            (LOG, cut(vec![(Partition(12), head(345)), (Partition::REGISTRY, head(7))], 73_125)),
            (AUDIT, cut(vec![(Partition(0), head(9))], 911)),
        ]);
        let whole: BTreeMap<String, Noted> = heads
            .0
            .iter()
            .map(|(name, cut)| {
                let noted = Noted { place: cut.place, digest: cut.digest(), heads: cut.heads.clone() };
                ((*name).to_owned(), noted)
            })
            .collect();
        assert_eq!(parse(&heads.text()).unwrap(), whole);
        assert_eq!(parse(&serde_json::to_string(&heads.head()).unwrap()).unwrap(), whole);
        let line = parse(&heads.line()).unwrap();
        assert_eq!(line["log"].digest, whole["log"].digest);
        assert!(line.values().all(|noted| noted.heads.is_empty()));
        for bad in
            ["", "{}", "samsyn-head-1", "samsyn-head-1 log=1", "samsyn-head-1 other=1:00", "log 1 2 3", "x"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let mistyped = heads.line().replace("log=73125:", "log=73125:0");
        assert!(parse(&mistyped).is_err());
    }
}
