//! No byte leaves before a durable record says that it may: not as the host says it, but as its system calls show it.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use samsyn::disk::DataDir;
use samsyn::log::{ScanFrom, StoppedLog};
use samsyn::record::{CallRecord, Reader, Record};
use serde_json::json;

use crate::egress::{bind, capability};
use samsyn_harness::world::{World, until, until_ok};
use samsyn_testkit::peer::{Act, Peer};

/// Calls that are looked at.
const CALLS: usize = 50;
/// What the host is asked to show of itself: what it writes at a place, what it makes last, whom it connects to.
const TRACED: &str = "trace=connect,fdatasync,fsync,pwrite64";
/// All records are in the first segment.
const SEGMENT: &str = "/data/log/0000000001.segment>";

/// A system call: the lines of the trace in which it began and ended.
#[derive(Debug)]
struct SystemCall {
    text: String,
    begun: usize,
    ended: usize,
}

impl SystemCall {
    fn is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.text.starts_with(&format!("{name}(")))
    }

    fn result(&self) -> &str {
        self.text.rsplit_once(" = ").map_or("", |(_, result)| result.trim())
    }

    /// Where a write of the segment began.
    fn offset(&self) -> Option<u64> {
        let (arguments, _) = self.text.rsplit_once(')')?;
        arguments.rsplit_once(", ")?.1.trim().parse().ok()
    }

    fn length(&self) -> u64 {
        self.result().parse().unwrap_or(0)
    }
}

/// The system calls of a trace, in the order in which they began. A thread's call that others interrupt has two lines.
fn system_calls(trace: &str) -> Vec<SystemCall> {
    let mut calls: Vec<SystemCall> = Vec::new();
    let mut open: HashMap<&str, usize> = HashMap::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, text)) = text.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(begin) = text.strip_suffix(" <unfinished ...>") {
            open.insert(thread, calls.len());
            calls.push(SystemCall { text: begin.to_owned(), begun: line, ended: usize::MAX });
        } else if text.starts_with("<... ") {
            let Some((_, rest)) = text.split_once(" resumed>") else { continue };
            let Some(call) = open.remove(thread).and_then(|at| calls.get_mut(at)) else { continue };
            call.text.push_str(rest);
            call.ended = line;
        } else {
            calls.push(SystemCall { text: text.to_owned(), begun: line, ended: line });
        }
    }
    calls
}

/// Where the log ends behind each `Sending`, in the log's order.
fn intents(data: &Path) -> Vec<u64> {
    let log = StoppedLog::open(&DataDir(data.to_owned()).log()).expect("the log can be opened");
    let mut scan = Reader::new(log.reader().clone()).scan_all(ScanFrom::Start);
    let mut ends = Vec::new();
    while let Some(read) = scan.next().expect("the log can be read") {
        let is_intent = matches!(read.record(), Ok(Record::Call(CallRecord::Sending(_))));
        if is_intent {
            ends.push(scan.place().number());
        }
    }
    ends
}

/// What of a trace breaks the rule: before each connection its intent was written, and then made last.
fn violations(calls: &[SystemCall], port: u16, intents: &[u64]) -> Vec<String> {
    let of_segment = |call: &&SystemCall| call.text.contains(SEGMENT);
    let writes: Vec<_> = calls.iter().filter(|call| call.is(&["pwrite64"])).filter(of_segment).collect();
    let syncs = calls.iter().filter(|call| call.is(&["fdatasync", "fsync"])).filter(of_segment);
    let syncs: Vec<_> = syncs.filter(|call| call.result() == "0").collect();
    let to_peer = format!("sin_port=htons({port})");
    let connects: Vec<_> =
        calls.iter().filter(|call| call.is(&["connect"]) && call.text.contains(&to_peer)).collect();
    let mut found = Vec::new();
    if connects.len() != intents.len() {
        found.push(format!("{} connections, {} intents", connects.len(), intents.len()));
    }
    let mut before = 0;
    for (number, (connect, intent)) in connects.iter().zip(intents).enumerate() {
        // The frame that ends with the intent is the last that begins before its end.
        let frame = writes
            .iter()
            .filter(|write| write.offset().is_some_and(|at| at < *intent && at + write.length() >= *intent))
            .max_by_key(|write| write.offset());
        let is_last = frame.is_some_and(|frame| {
            syncs.iter().any(|sync| frame.ended < sync.begun && sync.ended < connect.begun)
        });
        if !is_last {
            found.push(format!("connection {number} to the system before its intent was durable: {frame:?}"));
        }
        // The event with its decision, and the intent: each waits for the one before.
        let between = syncs.iter().filter(|sync| sync.begun > before && sync.ended < connect.begun).count();
        if between < 2 {
            found.push(format!("{between} syncs before connection {number}"));
        }
        before = connect.begun;
    }
    found
}

