//! One connection of a peer.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Act, Answer, Arrival, Cut, Inner, Judge, Mode, Play};

/// How long a read waits before it looks whether the peer is to stop.
const LOOK: Duration = Duration::from_millis(20);
/// How long it reads what a client still sends, after it has ended its own side.
const READS_ON: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most.
const HEAD_MAX: usize = 256 * 1024;

/// The bytes, plain or decrypted.
pub(super) trait Stream: Read + Write + Send {
    /// Says that it ends here, where the protocol has a way to.
    fn goodbye(&mut self) {}
}

impl Stream for TcpStream {}

pub(super) fn serve(inner: &Arc<Inner>, socket: TcpStream, number: u64) {
    let _ = socket.set_nodelay(true);
    let Ok(raw) = socket.try_clone() else { return };
    // Before a handshake of TLS an end needs no look at the flag; within requests it does.
    let _ = raw.set_read_timeout(Some(Duration::from_secs(5)));
    let stream: Box<dyn Stream> = match &inner.setup.certificate {
        None => Box::new(socket),
        Some(certificate) => match certificate.accept(socket) {
            Ok(stream) => stream,
            Err(_) => return,
        },
    };
    let _ = raw.set_read_timeout(Some(LOOK));
    let mut connection = Connection { inner: Arc::clone(inner), stream, raw, number, ahead: Vec::new() };
    while matches!(connection.exchange(), Ok(true)) {}
}

struct Connection {
    inner: Arc<Inner>,
    stream: Box<dyn Stream>,
    raw: TcpStream,
    number: u64,
    /// Bytes behind the last request.
    ahead: Vec<u8>,
}

impl Connection {
    /// One request and what is done with it. `true`: another may follow.
    fn exchange(&mut self) -> io::Result<bool> {
        if self.inner.play.lock().refuses_to_read() {
            let act = self.inner.play.lock().begin().unwrap_or_default();
            return self.cut_request(0, act.cut);
        }
        // With its first byte a request has its act: one that is cut must be known before it is read.
        let mut first = [0];
        if self.ahead.is_empty() {
            if self.read(&mut first)? == 0 {
                return Ok(false);
            }
            self.ahead.push(first[0]);
        }
        let act = self.inner.play.lock().begin();
        if let Some(Act { cut_request_at: Some(at), cut, .. }) = act {
            return self.cut_request(at, cut);
        }
        let Some((mut arrival, body_length)) = self.head()? else { return Ok(false) };
        if !act.as_ref().is_some_and(|act| act.early) {
            while self.ahead.len() < body_length {
                if !self.fill()? {
                    arrival.bytes += self.ahead.len();
                    arrival.body = std::mem::take(&mut self.ahead);
                    self.write_down(arrival);
                    return Ok(false);
                }
            }
            arrival.body = self.ahead.drain(..body_length).collect();
            arrival.bytes += body_length;
            arrival.complete = true;
        }
        let act = act.unwrap_or_else(|| {
            let judge = self.inner.play.lock().judge();
            judge.map_or_else(Act::ok, |judge| judge(&arrival))
        });
        let released = *self.inner.released.lock();
        let act = self.account(arrival, act);
        self.wait(&act, released);
        self.answer(&act)
    }

    fn write_down(&self, arrival: Arrival) {
        if self.inner.setup.mode != Mode::Loses {
            self.inner.ledger.append(arrival);
        }
    }

    /// Writes the arrival down as the peer's mode has it, and says what is done.
    fn account(&self, mut arrival: Arrival, act: Act) -> Act {
        let ledger = &self.inner.ledger;
        let setup = &self.inner.setup;
        let key = arrival.key.clone().filter(|_| setup.dedupes);
        let repeated = key.as_ref().is_some_and(|key| ledger.knows(key));
        arrival.effect = arrival.complete && (!repeated || setup.mode == Mode::Twice);
        if setup.mode == Mode::Twice {
            self.write_down(arrival.clone());
        }
        self.write_down(arrival);
        let Some(key) = key else { return act };
        match ledger.answered(&key) {
            // The first one's answer, however this connection is treated.
            Some(known) => Act { answer: known.answer, ..act },
            None => {
                ledger.answer(&key, &act);
                act
            }
        }
    }

    fn cut_request(&mut self, at: usize, cut: Cut) -> io::Result<bool> {
        while self.ahead.len() < at {
            let mut buffer = vec![0; at - self.ahead.len()];
            match self.read(&mut buffer)? {
                0 => break,
                read => self.ahead.extend_from_slice(&buffer[..read]),
            }
        }
        let head = String::from_utf8_lossy(&self.ahead);
        let mut words = head.lines().next().unwrap_or_default().split(' ');
        let arrival = Arrival {
            connection: self.number,
            method: words.next().unwrap_or_default().to_owned(),
            target: words.next().unwrap_or_default().to_owned(),
            bytes: self.ahead.len(),
            ..Arrival::default()
        };
        self.write_down(arrival);
        self.end(cut);
        Ok(false)
    }

