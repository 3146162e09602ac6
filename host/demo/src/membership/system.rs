//! A membership system as a company might have one: `PUT /members/ID` keeps what it is sent.
//!
//! It knows a request again by its `Idempotency-Key`, asks for patience about some members, and doesn't
//! know a few. Which ones follows from their ids, so every demo is the same.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// One member in so many isn't known.
const NOT_KNOWN_EACH: u64 = 200;
/// About one in so many it asks for patience, once.
const PATIENCE_EACH: u64 = 40;
/// For so many seconds.
const PATIENCE_SECONDS: u32 = 1;
/// Bytes of a request's line and headers at most.
const HEAD_MAX: u64 = 32 << 10;
/// Bytes of a body at most; a plug-in's call has no more.
const BODY_MAX: usize = 64 << 10;

/// The system, which runs until the program ends.
#[derive(Debug)]
pub struct System {
    /// Where it listens.
    pub address: SocketAddr,
    books: Arc<Mutex<Books>>,
}

impl System {
    /// Starts it on a free port of this machine.
    pub fn start() -> io::Result<System> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let books = Arc::new(Mutex::new(Books::default()));
        let kept = books.clone();
        thread::Builder::new().name("membership".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let books = kept.clone();
                // A connection that fails is the host's to try again.
                thread::spawn(move || serve(&stream, &books));
            }
        })?;
        Ok(System { address, books })
    }

    /// How long ago the last request came; for ever, if none did.
    pub fn quiet_for(&self) -> Duration {
        lock(&self.books).last.map_or(Duration::MAX, |last| last.elapsed())
    }

    /// Members about whom something came, requests, how often it asked for patience, members it doesn't know.
    pub fn counts(&self) -> [u64; 4] {
        let books = lock(&self.books);
        let patience = books.patience.len() as u64;
        let unknown = books.unknown.len() as u64;
        let known = books.members.keys().chain(&books.patience).collect::<HashSet<_>>().len() as u64;
        [known + unknown, books.requests, patience, unknown]
    }
}

/// What it knows.
#[derive(Debug, Default)]
struct Books {
    /// What came last about each member.
    members: HashMap<String, Vec<u8>>,
    /// Members about whom it has asked for patience.
    patience: HashSet<String>,
    /// Members about whom something came, and whom it doesn't know.
    unknown: HashSet<String>,
    /// What it answered to each key.
    keys: HashMap<String, u16>,
    requests: u64,
    last: Option<Instant>,
}

impl Books {
    /// The status of the answer.
    fn take(&mut self, request: Request) -> u16 {
        self.requests += 1;
        self.last = Some(Instant::now());
        if let Some(status) = self.keys.get(&request.key) {
            return *status;
        }
        let status = match request.path.strip_prefix("/members/") {
            Some(member) if request.method == "PUT" => self.put(member, request.body),
            Some(_) => 405,
            None => 404,
        };
        if !request.key.is_empty() {
            self.keys.insert(request.key, status);
        }
        status
    }

    fn put(&mut self, member: &str, body: Vec<u8>) -> u16 {
        let chance = spread(member);
        if chance.is_multiple_of(NOT_KNOWN_EACH) {
            self.unknown.insert(member.to_owned());
            return 404;
        }
        if chance % PATIENCE_EACH == 1 && self.patience.insert(member.to_owned()) {
            return 202;
        }
        self.members.insert(member.to_owned(), body);
        200
    }
}

/// A number that is spread evenly over ids (FNV-1a).
fn spread(member: &str) -> u64 {
    member
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What it needs of a request.
#[derive(Debug, Default)]
struct Request {
    method: String,
    path: String,
    key: String,
    body: Vec<u8>,
}

/// Answers request after request of one connection.
fn serve(stream: &TcpStream, books: &Mutex<Books>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(request) = read(&mut reader)? {
        let status = lock(books).take(request);
        let patience =
            if status == 202 { format!("retry-after: {PATIENCE_SECONDS}\r\n") } else { String::new() };
        // One write: a second one would wait for the first one's acknowledgement.
        writer.write_all(format!("HTTP/1.1 {status} \r\ncontent-length: 0\r\n{patience}\r\n").as_bytes())?;
    }
    Ok(())
}

/// The next request; none at the end of the connection.
fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut head = reader.by_ref().take(HEAD_MAX);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace().map(str::to_owned);
    let mut request = Request {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        ..Request::default()
    };
    let mut length = 0;
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                length = value.trim().parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            }
            "idempotency-key" => request.key = value.trim().to_owned(),
            _ => {}
        }
    }
    if length > BODY_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// Books that a thread left in the middle are still right: each request is one change.
fn lock(books: &Mutex<Books>) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member of whom `wanted` is true.
    fn member(wanted: impl Fn(u64) -> bool) -> String {
        (0..).map(|number: u32| format!("{number:05}")).find(|id| wanted(spread(id))).expect("there is one")
    }

    fn put(stream: &mut TcpStream, member: &str, key: &str) -> String {
        let body = r#"{"tier":"gold","opted_out":null}"#;
        let request = format!(
            "PUT /members/{member} HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut answer = String::new();
        while !answer.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut answer).unwrap(), 0, "{answer}");
        }
        answer
    }

    #[test]
    fn it_keeps_members_asks_for_patience_once_and_doesn_t_know_a_few() {
        let system = System::start().unwrap();
        let mut stream = TcpStream::connect(system.address).unwrap();
        assert_eq!(system.quiet_for(), Duration::MAX);
        let usual = member(|chance| chance % NOT_KNOWN_EACH != 0 && chance % PATIENCE_EACH != 1);
        assert!(put(&mut stream, &usual, "k1").starts_with("HTTP/1.1 200 "));
        assert!(put(&mut stream, &member(|chance| chance % NOT_KNOWN_EACH == 0), "k2").contains(" 404 "));
        let slow = member(|chance| chance % PATIENCE_EACH == 1);
        let asked = put(&mut stream, &slow, "k3");
        assert!(asked.contains(" 202 ") && asked.contains("retry-after: 1\r\n"), "{asked}");
        assert_eq!(system.counts(), [3, 3, 1, 1]);
        // The same key has the same answer; another one is another request.
        assert!(put(&mut stream, &slow, "k3").contains(" 202 "));
        assert!(put(&mut stream, &slow, "k4").contains(" 200 "));
        assert_eq!(system.counts(), [3, 5, 1, 1]);
        assert!(system.quiet_for() < Duration::from_secs(60));
    }

    #[test]
    fn what_is_no_request_ends_the_connection() {
        for text in [
            "PUT /members/1 HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
            "PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            "PUT / HTTP/1.1\r\n",
        ] {
            assert!(read(&mut text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(read(&mut "".as_bytes()).unwrap().is_none());
    }
}
