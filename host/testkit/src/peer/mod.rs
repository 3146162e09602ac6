//! A system at the other end of a call: a small real server that writes down what arrived before it answers.
//!
//! | file | what it does |
//! |---|---|
//! | `act` | what is done with one request: answer, late, wrongly, never, cut at a byte … |
//! | `ledger` | what arrived: appended, synced, then answered |
//! | `connection` | one connection, byte by byte |
//! | `tls` | certificates: right, for another name, expired, of nobody, and of clients |
//! | `process` | the same as a process of its own |
//!
//! It uses threads and blocking sockets, and no HTTP library: it must be able to be wrong. It must not know the
//! connector that it tests.

mod act;
mod connection;
mod ledger;
pub mod process;
mod tls;

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

pub use act::{Act, Answer, Cut};
pub use ledger::{Arrival, Ledger};
pub use tls::{Authority, Certificate};

/// Which of the peers that a test must find out it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// An honest one.
    #[default]
    Honest,
    /// It takes everything twice: each arrival has two effects.
    Twice,
    /// It loses everything: it answers well and keeps nothing.
    Loses,
}

/// How a peer is set up.
#[derive(Default)]
pub struct Setup {
    /// Its port; 0 is any.
    pub port: u16,
    /// Honest or not.
    pub mode: Mode,
    /// Requests with a key that it has seen get the first one's answer, and have no effect.
    pub dedupes: bool,
    /// The header with the key, in lower case. Empty: `idempotency-key`.
    pub key_header: String,
    /// Its certificate; without one it speaks plain HTTP.
    pub certificate: Option<Certificate>,
}

/// Decides about a request that was read.
pub(crate) type Judge = Arc<dyn Fn(&Arrival) -> Act + Send + Sync>;

/// What is done with requests.
pub(crate) enum Play {
    /// The same with each.
    Always(Act),
    /// These in turn, then 200.
    Script(VecDeque<Act>),
    /// What this says of a request that was read.
    Judge(Judge),
}

pub(crate) struct Inner {
    pub(crate) setup: Setup,
    pub(crate) ledger: Ledger,
    pub(crate) play: Mutex<Play>,
    pub(crate) stopped: AtomicBool,
    pub(crate) connections: AtomicU64,
    /// How often was released.
    pub(crate) released: Mutex<u64>,
    pub(crate) release: Condvar,
}

/// A running peer. It stops when it is dropped.
pub struct Peer {
    address: SocketAddr,
    inner: Arc<Inner>,
    listening: Option<JoinHandle<()>>,
}

impl Peer {
    /// A plain one on loopback that answers 200 to everything, with its ledger in memory.
    pub fn start() -> Peer {
        Peer::with(Setup::default(), None).expect("a peer can listen on loopback")
    }

    /// One on loopback with this setup. `ledger` is the file that it appends to and syncs; what is in it counts as
    /// arrived.
    pub fn with(setup: Setup, ledger: Option<&Path>) -> io::Result<Peer> {
        let listener = TcpListener::bind(("127.0.0.1", setup.port))?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner {
            setup,
            ledger: Ledger::open(ledger)?,
            play: Mutex::new(Play::Always(Act::ok())),
            stopped: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            released: Mutex::new(0),
            release: Condvar::new(),
        });
        let shared = Arc::clone(&inner);
        let listening = std::thread::spawn(move || listen(&listener, &shared));
        Ok(Peer { address, inner, listening: Some(listening) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        let scheme = if self.inner.setup.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }

    /// From now on it does this with each request.
    pub fn always(&self, act: Act) {
        *self.inner.play.lock() = Play::Always(act);
    }

    /// From now on it does these in turn, and 200 behind the last.
    pub fn script(&self, acts: Vec<Act>) {
        *self.inner.play.lock() = Play::Script(acts.into());
    }

    /// From now on this decides, of each request that was read.
    pub fn judge(&self, judge: impl Fn(&Arrival) -> Act + Send + Sync + 'static) {
        *self.inner.play.lock() = Play::Judge(Arc::new(judge));
    }

    /// Lets those go on that are held: all whose requests have arrived.
    pub fn release(&self) {
        *self.inner.released.lock() += 1;
        self.inner.release.notify_all();
    }

    /// What arrived so far.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.inner.ledger.arrivals()
    }

    /// Waits until so many requests arrived.
    pub fn wait_for(&self, number: usize) -> Vec<Arrival> {
        self.inner.ledger.wait_for(number, Duration::from_secs(20))
    }

    /// How often connections were made to it.
    pub fn connections(&self) -> u64 {
        self.inner.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.inner.stopped.store(true, Ordering::SeqCst);
        self.release();
        // The listener looks at the flag when somebody comes.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

fn listen(listener: &TcpListener, inner: &Arc<Inner>) {
    let mut threads = Vec::new();
    for stream in listener.incoming() {
        if inner.stopped.load(Ordering::SeqCst) {
            break;
        }
        let Ok(stream) = stream else { continue };
        let number = inner.connections.fetch_add(1, Ordering::SeqCst);
        let inner = Arc::clone(inner);
        threads.push(std::thread::spawn(move || connection::serve(&inner, stream, number)));
        threads.retain(|thread| !thread.is_finished());
    }
    for thread in threads {
        let _ = thread.join();
    }
}

#[cfg(test)]
mod tests;
