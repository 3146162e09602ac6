//! The load generator: a process of its own, so that its CPU time is its own and the host's threads
//! are as in real life. Plain sockets and a thread a connection: nothing is cheaper on two cores.
//!
//! ```text
//! samsyn-bench load ADDRESS TOKEN PREFIX CONNECTIONS REQUESTS BATCH RATE
//! ```
//!
//! RATE is requests a second of all connections together, 0 for as many as go. With a rate, every
//! eighth request waits for the decision, and its time counts from when it was due. Prints a line
//! of JSON.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::subject::{Chance, Failure};

/// Customers that events are about.
pub const CUSTOMERS: u64 = 10_000;
/// One request in this many waits for the decision.
const SAMPLE_EVERY: u64 = 8;
/// How long a sender waits when the host has no room.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// What is sent.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where to.
    pub address: String,
    /// The admin token.
    pub token: String,
    /// Event ids start so.
    pub prefix: String,
    /// Connections, kept open.
    pub connections: u64,
    /// Requests of all connections together.
    pub requests: u64,
    /// Events in one request; 1 for a single event, which is no list.
    pub batch: u64,
    /// Requests a second; 0 for as many as go.
    pub rate: u64,
}

/// How it went.
#[derive(Debug)]
pub struct Sent {
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Times the host had no room.
    pub busy: u64,
    /// Times to the decision of those that waited for it, in milliseconds.
    pub decided_ms: Vec<f64>,
}

impl Load {
    /// Runs it in a process of its own and waits for its end.
    pub fn run(&self) -> Result<Sent, Failure> {
        let numbers =
            [self.connections, self.requests, self.batch, self.rate].map(|number| number.to_string());
        let output = std::process::Command::new(std::env::current_exe()?)
            .args(["load", &self.address, &self.token, &self.prefix])
            .args(numbers)
            .stderr(std::process::Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err("the load generator failed".into());
        }
        let told: Value = serde_json::from_slice(&output.stdout)?;
        let times = told["decided_ms"].as_array().into_iter().flatten();
        Ok(Sent {
            seconds: told["seconds"].as_f64().ok_or("the load generator told no time")?,
            busy: told["busy"].as_u64().unwrap_or(0),
            decided_ms: times.filter_map(Value::as_f64).collect(),
        })
    }

    /// Reads what [`Load::run`] passes.
    pub fn parse(arguments: &[String]) -> Result<Load, Failure> {
        let [address, token, prefix, numbers @ ..] = arguments else {
            return Err("load: three texts and four numbers are needed".into());
        };
        let numbers = numbers.iter().map(|number| number.parse()).collect::<Result<Vec<u64>, _>>()?;
        let [connections, requests, batch, rate] = numbers[..] else {
            return Err("load: four numbers are needed".into());
        };
        let (address, token, prefix) = (address.clone(), token.clone(), prefix.clone());
        Ok(Load { address, token, prefix, connections, requests, batch, rate })
    }

    /// Sends it all.
    pub fn send(&self) -> Result<(), Failure> {
        let connections: Vec<Connection> =
            (0..self.connections).map(|index| Connection::open(self, index)).collect::<Result<_, _>>()?;
        let start = Instant::now();
        let ended: Vec<Result<(u64, Vec<f64>), Failure>> = std::thread::scope(|scope| {
            let senders: Vec<_> = connections
                .into_iter()
                .map(|connection| scope.spawn(move || connection.send_all(start)))
                .collect();
            let join = |sender: std::thread::ScopedJoinHandle<'_, _>| {
                sender.join().unwrap_or_else(|_| Err("a sender panicked".into()))
            };
            senders.into_iter().map(join).collect()
        });
        let seconds = start.elapsed().as_secs_f64();
        let (mut busy, mut decided_ms) = (0, Vec::new());
        for ended in ended {
            let (times_busy, times) = ended?;
            busy += times_busy;
            decided_ms.extend(times);
        }
        println!("{}", json!({ "seconds": seconds, "busy": busy, "decided_ms": decided_ms }));
        Ok(())
    }
}

