//! What arrived at a peer: on disk before it is answered.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

/// A request, or as much of it as arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Its connection, from 0.
    pub connection: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The method.
    pub method: String,
    /// The target of the request line.
    pub target: String,
    /// The headers, names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The idempotency key.
    pub key: Option<String>,
    /// Bytes that were read of it.
    pub bytes: usize,
    /// Whether all of it arrived.
    pub complete: bool,
    /// Whether it had an effect: it is complete, and no repetition that the peer knows.
    pub effect: bool,
}

impl Arrival {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[derive(Default)]
struct Book {
    file: Option<File>,
    arrivals: Vec<Arrival>,
    answers: BTreeMap<String, super::Act>,
}

/// The arrivals of one peer.
pub struct Ledger {
    book: Mutex<Book>,
    grown: Condvar,
}

impl Ledger {
    /// Opens the file and reads what is in it; a last line that was cut by a crash is left out. Without a file it is
    /// kept in memory.
    pub fn open(path: Option<&Path>) -> io::Result<Ledger> {
        let mut book = Book::default();
        if let Some(path) = path {
            book.arrivals = Ledger::read(path)?;
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            // Ends a line that a crash cut.
            file.write_all(b"\n")?;
            file.sync_data()?;
            book.file = Some(file);
        }
        Ok(Ledger { book: Mutex::new(book), grown: Condvar::new() })
    }

    /// What a file holds.
    pub fn read(path: &Path) -> io::Result<Vec<Arrival>> {
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
            Ok(file) => {
                let lines = BufReader::new(file).lines().collect::<io::Result<Vec<_>>>()?;
                Ok(lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect())
            }
        }
    }

    /// Writes an arrival down and syncs it.
    pub(crate) fn append(&self, mut arrival: Arrival) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        arrival.at_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let mut book = self.book.lock();
        if let Some(file) = &mut book.file {
            let mut line = serde_json::to_vec(&arrival).expect("an arrival is JSON");
            line.push(b'\n');
            file.write_all(&line).and_then(|()| file.sync_data()).expect("the ledger can be written");
        }
        book.arrivals.push(arrival);
        self.grown.notify_all();
    }

    /// The answer that a key got before.
    pub(crate) fn answered(&self, key: &str) -> Option<super::Act> {
        self.book.lock().answers.get(key).cloned()
    }

    /// Keeps the answer that a key got.
    pub(crate) fn answer(&self, key: &str, act: &super::Act) {
        self.book.lock().answers.entry(key.to_owned()).or_insert_with(|| act.clone());
    }

    /// Did a request with this key have an effect?
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.book.lock().arrivals.iter().any(|arrival| arrival.effect && arrival.key.as_deref() == Some(key))
    }

    /// All so far.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.book.lock().arrivals.clone()
    }

    /// Waits until there are so many.
    pub fn wait_for(&self, number: usize, most: Duration) -> Vec<Arrival> {
        let until = Instant::now() + most;
        let mut book = self.book.lock();
        while book.arrivals.len() < number {
            let late = self.grown.wait_until(&mut book, until).timed_out();
            assert!(!late, "only {} of {number} requests arrived", book.arrivals.len());
        }
        book.arrivals.clone()
    }
}