/// Whether there is a tracer. CI has one.
fn has_strace() -> bool {
    let found = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "strace is missing: run scripts/peers");
        // Past the capture of tests, so that it is seen.
        let _ = writeln!(std::io::stderr(), "SKIPPED: strace is missing: run scripts/peers");
    }
    found
}

#[test]
fn the_system_calls_show_a_durable_intent_before_each_connection() {
    if !has_strace() {
        return;
    }
    let peer = Peer::start();
    peer.always(Act { closes: true, ..Act::status(200, "connection: close\r\n", "ok") });
    let settings = [("SAMSYN_REGISTRY_ACCEPT_NEW_FIELDS", "true"), ("SAMSYN_ENGINE_PARTITIONS", "4")];
    let mut world = World::stopped(&settings, "");
    let file = world.directory().join("trace");
    let trace = file.to_str().expect("a path is text");
    world.launch_under(&["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "0", "-e", TRACED, "-o", trace]);
    assert!(world.is_ready(), "{}", world.log());
    world.install(&capability("once"));
    bind(&world, "once", &peer);
    for number in 0..CALLS {
        let script = json!({ "script": [format!("call system PUT /{number} x")] });
        world.happens(&format!("c{number}"), "once.asked", script);
        until("it arrives", || (peer.arrivals().len() > number).then_some(()));
        until_ok("it is answered", || match &world.status()["calls"]["waiting"] {
            waiting if *waiting == 0 => Ok(()),
            waiting => Err(format!("{waiting} wait")),
        });
        world.settle();
    }
    assert!(world.stop().success());
    let arrivals = peer.arrivals();
    let connections: BTreeSet<u64> = arrivals.iter().map(|arrival| arrival.connection).collect();
    assert_eq!((arrivals.len(), connections.len()), (CALLS, CALLS), "each over a connection of its own");
    let trace = std::fs::read_to_string(&file).expect("the trace can be read");
    let (calls, intents) = (system_calls(&trace), intents(&world.data()));
    assert_eq!(intents.len(), CALLS);
    let found = violations(&calls, peer.address().port(), &intents);
    assert!(found.is_empty(), "{found:#?}");
}

/// A trace in which the rule is broken must be found out.
#[test]
fn a_trace_that_breaks_the_rule_is_found_out() {
    let segment = "3</tmp/x/data/log/0000000001.segment>";
    let connect = "7 connect(9<socket:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = -1 EINPROGRESS (now)";
    let write = |at: u64| format!("5 pwrite64({segment}, \"\"..., 100, {at}) = 100");
    let sync = format!("5 fdatasync({segment})   = 0");
    let said = |lines: &[&str]| violations(&system_calls(&lines.join("\n")), 80, &[200]);
    let (one, two) = (write(0), write(100));
    assert!(said(&[&one, &sync, &two, &sync, connect]).is_empty());
    assert_eq!(said(&[&one, &sync, &sync, &two, connect]).len(), 1, "written, and not made last");
    assert_eq!(said(&[&one, &sync, &two, connect, &sync]).len(), 2);
    assert_eq!(said(&[&one, &two, &sync, connect]).len(), 1, "one sync for both");
    let (begin, end) = (format!("5 fdatasync({segment} <unfinished ...>"), "5 <... fdatasync resumed>) = 0");
    assert!(said(&[&one, &sync, &two, &begin, end, connect]).is_empty());
    assert_eq!(said(&[&one, &sync, &two, &begin, connect, end]).len(), 2, "not ended yet");
    assert_eq!(said(&[&one, &sync, &begin, &two, end, connect]).len(), 1, "it began before the write");
    let failed = format!("5 fdatasync({segment}) = -1 EIO (Input/output error)");
    assert_eq!(said(&[&one, &sync, &two, &failed, connect]).len(), 2);
    assert_eq!(said(&[connect, connect]).len(), 3, "nothing was written at all, and there is one too many");
}