struct Connection<'a> {
    load: &'a Load,
    index: u64,
    stream: BufReader<TcpStream>,
    chance: Chance,
    busy: u64,
    decided_ms: Vec<f64>,
    body: String,
    request: Vec<u8>,
    line: String,
    answer: Vec<u8>,
}

impl<'a> Connection<'a> {
    fn open(load: &'a Load, index: u64) -> Result<Connection<'a>, Failure> {
        let stream = TcpStream::connect(&load.address)?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            load,
            index,
            stream: BufReader::new(stream),
            chance: Chance::new(index + 1),
            busy: 0,
            decided_ms: Vec::new(),
            body: String::new(),
            request: Vec::new(),
            line: String::new(),
            answer: Vec::new(),
        })
    }

    fn send_all(mut self, start: Instant) -> Result<(u64, Vec<f64>), Failure> {
        let Load { connections, requests, rate, .. } = *self.load;
        for number in (self.index..requests).step_by(connections as usize) {
            let due = Duration::from_nanos((number * 1_000_000_000).checked_div(rate).unwrap_or(0));
            std::thread::sleep(due.saturating_sub(start.elapsed()));
            let waits = rate > 0 && (number / connections) % SAMPLE_EVERY == 0;
            self.write_body(number);
            self.write_request(waits);
            self.post()?;
            if waits {
                self.decided_ms.push((start.elapsed() - due).as_secs_f64() * 1e3);
            }
        }
        Ok((self.busy, self.decided_ms))
    }

    fn write_body(&mut self, request: u64) {
        let Load { batch, prefix, .. } = self.load;
        self.body.clear();
        if *batch > 1 {
            self.body.push('[');
        }
        for index in 0..*batch {
            let number = request * batch + index;
            let (customer, item) = (self.chance.below(CUSTOMERS), self.chance.item());
            let separator = if index > 0 { "," } else { "" };
            // Writing to a text can't fail.
            let _ = write!(
                self.body,
                "{separator}{{\"id\":\"{prefix}-{number}\",\"name\":\"bench.bought\",\
                 \"identifiers\":{{\"customer_id\":\"customer-{customer:07}\"}},\"properties\":{{\"item\":\"item-{item}\"}}}}"
            );
        }
        if *batch > 1 {
            self.body.push(']');
        }
    }

    fn write_request(&mut self, waits: bool) {
        self.request.clear();
        let Load { address, token, .. } = self.load;
        let prefer = if waits { "Prefer: wait=10\r\n" } else { "" };
        let length = self.body.len();
        // Writing to memory can't fail.
        let _ = write!(
            self.request,
            "POST /v1/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\n{prefer}Content-Length: {length}\r\n\r\n"
        );
        self.request.extend_from_slice(self.body.as_bytes());
    }

    /// Posts until the host takes it: ids make sending again harmless.
    fn post(&mut self) -> Result<(), Failure> {
        loop {
            self.stream.get_mut().write_all(&self.request)?;
            let status = self.read_answer()?;
            let refused = self.load.batch > 1 && !contains(&self.answer, b"\"refused\":0");
            match status {
                200 | 202 if !refused => return Ok(()),
                200 | 202 | 429 | 503 => {
                    self.busy += 1;
                    std::thread::sleep(BUSY_PAUSE);
                }
                status => {
                    let answer = String::from_utf8_lossy(&self.answer);
                    return Err(format!("the host answered {status}: {answer}").into());
                }
            }
        }
    }

    fn read_answer(&mut self) -> Result<u16, Failure> {
        let mut status = 0;
        let mut length = None;
        loop {
            self.line.clear();
            if self.stream.read_line(&mut self.line)? == 0 {
                return Err("the host closed the connection".into());
            }
            let line = self.line.trim_end();
            if status == 0 {
                status = line.split(' ').nth(1).ok_or("that is no HTTP")?.parse()?;
            } else if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
        }
        self.answer.resize(length.ok_or("the answer has no Content-Length")?, 0);
        self.stream.read_exact(&mut self.answer)?;
        Ok(status)
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.get(..64).unwrap_or(text).windows(part.len()).any(|window| window == part)
}