    /// The request line and headers, and how long the body is.
    fn head(&mut self) -> io::Result<Option<(Arrival, usize)>> {
        let end = loop {
            if let Some(at) = self.ahead.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if self.ahead.len() > HEAD_MAX || !self.fill()? {
                let bytes = self.ahead.len();
                self.write_down(Arrival { connection: self.number, bytes, ..Arrival::default() });
                return Ok(None);
            }
        };
        let head: Vec<u8> = self.ahead.drain(..end).collect();
        let head = String::from_utf8_lossy(&head);
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let key_header = match self.inner.setup.key_header.as_str() {
            "" => "idempotency-key",
            name => name,
        };
        let mut arrival = Arrival {
            connection: self.number,
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            bytes: end,
            ..Arrival::default()
        };
        arrival.key = arrival.header(key_header).map(str::to_owned);
        let length = arrival.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        Ok(Some((arrival, length)))
    }

    /// Waits as the act says; `before` is how often was released before the request was written down.
    fn wait(&self, act: &Act, before: u64) {
        if act.held {
            let mut released = self.inner.released.lock();
            while *released == before && !self.stopped() {
                self.inner.release.wait(&mut released);
            }
        }
        if act.late_ms > 0 {
            std::thread::sleep(Duration::from_millis(act.late_ms));
        }
    }

    fn answer(&mut self, act: &Act) -> io::Result<bool> {
        match &act.answer {
            Answer::Never => {
                while self.fill()? {}
                Ok(false)
            }
            Answer::Tunnel(to) => self.tunnel(*to),
            Answer::Endless(first, then) => {
                self.stream.write_all(first)?;
                // Many at a time, else a small one takes for ever to reach a bound.
                let times = (4096 / then.len().max(1)).max(1);
                let many = if act.drip_ms > 0 { then.clone() } else { then.repeat(times) };
                while !self.stopped() {
                    self.stream.write_all(&many)?;
                    self.stream.flush()?;
                    std::thread::sleep(Duration::from_millis(act.drip_ms));
                }
                Ok(false)
            }
            Answer::Bytes(bytes) => {
                let end = act.cut_answer_at.unwrap_or(bytes.len()).min(bytes.len());
                if act.drip_ms == 0 {
                    self.stream.write_all(&bytes[..end])?;
                } else {
                    for byte in &bytes[..end] {
                        self.stream.write_all(&[*byte])?;
                        self.stream.flush()?;
                        std::thread::sleep(Duration::from_millis(act.drip_ms));
                    }
                }
                self.stream.flush()?;
                if act.cut_answer_at.is_some() || act.closes {
                    if act.cut_answer_at.is_none() {
                        self.stream.goodbye();
                    }
                    self.end(act.cut);
                    return Ok(false);
                }
                Ok(!act.early)
            }
        }
    }

    fn tunnel(&mut self, to: SocketAddr) -> io::Result<bool> {
        self.stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let target = TcpStream::connect(to)?;
        self.raw.set_read_timeout(None)?;
        let (mut back_from, mut back_to) = (target.try_clone()?, self.raw.try_clone()?);
        let back = std::thread::spawn(move || {
            let _ = io::copy(&mut back_from, &mut back_to);
            let _ = back_to.shutdown(Shutdown::Write);
        });
        let mut target = target;
        let _ = io::copy(&mut self.raw, &mut target);
        let _ = target.shutdown(Shutdown::Write);
        let _ = back.join();
        Ok(false)
    }

    fn end(&self, cut: Cut) {
        if cut == Cut::Reset {
            // With nothing lingering the kernel resets when the last handle is closed.
            let _ = rustix::net::sockopt::set_socket_linger(&self.raw, Some(Duration::ZERO));
        } else {
            let _ = self.raw.shutdown(Shutdown::Write);
            // What wasn't read would turn the end into a reset.
            let mut rest = [0; 4096];
            let until = Instant::now() + READS_ON;
            loop {
                match (&self.raw).read(&mut rest) {
                    Ok(0) => break,
                    Ok(_) => {}
                    // A client that is slow to send, or to see the end.
                    Err(error)
                        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
                    {
                        if self.stopped() || Instant::now() > until {
                            break;
                        }
                    }
                    Err(_) => break,
                }
            }
        }
    }

    fn stopped(&self) -> bool {
        self.inner.stopped.load(Ordering::SeqCst)
    }

    /// Reads more. `false`: there is no more.
    fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        let read = self.read(&mut buffer)?;
        self.ahead.extend_from_slice(&buffer[..read]);
        Ok(read > 0)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if self.stopped() {
                        return Ok(0);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl Play {
    /// Is the next connection ended without a look at it?
    fn refuses_to_read(&self) -> bool {
        let next = match self {
            Play::Always(act) => Some(act),
            Play::Script(acts) => acts.front(),
            Play::Judge(_) => None,
        };
        next.is_some_and(|act| act.cut_request_at == Some(0))
    }

    /// The act of the request that begins, unless the whole request decides.
    fn begin(&mut self) -> Option<Act> {
        match self {
            Play::Always(act) => Some(act.clone()),
            Play::Script(acts) => Some(acts.pop_front().unwrap_or_default()),
            Play::Judge(_) => None,
        }
    }

    fn judge(&self) -> Option<Judge> {
        match self {
            Play::Judge(judge) => Some(Arc::clone(judge)),
            Play::Always(_) | Play::Script(_) => None,
        }
    }
}
